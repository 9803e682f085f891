"""Starting parameters: documented ranges and directions first, published sweeps where those say nothing or disagree.

Directions (Pangu, "How do I adjust training parameters"): a difficult task or few rows ask for more epochs; many rows or a small
model for a larger batch and rate, few rows or a very large model for a smaller batch and rate.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from advisor.errors import BadPlan
from advisor.model import Facts
from advisor.plan.cost import Gpu, Memory, memory
from advisor.plan.data import Data
from advisor.plan.model import Model
from advisor.plan.planned import DIFFICULTIES, Parameter
from advisor.recipes.base import RANGES, rounded
from advisor.recipes.evaluation import EVALUATIONS
from advisor.recipes.settings import ENOUGH_UPDATES, LORA_RANKS
from advisor.signals.rates import ALPHA, LARGE, published_band

SPLIT = 10
"""Training rows for each evaluation row, documented for every supervised model."""

ROUND_TO = 64
"""Lengths are rounded up to a multiple of this, which the kernels like."""

SHORTEST = 128
MARGIN = 1.1
"""Estimated lengths may be this much too short."""

LONGEST = 32_768
"""The longest rows that are documented."""

TEXT_LENGTH = 4096
"""Running text is cut into rows of so many tokens, the documented length of a row, or as many as the model reads."""

LEAST_SEQUENCES = 50
"""Rows of running text below which there is nothing to train on."""


def length(model: Model, data: Data, wanted: int | None) -> Parameter:
    """Return where rows are cut: at their 99th percentile, but no longer than the model reads. Raises BadPlan."""
    longest = min(model.context or LONGEST, LONGEST)
    if wanted:
        if wanted > (model.context or wanted):
            raise BadPlan(f"--max-length {wanted}: {model.name} reads {model.context} tokens; give that or less")
        return Parameter("max_length", wanted, "max_length.given", "own", "safe", ("lengths",), _cut(data, wanted))
    if data.text:
        value = min(TEXT_LENGTH, longest)
        return Parameter("max_length", value, "max_length.text", "volume", "safe", ("context",), {"length": value})
    p99 = data.percentile(99) * (1.0 if data.counted else MARGIN)
    value = min(max(ROUND_TO * math.ceil(p99 / ROUND_TO), SHORTEST), longest)
    return Parameter("max_length", value, "max_length.rows", "volume", "safe", ("lengths", "context"), _cut(data, value))


def _cut(data: Data, length: int) -> Facts:
    facts = {f"p{p}": data.percentile(p) for p in (50, 95, 99)}
    return {**facts, "longest": data.percentile(100), "cut": float((data.lengths > length).mean())}


EPOCHS = (1, 2, 4, 8, 10)
"""One pass, and the documented recommendation."""

FEW, MANY = 2000, 20_000
"""Rows below which more passes are taken, and from which one is enough: Azure's guide takes one from 2000 on, a sweep had its best
evaluation near two passes over 5000 to 15 000 rows (2609.01244)."""

LARGE_SHARE = 0.02
"""Of the rows in one update, beyond which twice as many updates are wanted (rule SETTING-006)."""


def epochs(rows: int, batch: int, method: str, difficulty: str) -> Parameter:
    """Return the passes over the rows: by volume and difficulty, and more where that makes too few updates."""
    if method == "pretrain":
        rung = 0
    else:
        rung = (2 if rows < FEW else 1 if rows < MANY else 0) - (method == "full") + DIFFICULTIES.index(difficulty) - 1
    value = EPOCHS[min(max(rung, 0), len(EPOCHS) - 1)]
    needed = math.ceil(ENOUGH_UPDATES * (2 if batch > LARGE_SHARE * rows else 1) * batch / rows)
    facts: Facts = {"rows": rows, "batch": batch, "updates": math.ceil(needed * rows / batch), "usual": value}
    changes = ("evaluation", "difficulty", "rows")
    if needed > value:
        most = int(RANGES["num_train_epochs"][1])
        return Parameter("num_train_epochs", min(needed, most), "epochs.updates", "updates", "try", changes, facts)
    return Parameter("num_train_epochs", value, f"epochs.{method}", "parameters", "try", changes, facts)


BATCHES = ((1000, 4), (10_000, 8), (100_000, 16))
"""Rows below which so many make an update: 4 and 8 are documented; adapters did best with 8 to 64 on 5000 to 100 000 rows."""

LARGEST_BATCH = 32

VERY_LARGE = 30e9
"""Weights from which on a model is very large: smaller batch and rate."""


def rows_of_an_update(rows: int, parameters: float) -> int:
    """Return how many rows make an update."""
    size = next((batch for below, batch in BATCHES if rows < below), LARGEST_BATCH)
    if parameters >= VERY_LARGE:
        return max(size // 2, BATCHES[0][1])
    return 2 * size if parameters < LARGE and rows >= BATCHES[0][0] else size


PER_DOUBLING = 1.17
"""Factor of the rate for each doubling of the batch (2609.01244; other studies have 1.12 and 1.41)."""

USUAL_BATCH = 16
"""The batch at which published rates hold."""

LESS_FOR_LARGE = 0.6
"""Factor of the rate for a very large model: the documented direction, and what separates the families in Tinker's sweep."""

DOCUMENTED_FROM = 1e8
"""Weights from which on the documented range of rates holds; smaller models take larger ones."""


def rate(model: Model, method: str, batch: int) -> Parameter:
    """Return the learning rate: the middle of the plausible band, moved with the batch, inside the documented range."""
    kind = "lora" if method == "lora" else "full"
    band = published_band({"lora_alpha": ALPHA}, kind, model.parameters, "sft")
    value = band.middle * PER_DOUBLING ** math.log2(batch / USUAL_BATCH)
    large = model.parameters >= VERY_LARGE
    value *= LESS_FOR_LARGE if large else 1.0
    low, high = RANGES["learning_rate"]
    high = min(band.high, high) if model.parameters >= DOCUMENTED_FROM else band.high
    facts: Facts = {"low": band.low, "high": band.high, "batch": batch, "size": model.parameters / 1e9}
    value = rounded(min(max(value, band.low, low), high))
    return Parameter(
        "learning_rate", value, f"rate.{kind}{'.large' if large else ''}", f"rate_{kind}", "try", ("curve", "batch", "size"), facts
    )


RANKS = {"easy": 16, "medium": 32, "hard": 64}


def adapter(rows: int, difficulty: str) -> Iterator[Parameter]:
    """Yield rank, alpha and places of an adapter; the rank comes first."""
    rank = min(RANKS[difficulty], 16 if rows < BATCHES[0][0] else 32 if rows < MANY else LORA_RANKS[1])
    yield Parameter("lora_r", rank, "rank", "rank", "try", ("difficulty", "rows"), {"rows": rows})
    yield Parameter("lora_alpha", int(ALPHA), "alpha", "rate_lora", "try", ("rate",))
    yield Parameter("target_modules", "all-linear", "targets", "targets", "safe", ("memory",))


LARGEST_ON_A_DEVICE = 8
"""Rows on a device at once: the larger of the recommended batches."""


@dataclass(frozen=True, slots=True)
class Spread:
    """How the rows of an update are spread. each: rows on a device at once. again: whether activations are computed again."""

    each: int
    accumulated: int
    again: bool
    need: Memory


def spread(model: Model, *, rank: int, batch: int, length: int, gpu: Gpu | None, devices: int) -> Spread:
    """Return the fastest way that fits: computing activations again costs less than a single row at a time, which leaves it idle.

    Without a known accelerator activations are computed again, which fits more of them.
    """
    most = min(max(batch // devices, 1), LARGEST_ON_A_DEVICE)
    sizes = [size for size in (8, 4, 2, 1) if size <= most]
    ways = [(sizes[0], True)]
    if gpu:
        ways = [(size, False) for size in sizes if size > 1 or sizes == [1]] + [(size, True) for size in sizes]
    for size, again in ways:
        need = memory(model, rank=rank, batch=size, length=length, again=again, devices=devices)
        if gpu is None or need.fits(gpu):
            break
    return Spread(size, max(round(batch / size / devices), 1), again, need)


def interval(updates: int) -> int:
    """Return after how many updates to evaluate: ten times in a run, at round numbers in a long one."""
    steps = max(updates // EVALUATIONS, 1)
    return steps - steps % 10 if steps >= 100 else steps  # noqa: PLR2004  from there on tens are round
