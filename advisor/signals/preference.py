"""Signals of preference optimisation: rewards of chosen answers, margins and accuracies, in training and evaluation."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from advisor.model import NotMeasurable, Series
from advisor.signals.moves import LATE, Move, move_of
from advisor.signals.registry import signal
from advisor.signals.stats import curvature_noise, robust_noise


@signal
def chosen_move(rewards_chosen: Series) -> Move:
    """The course of the implicit reward of the chosen answers."""
    return move_of(rewards_chosen)


@signal
def chosen_logps_move(logps_chosen: Series) -> Move:
    """The course of the log-probability of the chosen answers."""
    return move_of(logps_chosen)


@signal
def margins_move(rewards_margins: Series) -> Move:
    """The course of the margin between the rewards of chosen and rejected answers."""
    return move_of(rewards_margins)


class LateAccuracy(NamedTuple):
    """The mean share of pairs ranked as labelled over the last third of the log, and its standard error from their scatter."""

    mean: float
    standard_error: float
    points: int


@signal
def late_accuracy(rewards_accuracies: Series) -> LateAccuracy:
    """The accuracy on training pairs over the last third of the log."""
    values = rewards_accuracies.finite.values
    late = values[-max(math.ceil(len(values) * LATE), 1) :]
    if len(late) < 3:  # noqa: PLR2004  a scatter
        raise NotMeasurable("rewards/accuracies", need=8, have=len(values))
    return LateAccuracy(float(np.mean(late)), float(np.std(late, ddof=1)) / math.sqrt(len(late)), len(late))


@dataclass(frozen=True)
class AccuracyFall:
    """The best evaluation accuracy and how far the last evaluations lie below it.

    index counts in the finite evaluations. end: median of the last three after the best. noise: of one evaluation.
    """

    index: int
    best: float
    best_x: float
    best_epoch: float
    end: float
    after: int
    count: int
    noise: float

    @property
    def fall(self) -> float:
        """Best minus end."""
        return self.best - self.end


TAIL = 3


@signal
def accuracy_fall(eval_rewards_accuracies: Series) -> AccuracyFall:
    """How far the evaluation accuracy fell after its best point."""
    finite = eval_rewards_accuracies.finite
    values = finite.values
    if not len(values):
        raise NotMeasurable("eval_rewards/accuracies", need=1, have=0)
    best = int(np.argmax(values))
    after = len(values) - 1 - best
    end = float(np.median(values[-min(TAIL, after) :])) if after else float(values[best])
    # The best of many evaluations is high by chance, so the larger estimate counts.
    noise = max(robust_noise(values), curvature_noise(values))
    return AccuracyFall(best, float(values[best]), float(finite.x[best]), float(finite.epoch[best]), end, after, len(values), noise)


@signal
def accuracy_rise_since_best(rewards_accuracies: Series, accuracy_fall: AccuracyFall) -> float:
    """How far the accuracy on training pairs rose from the best evaluation to the end; medians of a tenth of the log."""
    finite = rewards_accuracies.finite
    n = len(finite)
    part = max(1, n // 10)
    at = int(np.argmin(np.abs(finite.x - accuracy_fall.best_x)))
    begin = min(max(0, at - part // 2), n - part)
    return float(np.median(finite.values[-part:]) - np.median(finite.values[begin : begin + part]))
