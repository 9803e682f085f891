"""Signals of what the log says in words: which events tell what happened, and the numbers in an out-of-memory message."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import NamedTuple

from advisor.model import Event
from advisor.readers.event_patterns import Weight
from advisor.readers.events import WEIGHTS
from advisor.signals.registry import signal


@signal
def incidents(events: Sequence[Event]) -> tuple[Event, ...]:
    """The events that no other one explains.

    Between two measurements one thing goes wrong, and the rest follows from it: the other ranks wait in vain, the launcher kills
    them, the exception is wrapped in others. Of each such place only the events of the least weight are told, and the notes.
    """
    least: dict[tuple[float | None, bool], Weight] = {}
    for event in events:
        weight = WEIGHTS.get(event.kind, Weight.NOTE)
        if weight != Weight.NOTE:
            least[_place(event)] = min(weight, least.get(_place(event), weight))
    return tuple(e for e in events if WEIGHTS.get(e.kind, Weight.NOTE) in (Weight.NOTE, least.get(_place(e))))


def _place(event: Event) -> tuple[float | None, bool]:
    return None if math.isnan(event.x) else event.x, event.final


_UNITS = {"bytes": 2.0**-30, "kib": 2.0**-20, "mib": 2.0**-10, "gib": 1.0, "kb": 2.0**-20, "mb": 2.0**-10, "gb": 1.0}
_AMOUNT = r"([\d.]+) ?(bytes|[kmg]i?b)"
_NUMBERS = {
    "requested": rf"tried to allocate {_AMOUNT}",
    "capacity": rf"{_AMOUNT} total capac|total capac(?:i)?ty of {_AMOUNT}",
    "free": rf"{_AMOUNT} (?:is )?free",
    "allocated": rf"{_AMOUNT} (?:already allocated|is allocated by pytorch)",
    "unallocated": rf"{_AMOUNT} is reserved by pytorch but unallocated",
    "reserved": rf"{_AMOUNT} reserved in total",
}
_PATTERNS = {name: re.compile(pattern, re.IGNORECASE) for name, pattern in _NUMBERS.items()}
_OTHERS = re.compile(rf"(?<!this )process \d+ has {_AMOUNT} memory in use", re.IGNORECASE)


class Shortage(NamedTuple):
    """An out-of-memory message that ended the run, in GiB; NaN where the message does not say.

    requested: what the failed allocation asked for. capacity: of the device. free: what was free. allocated: held by tensors.
    unallocated: reserved by the allocator but in no tensor. others: held by other processes. evaluating: it fell in an
    evaluation. event: the message itself.
    """

    event: Event
    requested: float
    capacity: float
    free: float
    allocated: float
    unallocated: float
    others: float
    evaluating: bool


@signal
def shortage(incidents: Sequence[Event]) -> Shortage | None:
    """The out-of-memory message that ended the run, the fullest one where several ranks give theirs; None where there is none."""
    final = [e for e in incidents if e.kind == "out-of-memory" and e.final]
    if not final:
        return None
    event = max(final, key=lambda e: sum(p.search(e.text) is not None for p in _PATTERNS.values()))
    said = {name: _gib(pattern.search(event.text)) for name, pattern in _PATTERNS.items()}
    unallocated = said["unallocated"]
    if math.isnan(unallocated):
        unallocated = max(0.0, said["reserved"] - said["allocated"]) if not math.isnan(said["reserved"]) else math.nan
    # Where the driver cannot tell, PyTorch prints an impossible amount.
    others = [v for v in map(_gib, _OTHERS.finditer(event.text)) if v <= said["capacity"]]
    evaluating = any(e.kind == "evaluating" and _place(e) == _place(event) and e.line <= event.line for e in incidents)
    return Shortage(
        event, said["requested"], said["capacity"], said["free"], said["allocated"], unallocated, sum(others), evaluating
    )


def _gib(found: re.Match[str] | None) -> float:
    if found is None:
        return math.nan
    value, unit = [group for group in found.groups() if group][:2]
    return float(value.strip(".")) * _UNITS[unit.lower()]
