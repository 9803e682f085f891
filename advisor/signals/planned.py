"""The learning rate of the whole planned run: from the configuration, or from what was logged so far and how that goes on."""

from __future__ import annotations

import math
from typing import Literal, NamedTuple

import numpy as np

from advisor.model import Facts, FloatArray, NotMeasurable, Run, Series
from advisor.signals.registry import signal

Shape = Literal["constant", "polynomial", "cosine"]

LEAST_RATES = 3
"""Logged rates after the warm-up that are needed to recognise a schedule."""

SAME = 5e-3
"""Largest distance of a logged rate from a schedule, relative to the peak, at which the schedule is recognised."""

MOST_RATES = 100
"""Logged rates that are compared with a schedule; of more, evenly spaced ones."""

HIGHEST_FLOOR = 0.6
"""A schedule that would end above this share of its peak is not one that decays to its end."""

NAMES: dict[str, tuple[Shape, float]] = {
    "constant": ("constant", 1.0),
    "constant_with_warmup": ("constant", 1.0),
    "linear": ("polynomial", 1.0),
    "cosine": ("cosine", 1.0),
    "cosine_with_min_lr": ("cosine", 1.0),
    "polynomial": ("polynomial", 1.0),
    "warmup_stable_decay": ("cosine", 1.0),
}
"""Schedules of transformers by name: shape and power."""


class PlannedRate(NamedTuple):
    """The learning rate over a planned run, as shares of its peak.

    end: the planned last position on the axis. warmup: where the warm-up ends. decay: where the decay begins.
    floor: the rate at the end. power: of a polynomial decay (1 is linear).
    """

    shape: Shape
    end: float
    warmup: float
    decay: float
    floor: float = 0.0
    power: float = 1.0

    def at(self, x: FloatArray) -> FloatArray:
        """Return the rate at the positions `x`, relative to the peak."""
        done = np.clip((x - self.decay) / max(self.end - self.decay, 1e-12), 0.0, 1.0)
        rate = self.floor + (1 - self.floor) * _decay(self.shape, self.power, done)
        return rate * np.clip(x / self.warmup, 0.0, 1.0) if self.warmup > 0 else rate

    def stretched(self, factor: float) -> PlannedRate:
        """Return the schedule of a run `factor` times as long: every part of it takes so much longer."""
        return self._replace(end=self.end * factor, warmup=self.warmup * factor, decay=self.decay * factor)


def _decay(shape: Shape, power: float, done: FloatArray) -> FloatArray:
    if shape == "constant":
        return np.ones_like(done)
    return (1 - done) ** power if shape == "polynomial" else (1 + np.cos(np.pi * done)) / 2


def _number(config: Facts, name: str) -> float | None:
    value = config.get(name)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


@signal
def planned_end(run: Run, config: Facts) -> float:
    """Position on the axis at which the run is planned to end: from the planned steps or epochs."""
    loss = run.series.get("train_loss") or run.series.get("eval_loss")
    epochs, steps = _number(config, "num_train_epochs"), _number(config, "max_steps")
    if loss is None or run.axis == "row" or not len(loss):
        raise NotMeasurable("run_end")
    if run.axis == "step" and steps is not None and steps > 0:
        return steps
    if epochs is None or epochs <= 0:
        raise NotMeasurable("run_end")
    if run.axis == "epoch":
        return epochs
    known = np.flatnonzero(np.isfinite(loss.epoch) & (loss.epoch > 0))
    if not len(known):
        raise NotMeasurable("run_end")
    return float(np.round(epochs * loss.x[known[-1]] / loss.epoch[known[-1]]))


@signal
def planned_rate(run: Run, config: Facts, planned_end: float, learning_rate: Series | None) -> PlannedRate:
    """The schedule to the planned end. Where rates were logged they decide; the configuration alone has to name it in full."""
    logged = learning_rate.finite if learning_rate is not None else None
    if logged is None or len(logged) < LEAST_RATES:
        return _configured(run, config, planned_end)
    peak = int(np.argmax(logged.values))
    if logged.values[peak] <= 0:
        raise NotMeasurable("learning_rate")
    rate = logged.values / logged.values[peak]
    # Trainers log beside step n the rate of step n or the one before it.
    places = [logged.x, logged.x - 1] if run.axis == "step" else [logged.x]
    try:
        plan = _configured(run, config, planned_end)
    except NotMeasurable:
        return _recognised(places, rate, peak, planned_end)
    # A plan that the logged rates do not follow is not the plan of this run.
    if min(_distance(plan, x, rate, peak) for x in places) <= 2 * SAME:
        return plan
    return _recognised(places, rate, peak, planned_end)


def _distance(plan: PlannedRate, x: FloatArray, rate: FloatArray, peak: int) -> float:
    after = x > plan.warmup
    scale = float(plan.at(x[peak : peak + 1])[0])
    return float(np.max(np.abs(plan.at(x[after]) - rate[after] * scale), initial=0.0))


def _configured(run: Run, config: Facts, end: float) -> PlannedRate:
    name = str(config.get("lr_scheduler_type", "")).lower().rpartition(".")[2]
    if name not in NAMES:
        raise NotMeasurable("learning_rate")
    shape, power = NAMES[name]
    steps, ratio = _number(config, "warmup_steps") or 0.0, _number(config, "warmup_ratio") or 0.0
    if steps >= 1 and run.axis != "step":
        raise NotMeasurable("learning_rate")
    # transformers 5 takes a share of the run as warmup_steps too.
    warmup = steps if steps >= 1 else (steps or ratio) * end
    decay, floor = warmup, 0.0
    if name == "warmup_stable_decay":
        length = _number(config, "num_decay_steps")
        if length is None or run.axis != "step":
            raise NotMeasurable("learning_rate")
        decay, floor = end - length, _number(config, "min_lr_ratio") or 0.0
    if name == "cosine_with_min_lr":
        floor = _number(config, "min_lr_rate") or _number(config, "min_lr_ratio") or 0.0
        lowest, highest = _number(config, "min_lr"), _number(config, "learning_rate")
        floor = lowest / highest if lowest and highest else floor
    if name == "polynomial":
        power = _number(config, "power") or 1.0
    return PlannedRate(shape, end, warmup, decay, floor, power)


def _recognised(places: list[FloatArray], rate: FloatArray, peak: int, end: float) -> PlannedRate:
    """Return the schedule that the logged rates follow: constant so far, linear, cosine or quadratic to the planned end.

    Peak and floor are found by least squares; the start of the decay is tried at places between the logs around it.
    """
    if len(rate) - peak < LEAST_RATES:
        raise NotMeasurable("learning_rate", need=LEAST_RATES, have=len(rate) - peak)
    high = np.flatnonzero(rate >= 1 - SAME / 10)
    first = places[0]
    warmup = float(first[peak - 1] + first[peak]) / 2 if peak else 0.0
    if np.min(rate[peak:]) >= 1 - SAME:
        return PlannedRate("constant", end, warmup, warmup)
    if high[-1] == len(rate) - 1:  # it came down and rose again: restarts
        raise NotMeasurable("learning_rate")
    best = (SAME, PlannedRate("constant", end, warmup, warmup))
    kept = peak + np.unique(np.linspace(0, len(rate) - peak - 1, MOST_RATES).astype(int))
    shapes: tuple[tuple[Shape, float], ...] = (("polynomial", 1.0), ("cosine", 1.0), ("polynomial", 2.0))
    for x in places:
        around_peak = np.linspace(x[peak - 1] if peak else 0.0, x[peak], 9)
        starts = np.concatenate([around_peak, np.linspace(x[high[-1]], x[high[-1] + 1], 9)])
        done = np.clip((x[kept] - starts[:, None]) / np.maximum(end - starts, 1e-12)[:, None], 0.0, 1.0)
        for shape, power in shapes:
            basis = _decay(shape, power, done)
            centred = basis - basis.mean(axis=1, keepdims=True)
            slope = centred @ rate[kept] / np.maximum(np.sum(centred**2, axis=1), 1e-300)
            base = rate[kept].mean() - slope * basis.mean(axis=1)
            error = np.max(np.abs(base[:, None] + slope[:, None] * basis - rate[kept]), axis=1)
            floor = base / np.where(base + slope > 0, base + slope, np.inf)
            error[(floor < -4 * SAME) | (floor > HIGHEST_FLOOR) | (slope <= 0)] = math.inf
            i = int(np.argmin(error))
            if error[i] < best[0]:
                start = max(float(starts[i]), 0.0)
                plan = PlannedRate(shape, end, min(warmup, start), start, max(float(floor[i]), 0.0), power)
                best = float(error[i]), plan
    if best[1].shape == "constant":
        raise NotMeasurable("learning_rate")
    return best[1]
