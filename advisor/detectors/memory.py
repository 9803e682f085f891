"""Detectors of the ways in which memory runs out, by the numbers of the message."""

from __future__ import annotations

import math

from advisor.detectors.registry import detector
from advisor.model import At, Facts, Hit, Point, Run
from advisor.signals.incidents import Shortage


def _hit(shortage: Shortage) -> Hit:
    event = shortage.event
    facts: Facts = {
        "line": event.line,
        "text": event.text,
        "before": At(event.x),
        "requested": shortage.requested,
        "capacity": shortage.capacity,
        "free": shortage.free,
        "allocated": shortage.allocated,
        "unallocated": shortage.unallocated,
        "others": shortage.others,
    }
    return Hit({k: v for k, v in facts.items() if isinstance(v, At) or v == v}, (Point("", event.x, math.nan, event.line),))


@detector
def memory_short(shortage: Shortage | None) -> Hit | None:
    """The run ended for want of device memory."""
    return _hit(shortage) if shortage else None


@detector
def memory_short_in_evaluation(shortage: Shortage | None) -> Hit | None:
    """The run ended for want of device memory while it evaluated."""
    return _hit(shortage) if shortage and shortage.evaluating else None


@detector
def memory_fragmented(shortage: Shortage | None, *, least_share: float) -> Hit | None:
    """What the allocator had reserved and no tensor held was enough for the request, and at least this share of the device."""
    if shortage is None:
        return None
    enough = shortage.unallocated >= max(shortage.requested, least_share * shortage.capacity)
    return _hit(shortage) if enough else None


@detector
def memory_taken_by_others(shortage: Shortage | None, *, least_share: float) -> Hit | None:
    """Other processes held this share of the device, and the request would have fitted without them."""
    if shortage is None:
        return None
    taken = shortage.others >= max(shortage.requested - shortage.free, least_share * shortage.capacity)
    return _hit(shortage) if taken else None


@detector
def memory_short_for_one_tensor(shortage: Shortage | None, *, least_share: float) -> Hit | None:
    """A single tensor asked for this share of the whole device."""
    return _hit(shortage) if shortage and shortage.requested >= least_share * shortage.capacity else None


@detector
def memory_short_midway(shortage: Shortage | None, run: Run, *, least_points: int) -> Hit | None:
    """Memory ran out after so many training losses had been logged: an ordinary batch fitted."""
    train = run.series.get("train_loss")
    return _hit(shortage) if shortage and train is not None and len(train) >= least_points else None
