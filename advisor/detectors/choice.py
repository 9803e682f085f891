"""Detectors of what a run should keep or need not have done: checkpoints, waste, metrics that disagree with the loss."""

from __future__ import annotations

import math

import numpy as np

from advisor.detectors.registry import detector
from advisor.model import At, Facts, FloatArray, Hit, NotMeasurable, Series
from advisor.signals.checkpoints import AfterBest
from advisor.signals.curve import Epochs
from advisor.signals.evaluation import Best, Rise
from advisor.signals.gradient import Gradient
from advisor.signals.metrics import Metric, OtherEvaluation
from advisor.signals.position import LEAST_PASSES, SpikePositions
from advisor.signals.start import require_start


@detector
def steps_after_best(
    eval_loss: Series, eval_best: Best, after_best: AfterBest, eval_noise: float, run_finished: bool | None,
    *, min_share: float, min_after: int,
) -> Hit | None:  # fmt: skip
    """A good part of the run came after the earliest evaluation that is as good as the best within noise.

    A run that is known to go on is not judged: a plateau may wait for the rate to decay.
    """
    if run_finished is False:
        raise NotMeasurable("run_end")
    if after_best.share < min_share or after_best.after < min_after or math.isnan(after_best.stop_x):
        return None
    finite = eval_loss.finite
    facts: Facts = {
        "share": after_best.share,
        "from": At(after_best.x),
        "best": eval_best.value,
        "best_at": At(eval_best.x),
        "noise": eval_noise,
        "stop_at": At(after_best.stop_x),
        "hours": after_best.hours if math.isfinite(after_best.hours) else 0.0,
        "tied": eval_best.tied,
    }
    return Hit(facts, (finite.point(after_best.index), finite.point(len(finite) - 1)))


@detector
def best_not_saved(
    eval_loss: Series, eval_best: Best, saved_steps: FloatArray, eval_noise: float, run_finished: bool | None, *, min_loss: float
) -> Hit | None:
    """No checkpoint was saved where the evaluation was best within noise; the nearest saved one is worse by `min_loss`.

    While the run goes on, a best evaluation after the last checkpoint may still be saved, or be surpassed by one that is.
    """
    finite = eval_loss.finite
    if not len(saved_steps) or (run_finished is False and eval_best.x > np.max(saved_steps)):
        return None
    at_saves = np.interp(saved_steps, finite.x, finite.values)
    saved = float(np.min(at_saves))
    if saved <= eval_best.value + eval_noise or saved < eval_best.value * (1 + min_loss):
        return None
    facts = {
        "best": eval_best.value,
        "best_at": At(eval_best.x),
        "saved": saved,
        "saved_at": At(saved_steps[int(np.argmin(at_saves))]),
    }
    return Hit(facts, (finite.point(eval_best.index),))


@detector
def metric_against_loss(
    eval_loss: Series, eval_best: Best, eval_rise: Rise, task_metric: Metric, *, min_rise: float, noise_factor: float
) -> Hit | None:
    """The evaluation loss has turned up beyond the noise, while the task metric is no worse, or better, at the end."""
    if eval_rise.after < 1 or eval_rise.relative < max(min_rise, noise_factor * eval_rise.noise):
        return None
    metric = task_metric.series
    then = float(np.interp(eval_best.x, metric.x, metric.values))
    if task_metric.last < then or metric.x[task_metric.best] <= eval_best.x:
        return None
    facts: Facts = {
        "rise": eval_rise.relative,
        "best_at": At(eval_best.x),
        "metric": metric.name,
        "then": then,
        "last": task_metric.last,
        "metric_best": float(metric.values[task_metric.best]),
        "metric_at": At(metric.x[task_metric.best]),
    }
    return Hit(facts, (eval_loss.finite.point(eval_best.index), metric.point(task_metric.best)))


@detector
def other_evaluation_rises(other_evaluation: OtherEvaluation, *, min_rise: float) -> Hit | None:
    """Another evaluation set gets worse from the beginning to the end."""
    if other_evaluation.rise < min_rise:
        return None
    series = other_evaluation.series
    facts: Facts = {
        "name": series.name,
        "rise": other_evaluation.rise,
        "first": float(series.values[0]),
        "last": float(series.values[-1]),
    }
    return Hit(facts, (series.point(0), series.point(len(series) - 1)))


@detector
def staircase(train_loss: Series, train_epochs: Epochs, *, min_index: float, least_epochs: float) -> Hit | None:
    """Most of the fall of the training loss happens where one pass over the rows ends and the next begins."""
    if train_epochs.total < least_epochs or not train_epochs.staircase >= min_index:
        return None
    finite = train_loss.finite
    edges = [int(np.searchsorted(finite.x, x, side="right")) for x in train_epochs.boundaries[:2]]
    points = tuple(finite.point(min(i, len(finite) - 1)) for i in edges)
    return Hit({"index": min(train_epochs.staircase, 1.0), "epochs": train_epochs.total}, points)


@detector
def spikes_at_one_place(train_loss: Series, spike_positions: SpikePositions, *, min_passes: int, min_share: float) -> Hit | None:
    """Spikes come back at the same place of the pass over the data.

    In fewer passes than `min_passes` all of them must: two of several spikes meet by chance.
    """
    here = len(spike_positions.at)
    if spike_positions.passes < LEAST_PASSES or here < min_share * spike_positions.count:
        return None
    if spike_positions.passes < min_passes and here < spike_positions.count:
        return None
    finite = train_loss.finite
    facts = {"passes": spike_positions.passes, "place": spike_positions.place, "count": len(spike_positions.at)}
    return Hit(facts, tuple(finite.point(i) for i in spike_positions.at[:3]))


@detector
def clipping_always(grad_norm: Series, clipped_share: float, gradient: Gradient, *, min_share: float) -> Hit | None:
    """The gradient is clipped in most steps."""
    if clipped_share < min_share:
        return None
    return Hit(
        {"share": clipped_share, "p90": gradient.p90, "median": gradient.median},
        (grad_norm.finite.point(len(grad_norm.finite) - 1),),
    )


@detector
def gradient_growth(grad_norm: Series, gradient: Gradient, *, min_growth: float, max_p: float) -> Hit | None:
    """The gradient norm grows steadily over the last fifth of the run."""
    if gradient.late_growth < math.log(min_growth) or gradient.late_p > max_p:
        return None
    finite = grad_norm.finite
    return Hit(
        {"factor": math.exp(gradient.late_growth)},
        (finite.point(len(finite) - max(len(finite) // 5, 4)), finite.point(len(finite) - 1)),
    )


@detector
def gradient_vanishes(
    grad_norm: Series, train_loss: Series, gradient: Gradient, *, max_ratio: float, least_loss: float
) -> Hit | None:
    """The gradient norm falls to a sliver of where it was while the loss is far from nothing."""
    if gradient.lowest_over_start > max_ratio:
        return None
    values = train_loss.finite.values
    remaining = float(np.median(values[-max(1, len(values) // 10) :])) / (float(values[0]) or 1.0)
    if remaining < least_loss:
        return None
    finite = grad_norm.finite
    return Hit({"ratio": gradient.lowest_over_start, "remaining": remaining}, (finite.point(0), finite.point(len(finite) - 1)))


@detector
def first_loss_tiny(train_loss: Series, *, most: float, points: int) -> Hit | None:
    """The first training losses are already next to nothing."""
    require_start(train_loss)
    finite = train_loss.finite
    first = float(np.median(finite.values[:points]))
    if train_loss.unit != "nats" or not 0 < first < most:
        return None
    return Hit({"first": first}, (finite.point(0),))
