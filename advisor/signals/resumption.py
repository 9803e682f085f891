"""Signals of what happened where a run was resumed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from advisor.model import Event, NotApplicable, NotMeasurable, Series
from advisor.signals.curve import Curve
from advisor.signals.registry import signal

RESUME = "resume"
BEFORE, AFTER = 10, 5
"""Points of the training loss before and after a resumption that are compared."""


class Resumption(NamedTuple):
    """The resumption at which the training loss rose most: from the last points before it to the first after it.

    before, after: medians of these points. point: number of the first point after it. sigmas: the rise in standard errors.
    """

    event: Event
    before: float
    after: float
    point: int
    sigmas: float


@signal
def resumption(events: Sequence[Event], train_loss: Series, train_curve: Curve) -> Resumption:
    """The resumption with the largest rise of the training loss, in standard errors of a difference of two medians."""
    resumed = [event for event in events if event.kind == RESUME and math.isfinite(event.x)]
    if not resumed:
        raise NotApplicable("resume")
    finite = train_loss.finite
    found = []
    for event in resumed:
        index = int(np.searchsorted(finite.x, event.x, side="right"))
        before, after = finite.values[max(0, index - BEFORE) : index], finite.values[index : index + AFTER]
        if min(len(before), len(after)) < AFTER:
            continue
        error = train_curve.noise * math.sqrt(math.pi / 2 * (1 / len(before) + 1 / len(after)))
        rise = float(np.median(after) - np.median(before))
        sigmas = rise / error if error > 0 else math.copysign(math.inf, rise)
        found.append(Resumption(event, float(np.median(before)), float(np.median(after)), index, sigmas))
    if not found:
        raise NotMeasurable("train_loss", need=BEFORE + AFTER, have=len(finite))
    return max(found, key=lambda one: one.sigmas)
