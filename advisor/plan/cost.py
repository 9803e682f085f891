"""What a training takes: memory and time, by published formulas. Estimates; not run on a GPU."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

from advisor.errors import BadPlan
from advisor.plan.model import Model

GIB = 1 << 30


@dataclass(frozen=True, slots=True)
class Gpu:
    """An accelerator. memory: in GiB. peak: 10^12 dense half-precision operations a second, None where none is known.

    bf16: whether it computes in bf16; otherwise in fp16 only.
    """

    name: str
    memory: float
    peak: float | None = None
    bf16: bool = True


@lru_cache(maxsize=1)
def gpus() -> Mapping[str, Gpu]:
    """Return the accelerators that are known by name."""
    table = tomllib.loads((files("advisor.plan") / "gpus.toml").read_text(encoding="utf-8"))["gpu"]
    return {name: Gpu(name, float(of["memory"]), of.get("peak"), of.get("bf16", True)) for name, of in table.items()}


_MEMORY = re.compile(r"^(\d+(?:\.\d+)?)\s*(?:gi?b?)?$", re.IGNORECASE)


def gpu_named(given: str) -> Gpu:
    """Return an accelerator by its name (`A100-80GB`, `a100 80gb`) or its memory (`24GB`). Raises BadPlan with the nearest name."""
    if found := _MEMORY.match(given.strip()):
        if float(found[1]) <= 0:
            raise BadPlan(f"--gpu {given}: expected a memory above 0, such as 24GB")
        return Gpu(given.strip(), float(found[1]))
    plain = {_plain(name): gpu for name, gpu in gpus().items()}
    wanted = _plain(given).removeprefix("nvidia")
    matches = [gpu for name, gpu in plain.items() if name == wanted] or [
        gpu for name, gpu in plain.items() if name.startswith(wanted)
    ]
    if len(matches) == 1:
        return matches[0]
    if matches:
        raise BadPlan(f"--gpu {given}: there are {', '.join(gpu.name for gpu in matches)}; name one")
    near = difflib.get_close_matches(wanted, plain, n=1, cutoff=0.5)
    hint = f"; did you mean {plain[near[0]].name}?" if near else ""
    raise BadPlan(f"--gpu {given}: not known{hint}; give its memory, such as 24GB, or one of {', '.join(gpus())}")


def _plain(name: str) -> str:
    return re.sub(r"[\s_-]", "", name).lower()


TRAINED = 16
"""Bytes for each weight that is trained with AdamW in mixed precision: weight and gradient in half precision, and in full
precision the weight and two averages (ZeRO, Rajbhandari et al. 2020)."""

FROZEN = 2
"""Bytes for each weight that is only read: bf16."""

OF_A_LAYER = 34
"""Bytes of activations for each token and unit of width in a layer (Korthikanti et al. 2022), without the attention matrix, which
fused attention does not keep."""

OF_A_CHECKPOINT = 2
"""The same where activations are computed again: only the input of each layer is kept."""

OF_THE_LOGITS = 10
"""Bytes for each token and word of the vocabulary: half precision, full precision for the loss, and its gradient."""

BESIDE = 1.5 * GIB
"""The libraries' own, and what is reserved and lies idle."""

USABLE = 0.92
"""Share of the memory that is planned for; the rest is fragmentation."""


@dataclass(frozen=True, slots=True)
class Memory:
    """Bytes on one accelerator. states: weights, gradients and optimizer. activations: of one pass. logits: of its output."""

    states: float
    activations: float
    logits: float

    @property
    def total(self) -> float:
        """All together, with what the libraries take."""
        return self.states + self.activations + self.logits + BESIDE

    def fits(self, gpu: Gpu) -> bool:
        """Tell whether it fits."""
        return self.total <= USABLE * gpu.memory * GIB


def adapter_weights(model: Model, rank: int) -> float:
    """Return the weights of adapters on all linear layers: rank × (width in + width out) of each."""
    return float(model.layers * sum(rank * (a + b) for a, b in model.linear_sizes))


def memory(model: Model, *, rank: int, batch: int, length: int, again: bool, devices: int) -> Memory:
    """Return the memory of a training on each of `devices`.

    rank: of the adapter, 0 where all weights are trained, whose states are then shared out among the devices (FSDP, ZeRO 3).
    again: whether activations are computed again in the backward pass.
    """
    trained = adapter_weights(model, rank) if rank else model.parameters
    states = FROZEN * model.parameters + TRAINED * trained if rank else TRAINED * trained / devices
    tokens = batch * length
    whole = OF_A_LAYER * tokens * model.hidden
    kept = OF_A_CHECKPOINT * tokens * model.hidden * model.layers + whole if again else whole * model.layers
    return Memory(states, kept, OF_THE_LOGITS * tokens * model.vocabulary)


UTILISATION = (0.2, 0.45)
"""Share of the peak that trainings reach: 0.46 in PaLM's report for a whole cluster, a fifth for small batches on one card."""


def hours(model: Model, *, tokens: float, trained: bool, again: bool, gpu: Gpu, devices: int) -> tuple[float, float] | None:
    """Return (least, most) hours for so many tokens; None where no throughput is known.

    6 operations for each weight and token (Kaplan et al. 2020): 2 forward, 4 backward, of which an adapter spares the 2 for the
    gradients of the frozen weights; 2 more where the forward pass is computed again.
    """
    if gpu.peak is None:
        return None
    operations = (6 if trained else 4) + (2 if again else 0)
    whole = operations * model.parameters * tokens / (gpu.peak * 1e12 * devices) / 3600
    return whole / UTILISATION[1], whole / UTILISATION[0]
