"""The detector of errors that stand in the log as such."""

from __future__ import annotations

from collections.abc import Sequence

from advisor.detectors.registry import detector
from advisor.model import At, Event, Facts, Hit, Point


@detector
def event_logged(events: Sequence[Event], *, kind: str, only_final: bool) -> Hit | None:
    """The log holds an event of this kind; with `only_final`, one after which nothing more was measured."""
    found = [event for event in events if event.kind == kind and (event.final or not only_final)]
    if not found:
        return None
    first, last = found[0], found[-1]
    # A traceback ends with what went wrong; the message of the last one is the one that stopped the run.
    facts: Facts = {"count": len(found), "line": last.line, "text": last.text, "before": At(first.x)}
    return Hit(facts, tuple(Point("", event.x, float("nan"), event.line) for event in found[:3]))
