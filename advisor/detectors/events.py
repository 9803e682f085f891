"""The detectors of errors that stand in the log as such."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from advisor.detectors.registry import detector
from advisor.model import At, Event, Facts, Hit, Point, Series

_QUARTERS = 4


@detector
def event_logged(incidents: Sequence[Event], *, kind: str, only_final: bool) -> Hit | None:
    """The log holds an event of this kind that no other explains; with `only_final`, one after which nothing more was measured."""
    found = [event for event in incidents if event.kind == kind and (event.final or not only_final)]
    if not found:
        return None
    first, last = found[0], found[-1]
    # A traceback ends with what went wrong; the message of the last one is the one that stopped the run.
    facts: Facts = {"count": sum(e.count for e in found), "line": last.line, "text": last.text, "before": At(first.x)}
    return Hit(facts, tuple(Point("", event.x, float("nan"), event.line) for event in found[:3]))


@detector
def event_without_gradient(
    incidents: Sequence[Event], grad_norm: Series | None, train_loss: Series | None, *, kind: str, least_fall: float
) -> Hit | None:
    """The log holds an event of this kind, and neither a gradient above zero nor a falling loss that would contradict it."""
    if grad_norm is not None and len(grad_norm.finite) and float(grad_norm.finite.values.max()) > 0:
        return None
    if train_loss is not None and len(train_loss.finite):
        first, *_, last = np.array_split(train_loss.finite.values, _QUARTERS)
        if len(first) and len(last) and np.median(last) < (1 - least_fall) * np.median(first):
            return None
    return event_logged(incidents, kind=kind, only_final=False)
