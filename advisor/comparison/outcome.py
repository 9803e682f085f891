"""What a run reached: its evaluations in a few numbers, its length, its time."""

from __future__ import annotations

import math

import numpy as np

from advisor.comparison.model import Result, Side
from advisor.model import Diagnosis, Run, Series
from advisor.signals.metrics import HIGHER_IS_BETTER
from advisor.signals.stats import curvature_noise, robust_noise

LOSS = "eval_loss"
TAIL = 3
"""Evaluations whose median is the end."""


def side(name: str, diagnosis: Diagnosis) -> Side:
    """Return a run with what it reached by its evaluation loss, or else by its first task metric."""
    run = diagnosis.run
    names = [n for n in (LOSS, *metrics(run)) if n in run.series]
    result = next((found for found in (result_of(run.series[n]) for n in names) if found), None)
    return Side(
        name, diagnosis, result, _failed(run), _last(run, "x"), _last(run, "epoch"), _span(run, "time"), _span(run, "num_tokens")
    )


def metrics(run: Run) -> list[str]:
    """Return the names of the task metrics, of which more is better."""
    return [name for name in run.series if HIGHER_IS_BETTER.match(name)]


def is_loss(name: str) -> bool:
    """Tell whether less of a quantity is better."""
    return not HIGHER_IS_BETTER.match(name)


def result_of(series: Series) -> Result | None:
    """Return what a series of evaluations reached, or None where it has no finite value."""
    finite = series.finite
    if not len(finite):
        return None
    values = finite.values
    index = int(np.argmin(values) if is_loss(series.name) else np.argmax(values))
    best, final = float(values[index]), float(np.median(values[-min(TAIL, len(values) - index) :]))
    # A level that is still falling has its end at the end, not at the median of the last three.
    final = float(values[-1]) if index == len(values) - 1 else final
    noise = min(robust_noise(values), curvature_noise(values))
    rise = (final - best) / (abs(best) or 1.0)
    return Result(series.name, best, float(finite.x[index]), final, float(values[0]), rise, noise, len(values))


def _failed(run: Run) -> bool:
    """Tell whether the loss ended as something that is no number."""
    ends = [run.series[name].values[-TAIL:] for name in ("train_loss", LOSS) if name in run.series and len(run.series[name])]
    return any(not np.isfinite(values).any() for values in ends)


def _last(run: Run, what: str) -> float:
    found = [getattr(series, what)[-1] for name, series in run.series.items() if len(series) and name in ("train_loss", LOSS)]
    return max((float(x) for x in found if math.isfinite(x)), default=math.nan)


def _span(run: Run, name: str) -> float:
    """Return the last value of a counter; of a clock that does not begin near 0, the time that passed."""
    if name not in run.series or not len(run.series[name].finite):
        return math.nan
    values = run.series[name].finite.values
    if name != "time":
        return float(values[-1])
    return float(values[-1] - values[0]) if values[0] > CLOCK else float(values[-1])


CLOCK = 1e8
"""Seconds beyond which a time is a date and not a duration."""
