"""The band of plausible learning rates, from the method, LoRA's alpha and the size of the model."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from advisor.model import Facts
from advisor.signals.registry import signal

BANDS = {"full": (1e-5, 1e-4), "lora": (1e-4, 1e-3)}
"""Plausible rates for models of a billion parameters and more.

full: 1e-5 to 5e-5 (Axolotl), 3e-5 best from 0.6 to 32 B (2609.01244), with a factor of two above. lora: normalised to alpha 32,
from the sweep over 35 models (Tinker: 1.9e-4 to 4.5e-4 best, 1e-3 costs 0.5 %) and 2609.01244 (1e-3 flat from 0.6 to 32 B).
"""

LARGE = 1e9
"""Parameters from which on the published bands hold without a correction for size."""

GROWTH = (0.37, 0.57)
"""Exponents by which the two ends of the band grow as a model gets smaller.

They join the bands above to 1.3e-4 … 5e-3 for a million parameters: a tenth of, and four times, the pre-training rate of Kaplan
et al. (2020), 0.003239 − 0.0001395 · ln N, since small models are fine-tuned at nearly pre-training rates.
"""

ALPHA = 32.0
"""LoRA's published rates hold for this alpha; the step of B·A grows with alpha times the rate."""

_SIZE = re.compile(r"(?<![A-Za-z0-9.])(\d+(?:\.\d+)?)\s?-?([MBmb])(?![A-Za-z0-9])")


@dataclass(frozen=True, slots=True)
class RateBand:
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


def number(config: Facts, *names: str) -> float | None:
    """Return the first of these settings that is a number, or None."""
    for name in names:
        value = config.get(name)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return float(value)
    return None


@signal
def method(config: Facts) -> str:
    """`lora` where the method says so or a rank is set, `full` where it says so or all parameters are counted, else `unknown`."""
    said = str(config.get("method", "")).lower()
    if "lora" in said or "lora_r" in config:
        return "lora"
    return "full" if "full" in said or "trainable_parameters" in config else "unknown"


@signal
def model_parameters(config: Facts, method: str) -> float | None:
    """Parameters of the model: as configured, as the name says (`Qwen2.5-7B`), or those trained where all are; None if unknown."""
    stated = number(config, "model_parameters", "num_parameters", "n_params", "total_parameters")
    if stated:
        return stated
    named = _SIZE.search(str(config.get("model") or config.get("model_name_or_path") or config.get("base_model") or ""))
    if named:
        return float(named[1]) * (1e6 if named[2] in "Mm" else 1e9)
    return number(config, "trainable_parameters") if method == "full" else None


@signal
def rate_band(config: Facts, method: str, model_parameters: float | None) -> RateBand:
    """The plausible band for this method and model: published bands, moved by LoRA's alpha and, below a billion, by the size."""
    low, high = BANDS[method] if method in BANDS else (BANDS["full"][0], BANDS["lora"][1])
    if method == "lora":
        alpha = number(config, "lora_alpha")
        scale = ALPHA / alpha if alpha else 1.0
        low, high = low * scale, high * scale
    if model_parameters and model_parameters < LARGE:
        smaller = LARGE / max(model_parameters, 1e5)
        low, high = low * smaller ** GROWTH[0], high * smaller ** GROWTH[1]
    return RateBand(low, high, method, model_parameters is not None)


@signal
def effective_batch(config: Facts) -> float | None:
    """Rows of one optimizer step: rows a device × accumulation × devices; None where no batch size is known."""
    rows = number(config, "per_device_train_batch_size", "batch_size", "train_batch_size")
    if not rows:
        return None
    accumulated = number(config, "gradient_accumulation_steps") or 1.0
    return rows * accumulated * (number(config, "world_size", "num_devices", "n_gpu") or 1.0)
