"""Signals of task metrics, of which more is better, and of further evaluation sets."""

from __future__ import annotations

import re
from typing import NamedTuple

import numpy as np

from advisor.model import NotApplicable, NotMeasurable, Run, Series
from advisor.signals.registry import signal
from advisor.signals.stats import curvature_noise, robust_noise

HIGHER_IS_BETTER = re.compile(
    r"^eval_.*?(?:accuracy|acc|f1|rouge|bleu|exact_match|em|precision|recall|auc|map|ndcg|score|reward|win_rate|pass)(?:$|[_\d@/-])",
    re.I,
)
LEAST_VALUES = 4


class Metric(NamedTuple):
    """A task metric of the evaluations: best index and value, the last value (median of two), noise of one value."""

    series: Series
    best: int
    last: float
    noise: float


@signal
def task_metric(run: Run) -> Metric:
    """The metric by which checkpoints are chosen where the configuration says so, else the first that is better when higher."""
    chosen = str(run.config.get("metric_for_best_model", ""))
    names = [n for n in (chosen, f"eval_{chosen}") if n in run.series and HIGHER_IS_BETTER.match(n)]
    names += [n for n in run.series if HIGHER_IS_BETTER.match(n)]
    for name in names:
        finite = run.series[name].finite
        if len(finite) >= LEAST_VALUES:
            values = finite.values
            noise = min(robust_noise(values), curvature_noise(values))
            return Metric(finite, int(np.argmax(values)), float(np.median(values[-2:])), noise)
    raise NotMeasurable("eval_accuracy", need=LEAST_VALUES, have=0)


class OtherEvaluation(NamedTuple):
    """The further evaluation loss that rose most from its beginning to its end: relative rise, and the series."""

    series: Series
    rise: float


@signal
def other_evaluation(run: Run) -> OtherEvaluation:
    """What happens to evaluation sets beside the main one, such as general text beside the task."""
    found = []
    for name, series in run.series.items():
        finite = series.finite
        if name.startswith("eval_") and name.endswith("_loss") and name != "eval_loss" and len(finite) >= LEAST_VALUES:
            first, last = float(finite.values[0]), float(np.median(finite.values[-2:]))
            if first > 0:
                found.append(OtherEvaluation(finite, last / first - 1))
    if not found:
        raise NotApplicable("eval_general_loss")
    return max(found, key=lambda other: other.rise)
