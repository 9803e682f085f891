"""Detectors of overfitting: the evaluation loss rises while the training loss falls, or nothing was held out to see it."""

from __future__ import annotations

import math

from advisor.detectors.registry import detector
from advisor.model import At, Hit, NotMeasurable, Series
from advisor.signals.curve import Epochs, Level
from advisor.signals.evaluation import Best, Rise


@detector
def validation_rise(
    eval_loss: Series, eval_best: Best, eval_rise: Rise, train_loss: Series | None, train_fall_since_best: float | None,
    *, min_rise: float, noise_factor: float, late_share: float, min_train_fall: float, min_train_points: int,
    dip_after: int, max_p: float, min_of_fall: float,
) -> Hit | None:  # fmt: skip
    """The end of the evaluations lies above the best one by more than `min_rise` and more than the noise.

    Not so where the best lies in the last `late_share` of the evaluations, or where the training loss did not fall meanwhile
    by `min_train_fall` (both rising is divergence). A training loss of fewer than `min_train_points` cannot show that.

    The lowest of many evaluations is low by chance. Where `dip_after` or more follow it, a best that stands out from its own
    neighbours by the whole rise, with no trend after it (p > `max_p`), is such a dip and no turn. A rise of less than
    `min_of_fall` of the fall before it is none either: of a task that is learnt so little is left that any change of it is large.
    """
    if train_loss is not None and len(train_loss.finite) < min_train_points:
        raise NotMeasurable("train_loss", need=min_train_points, have=len(train_loss.finite))
    if eval_rise.after < max(1, math.floor(late_share * eval_rise.count)):
        return None
    if eval_rise.relative < max(min_rise, noise_factor * eval_rise.noise):
        return None
    if train_fall_since_best is not None and train_fall_since_best < min_train_fall:
        return None
    if eval_rise.after >= dip_after and eval_rise.around < min_rise and eval_rise.p > max_p:
        return None
    finite = eval_loss.finite
    if float(finite.values[-1]) - eval_best.value < min_of_fall * (float(finite.values[0]) - eval_best.value):
        return None
    facts = {
        "rise": eval_rise.relative,
        "best": eval_best.value,
        "best_at": At(eval_best.x),
        "last": float(finite.values[-1]),
        "noise": eval_rise.noise,
        "after": eval_rise.after,
        "count": eval_rise.count,
    }
    return Hit(facts, (finite.point(eval_best.index), finite.point(len(finite) - 1)))


@detector
def memorised_without_evaluation(
    run_without_evaluation: bool, train_loss: Series, train_level: Level, train_epochs: Epochs,
    *, min_epochs: float, max_remaining: float, few: int, max_remaining_few: float, min_staircase: float, min_fall: float,
) -> Hit | None:  # fmt: skip
    """Nothing was held out, and the training loss looks learnt by heart.

    That is: after `min_epochs` passes it is down to `max_remaining` of its start, or it falls in stairs at the epoch borders
    (`min_staircase` of the whole fall, which is at least `min_fall` of the start). Fewer than `few` points show no stairs, and
    must be down to `max_remaining_few`.
    """
    if not run_without_evaluation or train_epochs.total < min_epochs or train_level.first <= 0:
        return None
    remaining = train_level.end / train_level.first
    short = len(train_loss.finite) < few
    stairs = not short and not math.isnan(train_epochs.staircase) and train_epochs.staircase >= min_staircase
    if remaining > (max_remaining_few if short else max_remaining) and not (stairs and remaining <= 1 - min_fall):
        return None
    finite = train_loss.finite
    facts = {
        "first": train_level.first,
        "end": train_level.end,
        "epochs": train_epochs.total,
        "staircase": train_epochs.staircase if stairs else 0.0,
    }
    return Hit(facts, (finite.point(0), finite.point(len(finite) - 1)))
