"""Detectors of slow, slowing and interrupted runs, of growing memory and idle processors."""

from __future__ import annotations

import numpy as np

from advisor.detectors.registry import detector
from advisor.model import At, Facts, FloatArray, Hit, Series
from advisor.signals.checkpoints import SECONDS_PER_HOUR
from advisor.signals.evaluation import Best, Rise
from advisor.signals.start import NonFinite
from advisor.signals.throughput import FIFTH, Drift, Pace, Pauses


@detector
def pace_cliff(pace: Pace, *, min_ratio: float, noise_factor: float, patience: int) -> Hit | None:
    """From some point to the end, `patience` points at least, a step takes `min_ratio` times as long as in the first fifth."""
    base = float(np.median(pace.smooth[: max(len(pace.smooth) // FIFTH, 1)]))
    slow = pace.smooth > max(min_ratio * base, base + noise_factor * pace.noise)
    if base <= 0 or not slow[-1]:
        return None
    since = len(slow) - int(np.argmin(slow[::-1])) if not slow.all() else 0
    if len(slow) - since < patience:
        return None
    level = float(np.median(pace.values[since:]))
    facts: Facts = {"ratio": level / base, "since": At(pace.x[since]), "count": len(slow) - since, "series": pace.of.name}
    return Hit(facts, (pace.of.point(max(since - 1, 0)), pace.of.point(len(pace.of) - 1)))


@detector
def speed_decays(
    pace: Pace, speed_drift: Drift, *, min_loss: float, max_correlation: float, max_late_correlation: float
) -> Hit | None:
    """The speed ends `min_loss` below its start and fell nearly all the way, the last third included."""
    lost = 1 - speed_drift.end / (speed_drift.start or 1.0)
    if lost < min_loss or speed_drift.correlation > max_correlation or speed_drift.late_correlation > max_late_correlation:
        return None
    facts: Facts = {"lost": lost, "correlation": speed_drift.correlation, "series": pace.of.name, "points": len(pace.values)}
    return Hit(facts, (pace.of.point(0), pace.of.point(len(pace.of) - 1)))


@detector
def memory_grows(
    memory: Series, memory_drift: Drift, *, min_growth: float, min_correlation: float, min_rises: int, min_late_correlation: float
) -> Hit | None:
    """The memory in use grows by `min_growth`, in many small rises, and still does at the end."""
    growth = memory_drift.end / (memory_drift.start or 1.0) - 1
    if memory_drift.start <= 0 or growth < min_growth or memory_drift.rises < min_rises:
        return None
    if memory_drift.correlation < min_correlation or memory_drift.late_correlation < min_late_correlation:
        return None
    finite = memory.finite
    facts = {"growth": growth, "start": memory_drift.start, "end": memory_drift.end, "rises": memory_drift.rises}
    return Hit(facts, (finite.point(len(finite) // 10), finite.point(len(finite) - 1)))


@detector
def processor_idle(gpu_utilisation: Series, utilisation: FloatArray, *, below: float, quantile: float) -> Hit | None:
    """Even the busiest points (the `quantile` of them) use less than `below` percent of the GPU."""
    busiest = float(np.quantile(utilisation, quantile))
    if busiest >= below:
        return None
    finite = gpu_utilisation.finite
    facts = {"busiest": busiest, "usual": float(np.median(utilisation)), "points": len(utilisation)}
    return Hit(facts, (finite.point(int(np.argmax(utilisation))),))


@detector
def waits_for_data(data_time: Series, data_wait: float, *, above: float) -> Hit | None:
    """More than `above` of a step is spent waiting for its batch."""
    if data_wait <= above:
        return None
    finite = data_time.finite
    return Hit({"share": data_wait, "points": len(finite)}, (finite.point(0), finite.point(len(finite) - 1)))


@detector
def regular_pauses(
    pace: Pace, pauses: Pauses, *, min_count: int, min_share: float, min_regular: float, min_intervals: float
) -> Hit | None:
    """Pauses at regular distances of `min_intervals` logs or more take `min_share` of the time: evaluations or checkpoints."""
    if len(pauses.at) < min_count or pauses.share < min_share:
        return None
    if pauses.regular < min_regular or pauses.intervals < min_intervals:
        return None
    at = np.flatnonzero(np.isin(pace.x, pauses.at))[:3]
    facts = {"share": pauses.share, "count": len(pauses.at), "steps": pauses.every}
    return Hit(facts, tuple(pace.of.point(int(i)) for i in at))


@detector
def time_after_best(
    elapsed: Series, eval_loss: Series, eval_best: Best, eval_rise: Rise, *, min_share: float, min_rise: float, noise_factor: float
) -> Hit | None:
    """At least `min_share` of the time of the run came after its best evaluation, and led to worse ones."""
    if eval_rise.relative < max(min_rise, noise_factor * eval_rise.noise):
        return None
    total = float(elapsed.values[-1])
    spent = total - float(np.interp(eval_best.x, elapsed.x, elapsed.values))
    if total <= 0 or spent < min_share * total:
        return None
    finite = eval_loss.finite
    facts = {"share": spent / total, "hours": spent / SECONDS_PER_HOUR, "best_at": At(eval_best.x), "best": eval_best.value}
    return Hit(facts, (finite.point(eval_best.index), finite.point(len(finite) - 1)))


@detector
def time_after_non_finite(
    elapsed: Series, train_loss: Series, train_non_finite: NonFinite, *, min_share: float, min_bad: float
) -> Hit | None:
    """The run went on for `min_share` of its time after its loss had become no number, and did not recover."""
    if not train_non_finite.count:
        return None
    since = train_non_finite.first
    bad = ~np.isfinite(train_loss.values[since:])
    total = float(elapsed.values[-1])
    spent = total - float(np.interp(train_loss.x[since], elapsed.x, elapsed.values))
    if np.mean(bad) < min_bad or total <= 0 or spent < min_share * total:
        return None
    facts = {"share": spent / total, "hours": spent / SECONDS_PER_HOUR, "since": At(train_loss.x[since])}
    return Hit(facts, (train_loss.point(since), train_loss.point(len(train_loss) - 1)))
