"""Judged runs made small: of many runs only what is printed is kept. Judging comes before; nothing here changes a verdict."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from advisor.model import Diagnosis, Series, Thinned
from advisor.signals.stats import block_medians

DRAWN_POINTS = 2000
"""Points of a series that are kept: more than any drawing has columns."""


def thin(diagnosis: Diagnosis) -> Diagnosis:
    """Return the diagnosis with every long series reduced to medians of blocks. Evidence and figures stay as they are."""
    run = diagnosis.run
    series = {name: _thinned(whole) if len(whole) > DRAWN_POINTS else whole for name, whole in run.series.items()}
    return replace(diagnosis, run=replace(run, series=series))


def _thinned(series: Series) -> Thinned:
    # A block of which one value is not finite would lose its level.
    finite = series.finite
    kept = np.linspace(0, max(len(finite) - 1, 0), min(len(finite), DRAWN_POINTS)).astype(np.int64)
    return Thinned(
        series.name,
        block_medians(finite.values, DRAWN_POINTS),
        block_medians(finite.x, DRAWN_POINTS),
        finite.epoch[kept],
        finite.line[kept],
        series.unit,
        series.summary(),
    )
