"""Signals of where in the pass over the data something happens."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from advisor.model import NotApplicable, NotMeasurable, Series
from advisor.signals.curve import Spikes
from advisor.signals.registry import signal

LEAST_PASSES = 2.0
WHOLE = 0.5
"""Share of whole numbers from which on the log counts passes, not places in them."""


@dataclass(frozen=True)
class SpikePositions:
    """Spikes by their place in the pass over the rows.

    at: indices of the largest group at one place, the fraction of a pass. passes: how many it comes from. count: spikes in all.
    """

    at: tuple[int, ...]
    place: float
    passes: int
    count: int


@signal
def spike_positions(train_loss: Series, train_spikes: Spikes) -> SpikePositions:
    """Groups spikes whose fraction of an epoch is the same within a hundredth of a pass or one logged step."""
    finite = train_loss.finite
    known = finite.epoch[np.isfinite(finite.epoch)]
    if not len(known) or np.mean(known % 1 == 0) > WHOLE:
        raise NotMeasurable("epoch")
    if float(np.max(known)) < LEAST_PASSES:
        raise NotApplicable("epoch")
    between = float(np.nanmedian(np.diff(finite.epoch)))
    width = max(0.01, 1.5 * between)
    best: tuple[int, ...] = ()
    epochs = {i: float(finite.epoch[i]) for i in train_spikes.at if np.isfinite(finite.epoch[i])}
    for epoch in epochs.values():
        group = tuple(j for j, other in epochs.items() if abs((other - epoch + 0.5) % 1 - 0.5) <= width)
        if len({int(epochs[j]) for j in group}) > len({int(epochs[j]) for j in best}):
            best = group
    place = float(np.mean([epochs[j] % 1 for j in best])) if best else 0.0
    return SpikePositions(best, place, len({int(epochs[j]) for j in best}), len(epochs))
