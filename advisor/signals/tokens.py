"""Signals of how many tokens each step sees: sorted rows show there, and impossible settings."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from advisor.model import NotMeasurable, Series
from advisor.signals.registry import signal
from advisor.signals.stats import mann_kendall

LEAST_STEPS = 16


class StepTokens(NamedTuple):
    """Tokens of one optimizer step, from the running count: median, first and last quarter's median, and the p of no trend."""

    median: float
    first: float
    last: float
    p: float


@signal
def step_tokens(num_tokens: Series) -> StepTokens:
    """Tokens a step over the run."""
    x, values = num_tokens.finite.x, num_tokens.finite.values
    steps, added = np.diff(x), np.diff(values)
    good = (steps > 0) & (added > 0)
    if int(good.sum()) < LEAST_STEPS:
        raise NotMeasurable("num_tokens", need=LEAST_STEPS, have=int(good.sum()))
    each = added[good] / steps[good]
    quarter = max(1, len(each) // 4)
    return StepTokens(
        float(np.median(each)), float(np.median(each[:quarter])), float(np.median(each[-quarter:])), mann_kendall(each)
    )
