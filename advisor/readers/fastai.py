"""Tables that are aligned with spaces: fastai's and skorch's printed ones, and any other whose header names a loss.

The header may stand anywhere, progress bars between the rows, and further tables after the first.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from advisor.readers.base import Format, NewRun, Record, Row, Source, Unread
from advisor.readers.clean import number, strip_ansi
from advisor.readers.events import event_in
from advisor.readers.names import AXES, canonical_keys, is_loss_like

_NAME = re.compile(r"[^\W\d][\w./#%()-]*(?: [\w./#%()-]+)*")
_NAMES_ONLY = re.compile(r"\s*[^\W\d][\w./#%()\s-]*")
_DECORATION = re.compile(r"^[\s\-=+|─━█]*$|^Epoch \d+/\d+ : \||\d+%\|")
"""Rules between the lines of a table, and the bars of fastprogress and tqdm."""

_MIN_COLUMNS = 2

_Split = Callable[[str], list[str]]


def _at_wide_gaps(text: str) -> list[str]:
    return re.split(r"\s{2,}|\t", text.strip())


_SPLITS: tuple[_Split, ...] = (_at_wide_gaps, str.split)
"""How a line falls into cells: where wide gaps set columns apart, names may hold a space; else every space parts."""


@dataclass(frozen=True, slots=True)
class _Header:
    """The header of a table: how its lines fall into cells, and which cell holds which quantity."""

    split: _Split
    width: int
    names: tuple[tuple[int, str], ...]

    def row(self, text: str) -> dict[str, float] | None:
        """Return the measurements of a line of this table, or None where it is none. Its last cell may be empty."""
        cells = self.split(text)
        if not self.width - 1 <= len(cells) <= self.width:
            return None
        values = ((name, number(cells[index])) for index, name in self.names if index < len(cells))
        measured = {name: value for name, value in values if value is not None}
        return measured if is_loss_like(measured) and not measured.keys().isdisjoint(AXES) else None


def _header(text: str) -> _Header | None:
    """Return the header that a line is, or None: names only, of which one is a step or epoch and another a loss."""
    if not _NAMES_ONLY.fullmatch(text):
        return None
    for split in _SPLITS:
        columns = split(text)
        if len(columns) < _MIN_COLUMNS or len(set(columns)) < len(columns) or not all(map(_NAME.fullmatch, columns)):
            continue
        names = canonical_keys(tuple(columns))
        quantities = {name for _, name in names}
        if is_loss_like(quantities) and not quantities.isdisjoint(AXES):
            return _Header(split, len(columns), tuple((columns.index(key), name) for key, name in names))
    return None


def read(source: Source) -> Iterator[Record]:
    """Yield a row for each line below a header, a new run where a further table begins anew, and the events between them."""
    header: _Header | None = None
    latest, begins = float("-inf"), False
    for line, raw in source.lines():
        for piece in strip_ansi(raw).split("\r"):
            if _DECORATION.search(piece):
                continue
            if found := _header(piece):
                header, begins = found, True
            elif header and (measured := header.row(piece)):
                place = next(measured[axis] for axis in AXES if axis in measured)
                if begins and place <= latest:
                    yield NewRun(line)
                latest, begins = place, False
                yield Row(line, measured)
            elif (event := event_in(piece, line)) is not None:
                yield event
            elif header and re.match(r"\s*\d+\s{2,}[-\d.]", piece):
                yield Unread(line)


class _AlignedTable(Format):
    """A table is recognised by its header and a line below it, which no single pattern describes."""

    def recognises(self, source: Source) -> bool:
        header: _Header | None = None
        for piece in re.split(r"[\r\n]", strip_ansi(source.head)):
            if header and header.row(piece):
                return True
            header = _header(piece) or header
        return False


FORMAT = _AlignedTable(
    name="aligned-table",
    serves=("fastai",),
    title={"en": "table aligned with spaces (fastai, skorch)", "zh": "空格对齐的表格 (fastai、skorch)"},
    read=read,
    example="epoch     train_loss  valid_loss  accuracy  time\n"
    "0         0.535316    0.412345    0.812500  00:12\n1         0.401234    0.387654    0.843750  00:12",
)
