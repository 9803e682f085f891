"""What a change is expected to bring: an interval for the evaluation loss, or nothing where only the direction is known."""

from __future__ import annotations

import math

from advisor.model import Effect, NotMeasurable, Value
from advisor.signals import Measurements

CURVATURE = (0.029, 0.082)
"""Interquartile range of the excess loss for a rate one decade off, over 35 models (Tinker, LoRA); it grows with the square."""

NOISE_UNITS = 2.0
STOPPING = ("num_train_epochs", "max_steps")


def effect_of(parameter: str, old: Value | None, new: Value, recipe: str, measured: Measurements) -> Effect | None:
    """Return the expected relative change of the evaluation loss, or None where only the direction is known."""
    try:
        if parameter in STOPPING and recipe in ("epochs_at_best", "steps_at_best"):
            return _stopping_at_best(measured)
        if parameter == "learning_rate" and isinstance(old, int | float) and isinstance(new, int | float):
            return _other_rate(float(old), float(new), measured)
    except NotMeasurable:
        return None
    return None


def _stopping_at_best(measured: Measurements) -> Effect | None:
    """From the last to the best evaluation, as measured in this run, give or take its noise; None where the last is 0."""
    best, noise = measured["eval_best"].value, measured["eval_noise"]
    last = float(measured["eval_loss"].finite.values[-1])
    if not last:
        return None
    gain, error = (best - last) / abs(last), NOISE_UNITS * noise / abs(last)
    return Effect(gain - error, min(gain + error, 0.0), "measured")


def _other_rate(old: float, new: float, measured: Measurements) -> Effect | None:
    """From the published cost of a rate that is off, for LoRA runs that neither diverge nor stand still."""
    band = measured["rate_band"]
    if band.method != "lora" or measured["train_level"].end >= measured["train_level"].first:
        return None
    decades = [math.log10(rate / band.middle) ** 2 for rate in (old, new)]
    gains = sorted(-k * (decades[0] - decades[1]) for k in CURVATURE)
    return Effect(gains[0], gains[1], "sweep")
