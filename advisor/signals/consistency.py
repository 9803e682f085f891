"""Signals of configuration against log: does the run do what its settings say? Arithmetic, no judgement."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from advisor.model import Facts, FloatArray, NotApplicable, NotMeasurable, Run, Series
from advisor.signals.registry import signal
from advisor.signals.settings import number_or, text


class Pace(NamedTuple):
    """How fast epochs count: passes over the data per optimizer step, as logged and as the settings say.

    ratio: logged / expected. uncertainty: of that ratio, from the digits to which epochs are printed.
    """

    logged: float
    expected: float
    ratio: float
    uncertainty: float


EPOCH_DIGIT = 0.01
"""Trainers print the epoch to two decimals."""


@signal
def epoch_pace(run: Run, config: Facts, train_loss: Series, rows_per_update: float, training_rows: float) -> Pace:
    """Epochs per step over the log, against rows per update / rows. Packed rows count differently: not measurable."""
    if config.get("packing") is True or config.get("sample_packing") is True:
        raise NotMeasurable("config", "rows_after_packing")
    known = np.isfinite(train_loss.epoch)
    epoch, step = train_loss.epoch[known], train_loss.x[known]
    if run.axis != "step" or len(epoch) < 2 or step[-1] <= step[0] or epoch[-1] <= epoch[0]:  # noqa: PLR2004  two points: a slope
        raise NotMeasurable("epoch")
    span = float(epoch[-1] - epoch[0])
    logged = span / float(step[-1] - step[0])
    # The last, smaller batch of an epoch is an update of its own, or is dropped.
    expected = 1 / max(1.0, training_rows / rows_per_update)
    rounding = 1 / max(1.0, training_rows / rows_per_update)
    return Pace(logged, expected, logged / expected, EPOCH_DIGIT / span + rounding)


class WarmUp(NamedTuple):
    """The warm-up that is declared and the one that was logged, in steps.

    logged: the step at which the rate first reached its peak. reached: whether it stopped rising before the log ended.
    interval: steps between two logged rates.
    """

    declared: float
    logged: float
    last: float
    reached: bool
    interval: float


AT_PEAK = 0.999
"""Share of the peak at which the rate counts as having reached it."""


@signal
def warm_up(run: Run, learning_rate: Series, declared_warmup: float) -> WarmUp:
    """Declared and logged warm-up."""
    rates = learning_rate.finite
    if run.axis != "step" or len(rates) < 3:  # noqa: PLR2004  a rise and its end
        raise NotMeasurable("learning_rate", need=3, have=len(rates))
    peak = int(np.argmax(rates.values >= AT_PEAK * np.max(rates.values)))
    rising = peak == len(rates) - 1 and rates.values[0] < AT_PEAK * rates.values[-1]
    return WarmUp(declared_warmup, float(rates.x[peak]), float(rates.x[-1]), not rising, float(np.median(np.diff(rates.x))) or 1.0)


class Shape(NamedTuple):
    """The logged rate against the declared schedule.

    kind: the declared shape. deviation: median over the run after the warm-up of |logged − declared| / peak.
    at: a step at which a quarter of the rates are further off; logged, expected: the rate there.
    """

    kind: str
    deviation: float
    at: float
    logged: float
    expected: float


@signal
def lr_shape(run: Run, config: Facts, learning_rate: Series, planned_updates: float, declared_warmup: float) -> Shape:
    """How far the logged rate is from the declared `linear`, `cosine` or `constant` schedule; others are not known here."""
    kind = text(config, "lr_scheduler_type", "lr_scheduler").removeprefix("schedulertype.")
    kind = "constant" if kind == "constant_with_warmup" else kind
    floor = number_or(config, 0, "min_lr", "learning_rate_decay_ratio", "min_lr_rate", "cosine_min_lr_ratio", "num_cycles")
    if kind not in ("linear", "cosine", "constant") or floor:
        raise NotMeasurable("config", "lr_scheduler_type")
    rates = learning_rate.finite
    if run.axis != "step":
        raise NotMeasurable("learning_rate")
    after = rates.take(rates.x > declared_warmup)
    if not len(after) or planned_updates <= declared_warmup:
        raise NotMeasurable("learning_rate", need=1, have=len(after))
    share = _declared(kind, (after.x - declared_warmup) / (planned_updates - declared_warmup))
    # The scale comes from the log itself, so that only the shape is compared.
    high = share > SCALED_ABOVE
    peak = float(np.median(after.values[high] / share[high])) if np.any(high) else 0.0
    if peak <= 0:
        raise NotMeasurable("learning_rate")
    off = np.abs(after.values - peak * share) / peak
    at = int(np.argsort(off)[-max(1, len(off) // 4)])
    return Shape(kind, float(np.median(off)), float(after.x[at]), float(after.values[at]), peak * float(share[at]))


SCALED_ABOVE = 0.2
"""Declared share of the peak above which logged rates tell the scale: near zero any ratio is possible."""


def _declared(kind: str, progress: FloatArray) -> FloatArray:
    """Return the rate of a schedule as a share of its peak; progress: from 0 after the warm-up to 1 at the planned end."""
    progress = np.clip(progress, 0, 1)
    if kind == "linear":
        return 1 - progress
    return (1 + np.cos(math.pi * progress)) / 2 if kind == "cosine" else np.ones_like(progress)


class SpentTail(NamedTuple):
    """The end of a log whose rate has fallen to (next to) nothing.

    share: of the run's steps that lie there. begins: index in the finite rates; points: rates in it.
    """

    share: float
    begins: int
    points: int


@signal
def spent_tail(learning_rate: Series) -> SpentTail:
    """The last stretch in which the rate stays under a hundred-thousandth of its peak, as a share of the run.

    Not measurable where rates are printed to so few decimals that a notable part of the peak reads zero.
    """
    rates = learning_rate.finite
    if not len(rates):
        raise NotMeasurable("learning_rate", need=1, have=0)
    if np.max(rates.values) <= 0:
        raise NotApplicable("learning_rate")
    if last_digit(rates.values) > COARSE * np.max(rates.values):
        raise NotMeasurable("learning_rate")
    begins = int(np.flatnonzero(rates.values > np.max(rates.values) * SPENT)[-1]) + 1
    if begins == len(rates):
        return SpentTail(0.0, begins - 1, 0)
    share = float(rates.x[-1] - rates.x[begins]) / (float(rates.x[-1] - rates.x[0]) or 1.0)
    return SpentTail(share, begins, len(rates) - begins)


def last_digit(values: FloatArray) -> float:
    """Return the decimal place to which values were rounded when they were printed (`0.00000004` → 1e-8); 0.0 where to none.

    They were if their smallest difference is a power of ten and all are multiples of it.
    """
    differences = np.diff(np.unique(values[values >= 0]))
    if not len(differences):
        return 0.0
    place = 10.0 ** round(math.log10(float(np.min(differences))))
    counts = values / place
    return place if bool(np.all(np.abs(counts - np.round(counts)) < 1e-4)) else 0.0  # noqa: PLR2004  rounding of the division


SPENT = 1e-5
"""Share of the peak rate below which a step moves nothing; a cosine gets there in the last 0.2 % of a run, a staircase of
drops to a tenth does not."""

COARSE = 0.02
"""Share of the peak that the last printed digit must not exceed for a printed zero to mean next to nothing."""


class RateJump(NamedTuple):
    """The logged rate that stands out most above both its sides.

    height: against the higher side, which is `base`. at: its index in the finite rates.
    """

    height: float
    at: int
    base: float


JUMP_SIDE = 7
"""Rates on either side whose median is the base: a jump of up to three logged rates leaves it as it is."""


@signal
def rate_jump(learning_rate: Series) -> RateJump:
    """The tallest jump of the rate that comes back. A warm-up is low on one side only, and so is a restart."""
    rates = learning_rate.finite
    n, side = len(rates), JUMP_SIDE
    if n < 4 * side:
        raise NotMeasurable("learning_rate", need=4 * side, have=n)
    values, inner = rates.values, np.arange(side, n - side)
    # A jump stands above the rates a side away; medians are taken only there, which costs nothing on a smooth schedule.
    inner = inner[values[inner] > np.maximum(values[inner - side], values[inner + side])]
    if not len(inner):
        return RateJump(1.0, 0, float(values[0]))
    windows = np.lib.stride_tricks.sliding_window_view(values, side)
    base = np.maximum(np.median(windows[inner - side], axis=1), np.median(windows[inner + 1], axis=1))
    with np.errstate(divide="ignore", invalid="ignore"):
        height = np.where(base > 0, values[inner] / base, 0.0)
    best = int(np.argmax(height))
    return RateJump(float(height[best]), int(inner[best]), float(base[best]))
