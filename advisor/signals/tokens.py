"""Signals of how many tokens each step sees: sorted rows show there, and impossible settings."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from advisor.model import NotMeasurable, Series
from advisor.signals.moves import paired, spearman
from advisor.signals.registry import signal
from advisor.signals.stats import mann_kendall, running_median

LEAST_STEPS = 16
LEAST_PAIRS = 50
CURVE_PARTS = 20
"""Half-width of the curve that is taken off, as a part of the points."""


class StepTokens(NamedTuple):
    """Tokens of one optimizer step, from the running count: median, first and last quarter's median, and the p of no trend."""

    median: float
    first: float
    last: float
    p: float


@signal
def loss_with_tokens(train_loss: Series, num_tokens: Series) -> float:
    """Spearman's correlation of the loss above its curve with the tokens of the logged stretch: −1 … 1.

    The curve is taken off so that a loss that falls while the rows get longer does not pass for a connection.
    """
    loss, tokens = paired(train_loss.finite, num_tokens.finite)
    added = np.diff(tokens)
    above = (loss - running_median(loss, max(1, len(loss) // CURVE_PARTS)))[1:]
    good = added > 0
    if int(good.sum()) < LEAST_PAIRS:
        raise NotMeasurable("num_tokens", need=LEAST_PAIRS, have=int(good.sum()))
    lengths = added[good]
    return spearman(above[good], lengths - running_median(lengths, max(1, len(lengths) // CURVE_PARTS)))


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
