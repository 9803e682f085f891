"""Signals of the training loss: level, noise, trend, jitter, spikes, epoch boundaries."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from advisor.model import FloatArray, NotMeasurable, Series
from advisor.signals.registry import signal
from advisor.signals.stats import (
    MOST_PAIRS,
    block_medians,
    mann_kendall,
    median,
    robust_noise,
    running_median,
    theil_sen,
)

LEAST_POINTS = 4
"""Below this a loss curve has no noise, no trend and no level to speak of."""

SMOOTHED_POINTS = 2000
"""A longer curve is reduced to medians of blocks before it is smoothed; shape, level and trend are those of the blocks."""

END_SHARE = 0.1
"""The part of a run that counts as its end."""

FROM_START = 0.25
"""A level below this share of where the loss began is no scale: there any rest of it looks large."""


class Curve(NamedTuple):
    """A smoothed loss curve.

    values: smoothed loss, x: positions of those values. noise: standard deviation of one logged value around the curve.
    scale: the size against which relative changes are stated: the median of |loss|.
    """

    values: FloatArray
    x: FloatArray
    noise: float
    scale: float


@signal
def train_curve(train_loss: Series) -> Curve:
    """The training loss, smoothed by a centred running median of half-width max(1, n/40)."""
    finite = train_loss.finite
    n = len(finite)
    if n < LEAST_POINTS:
        raise NotMeasurable("train_loss", need=LEAST_POINTS, have=n)
    reduced = block_medians(finite.values, SMOOTHED_POINTS)
    x = block_medians(finite.x, SMOOTHED_POINTS)
    smooth = running_median(reduced, max(1, len(reduced) // 40))
    return Curve(smooth, x, robust_noise(finite.values), median(np.abs(finite.values)))


@signal
def rising_share(train_loss: Series) -> float:
    """Share of the steps between neighbouring losses that go up: half in pure noise, none where every batch is the same."""
    values = train_loss.finite.values
    if len(values) < LEAST_POINTS:
        raise NotMeasurable("train_loss", need=LEAST_POINTS, have=len(values))
    return float(np.mean(np.diff(values) > 0))


class Level(NamedTuple):
    """Where the training loss began, was lowest and ended, each as a median of neighbouring points.

    first: of the first three points. lowest, end: of a tenth of the run, so that like is compared with like.
    fall_uncertainty, rise_uncertainty: standard errors of first − end and of end − lowest, from the noise of single values.
    """

    first: float
    lowest: float
    lowest_x: float
    end: float
    fall_uncertainty: float
    rise_uncertainty: float


FIRST_POINTS = 3


@signal
def train_level(train_loss: Series, train_curve: Curve) -> Level:
    """First, lowest and final level of the training loss."""
    finite = train_loss.finite
    n = len(finite)
    part = max(1, math.ceil(n * END_SHARE))
    head = max(1, min(FIRST_POINTS, n // 10))
    levels = running_median(block_medians(finite.values, SMOOTHED_POINTS), max(1, len(train_curve.values) // 20))
    lowest = int(np.argmin(levels))
    # The standard error of a median of k values is σ·√(π/2k).
    sigma = train_curve.noise * math.sqrt(math.pi / 2)
    return Level(
        first=float(np.median(finite.values[:head])),
        lowest=float(levels[lowest]),
        lowest_x=float(train_curve.x[lowest]),
        end=median(finite.values[-part:]),
        fall_uncertainty=sigma * math.sqrt(1 / part + 1 / head),
        rise_uncertainty=sigma * math.sqrt(2 / part),
    )


class Trend(NamedTuple):
    """The direction of a loss over a stretch of the run.

    per_tenth: change over a tenth of the whole run, relative to the level. p: of no trend at all (Mann–Kendall).
    """

    per_tenth: float
    p: float


def _trend(values: FloatArray, points: int, scale: float) -> Trend:
    reduced = block_medians(values, MOST_PAIRS)
    slope = theil_sen(reduced) * len(reduced) / len(values)
    return Trend(slope * points / 10 / (scale or 1.0), mann_kendall(reduced))


@signal
def train_trend(train_loss: Series, train_curve: Curve) -> Trend:
    """Trend of the training loss over the whole run, after its first tenth (which falls in every run)."""
    values = train_loss.finite.values
    return _trend(values[len(values) // 10 :], len(values), _scale(values, train_curve))


@signal
def train_end_trend(train_loss: Series, train_curve: Curve) -> Trend:
    """Trend of the training loss over the last quarter of the run."""
    values = train_loss.finite.values
    return _trend(values[-max(len(values) // 4, LEAST_POINTS) :], len(values), _scale(values, train_curve))


LATE_SHARE = 0.4
"""The part of a run over which a loss that has stopped falling must have stopped."""

LATE_BLOCKS = 100
"""Medians of blocks to which that part is reduced: pairs of points cost time with their square, and so many tell a trend."""


@signal
def train_late_trend(train_loss: Series, train_curve: Curve) -> Trend:
    """Trend of the training loss over the last 40 % of the log."""
    values = train_loss.finite.values
    late = values[-max(round(len(values) * LATE_SHARE), LEAST_POINTS) :]
    blocks = block_medians(late, LATE_BLOCKS)
    return _trend(blocks, round(len(values) * len(blocks) / len(late)), train_curve.scale)


@signal
def train_jitter(train_loss: Series, train_curve: Curve) -> float:
    """Noise of a logged training loss relative to its level: mean |difference| / mean in robust form (σ·2/√π / scale)."""
    return train_curve.noise * 2 / math.sqrt(math.pi) / (_scale(train_loss.finite.values, train_curve) or 1.0)


def _scale(values: FloatArray, curve: Curve) -> float:
    return max(curve.scale, FROM_START * _start(values))


def _start(values: FloatArray) -> float:
    return abs(float(np.median(values[:FIRST_POINTS])))


@dataclass(frozen=True)
class Spikes:
    """Points that stand above both what came before and what came after.

    at: their indices in the finite training loss. height: above the higher side, relative to it. z: the same in noise units.
    """

    at: tuple[int, ...]
    height: tuple[float, ...]
    z: tuple[float, ...]
    count: int


SPIKE_SIDE = 7
"""Points on either side whose median a spike is measured against: wide enough for a spike of three points to come back in."""

LEAST_Z = 4.5
"""The highest z that healthy runs showed in a published calibration; what lies below is noise. Rules ask for more."""


@signal
def train_spikes(train_loss: Series, train_curve: Curve) -> Spikes:
    """Single points above the medians of the points before and after them. A steep fall is no spike, nor is a lasting rise."""
    values = train_loss.finite.values
    n, side = len(values), SPIKE_SIDE
    if n < 3 * side:
        raise NotMeasurable("train_loss", need=3 * side, have=n)
    noise = train_curve.noise
    at = side + np.flatnonzero(_in_noise(_above_nearest(values, side), noise) > LEAST_Z)
    windows = np.lib.stride_tricks.sliding_window_view(values, side)
    base = np.maximum(np.median(windows[at - side], axis=1), np.median(windows[at + 1], axis=1))
    above = values[at] - base
    z = _in_noise(above, noise)
    with np.errstate(divide="ignore", invalid="ignore"):
        height = above / np.maximum(np.abs(base), FROM_START * _start(values))
    high = np.flatnonzero(z > LEAST_Z)
    return Spikes(tuple(int(at[i]) for i in high), tuple(float(height[i]) for i in high), tuple(float(z[i]) for i in high), n)


def _above_nearest(values: FloatArray, side: int) -> FloatArray:
    """Return how far each point stands above the lowest of its nearest neighbours on the side where that is higher.

    The nearest are more than half of the `side` (an odd number) points that make a median, so one of them is no higher than
    it: no point stands farther above both medians. Most points are ruled out by this, which costs far less than medians.
    """
    n, near = len(values), side // 2 + 1
    lowest = values[: n - near + 1]
    for k in range(1, near):
        lowest = np.minimum(lowest, values[k : n - near + 1 + k])
    return values[side : n - side] - np.maximum(lowest[side - near : n - side - near], lowest[side + 1 : n - side + 1])


def _in_noise(above: FloatArray, noise: float) -> FloatArray:
    return above / noise if noise > 0 else np.where(above > 0, np.inf, 0.0)


class Epochs(NamedTuple):
    """Passes over the data.

    total: as far as the log went. boundaries: positions on the axis at which an epoch ended inside the run.
    staircase: share of the loss's whole fall that happens at those boundaries (NaN where it cannot be told).
    """

    total: float
    boundaries: tuple[float, ...]
    staircase: float


@signal
def train_epochs(train_loss: Series) -> Epochs:
    """Epochs, their boundaries and the staircase index: Σ falls at boundaries / fall from the first to the last epoch."""
    known = np.isfinite(train_loss.epoch)
    if not np.any(known):
        raise NotMeasurable("epoch")
    epoch, x = train_loss.epoch[known], train_loss.x[known]
    total = float(np.max(epoch))
    crossings = np.flatnonzero(np.diff(np.ceil(epoch - 1e-9)) > 0)  # a point at 1.0 still belongs to the first pass
    boundaries = tuple(float(x[i]) for i in crossings if epoch[i] > 0)
    return Epochs(total, boundaries, _staircase(train_loss, boundaries))


def _staircase(train_loss: Series, boundaries: tuple[float, ...]) -> float:
    finite = train_loss.finite
    edges = [0, *(int(np.searchsorted(finite.x, b, side="right")) for b in boundaries), len(finite)]
    parts = [finite.values[a:b] for a, b in pairwise(edges)]
    if len(parts) < 3 or min(map(len, parts[:-1]), default=0) < 8:  # noqa: PLR2004  a level on either side of two boundaries
        return math.nan
    fall = float(np.median(parts[0]) - np.median(parts[-1]))
    if fall <= 0:
        return math.nan
    drops = [np.median(a[-len(a) // 4 :]) - np.median(b[: max(len(b) // 4, 1)]) for a, b in pairwise(parts)]
    return float(np.sum(np.maximum(drops, 0))) / fall
