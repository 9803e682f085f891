"""What a run took and what the next one will take: device-hours from the logged times, and money where a price is given."""

from __future__ import annotations

import math
from collections.abc import Sequence

from advisor.model import Change, Cost, NotMeasurable
from advisor.signals import Measurements
from advisor.signals.checkpoints import SECONDS_PER_HOUR
from advisor.signals.settings import DEVICES, setting

PRICE = "gpu_hour_price"
"""The setting that holds the price of one device-hour."""

LENGTHS = ("num_train_epochs", "max_steps")
STOPS = "early_stopping_patience"


def cost_of(measured: Measurements, changes: Sequence[Change]) -> Cost | None:
    """Return what the run took, or None where its log has no times."""
    try:
        elapsed = measured["elapsed"]
    except NotMeasurable:
        return None
    config = measured.run.config
    devices = setting(config, *DEVICES) or 1.0
    first, last = float(elapsed.x[0]), float(elapsed.x[-1])
    seconds = float(elapsed.values[-1])
    if not last > first or seconds <= 0:
        return None
    seconds *= last / (last - first)  # the clock is read first after the first points
    hours = seconds / SECONDS_PER_HOUR * devices
    price = setting(config, PRICE)
    after = _or_nan(measured, "after_best", "hours")
    return Cost(hours, devices, after, hours * _next_length(measured, changes, last), math.nan if price is None else price)


def _or_nan(measured: Measurements, signal: str, field: str) -> float:
    try:
        return float(getattr(measured[signal], field))
    except NotMeasurable:
        return math.nan


def _next_length(measured: Measurements, changes: Sequence[Change], last: float) -> float:
    """Return the length of the next run in lengths of this one."""
    try:
        planned = max(float(measured["planned_end"]) / last, 1.0)
    except NotMeasurable:
        planned = 1.0
    for change in changes:
        numbers = (change.old, change.new)
        if change.parameter in LENGTHS and all(isinstance(n, int | float) and n > 0 for n in numbers):
            return planned * float(numbers[1]) / float(numbers[0])  # type: ignore[arg-type]
    stop = _or_nan(measured, "after_best", "stop_x")
    if any(change.parameter == STOPS for change in changes) and math.isfinite(stop):
        return min(planned, stop / last)
    return planned
