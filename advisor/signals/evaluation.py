"""Signals of the evaluation loss: best point, noise, rise after the best, what training did meanwhile."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from advisor.model import NotMeasurable, Run, Series
from advisor.signals.curve import LEAST_POINTS
from advisor.signals.registry import signal
from advisor.signals.stats import curvature_noise, mann_kendall, robust_noise, running_median, theil_sen


@dataclass(frozen=True)
class Best:
    """The best evaluation.

    index counts in the finite evaluation loss. tied: how many evaluations lie within noise of it; earliest: the first of them.
    """

    index: int
    value: float
    x: float
    epoch: float
    tied: int
    earliest: int


@signal
def eval_noise(eval_loss: Series) -> float:
    """Standard deviation of one evaluation around the curve of evaluations; 0.0 below four evaluations.

    The smaller of two estimates, since evaluations are few and a bend of the curve passes for noise in the first differences.
    """
    values = eval_loss.finite.values
    return min(robust_noise(values), curvature_noise(values))


@signal
def eval_best(eval_loss: Series, eval_noise: float) -> Best:
    """The lowest evaluation loss, and the ties within one noise unit of it."""
    finite = eval_loss.finite
    if len(finite) == 0:
        raise NotMeasurable("eval_loss", need=1, have=0)
    index = int(np.argmin(finite.values))
    ties = np.flatnonzero(finite.values <= finite.values[index] + eval_noise)
    return Best(index, float(finite.values[index]), float(finite.x[index]), float(finite.epoch[index]), len(ties), int(ties[0]))


@dataclass(frozen=True)
class Rise:
    """How far the evaluation loss ended above its best.

    relative: median of the last evaluations after the best against the best (last one alone where only two follow).
    last: the last evaluation against the best. noise: of one evaluation, relative to the best. after: evaluations after the best.
    around: the end against the median of the best and its neighbours. p: of no trend after the best (Mann–Kendall).
    """

    relative: float
    last: float
    noise: float
    after: int
    count: int
    around: float
    p: float


TAIL = 3
"""Evaluations whose median is the end of a curve of evaluations, where that many follow the best."""


@signal
def eval_rise(eval_loss: Series, eval_best: Best, eval_noise: float) -> Rise:
    """Rise of the evaluation loss after its best point, relative to the best."""
    values = eval_loss.finite.values
    after = len(values) - 1 - eval_best.index
    end = float(np.median(values[-min(TAIL, after) :])) if after else eval_best.value
    # A loss at or below zero (a log-likelihood with an offset) has no ratio; its range is its scale then.
    scale = eval_best.value if eval_best.value > 0 else float(np.ptp(values)) or 1.0
    return Rise(
        (end - eval_best.value) / scale,
        (float(values[-1]) - eval_best.value) / scale,
        eval_noise / scale,
        after,
        len(values),
        (end - float(np.median(values[max(eval_best.index - 1, 0) : eval_best.index + 2]))) / scale,
        mann_kendall(values[eval_best.index + 1 :]),
    )


@signal
def train_fall_since_best(train_loss: Series, eval_best: Best) -> float:
    """How far the training loss fell from the best evaluation to the end, relative to its value there.

    Negative where it rose: a rise of both losses is divergence, not overfitting. Both values are medians of a tenth of the run.
    """
    finite = train_loss.finite
    n = len(finite)
    if n < 2:  # noqa: PLR2004  a value then and a value now
        raise NotMeasurable("train_loss", need=2, have=n)
    part = max(1, n // 10)
    at = int(np.argmin(np.abs(finite.x - eval_best.x)))
    begin = min(max(0, at - part // 2), n - part)
    then = float(np.median(finite.values[begin : begin + part]))
    now = float(np.median(finite.values[-part:]))
    return (then - now) / (abs(then) or 1.0)


class EvalTrend(NamedTuple):
    """Trend of the evaluation loss over its last third: change per tenth of the run relative to the level, and p of no trend."""

    per_tenth: float
    p: float
    last_is_best: bool
    total_fall: float


@signal
def eval_end_trend(eval_loss: Series, eval_best: Best) -> EvalTrend:
    """Whether evaluations still improve when the run ends."""
    values = eval_loss.finite.values
    n = len(values)
    if n < LEAST_POINTS:
        raise NotMeasurable("eval_loss", need=LEAST_POINTS, have=n)
    scale = abs(float(np.median(values))) or 1.0
    tail = values[-max(n // 3, 3) :]
    return EvalTrend(
        theil_sen(tail) * (n - 1) / 10 / scale,
        mann_kendall(values[-max(n // 2, LEAST_POINTS) :]),
        eval_best.index >= n - 1 - n // 10,
        (float(np.median(values[: max(n // 4, 1)])) - float(np.median(values[-max(n // 3, 1) :]))) / scale,
    )


@signal
def run_without_evaluation(run: Run) -> bool:
    """Whether the log holds not one evaluation."""
    return not any(name.startswith("eval_") for name in run.series)


class Bump(NamedTuple):
    """The largest stretch of evaluations that lies above what was reached before and comes back.

    height: of the smoothed curve over its lowest before, relative to that; z: in noise units; begin, end, top: indices.
    """

    height: float
    z: float
    begin: int
    end: int
    top: int


LEAST_FOR_BUMPS = 20
SETTLED = 3
"""Evaluations at the beginning that are left out: there the curve is still falling steeply."""

BACK = 1 / 3
"""A curve is back where it has lost all but this share of its climb."""


@signal
def eval_bump(eval_loss: Series, eval_noise: float) -> Bump | None:
    """The highest climb of the evaluation loss (median of three) above its running minimum that it comes back from."""
    values = eval_loss.finite.values[SETTLED:]
    if len(values) < LEAST_FOR_BUMPS:
        raise NotMeasurable("eval_loss", need=LEAST_FOR_BUMPS + SETTLED, have=len(values) + SETTLED)
    smooth = running_median(values, 1)
    lows = np.minimum.accumulate(smooth)
    above = smooth - lows
    for top in map(int, np.argsort(-above, kind="stable")):
        if above[top] <= 0:
            return None
        low = above < above[top] * BACK
        after = np.flatnonzero(low[top:])
        if len(after):
            begin = int(np.flatnonzero(low[: top + 1])[-1])
            z = float(above[top] / eval_noise) if eval_noise > 0 else float("inf")
            height = float(above[top] / (abs(lows[top]) or 1.0))
            return Bump(height, z, begin + SETTLED, top + int(after[0]) + SETTLED, top + SETTLED)
    return None
