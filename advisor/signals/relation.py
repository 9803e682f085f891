"""Signals of the training loss against the evaluation loss: what the two say together."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from advisor.model import FloatArray, NotApplicable, NotMeasurable, Run, Series
from advisor.signals.registry import signal

FIRST_SHARE = 0.03
"""An evaluation in this part of the run is taken before the model has learnt much: the beginning."""

UNTRAINED_SHARE = 0.01
"""The first logged training loss is a mean since the start; over more of the run it is not that of the untrained model."""

NEAR = 2
"""Training points on either side of an evaluation whose median is compared with it."""


@dataclass(frozen=True)
class TrainEval:
    """Training loss over evaluation loss, at the same places.

    first: of the untrained model (NaN where the first evaluation or the first log came later: by then it may have learnt a lot);
    both first losses stand beside it. begin: index of the training loss that it compares. An evaluation at the first step comes
    after its update, the training loss of that step before it: of that loss and the next one, which has the same weights, the one
    nearer to the evaluation counts. typical: the median over all evaluations. last: the median over the last third. spread: largest
    relative deviation of a ratio from the typical one.
    """

    first: float
    begin: int
    first_train: float
    first_eval: float
    typical: float
    last: float
    spread: float
    count: int


@signal
def train_eval(run: Run, train_loss: Series, eval_loss: Series) -> TrainEval:
    """Ratios of training to evaluation loss; they mean nothing where either is not a mean loss in nats."""
    train, evals = train_loss.finite, eval_loss.finite
    if not train_loss.unit == eval_loss.unit == "nats":
        raise NotApplicable("eval_loss")
    if len(train) < 2 * NEAR:
        raise NotMeasurable("train_loss", need=2 * NEAR, have=len(train))
    if len(evals) < NEAR:
        raise NotMeasurable("eval_loss", need=NEAR, have=len(evals))
    where = np.searchsorted(train.x, evals.x)
    near = [float(np.median(train.values[max(0, min(i, len(train) - 1) - NEAR) : i + NEAR + 1])) for i in where]
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio: FloatArray = np.array(near) / evals.values
    ratio = ratio[np.isfinite(ratio)]
    if not len(ratio):
        raise NotMeasurable("eval_loss", need=1, have=0)
    begins = float(train.x[0])
    untrained = run.axis == "step" and evals.x[0] <= begins <= max(1.0, UNTRAINED_SHARE * float(train.x[-1]))
    first_train, first_eval = float(train.values[0]), float(evals.values[0])
    begin = 0
    if evals.x[0] == begins and min(first_eval, *train.values[:2]) > 0:
        begin = int(np.argmin(np.abs(np.log(train.values[:2] / first_eval))))
    typical = float(np.median(ratio))
    return TrainEval(
        first=float(train.values[begin]) / first_eval if untrained and first_eval > 0 else math.nan,
        begin=begin,
        first_train=first_train,
        first_eval=first_eval,
        typical=typical,
        last=float(np.median(ratio[-max(1, len(ratio) // 3) :])),
        spread=float(np.max(np.abs(ratio / typical - 1))) if typical else math.inf,
        count=len(ratio),
    )


LEAP_SIDE = 15
"""The levels before and after a leap are medians over one point in so many, five at least."""


class Leap(NamedTuple):
    """The sharpest lasting change of level of the training loss, and what the evaluation loss did across it.

    factor: the level after it, to the end, over the level before. noise: robust deviation of the logarithm within the levels.
    where: its index in the finite training losses. evaluation: relative change from the last evaluation before it to the last.
    """

    factor: float
    noise: float
    where: int
    before: float
    after: float
    evaluation: float


@signal
def level_leap(train_loss: Series, eval_loss: Series) -> Leap:
    """The sharpest lasting change of level, with an evaluation on each side of it."""
    train, evals = train_loss.finite, eval_loss.finite
    side = max(5, len(train) // LEAP_SIDE)
    if len(train) < 4 * side or np.min(train.values) <= 0:
        raise NotMeasurable("train_loss", need=4 * side, have=len(train))
    log = np.log(train.values)
    levels = np.median(np.lib.stride_tricks.sliding_window_view(log, side), axis=1)
    steps = levels[side:] - levels[:-side]
    index = int(np.argmax(np.abs(steps))) + side
    before, after = float(levels[index - side]), float(np.median(log[index:]))
    around = np.concatenate([log[index - side : index] - before, log[index:] - after])
    known = np.searchsorted(evals.x, train.x[index])
    if not 0 < known < len(evals):
        raise NotMeasurable("eval_loss", need=2, have=len(evals))
    then, last = float(evals.values[known - 1]), float(evals.values[-1])
    noise = float(np.median(np.abs(around))) * 1.4826
    return Leap(
        math.exp(after - before), noise, index, math.exp(before), math.exp(after), last / then - 1 if then > 0 else math.inf
    )


class Pace(NamedTuple):
    """How a loss came down.

    fall: from the first to the last, relative to the first. early: share of that fall reached after a quarter of the sum of
    learning rates (of the steps, where no rate was logged); a model that learns has most of it by then.
    """

    fall: float
    early: float


QUARTER = 0.25
LEAST_EVALUATIONS = 6


@signal
def descent_pace(eval_loss: Series, learning_rate: Series | None) -> Pace:
    """The pace of the evaluation loss, from a first evaluation at the beginning of the run."""
    evals = eval_loss.finite
    n = len(evals)
    if n < LEAST_EVALUATIONS:
        raise NotMeasurable("eval_loss", need=LEAST_EVALUATIONS, have=n)
    span = float(evals.x[-1] - evals.x[0])
    if evals.x[0] > FIRST_SHARE * evals.x[-1] or span <= 0 or evals.values[0] <= 0:
        raise NotMeasurable("eval_start")
    progress = (evals.x - evals.x[0]) / span
    if learning_rate is not None and len(learning_rate.finite) > 1:
        rates = learning_rate.finite
        spent = np.cumsum(np.maximum(rates.values, 0))
        if spent[-1] > 0:
            at = np.interp(evals.x, rates.x, spent)
            progress = (at - at[0]) / max(float(at[-1] - at[0]), 1e-300)
    first, last = float(evals.values[0]), float(np.median(evals.values[-2:]))
    fall = first - last
    reached = first - float(np.interp(QUARTER, progress, evals.values))
    return Pace(fall / first, reached / fall if fall > 0 else math.nan)


@signal
def train_beginning_fall(train_loss: Series) -> float:
    """How far the training loss fell, relative to its first value: medians of the first and of the last three points."""
    values = train_loss.finite.values
    if len(values) < 2 * 3:
        raise NotMeasurable("train_loss", need=2 * 3, have=len(values))
    first, last = float(np.median(values[:3])), float(np.median(values[-3:]))
    return (first - last) / (abs(first) or 1.0)
