"""Reading many lines at once: what a line of one shape says is found for the first of them, and the others give their numbers.

A log prints the same few lines again and again, so that most lines need but a look at a table, and become columns at once.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Protocol, TypeAlias

import numpy as np

from advisor.model import FloatArray
from advisor.readers.base import Block, Record, Row, Source
from advisor.readers.clean import LONGEST_TEXT, cleaned
from advisor.readers.columns import IntArray, joined
from advisor.readers.shapes import KEPT_SHAPES, Spans, shapes

LEAST_FOR_COLUMNS = 16
"""Lines in a row, below which rows cost less than columns."""


@dataclass(frozen=True, slots=True)
class Told:
    """What every line of one shape measures, at these places; nothing where there are none.

    fixed: what the lines before it say of each of them, such as the epoch of a heading.
    """

    spans: Spans = ()
    fixed: tuple[tuple[str, float], ...] = ()


NOTHING = Told()


class LineReader(Protocol):
    """How a format reads a line. `known` is emptied by it where what it has read changes what later lines mean."""

    @property
    def known(self) -> Known:
        """What is known of each shape so far."""

    def told(self, shape: str) -> Told | None:
        """Return what every line of this shape says; None where each must be looked at by itself."""

    def records(self, line: int, text: str) -> Iterable[Record]:
        """Yield the records of one line."""


@dataclass(frozen=True)
class Stateless:
    """A format whose lines can be read each by itself."""

    told: Callable[[str], Told | None]
    records: Callable[[int, str], Iterable[Record]]
    known: Known = field(default_factory=dict)


@dataclass(slots=True)
class _Group:
    """Lines that measure the same quantities: their numbers, and the texts of the values line by line."""

    names: tuple[str, ...]
    lines: array[int] = field(default_factory=lambda: array("q"))
    texts: list[str] = field(default_factory=list)

    def table(self) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
        """Return the values, a row for each line."""
        return np.fromiter(map(float, self.texts), dtype=np.float64, count=len(self.texts)).reshape(-1, len(self.names))

    def rows(self) -> Iterator[Row]:
        """Yield the rows one by one."""
        for line, values in zip(self.lines, self.table().tolist(), strict=True):
            yield Row(line, dict(zip(self.names, values, strict=True)))


@dataclass(frozen=True, slots=True)
class _Entry:
    """What a shape says, made ready: the group it belongs to, None where it says nothing, and how a line gives its texts."""

    group: _Group | None
    fixed: tuple[str, ...] = ()
    texts: Callable[[str], Iterable[str]] = tuple


Known: TypeAlias = dict[str, _Entry | None]
"""What lines of each shape say; None where each is looked at by itself."""


def read_lines(source: Source, reader: LineReader) -> Iterator[Record]:
    """Yield what `reader` finds in the lines, in their order; many rows in a row are one block."""
    known, groups = reader.known, dict[tuple[str, ...], _Group]()
    for first, lines in source.blocks():
        for line, (text, shape) in enumerate(zip(lines, shapes(lines), strict=True), first):
            try:
                entry = known[shape]
            except KeyError:
                if len(known) >= KEPT_SHAPES:
                    known.clear()
                entry = None
                if len(shape) <= LONGEST_TEXT:
                    entry = known[shape] = _entry(reader, shape, groups)
            if entry is None:
                for record in reader.records(line, cleaned(source.without_excess(text))):
                    yield from _gathered(groups)
                    yield record
            elif (group := entry.group) is not None:
                group.lines.append(line)
                group.texts += entry.fixed
                group.texts += entry.texts(text)
        yield from _gathered(groups)


def _entry(reader: LineReader, shape: str, groups: dict[tuple[str, ...], _Group]) -> _Entry | None:
    """Return what lines of this shape say, ready to be read; None where `float` would not take their numbers as they stand."""
    if shape.startswith("\0"):
        return None
    told = reader.told(cleaned(shape))
    if told is None:
        return None
    if not told.spans:
        return _Entry(None)
    slices = tuple(slice(begin, end) for _, begin, end in told.spans)
    # Of a single place `itemgetter` gives the text itself.
    texts = itemgetter(*slices) if len(slices) > 1 else lambda text: (text[slices[0]],)
    try:
        list(map(float, texts(shape)))
    except ValueError:
        return None
    names = (*(name for name, _ in told.fixed), *(name for name, _, _ in told.spans))
    return _Entry(groups.setdefault(names, _Group(names)), tuple(repr(value) for _, value in told.fixed), texts)


def _gathered(groups: dict[tuple[str, ...], _Group]) -> Iterator[Record]:
    """Yield the rows gathered so far and let them go."""
    filled = sorted((g for g in groups.values() if g.lines), key=lambda group: group.lines[0])
    if not filled:
        return
    if sum(len(g.lines) for g in filled) < LEAST_FOR_COLUMNS:
        yield from sorted((row for group in filled for row in group.rows()), key=lambda row: row.line)
    else:
        yield _block(filled)
    for group in filled:
        del group.lines[:], group.texts[:]


def _block(groups: list[_Group]) -> Block:
    lines = np.sort(np.concatenate([np.array(group.lines) for group in groups]))
    parts: dict[str, list[tuple[IntArray, FloatArray]]] = {}
    for group in groups:
        rows = np.searchsorted(lines, np.array(group.lines))
        table = group.table()
        for column, name in enumerate(group.names):
            parts.setdefault(name, []).append((rows, table[:, column]))
    return Block(lines, {name: joined(found) for name, found in parts.items()})
