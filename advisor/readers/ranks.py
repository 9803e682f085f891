"""Logs into which several processes write: eight ranks that print the same loss are one run."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.model import Event
from advisor.readers.base import Note
from advisor.readers.events import event_in


class OneRank:
    """Keeps to the rank that logs first. Lines without a rank are everybody's, and what fails on any rank is told."""

    def __init__(self) -> None:
        self._read: int | None = None
        self._noted = False
        self._told: set[str] = set()

    def logs(self, rank: int | None) -> None:
        """Take note that `rank` logged a measurement."""
        self._read = rank if self._read is None else self._read

    def is_other(self, rank: int | None) -> bool:
        """Tell whether a line of `rank` is another rank's than the one that is read."""
        return rank is not None and self._read is not None and rank != self._read

    def of_other(self, text: str, line: int) -> Iterator[Event | Note]:
        """Yield what another rank's line is good for: that its losses are left out, and each kind of error once."""
        if not self._noted and "loss" in text.lower():
            self._noted = True
            yield Note("one-rank")
        event = event_in(text, line)
        if event is not None and event.kind not in self._told:
            self._told.add(event.kind)
            yield event
