"""How a logged quantity other than the loss moved over a run: where it began and ended, its extremes, noise and trend."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from advisor.model import FloatArray, NotMeasurable, Series
from advisor.signals.stats import MOST_PAIRS, block_medians, mann_kendall, robust_noise, running_median, theil_sen

LEAST_POINTS = 8
"""Below this a quantity has no beginning, no end and no noise to speak of."""

PART = 0.1
"""Share of the run whose median is its beginning or its end; three points at least."""

LATE = 1 / 3
"""Share of the run that counts as late."""


class Move(NamedTuple):
    """The course of one quantity, each level a median of a tenth of the run.

    low, high: the extreme levels, at low_x and high_x. late: the median of the last third. noise: standard deviation of one logged
    value; uncertainty: standard error of the difference of two levels. p, late_p: of no trend over the run and over its last third;
    late_slope: change over the last third. late_count: points in it.
    """

    start: float
    end: float
    low: float
    low_x: float
    high: float
    high_x: float
    late: float
    late_slope: float
    late_p: float
    late_count: int
    p: float
    noise: float
    uncertainty: float
    points: int

    @property
    def change(self) -> float:
        """End minus beginning."""
        return self.end - self.start


def move_of(series: Series) -> Move:
    """Measure the course of `series`. Raises NotMeasurable below `LEAST_POINTS` finite points."""
    finite = series.finite
    values, n = finite.values, len(finite)
    if n < LEAST_POINTS:
        raise NotMeasurable(series.name, need=LEAST_POINTS, have=n)
    part = max(3, math.ceil(n * PART))
    levels = running_median(values, part // 2)
    late = values[-max(math.ceil(n * LATE), 3) :]
    low, high = int(np.argmin(levels)), int(np.argmax(levels))
    noise = max(robust_noise(values), mean_noise(values))
    memory, scatter = persistence(values, part)
    return Move(
        start=float(np.median(values[:part])), end=float(np.median(values[-part:])),
        low=float(levels[low]), low_x=float(finite.x[low]), high=float(levels[high]), high_x=float(finite.x[high]),
        late=float(np.median(late)), late_slope=theil_sen(late) * len(late), late_p=mann_kendall(late), late_count=len(late),
        p=mann_kendall(values), noise=noise,
        # The standard error of a median of k values is σ·√(π/2k); of a difference of two, √2 times that. Values that remember the
        # one before, with correlation ρ, count for (1−ρ)/(1+ρ) of their number.
        uncertainty=max(noise, scatter) * math.sqrt(math.pi / part * (1 + memory) / (1 - memory)), points=n,
    )  # fmt: skip


MOST_MEMORY = 0.95


def persistence(values: FloatArray, half_width: int) -> tuple[float, float]:
    """Return the correlation of neighbouring values around their running median, from 0 to `MOST_MEMORY`, and their scatter.

    Rewards and lengths wander: their levels differ by more than independent noise would make them.
    """
    rest = values - running_median(values, half_width)
    # At the ends the window lies to one side, and a trend would pass for scatter.
    rest = rest[half_width:-half_width] if len(rest) > 3 * half_width else rest
    scatter = float(np.std(rest))
    if scatter == 0:
        return 0.0, 0.0
    memory = float(np.mean(rest[1:] * rest[:-1])) / scatter**2
    return min(max(memory, 0.0), MOST_MEMORY), scatter


def mean_noise(values: FloatArray) -> float:
    """Return the noise from mean differences, σ = mean|Δ − mean Δ|·√π/2.

    Rewards and shares take few values and often repeat; the median of their differences is zero where their noise is not.
    """
    steps = np.diff(values)
    return float(np.mean(np.abs(steps - np.mean(steps)))) * math.sqrt(math.pi) / 2


def spearman(a: FloatArray, b: FloatArray) -> float:
    """Return the rank correlation of two equally long series; 0.0 where one of them does not vary. Ties share their mean rank."""
    ranks = [_ranks(block_medians(values, MOST_PAIRS)) for values in (a, b)]
    spread = float(np.std(ranks[0]) * np.std(ranks[1]))
    if len(a) < 3 or spread == 0:  # noqa: PLR2004  two points always lie on a line
        return 0.0
    return float(np.mean((ranks[0] - np.mean(ranks[0])) * (ranks[1] - np.mean(ranks[1])))) / spread


def _ranks(values: FloatArray) -> FloatArray:
    _, place, count = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(count) - (count - 1) / 2)[place]


def paired(a: Series, b: Series) -> tuple[FloatArray, FloatArray]:
    """Return the finite values that `a` and `b` have at the same positions."""
    left, right = a.finite, b.finite
    _, i, j = np.intersect1d(left.x, right.x, return_indices=True)
    return left.values[i], right.values[j]
