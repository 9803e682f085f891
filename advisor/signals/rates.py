"""The band of plausible learning rates, from the method, LoRA's alpha and the size of the model."""

from __future__ import annotations

import math
from typing import NamedTuple

from advisor.model import Facts, NotApplicable, Run
from advisor.signals.registry import signal
from advisor.signals.settings import setting

BANDS = {
    "supervised": {"full": (1e-5, 1e-4), "lora": (1e-4, 1e-3)},
    "preference": {"full": (1.5e-7, 5e-6), "lora": (3e-6, 1e-4)},
    "reinforcement": {"full": (5e-7, 1e-5), "lora": (1e-6, 1e-4)},
    "reward": {"full": (1e-6, 5e-5), "lora": (1e-5, 5e-4)},
}
"""Plausible rates for models of a billion parameters and more, by what is trained and how.

supervised, full: 1e-5 to 5e-5 (Axolotl), 3e-5 best from 0.6 to 32 B (2609.01244), with a factor of two above. lora: normalised to
alpha 32, from the sweep over 35 models (Tinker: 1.9e-4 to 4.5e-4 best, 1e-3 costs 0.5 %) and 2609.01244 (1e-3 flat from 0.6 to
32 B). preference: DPO is usually run at 5e-7 (full) and 1e-5 (LoRA); from a third of these to ten times, as TRL's defaults spread.
reinforcement: 1e-6 to 1e-4 with LoRA, TRL's full GRPO at 1e-6. reward: 9e-6 (InstructGPT), 5e-6 to 1e-5 (Llama 2), and LoRA ten
times above.
"""

KINDS = {"dpo": "preference", "kto": "preference", "orpo": "preference", "reward": "reward",
         "grpo": "reinforcement", "rloo": "reinforcement", "ppo": "reinforcement"}  # fmt: skip
"""Objective → row of BANDS; all others are supervised."""

LARGE = 1e9
"""Parameters from which on the published bands hold without a correction for size."""

GROWTH = (0.37, 0.57)
"""Exponents by which the two ends of the band grow as a model gets smaller.

They join the bands above to 1.3e-4 … 5e-3 for a million parameters: a tenth of, and four times, the pre-training rate of Kaplan
et al. (2020), 0.003239 − 0.0001395 · ln N, since small models are fine-tuned at nearly pre-training rates.
"""

ALPHA = 32.0
"""LoRA's published rates hold for this alpha; the step of B·A grows with alpha times the rate."""


class RateBand(NamedTuple):
    """Plausible learning rates: low … high, in the run's own terms.

    method: `lora`, `full`, or `unknown`, whose band spans both. size_known: whether the model's size entered.
    """

    low: float
    high: float
    method: str
    size_known: bool

    @property
    def middle(self) -> float:
        """The geometric middle: the rate to start from."""
        return math.sqrt(self.low * self.high)


@signal
def method(config: Facts) -> str:
    """`lora` where the method says so or a rank is set, `full` where it says so or all parameters are counted, else `unknown`."""
    said = str(config.get("method", "")).lower()
    if "lora" in said or "lora_r" in config:
        return "lora"
    return "full" if "full" in said or "trainable_parameters" in config else "unknown"


OF_IMAGES = frozenset({"ultralytics", "ultralytics-console"})
"""Formats of trainers of image models, for which the bands, those of language models, say nothing."""


@signal
def rate_band(run: Run, config: Facts, method: str, model_parameters: float | None, objective: str) -> RateBand:
    """The published band of learning rates for what this run trains."""
    if run.reader in OF_IMAGES:
        raise NotApplicable("rate_band")
    return published_band(config, method, model_parameters, objective)


def published_band(config: Facts, method: str, model_parameters: float | None, objective: str) -> RateBand:
    """Return the band for this objective, method and model, moved by LoRA's alpha and, below a billion parameters, by size."""
    size = model_parameters or (setting(config, "trainable_parameters") if method == "full" else None)
    bands = BANDS[KINDS.get(objective, "supervised")]
    low, high = bands[method] if method in bands else (bands["full"][0], bands["lora"][1])
    if method == "lora":
        alpha = setting(config, "lora_alpha")
        scale = ALPHA / alpha if alpha else 1.0
        low, high = low * scale, high * scale
    if size and size < LARGE:
        smaller = LARGE / max(size, 1e5)
        low, high = low * smaller ** GROWTH[0], high * smaller ** GROWTH[1]
    return RateBand(low, high, method, size is not None)
