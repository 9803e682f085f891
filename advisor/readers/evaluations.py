"""Evaluations as logs print them: of two sets in turn, or again in every line until the next one. Rows and values by quantity."""

from __future__ import annotations

import numpy as np

from advisor.model import FloatArray
from advisor.readers.base import OF_TEST_SET
from advisor.readers.columns import IntArray

CARRIED = 0.6
"""Share of the evaluations beside a train loss that only repeat the one before, from which they are taken for its echo."""

LEAST_CARRIED = 5
"""Evaluations beside a train loss from which an echo can be told."""


def test_set_apart(series: dict[str, tuple[IntArray, FloatArray]]) -> dict[str, tuple[IntArray, FloatArray]]:
    """Return the series with evaluations of a test set under names of their own, where another set was evaluated as well.

    One curve of two sets would jump from one to the other; a test set that stands alone is the evaluation.
    """
    if OF_TEST_SET not in series:
        return series
    marked = series[OF_TEST_SET][0]
    found = {name: told for name, told in series.items() if name != OF_TEST_SET}
    for name in [name for name in ("eval_loss", "eval_perplexity") if name in found]:
        rows, values = found[name]
        of_test = np.isin(rows, marked)
        if 0 < np.sum(of_test) <= 2 * np.sum(~of_test):
            found[name] = rows[~of_test], values[~of_test]
            found[name.replace("eval_", "eval_test_")] = rows[of_test], values[of_test]
    return found


def without_echoes(series: dict[str, tuple[IntArray, FloatArray]], step: FloatArray) -> dict[str, tuple[IntArray, FloatArray]]:
    """Return the series without evaluations that lines of training steps only say again until the next one, as NeMo does.

    A line for each epoch may end with the same loss twice and mean it, hence only lines that name a step.
    """
    if "eval_loss" not in series or "train_loss" not in series:
        return series
    rows, values = series["eval_loss"]
    beside = np.isin(rows, series["train_loss"][0]) & np.isfinite(step[rows])
    echo = np.zeros(len(rows), dtype=bool)
    echo[1:] = beside[1:] & (values[1:] == values[:-1]) & (np.diff(rows) == 1)
    if np.sum(beside) < LEAST_CARRIED or np.sum(echo) < CARRIED * np.sum(beside):
        return series
    return {**series, "eval_loss": (rows[~echo], values[~echo])}
