"""What recipes share: the documented ranges, what a recipe may look at, and its registration."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from advisor.model import Hit, NotMeasurable, Value
from advisor.signals import Measurements

RANGES: Mapping[str, tuple[float, float]] = {
    "num_train_epochs": (1, 50),
    "learning_rate": (1e-6, 5e-4),
    "per_device_train_batch_size": (1, math.inf),
    "warmup_ratio": (0, 1),
    "learning_rate_decay_ratio": (0.01, 0.1),
}
"""Documented ranges (Pangu, "How do I adjust training parameters"); no advice leaves them."""

LARGEST_STEP = 10.0
"""No advice changes a learning rate by more than this factor at once."""

WARMUP = 0.05
"""Share of the run for warm-up where there was too little: 3–5 % by the tuning playbook, 5–10 % by Unsloth's guide."""


@dataclass(frozen=True)
class Context:
    """What a recipe may look at."""

    measured: Measurements
    hit: Hit

    @property
    def config(self) -> Mapping[str, Value]:
        """The settings of what was measured."""
        return self.measured.config

    def number(self, name: str) -> float | None:
        """Return a numeric setting, or None where it is not known."""
        value = self.config.get(name)
        return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


Edit = tuple["Value | None", Value]
Recipe = Callable[[Context], "Edit | None"]
RECIPES: dict[str, Recipe] = {}


def recipe(function: Recipe) -> Recipe:
    """Register `function` as the recipe of its own name. It returns (old, new), or None where it has no number to give."""
    RECIPES[function.__name__] = function
    return function


def epochs(context: Context) -> float | None:
    """Return the passes that are set, else those that were logged."""
    planned = context.number("num_train_epochs")
    if planned is not None and planned > 0:
        return planned
    try:
        return float(math.ceil(context.measured["train_epochs"].total - 1e-6))
    except NotMeasurable:
        return None


def clip(parameter: str, value: float) -> float:
    """Return `value` inside the documented range of `parameter`."""
    low, high = RANGES[parameter]
    return min(max(value, low), high)


def whole(value: float) -> Value:
    """Return a whole number as such, others to two decimals."""
    return int(value) if value == int(value) else round(value, 2)


def known(value: float | None) -> Value | None:
    """Return a setting as it would be written, None where it is not known."""
    return None if value is None else whole(value) if value == int(value) else value


def scaled_rate(context: Context, factor: float) -> Edit | None:
    """Scale the learning rate: never by more than `LARGEST_STEP`, inside the range, never against the intended direction."""
    try:
        old = float(context.measured["peak_learning_rate"])
    except NotMeasurable:
        return None
    low, high = RANGES["learning_rate"]
    band = context.measured["rate_band"]
    if band.size_known:
        # The documented range is that of large models; "small model: larger rate" is documented as well.
        high = max(high, band.high)
    factor = min(max(factor, 1 / LARGEST_STEP), LARGEST_STEP)
    new = rounded(min(max(old * factor, low), high))
    return (old, new) if old > 0 and (new - old) * (factor - 1) > 0 else None


def rounded(value: float) -> float:
    """Two significant digits: more would pretend to a precision that no advice has."""
    return float(f"{value:.1e}")
