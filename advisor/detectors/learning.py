"""Detectors of runs that do not learn, learn too slowly, or stop too early."""

from __future__ import annotations

import math

import numpy as np

from advisor.detectors.outlook import falls_on
from advisor.detectors.registry import detector
from advisor.model import At, Facts, Forecast, Hit, NotMeasurable, Run, Series
from advisor.signals.curve import Curve, Level, Trend
from advisor.signals.evaluation import EvalTrend
from advisor.signals.rates import RateBand
from advisor.signals.schedule import Chance, Schedule

NATS = "nats"


@detector
def ended_while_improving(
    run_finished: bool, train_loss: Series, train_end_trend: Trend, eval_end_trend: EvalTrend | None, lr_schedule: Schedule | None,
    *, min_fall: float, max_p: float, annealed_below: float, annealed_factor: float,
) -> Hit | None:  # fmt: skip
    """The loss still falls by `min_fall` of its level a tenth of the run when the run ends; evaluations count where there are any.

    Under a learning rate that has decayed below `annealed_below` of its peak the end falls in healthy runs too: there it takes
    `annealed_factor` times as much. A run that was cut off before its planned end is not judged.
    """
    if not run_finished:
        raise NotMeasurable("run_end")
    annealed = lr_schedule is not None and lr_schedule.last < annealed_below * lr_schedule.peak
    least = min_fall * (annealed_factor if annealed else 1.0)
    if train_end_trend.per_tenth > -least or train_end_trend.p > max_p:
        return None
    if eval_end_trend is not None and (not eval_end_trend.last_is_best or eval_end_trend.per_tenth > -least):
        return None
    finite = train_loss.finite
    quarter = len(finite) - max(len(finite) // 4, 1)
    fall = -(eval_end_trend or train_end_trend).per_tenth
    facts = {"fall": fall, "end": float(finite.values[-1]), "end_at": At(finite.x[-1])}
    return Hit(facts, (finite.point(quarter), finite.point(len(finite) - 1)))


@detector
def flat_loss(
    train_loss: Series, eval_loss: Series | None, train_curve: Curve, train_level: Level, train_trend: Trend,
    eval_end_trend: EvalTrend | None, forecast: Forecast | None,
    *, max_fall: float, noise_factor: float, max_fall_in_noise: float, min_p: float, negligible_fall: float, max_eval_fall: float,
) -> Hit | None:  # fmt: skip
    """The loss ends where it began, within `max_fall` and the noise, without a trend; evaluations do not improve either.

    However large the noise, a fall of more than `max_fall_in_noise` of the level is one.

    A trend that adds up to less than `negligible_fall` of the level is none. A run that is forecast to fall beyond the noise by
    its planned end is waiting for the decay, not stuck.
    """
    if falls_on(forecast, noise_factor):
        return None
    fall = train_level.first - train_level.end
    scale = abs(train_level.first)
    in_noise = min(noise_factor * train_level.fall_uncertainty, max_fall_in_noise * scale)
    if abs(fall) > max(max_fall * scale, in_noise):
        return None
    if train_trend.p < min_p and abs(fall) > negligible_fall * scale:
        return None
    if eval_end_trend is not None and eval_end_trend.total_fall > max_eval_fall:
        return None
    # Of few evaluations there is no trend yet; but all are of the same rows, so that what they fell they fell.
    if eval_loss is not None and len(eval_loss.finite):
        evals = eval_loss.finite.values
        if evals[0] - evals[-1] > max_eval_fall * evals[0]:
            return None
    finite = train_loss.finite
    facts = {
        "first": train_level.first,
        "end": train_level.end,
        "fall": fall / (abs(train_level.first) or 1.0),
        "noise": train_curve.noise,
        "points": len(finite),
    }
    return Hit(facts, (finite.point(0), finite.point(len(finite) - 1)))


@detector
def slow_descent(
    train_loss: Series, train_level: Level, train_trend: Trend, peak_learning_rate: float, rate_band: RateBand,
    *, max_fall: float, max_p: float, below_band: float,
) -> Hit | None:  # fmt: skip
    """A steady fall that is far too small, at a learning rate more than `below_band` times under the usual band."""
    fall = (train_level.first - train_level.end) / (abs(train_level.first) or 1.0)
    if not 0 < fall < max_fall or train_trend.p > max_p or train_trend.per_tenth >= 0:
        return None
    if not 0 < peak_learning_rate * below_band < rate_band.low:
        return None
    finite = train_loss.finite
    facts = {
        "first": train_level.first,
        "end": train_level.end,
        "fall": fall,
        "learning_rate": peak_learning_rate,
        "usual": rate_band.low,
    }
    return Hit(facts, (finite.point(0), finite.point(len(finite) - 1)))


@detector
def ended_high(
    train_loss: Series, train_level: Level, run_finished: bool, peak_learning_rate: float, rate_band: RateBand,
    *, min_end: float, max_end: float, max_fall: float, noise_factor: float, near_low: float,
) -> Hit | None:  # fmt: skip
    """A finished run that ends at `min_end` nats a token or more and took off less than `max_fall`, though more than noise.

    At a rate well inside its band that is all the model can do: small ones, trained from nothing, end so.
    """
    if train_loss.unit != NATS:
        raise NotMeasurable("loss_in_nats")
    if not run_finished or not min_end <= train_level.end <= max_end or peak_learning_rate >= near_low * rate_band.low:
        return None
    fall = train_level.first - train_level.end
    if not noise_factor * train_level.fall_uncertainty < fall < max_fall * train_level.first:
        return None
    finite = train_loss.finite
    facts = {
        "first": train_level.first,
        "end": train_level.end,
        "fall": fall / train_level.first,
        "choices": math.exp(train_level.end),
    }
    return Hit(facts, (finite.point(0), finite.point(len(finite) - 1)))


@detector
def rate_without_effect(
    train_loss: Series, train_level: Level, peak_learning_rate: float, rate_band: RateBand,
    *, below_band: float, max_fall: float, noise_factor: float,
) -> Hit | None:  # fmt: skip
    """A learning rate more than `below_band` times under the plausible band, and a loss that did not fall beyond its noise."""
    if not 0 < peak_learning_rate * below_band < rate_band.low:
        return None
    fall = train_level.first - train_level.end
    if fall > max(max_fall * abs(train_level.first), noise_factor * train_level.fall_uncertainty):
        return None
    finite = train_loss.finite
    facts = {
        "rate": peak_learning_rate,
        "low": rate_band.low,
        "times": rate_band.low / peak_learning_rate,
        "first": train_level.first,
        "end": train_level.end,
    }
    return Hit(facts, (finite.point(0), finite.point(len(finite) - 1)))


@detector
def learning_rate_zero(learning_rate: Series, lr_schedule: Schedule, *, min_share: float) -> Hit | None:
    """The logged learning rate is exactly zero in at least `min_share` of the log."""
    if lr_schedule.zero_share < min_share:
        return None
    facts = {"share": lr_schedule.zero_share, "points": len(learning_rate)}
    return Hit(facts, (learning_rate.point(0), learning_rate.point(len(learning_rate) - 1)))


@detector
def first_loss_above_chance(train_loss: Series, chance_level: Chance, *, min_ratio: float) -> Hit | None:
    """The first logged loss is above the loss of uniform guessing by the factor `min_ratio`."""
    if train_loss.unit != "nats":
        return None
    first = float(train_loss.values[0])
    if not np.isfinite(first) or first < min_ratio * chance_level.loss:
        return None
    facts: Facts = {"first": first, "chance": chance_level.loss, "of": chance_level.of, "ratio": first / chance_level.loss}
    return Hit(facts, (train_loss.point(0),))


@detector
def evaluation_missing(run_without_evaluation: bool, train_loss: Series) -> Hit | None:
    """Not one evaluation was logged."""
    if not run_without_evaluation:
        return None
    return Hit({"points": len(train_loss), "last_at": At(train_loss.x[-1])}, (train_loss.point(len(train_loss) - 1),))


CLASSES = (2, 3, 4)
"""Numbers of classes (or of choices) whose ln is looked for where the log does not say how many there are."""


@detector
def flat_at_chance(
    train_loss: Series, eval_loss: Series | None, run: Run, *, tolerance: float, max_spread: float, least: int
) -> Hit | None:
    """The loss stays at ln(number of classes) from the first log to the last: the answer of a model that guesses."""
    judged = eval_loss if eval_loss is not None and len(eval_loss.finite) >= least else train_loss
    finite = judged.finite
    if judged.unit != "nats" or len(finite) < least:
        raise NotMeasurable(judged.name, need=least, have=len(finite))
    low, level, high = np.quantile(finite.values, (0.1, 0.5, 0.9))
    labels = run.config.get("num_labels")
    known = (labels,) if isinstance(labels, int) and labels > 1 else CLASSES
    classes = next((k for k in known if abs(level / np.log(k) - 1) <= tolerance), None)
    if classes is None or high - low > max_spread * level:
        return None
    facts: Facts = {"level": float(level), "classes": classes, "chance": float(np.log(classes)), "points": len(finite)}
    return Hit(facts, (finite.point(0), finite.point(len(finite) - 1)))
