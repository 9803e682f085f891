"""Records as they arrive, in flat arrays: 8 bytes a number, whether they come one by one or in blocks."""

from __future__ import annotations

import math
from array import array
from collections import deque
from dataclasses import dataclass, field, replace

import numpy as np

from advisor.model import Event, FloatArray, Value
from advisor.readers.base import Bar, Block, Closing, Note, Record, Row, Settings, Unread

KEPT_UNREAD = 100
KEPT_EVENTS = 500
"""Of each kind, so many of the first and so many of the latest events are kept; those between them are counted."""

IntArray = np.ndarray[tuple[int], np.dtype[np.int64]]
_NO_ROWS: IntArray = np.array([], dtype=np.int64)
_NO_VALUES: FloatArray = np.array([])


def _bytes(values: np.ndarray[tuple[int], np.dtype[np.float64 | np.int64]]) -> memoryview:
    """Return the bytes of an array without copying them."""
    return np.ascontiguousarray(values).view(np.uint8).data


def joined(pieces: list[tuple[IntArray, FloatArray]]) -> tuple[IntArray, FloatArray]:
    """Return the (rows, values) of several parts as one, in the order of the rows."""
    if len(pieces) == 1:
        return pieces[0]
    rows, values = np.concatenate([r for r, _ in pieces]), np.concatenate([v for _, v in pieces])
    order = np.argsort(rows, kind="stable")
    return rows[order], values[order]


@dataclass
class _Events:
    """The events of one kind: (order of arrival, row, event)."""

    first: list[tuple[int, int, Event]] = field(default_factory=list)
    latest: deque[tuple[int, int, Event]] = field(default_factory=lambda: deque(maxlen=KEPT_EVENTS))
    seen: int = 0

    def add(self, entry: tuple[int, int, Event]) -> None:
        """Keep `entry` among the first, else among the latest."""
        self.seen += 1
        (self.first if len(self.first) < KEPT_EVENTS else self.latest).append(entry)

    def kept(self) -> list[tuple[int, int, Event]]:
        """Return what was kept; the last of the first stands also for those that were not."""
        dropped = self.seen - len(self.first) - len(self.latest)
        if not dropped:
            return [*self.first, *self.latest]
        order, row, event = self.first[-1]
        return [*self.first[:-1], (order, row, replace(event, count=1 + dropped)), *self.latest]


@dataclass(frozen=True)
class Bars:
    """What progress bars showed, in their order. after: how many rows came before it."""

    after: IntArray
    done: IntArray
    total: IntArray

    def between(self, begin: int, end: int) -> Bars:
        """Return those that came after row `begin`, or right before it, and not after row `end`; their rows are counted from it."""
        low, high = np.searchsorted(self.after, begin), np.searchsorted(self.after, end, "right")
        return Bars(self.after[low:high] - begin, self.done[low:high], self.total[low:high])


@dataclass
class Columns:
    """What a log holds so far; line, step and epoch have a number for every row.

    `values[name]` belongs to the rows `rows[name]`, which are kept only where they are not simply the first ones: most quantities
    stand in every row.
    """

    line: array[int] = field(default_factory=lambda: array("q"))
    step: array[float] = field(default_factory=lambda: array("d"))
    epoch: array[float] = field(default_factory=lambda: array("d"))
    values: dict[str, array[float]] = field(default_factory=dict)
    rows: dict[str, array[int]] = field(default_factory=dict)
    events: dict[str, _Events] = field(default_factory=dict)
    arrived: int = 0
    settings: list[tuple[int, dict[str, Value]]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    unread: list[int] = field(default_factory=list)
    unread_count: int = 0
    bar_after: array[int] = field(default_factory=lambda: array("q"))
    bar_done: array[int] = field(default_factory=lambda: array("q"))
    bar_total: array[int] = field(default_factory=lambda: array("q"))
    closings: list[tuple[int, Closing]] = field(default_factory=list)

    def add(self, record: Record) -> None:
        """Append one record."""
        at = len(self.line)
        if isinstance(record, Row):
            self._add_row(record, at)
        elif isinstance(record, Block):
            self._add_block(record, at)
        elif isinstance(record, Bar):
            self.bar_after.append(at)
            self.bar_done.append(record.done)
            self.bar_total.append(record.total)
        elif isinstance(record, Closing):
            self.closings.append((at, record))
        elif isinstance(record, Event):
            self.arrived += 1
            self.events.setdefault(record.kind, _Events()).add((self.arrived, at, record))
        elif isinstance(record, Settings):
            self.settings.append((at, dict(record.values)))
        elif isinstance(record, Note):
            self.notes.append(record.key)
        elif isinstance(record, Unread):
            self.unread_count += 1
            if len(self.unread) < KEPT_UNREAD:
                self.unread.append(record.line)

    def _add_row(self, row: Row, at: int) -> None:
        measured = row.values
        self.line.append(row.line)
        self.step.append(measured.get("step", math.nan))
        self.epoch.append(measured.get("epoch", math.nan))
        for name, value in measured.items():
            if name == "step" or name == "epoch":
                continue
            values = self.values.get(name)
            if values is None:
                values = self.values[name] = array("d")
            rows = self.rows.get(name)
            if rows is None and len(values) != at:
                rows = self._rows_of(name)
            if rows is not None:
                rows.append(at)
            values.append(value)

    def _rows_of(self, name: str) -> array[int]:
        """Return the rows of a quantity that stands no longer in every one."""
        if name not in self.rows:
            self.rows[name] = array("q", range(len(self.values[name])))
        return self.rows[name]

    def _add_block(self, block: Block, at: int) -> None:
        count = len(block.lines)
        self.line.frombytes(_bytes(block.lines))
        for name, column in (("step", self.step), ("epoch", self.epoch)):
            rows, values = block.values.get(name, (_NO_ROWS, _NO_VALUES))
            if len(rows) < count:
                values, some = np.full(count, np.nan), values
                values[rows] = some
            column.frombytes(_bytes(values))
        for name, (rows, values) in block.values.items():
            if name == "step" or name == "epoch":
                continue
            known = self.values.setdefault(name, array("d"))
            if name in self.rows or len(known) != at or len(rows) < count:
                self._rows_of(name).frombytes(_bytes(rows + at))
            known.frombytes(_bytes(values))

    def kept_events(self) -> list[tuple[int, Event]]:
        """Return (row, event) in the order of arrival; bounded for each kind, so that a flood of one hides no other."""
        kept = sorted((entry for events in self.events.values() for entry in events.kept()), key=lambda entry: entry[0])
        return [(row, event) for _, row, event in kept]

    def bars(self) -> Bars:
        """Return what the progress bars showed."""
        parts = (self.bar_after, self.bar_done, self.bar_total)
        return Bars(*(np.frombuffer(p, dtype=np.int64) if len(p) else np.array([], dtype=np.int64) for p in parts))

    def arrays(self) -> dict[str, tuple[IntArray, FloatArray]]:
        """Return (rows, values) of every quantity, in the order of the rows, without copying what is in order already."""
        found, every = {}, np.arange(len(self.line))
        for name, column in self.values.items():
            values = np.frombuffer(column)
            at = np.frombuffer(self.rows[name], dtype=np.int64) if name in self.rows else every[: len(values)]
            if name in self.rows and not np.all(at[1:] > at[:-1]):
                order = np.argsort(at, kind="stable")
                at, values = at[order], values[order]
            found[name] = (at, values)
        return found
