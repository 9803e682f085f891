"""Where the run will end, and whether a longer one would end lower: the curve of `annealing` along the planned schedule."""

from __future__ import annotations

import math

import numpy as np

from advisor.model import FloatArray, Forecast, NotMeasurable, Outlook, Series
from advisor.signals.annealing import Fit, fit
from advisor.signals.curve import Epochs, Level
from advisor.signals.planned import PlannedRate
from advisor.signals.registry import signal
from advisor.signals.stats import block_medians, curvature_noise, mann_kendall, robust_noise, theil_sen

COVERAGE = 0.8
"""Probability with which the interval is to hold the end; benchmarks/forecast.py measures it."""

INFLATION = {"eval_loss": 1.1, "train_loss": 0.8}
"""Factors on the interval, measured by leaving out one configuration at a time: the form errs by more than its residuals show."""

REALISED = (0.1, 0.65, 2.0)
"""What came true of the gain that the curve promises a longer run: the 10 % quantile, the median and the 90 % quantile.

Measured on recipes trained once and twice as long. The form is too hopeful where a curve is about to turn flat.
"""

LONGER = (1.5, 2.0)
"""Lengths of longer runs, in lengths of the planned one."""

UNSETTLED = 0.4
"""Share of the logged stretch that is not fitted: the first steep fall is steeper than any power law."""

LEAST = {"eval_loss": 6, "train_loss": 20}
"""Logged values after the warm-up and that share, from which on a curve can be fitted."""

MOST_BLOCKS = 60
"""A longer curve is reduced to medians of blocks."""

EARLIEST = 0.4
"""Share of the planned run before which nothing is forecast: coverage was measured from half of a run on."""

END_SHARE = 0.05
"""The end of a training loss is the mean of this share of the run; an evaluation is one value."""

JUDGED = ("sft", "classification")
"""Objectives whose loss falls along a learning curve."""

MOST_MISFIT = 4.0
"""Spread around the fit in units of the noise, above which the curve has another form."""

LEAST_NOISE = 1e-3
"""Noise of a logged loss that is not worth telling from none, as a share of the loss: a smooth curve is no misfit."""

LEAST_FALL = 0.01
"""Fall of the training loss so far, as a share of its start, below which there is no curve to go on with."""

FALL_NOISE = 2.0
"""Standard errors that this fall must exceed."""

RISING_P = 0.05
"""A loss that rises in the last half of what is fitted with a smaller p than this is not on a learning curve."""

RISE_NOISE = 2.0
"""Noise units that this rise must exceed."""

LEAST_RISING = 5
"""Points of that half: fewer can rise by chance."""

ONE_PASS = 1.05
"""Epochs up to which every row is new to the training loss."""

STAIR = 8
"""Points on either side of an epoch boundary whose medians tell a step from the trend."""

STAIR_NOISE = 4.0
"""Standard errors that such a step must exceed."""


@signal
def forecast(
    planned_rate: PlannedRate, run_finished: bool, objective: str, train_level: Level | None,
    train_loss: Series | None, eval_loss: Series | None, train_epochs: Epochs | None,
) -> Forecast:  # fmt: skip
    """The end of the run, from the evaluations where there are enough, else from a training loss that does not fall in stairs.

    Raises NotMeasurable with the reason where the curve has another form or holds too little.
    """
    if objective not in JUDGED:
        raise NotMeasurable("forecast:objective")
    series = _chosen(train_loss, eval_loss, planned_rate)
    if series is train_loss and train_epochs is not None:
        _refuse_stairs(series, train_epochs, planned_rate)
    if run_finished and series.name != "eval_loss":
        raise NotMeasurable("forecast:finished")
    x, loss = _settled(series, planned_rate)
    done = float(series.x[-1]) / planned_rate.end
    if done < EARLIEST:
        raise NotMeasurable("forecast:early")
    if train_level is not None and train_level.first - train_level.end < max(
        LEAST_FALL * abs(train_level.first), FALL_NOISE * train_level.fall_uncertainty
    ):
        raise NotMeasurable("forecast:flat")
    noise = robust_noise(loss) if series.name == "train_loss" else curvature_noise(loss)
    x, loss = block_medians(x, MOST_BLOCKS), block_medians(loss, MOST_BLOCKS)
    late = loss[-max(len(loss) // 2, LEAST_RISING) :]
    if theil_sen(late) * len(late) > RISE_NOISE * robust_noise(loss) and mann_kendall(late) < RISING_P:
        raise NotMeasurable("forecast:rising")
    local = max(curvature_noise(loss), LEAST_NOISE * float(np.median(np.abs(loss))))
    try:
        curve = fit(x, loss, planned_rate)
        found = _forecast(series, curve, planned_rate, noise, finished=run_finished)
    except np.linalg.LinAlgError as error:
        raise NotMeasurable("forecast:misfit") from error
    if not curve.sigma <= MOST_MISFIT * local or not math.isfinite(found.end.low + found.end.high):
        raise NotMeasurable("forecast:misfit")
    return found


def _chosen(train_loss: Series | None, eval_loss: Series | None, plan: PlannedRate) -> Series:
    """Return the series to fit: evaluations where they suffice."""
    have = {s.name: len(_settled(s, plan)[0]) for s in (eval_loss, train_loss) if s is not None}
    if eval_loss is not None and have["eval_loss"] >= LEAST["eval_loss"]:
        return eval_loss
    if train_loss is None or have["train_loss"] < LEAST["train_loss"]:
        raise NotMeasurable("train_loss", need=LEAST["train_loss"], have=have.get("train_loss", 0))
    return train_loss


def _refuse_stairs(train_loss: Series, epochs: Epochs, plan: PlannedRate) -> None:
    """Raise NotMeasurable where the loss falls in stairs at the borders of epochs, or where no border has been seen yet."""
    planned = epochs.total * plan.end / float(train_loss.x[-1])
    if planned <= ONE_PASS:
        return
    finite = train_loss.finite
    error = STAIR_NOISE * robust_noise(finite.values) * math.sqrt(math.pi / STAIR)
    seen = False
    for boundary in epochs.boundaries:
        at = int(np.searchsorted(finite.x, boundary, side="right"))
        before, after = finite.values[max(at - STAIR, 0) : at], finite.values[at : at + STAIR]
        if min(len(before), len(after)) < STAIR:
            continue
        seen = True
        trend = max(-theil_sen(before), 0.0) * STAIR
        if float(np.median(before) - np.median(after)) > trend + error:
            raise NotMeasurable("forecast:stairs")
    if not seen:
        raise NotMeasurable("forecast:repeated-rows")


def _settled(series: Series, plan: PlannedRate) -> tuple[FloatArray, FloatArray]:
    """Return the points after the warm-up and the first steep fall."""
    finite = series.finite
    keep = finite.x > max(plan.warmup, UNSETTLED * float(series.x[-1]))
    return finite.x[keep], finite.values[keep]


def _forecast(series: Series, curve: Fit, plan: PlannedRate, noise: float, *, finished: bool) -> Forecast:
    averaged = max(1, round(END_SHARE * len(series))) if series.name == "train_loss" else math.inf
    end_noise = NORMAL_QUANTILE * noise / math.sqrt(averaged)
    tail = (1 - COVERAGE) / 2
    low, value, high = (float(q) for q in curve.quantiles(plan, plan.end, (tail, 0.5, 1 - tail)))
    below, above = (INFLATION[series.name] * math.hypot(side, end_noise) for side in (value - low, high - value))

    def longer(factor: float) -> Outlook:
        stretched = plan.stretched(factor)
        gain = max(value - float(curve.quantiles(stretched, stretched.end, (0.5,))[0]), 0.0)
        least, usual, most = (gain * share for share in REALISED)
        return Outlook(
            factor, value - usual, value - usual - math.hypot(below, most - usual), value - usual + math.hypot(above, usual - least)
        )

    return Forecast(
        series=series.name,
        at=plan.end,
        end=Outlook(1.0, value, value - below, value + above),
        longer=tuple(map(longer, LONGER)) if series.name == "eval_loss" else (),
        coverage=COVERAGE,
        now=curve.now,
        noise=noise,
        finished=finished,
        fitted_points=len(_settled(series, plan)[0]),
    )


NORMAL_QUANTILE = 1.2816
"""The 90 % quantile of the standard normal distribution."""
