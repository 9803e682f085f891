"""The detectors of errors that stand in the log as such."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from advisor.detectors.registry import detector
from advisor.model import At, Event, Facts, Hit, Point, Series
from advisor.readers.event_patterns import Weight
from advisor.readers.events import WEIGHTS

_QUARTERS = 4


@detector
def event_logged(incidents: Sequence[Event], *, kind: str, only_final: bool) -> Hit | None:
    """The log holds an event of this kind that no other explains; with `only_final`, one after which nothing more was measured."""
    found = [event for event in incidents if event.kind == kind and (event.final or not only_final)]
    if not found:
        return None
    told = _began(found, incidents) if WEIGHTS.get(kind) == Weight.GENERIC else found[-1]
    facts: Facts = {"count": sum(e.count for e in found), "line": told.line, "text": told.text, "before": At(told.x)}
    return Hit(facts, tuple(Point("", event.x, float("nan"), event.line) for event in found[:3]))


def _began(found: Sequence[Event], incidents: Sequence[Event]) -> Event:
    """Return what stopped the run: the last of `found`, or the exception at the beginning of the chain that it ends."""
    links = [event.line for event in incidents if event.kind == "chained"]
    at = len(found) - 1
    while at and any(found[at - 1].line < link < found[at].line for link in links):
        at -= 1
    return found[at]


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
