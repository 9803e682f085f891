"""Signals of speed and memory. Speeds are compared with themselves only, so their units need not be known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from advisor.model import FloatArray, NotMeasurable, Series
from advisor.signals.moves import spearman
from advisor.signals.registry import signal
from advisor.signals.stats import robust_noise, running_median

START = 20
"""The first 1/20 of the points (three at least) are compilation, caches and full queues, and no part of the pace."""

LEAST_POINTS = 12
SMOOTHING = 5
"""Half-width of the running median of the pace: evaluations and checkpoints, which come singly, do not show in it."""


@dataclass(frozen=True, slots=True, eq=False)
class Pace:
    """How long a step took at each logged point, after the start of the run.

    values: time of a step (or of a token, where speed was logged so). span: steps since the point before. of: the series they are
    from. noise: standard deviation of one value. usual: the median.
    """

    values: FloatArray
    x: FloatArray
    span: FloatArray
    smooth: FloatArray
    of: Series
    noise: float
    usual: float


@signal
def elapsed(time: Series) -> Series:
    """Seconds since the first logged point, where `time` counts on; durations of single steps are none."""
    finite = time.finite
    if len(finite) < 3 or not _counts_on(finite.values):  # noqa: PLR2004  two intervals
        raise NotMeasurable("time")
    # Points of two files (training, evaluation) may stand a little out of order.
    since = np.maximum.accumulate(finite.values) - finite.values[0]
    return Series("time", since, finite.x, finite.epoch, finite.line, finite.unit)


ORDERED = 0.9
"""Share of rises from one value to the next that only a clock has; durations of steps rise half of the time."""


def _counts_on(values: FloatArray) -> bool:
    return bool(np.mean(np.diff(values) >= 0) >= ORDERED) and values[-1] > values[0]


@signal
def step_duration(step_time: Series | None, time: Series | None) -> Series:
    """The duration of a step as logged: `step_time`, or `time` where it is the time of each step (mmengine)."""
    if step_time is not None:
        return step_time.finite
    if time is not None and len(time.finite) and not _counts_on(time.finite.values):
        return time.finite
    raise NotMeasurable("step_time")


@signal
def pace(
    tokens_per_second: Series | None, samples_per_second: Series | None, steps_per_second: Series | None,
    step_duration: Series | None, elapsed: Series | None,
) -> Pace:  # fmt: skip
    """The pace of the run. Tokens a second come first: longer sequences late in a run do not slow them down as they do steps."""
    inverse: Callable[[FloatArray], FloatArray] = lambda values: 1 / values  # noqa: E731
    same: Callable[[FloatArray], FloatArray] = lambda values: values  # noqa: E731
    for series, of_step in (
        (tokens_per_second, inverse), (samples_per_second, inverse), (steps_per_second, inverse), (step_duration, same),
    ):  # fmt: skip
        positive = series.take(np.isfinite(series.values) & (series.values > 0)) if series is not None else None
        if positive is not None and len(positive) >= LEAST_POINTS:
            return _pace(of_step(positive.values), np.diff(positive.x, prepend=np.nan), positive)
    if elapsed is not None and len(elapsed) >= LEAST_POINTS:
        span = np.diff(elapsed.x)
        moved = np.concatenate([[False], span > 0])
        took = np.diff(elapsed.values, prepend=np.nan) / np.diff(elapsed.x, prepend=np.nan)
        return _pace(took[moved], span[moved[1:]], elapsed.take(moved))
    raise NotMeasurable("step_time")


def _pace(values: FloatArray, span: FloatArray, of: Series) -> Pace:
    first = max(3, len(values) // START)
    values, span, of = values[first:], span[first:], of.take(slice(first, None))
    if len(values) < LEAST_POINTS - 3:
        raise NotMeasurable(of.name, need=LEAST_POINTS, have=len(values))
    smooth = running_median(values, SMOOTHING)
    return Pace(values, of.x, span, smooth, of, robust_noise(values), float(np.median(values)))


class Drift(NamedTuple):
    """A slow change: medians of the first and the last fifth, and the rank correlation with the position in the run."""

    start: float
    end: float
    correlation: float
    rises: int
    late_correlation: float


FIFTH = 5


def drift_of(values: FloatArray) -> Drift:
    """Measure the drift of `values`. rises: how often a value exceeds all before it. late_correlation: in the last third."""
    part = max(1, len(values) // FIFTH)
    order = np.arange(len(values), dtype=np.float64)
    third = max(len(values) // 3, 3)
    highest = np.maximum.accumulate(values)
    return Drift(
        float(np.median(values[:part])), float(np.median(values[-part:])), spearman(order, values),
        int(np.sum(np.diff(highest) > 0)), spearman(order[-third:], values[-third:]),
    )  # fmt: skip


@signal
def speed_drift(pace: Pace) -> Drift:
    """The drift of the speed, smoothed so that pauses do not show."""
    return drift_of(1 / pace.smooth)


@signal
def memory_drift(memory: Series) -> Drift:
    """The drift of the memory in use after the first tenth of the log."""
    values = memory.finite.values
    if len(values) < LEAST_POINTS:
        raise NotMeasurable("memory", need=LEAST_POINTS, have=len(values))
    return drift_of(values[len(values) // 10 :])


PERCENT = 100.0
WHOLE = 1.5
"""A highest value below this is a share and not a percentage."""


@signal
def utilisation(gpu_utilisation: Series) -> FloatArray:
    """GPU utilisation in percent, finite values only; shares are turned into percentages."""
    values = gpu_utilisation.finite.values
    if not len(values):
        raise NotMeasurable("gpu_utilisation", need=1, have=0)
    return values * PERCENT if np.max(values) <= WHOLE else values


@signal
def data_wait(data_time: Series, step_duration: Series) -> float:
    """Median share of a step that is spent waiting for its batch."""
    wait, step = data_time.finite, step_duration.finite
    _, i, j = np.intersect1d(wait.x, step.x, return_indices=True)
    if len(i) < LEAST_POINTS or np.any(step.values[j] <= 0):
        raise NotMeasurable("data_time", need=LEAST_POINTS, have=len(i))
    return float(np.median(wait.values[i] / step.values[j]))


class Pauses(NamedTuple):
    """Single points that took far longer than usual, such as evaluations and checkpoints.

    at: their positions. share: of the whole time of the log that they took beyond the usual. every: the usual number of steps
    between two of them, and intervals the same in log intervals; regular: share of the distances that are that one, within a log
    interval.
    """

    at: tuple[float, ...]
    share: float
    every: float
    intervals: float
    regular: float


PAUSE = 3.0
"""How many times the usual a point takes to be a pause."""


@signal
def pauses(pace: Pace) -> Pauses:
    """The pauses of the run, from durations of steps; speeds in tokens leave pauses out and say nothing about them."""
    if pace.of.name not in ("time", "step_time"):
        raise NotMeasurable("time")
    span = np.where(np.isfinite(pace.span), pace.span, 1.0)
    long = np.flatnonzero(pace.values > PAUSE * pace.usual)
    beyond = float(np.sum((pace.values[long] - pace.usual) * span[long]))
    total = float(np.sum(pace.values * span)) or 1.0
    at = pace.x[long]
    gaps = np.diff(at)
    every = float(np.median(gaps)) if len(gaps) else 0.0
    interval = float(np.median(span))
    regular = float(np.mean(np.abs(gaps - every) <= interval)) if len(gaps) else 0.0
    return Pauses(tuple(map(float, at)), beyond / total, every, every / interval if interval > 0 else 0.0, regular)
