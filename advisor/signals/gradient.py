"""Signals of the gradient norm: level, direction, quantiles, and how often clipping acts."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from advisor.model import Facts, NotMeasurable, Series
from advisor.signals.registry import signal
from advisor.signals.settings import setting
from advisor.signals.stats import mann_kendall, median, theil_sen

LEAST_NORMS = 20
WARMUP_SHARE = 0.1
"""The first tenth of a run is left out: norms are high while the model meets the data."""


class Gradient(NamedTuple):
    """The gradient norm after the first tenth of the run.

    tail_over_head: median of the last quarter over that of the first quarter. p90: the value nine in ten stay below.
    late_growth: growth of the logarithm over the last fifth, and late_p: the p-value of no trend there.
    lowest_over_start: the lowest level (median of a tenth) over the level at its beginning.
    """

    tail_over_head: float
    median: float
    p90: float
    late_growth: float
    late_p: float
    lowest_over_start: float


@signal
def gradient(grad_norm: Series) -> Gradient:
    """Level and direction of the gradient norm."""
    values = grad_norm.finite.values
    values = values[values > 0]
    if len(values) < LEAST_NORMS:
        raise NotMeasurable("grad_norm", need=LEAST_NORMS, have=len(values))
    values = values[int(WARMUP_SHARE * len(values)) :]
    quarter, tenth = max(1, len(values) // 4), max(1, len(values) // 10)
    late = np.log(values[-max(len(values) // 5, 4) :])
    levels = [median(values[i : i + tenth]) for i in range(0, len(values) - tenth + 1, tenth)]
    return Gradient(
        tail_over_head=median(values[-quarter:]) / median(values[:quarter]),
        median=median(values),
        p90=float(np.quantile(values, 0.9)),
        late_growth=theil_sen(late) * len(late),
        late_p=mann_kendall(late),
        lowest_over_start=min(levels) / levels[0],
    )


@signal
def clipped_share(grad_norm: Series, config: Facts) -> float:
    """Share of logged norms, after the first tenth of the run, that lie above the clipping threshold of the configuration."""
    limit = setting(config, "max_grad_norm", "gradient_clipping", "clip_grad")
    if limit is None or limit <= 0:
        raise NotMeasurable("config:max_grad_norm")
    values = grad_norm.finite.values
    if len(values) < LEAST_NORMS:
        raise NotMeasurable("grad_norm", need=LEAST_NORMS, have=len(values))
    return float(np.mean(values[int(WARMUP_SHARE * len(values)) :] > limit))
