"""Signals of what came after the best evaluation, and of which checkpoints were kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from advisor.model import Event, Facts, FloatArray, NotMeasurable, Run, Series
from advisor.signals.evaluation import Best
from advisor.signals.registry import signal
from advisor.signals.settings import DEVICES, setting

PATIENCE = 3
"""Evaluations without improvement after which early stopping would have ended the run."""

SECONDS_PER_HOUR = 3600.0


@dataclass(frozen=True)
class AfterBest:
    """What followed the earliest evaluation that is as good as the best one within noise.

    index: of that evaluation, x: where it stands. after: evaluations after it. share: of the run that came after it.
    stop_x: where early stopping with patience 3 would have ended the run, NaN if it would not. hours: device-hours after it, NaN
    where no times were logged.
    """

    index: int
    x: float
    after: int
    share: float
    stop_x: float
    hours: float


@signal
def after_best(run: Run, eval_loss: Series, eval_best: Best, eval_noise: float) -> AfterBest:
    """Steps, evaluations and device-hours after the earliest best evaluation."""
    finite = eval_loss.finite
    train = run.series.get("train_loss")
    last = max(float(finite.x[-1]), float(train.x[-1]) if train is not None and len(train) else 0.0)
    x = float(finite.x[eval_best.earliest])
    if run.axis == "row" or last <= 0:
        raise NotMeasurable("step")
    return AfterBest(
        index=eval_best.earliest,
        x=x,
        after=len(finite) - 1 - eval_best.earliest,
        share=(last - x) / last,
        stop_x=_would_stop(finite, eval_noise),
        hours=_hours_after(run, x),
    )


def _would_stop(evals: Series, noise: float) -> float:
    """Return where `PATIENCE` evaluations in a row have not improved on the best before them by more than the noise."""
    best, waited = float("inf"), 0
    for x, value in zip(evals.x, evals.values, strict=True):
        if value < best - noise:
            best, waited = float(value), 0
        else:
            waited += 1
            if waited >= PATIENCE:
                return float(x)
    return float("nan")


def _hours_after(run: Run, x: float) -> float:
    times = run.series.get("time")
    if times is None or len(times.finite) < 2:  # noqa: PLR2004  a beginning and an end
        return float("nan")
    finite = times.finite
    if np.any(np.diff(finite.values) < 0):
        return float("nan")
    then = float(np.interp(x, finite.x, finite.values))
    devices = setting(run.config, *DEVICES) or 1.0
    return (float(finite.values[-1]) - then) / SECONDS_PER_HOUR * devices


@signal
def saved_steps(run: Run, config: Facts, events: Sequence[Event]) -> FloatArray:
    """The steps whose checkpoints were saved: from the log's own events, else every `save_steps`."""
    from_log = [event.x for event in events if event.kind == "checkpoint" and np.isfinite(event.x)]
    if from_log:
        return np.array(from_log)
    every = setting(config, "save_steps")
    train = run.series.get("train_loss")
    if not every or every < 1 or run.axis != "step" or train is None or str(config.get("save_strategy", "steps")) != "steps":
        raise NotMeasurable("config:save_steps")
    return np.arange(every, float(train.x[-1]) + 1, every)
