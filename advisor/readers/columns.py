"""Records as they arrive, in flat arrays: 8 bytes a number, whether they come one by one or in blocks."""

from __future__ import annotations

import math
from array import array
from dataclasses import dataclass, field

import numpy as np

from advisor.model import Event, FloatArray, Value
from advisor.readers.base import Block, Record, Row, Settings, Unread

KEPT_UNREAD = 100
KEPT_EVENTS = 1000

IntArray = np.ndarray[tuple[int], np.dtype[np.int64]]


@dataclass
class Columns:
    """What a log holds so far. `values[name]` belongs to the rows `rows[name]`; line, step and epoch have one for every row."""

    line: array[int] = field(default_factory=lambda: array("q"))
    step: array[float] = field(default_factory=lambda: array("d"))
    epoch: array[float] = field(default_factory=lambda: array("d"))
    values: dict[str, array[float]] = field(default_factory=dict)
    rows: dict[str, array[int]] = field(default_factory=dict)
    events: list[tuple[int, Event]] = field(default_factory=list)
    settings: list[tuple[int, dict[str, Value]]] = field(default_factory=list)
    unread: list[int] = field(default_factory=list)
    unread_count: int = 0

    def add(self, record: Record) -> None:
        """Append one record."""
        at = len(self.line)
        if isinstance(record, Row):
            self._add_row(record, at)
        elif isinstance(record, Block):
            self._add_block(record, at)
        elif isinstance(record, Event):
            if len(self.events) < KEPT_EVENTS:
                self.events.append((at, record))
        elif isinstance(record, Settings):
            self.settings.append((at, dict(record.values)))
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
            if name not in self.values:
                self.values[name], self.rows[name] = array("d"), array("q")
            self.values[name].append(value)
            self.rows[name].append(at)

    def _add_block(self, block: Block, at: int) -> None:
        self.line.frombytes(block.lines.tobytes())
        axes = {name: np.full(len(block.lines), np.nan) for name in ("step", "epoch")}
        for name, (rows, values) in block.values.items():
            if name in axes:
                axes[name][rows] = values
                continue
            if name not in self.values:
                self.values[name], self.rows[name] = array("d"), array("q")
            self.values[name].frombytes(values.tobytes())
            self.rows[name].frombytes((rows + at).tobytes())
        self.step.frombytes(axes["step"].tobytes())
        self.epoch.frombytes(axes["epoch"].tobytes())

    def arrays(self) -> dict[str, tuple[IntArray, FloatArray]]:
        """Return (rows, values) of every quantity, in the order of the rows, without copying what is in order already."""
        found = {}
        for name, rows in self.rows.items():
            at, values = np.frombuffer(rows, dtype=np.int64), np.frombuffer(self.values[name])
            if not np.all(at[1:] > at[:-1]):
                order = np.argsort(at, kind="stable")
                at, values = at[order], values[order]
            found[name] = (at, values)
        return found
