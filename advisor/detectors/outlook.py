"""Detectors that look ahead: a plateau that the planned decay will end, one that no decay will, and epochs that are missing."""

from __future__ import annotations

import numpy as np

from advisor.detectors.registry import detector
from advisor.model import At, Forecast, Hit, NotMeasurable, Outlook, Series
from advisor.signals.curve import LATE_SHARE, Level, Trend
from advisor.signals.evaluation import EvalTrend
from advisor.signals.planned import PlannedRate


def falls_on(forecast: Forecast | None, noise_factor: float) -> bool:
    """Tell whether an unfinished run will end lower than it stands now, by its whole interval and beyond the noise."""
    if forecast is None or forecast.finished:
        return False
    return forecast.now - forecast.end.value > noise_factor * forecast.noise and forecast.end.high < forecast.now


@detector
def waiting_for_decay(
    run_finished: bool, train_loss: Series, train_late_trend: Trend, planned_rate: PlannedRate, forecast: Forecast | None,
    *, min_p: float, max_slope: float, min_rate: float, max_final_rate: float, min_gain: float,
) -> Hit | None:  # fmt: skip
    """The loss has stopped falling while the rate is still high, and is forecast to fall by `min_gain` when the rate decays.

    Stopped: no trend (p ≥ `min_p`) or one of less than `max_slope` a tenth of the run. High: at least `min_rate` of the peak now,
    at most `max_final_rate` at the planned end.
    """
    if run_finished:
        return None
    rate = planned_rate.at(np.array([float(train_loss.x[-1]), planned_rate.end]))
    if rate[0] < min_rate or rate[1] > max_final_rate:
        return None
    if train_late_trend.p < min_p and abs(train_late_trend.per_tenth) > max_slope:
        return None
    if forecast is None:
        raise NotMeasurable("forecast")
    gain = (forecast.now - forecast.end.value) / (abs(forecast.now) or 1.0)
    if gain < min_gain or forecast.end.high >= forecast.now:
        return None
    facts = {"now": forecast.now, "gain": gain, **_said(forecast, forecast.end), "decay_at": At(planned_rate.decay)}
    return Hit(facts, (train_loss.point(len(train_loss) - 1),))


@detector
def constant_rate_plateau(
    train_loss: Series, learning_rate: Series, train_level: Level, train_late_trend: Trend, planned_rate: PlannedRate | None,
    eval_end_trend: EvalTrend | None,
    *, min_p: float, max_slope: float, min_fall: float, max_rate_change: float,
) -> Hit | None:  # fmt: skip
    """The loss fell and then stopped, the rate is the same over the last part of the log, and no decay is planned.

    Stopped: no trend (p ≥ `min_p`) or one of less than `max_slope` a tenth of the run.
    """
    late = learning_rate.finite.take(learning_rate.finite.x >= learning_rate.x[-1] * (1 - LATE_SHARE))
    if not len(late) or late.values[-1] <= 0 or np.ptp(late.values) > max_rate_change * late.values[-1]:
        return None
    if late.values[-1] < (1 - max_rate_change) * np.max(learning_rate.finite.values):
        return None
    if planned_rate is not None and planned_rate.shape != "constant":
        return None
    if train_level.first - train_level.end < min_fall * abs(train_level.first):
        return None
    if train_late_trend.p < min_p and abs(train_late_trend.per_tenth) > max_slope:
        return None
    if eval_end_trend is not None and eval_end_trend.per_tenth < -max_slope:
        return None
    finite = train_loss.finite
    begin = int(np.searchsorted(finite.x, finite.x[-1] * (1 - LATE_SHARE)))
    facts = {
        "rate": float(late.values[-1]), "since": At(finite.x[begin]), "end": train_level.end,
        "slope": abs(train_late_trend.per_tenth), "share": LATE_SHARE,
    }  # fmt: skip
    return Hit(facts, (finite.point(begin), finite.point(len(finite) - 1)))


@detector
def more_epochs_help(
    run_finished: bool, eval_loss: Series, forecast: Forecast | None, *, factor: float, min_gain: float, noise_factor: float
) -> Hit | None:
    """A run of `factor` times the length is forecast to end lower by `min_gain` and the noise, and so is its whole interval."""
    if not run_finished:
        return None
    if forecast is None:
        raise NotMeasurable("forecast")
    longer = next((o for o in forecast.longer if o.factor == factor), None)
    if longer is None:
        raise NotMeasurable("forecast")
    end = forecast.end.value
    gain = end - longer.value
    if gain < max(min_gain * abs(end), noise_factor * forecast.noise) or longer.high >= end:
        return None
    facts = {"end": end, "gain": gain / (abs(end) or 1.0), "factor": factor, **_said(forecast, longer)}
    return Hit(facts, (eval_loss.finite.point(len(eval_loss.finite) - 1),))


def _said(forecast: Forecast, outlook: Outlook) -> dict[str, float | str]:
    return {
        "series": forecast.series, "forecast": outlook.value, "low": outlook.low, "high": outlook.high,
        "coverage": forecast.coverage, "end_at": At(forecast.at),
    }  # fmt: skip
