"""Jupyter notebooks (`.ipynb`): the tables that the Trainer draws and the lines that training prints, from the cells' outputs."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from html.parser import HTMLParser

from advisor.errors import UnreadableLog
from advisor.model import Event
from advisor.readers.base import Format, NewRun, Record, Row, Source, Unread
from advisor.readers.console import PRINTED_DICT
from advisor.readers.console import printed as printed_records
from advisor.readers.events import event_in
from advisor.readers.names import AXES, canonical, canonical_keys, is_loss_like
from advisor.readers.objects import objects_of_array, row

LEAST_ROWS = 2
"""A cell that names fewer losses retells a result; it is no run where another cell is one."""
SAME_DIGITS = 3
"""Decimals to which two displays of one run agree: tables show six, the Trainer's dictionaries four or so."""
SAME_SHARE = 0.8
"""Share of its points that a display has in common with an earlier one of the same run."""
_SAMPLE = 8
_CELLS = re.compile(r'"cells"\s*:\s*\[')
_MISSING = ("", "NaN", "No log", "None")
_HINT = re.compile(r"loss|perplexity|ppl|bpb|bpc|reward", re.IGNORECASE)
_DICT_BREAK = re.compile(r",\n\s*(?=['\"])")
_LINE_BREAK = re.compile(r",[ \t]*\r?\n\s*")
_COLUMN_GAP = re.compile(r"\s{2,}")


@dataclass(frozen=True)
class _Text:
    """An output's text, and for each of its lines the line of the notebook file (0: not known)."""

    whole: str
    lines: tuple[int, ...]

    def at(self, line: int) -> int:
        """Return the line of the file on which the text's `line` (from 1) stands."""
        return self.lines[line - 1] if 0 < line <= len(self.lines) else 0


@dataclass(slots=True)
class _Curve:
    """What one table, or the printed lines of one cell, tell."""

    records: list[Record] = field(default_factory=list)

    @property
    def rows(self) -> list[Row]:
        """The rows that hold a loss."""
        return [r for r in self.records if isinstance(r, Row) and is_loss_like(r.values)]

    @property
    def trains(self) -> bool:
        """Whether there are training losses, not only those of an evaluation."""
        return any("train_loss" in r.values for r in self.rows)

    def shows_again(self, other: _Curve) -> bool:
        """Tell whether this and `other` are displays of the same run."""
        mine, theirs = self._points(), other._points()
        fewer = min(len(mine), len(theirs))
        return fewer > 0 and len(mine & theirs) >= SAME_SHARE * fewer

    def _points(self) -> set[tuple[str, float]]:
        names = ("train_loss",) if self.trains else ("eval_loss",)
        return {(n, round(r.values[n], SAME_DIGITS)) for r in self.rows for n in names if n in r.values}


def read(source: Source) -> Iterator[Record]:
    """Yield the rows of each run that the outputs show, every run once. Raises UnreadableLog where they show none."""
    whole = source.text()
    found = _CELLS.search(whole)
    if found is None or ('"cell_type"' not in whole and '"nbformat"' not in whole):
        return
    curves: list[_Curve] = []
    broken: list[Record] = []
    begin = found.end()
    for line, cell, end in objects_of_array(whole, found.end(), 1 + whole.count("\n", 0, found.end())):
        if cell is None:
            broken.append(Unread(line))
        else:
            for curve in _cell(cell, whole[begin:end], 1 + whole.count("\n", 0, begin)):
                _keep(curves, curve)
        begin = end
    runs = [c for c in curves if len(c.rows) >= LEAST_ROWS] or curves[:1]
    if not runs:
        raise UnreadableLog(f"{source.name}: a notebook whose outputs show no training loss; give the run's own log")
    for curve in runs:
        if curve.trains and len(runs) > 1:
            yield NewRun(0)
        yield from curve.records
    yield from broken


def _keep(curves: list[_Curve], new: _Curve) -> None:
    """Add a curve, unless it shows an earlier one again; of two displays the one with more rows stays."""
    for i, old in enumerate(curves):
        if new.trains == old.trains and new.shows_again(old):
            if len(new.rows) > len(old.rows):
                curves[i] = new
            return
    curves.append(new)


def _cell(cell: Mapping[str, object], raw: str, line: int) -> Iterator[_Curve]:
    """Yield the curves in the outputs of one cell: its tables, or what it printed where that is more."""
    outputs = cell.get("outputs")
    tables: list[_Curve] = []
    printed: list[_Text] = []
    errors: list[Record] = []
    place = _Place(raw, line)
    for output in outputs if isinstance(outputs, list) else ():
        if not isinstance(output, dict):
            continue
        data = output.get("data")
        if output.get("output_type") == "stream":
            printed.append(place.text(output.get("text")))
        elif output.get("output_type") == "error":
            event = event_in(f"{output.get('ename')}: {output.get('evalue')}", 0)
            errors += [event] if event else []
        elif isinstance(data, dict) and (form := _displayed(data)) is not None:
            kind, value = form
            content = place.text(value)
            if kind == "text/html":
                tables += _html_tables(content)
            elif PRINTED_DICT.search(content.whole):
                # A `log_history`, which IPython prints over many lines.
                tables.append(_printed([_Text(_DICT_BREAK.sub(", ", content.whole), ())]))
            else:
                tables += _text_table(content)
    lines = _printed(printed)
    if len(lines.rows) > sum(len(t.rows) for t in tables):
        tables = [lines]
    shown = [t for t in tables if t.rows]
    if shown:
        shown[-1].records += errors
    yield from shown


def _displayed(data: Mapping[str, object]) -> tuple[str, object] | None:
    """Return the form in which an output is read: HTML with a table, else plain text."""
    for kind in ("text/html", "text/plain"):
        value = data.get(kind)
        if value:
            return kind, value
    return None


@dataclass(slots=True)
class _Place:
    """The JSON text of a cell, in which the texts of its outputs are looked up one after the other."""

    raw: str
    line: int
    position: int = 0

    def text(self, value: object) -> _Text:
        """Return the text that a notebook stores as a string or as a list of lines."""
        parts = [v for v in value if isinstance(v, str)] if isinstance(value, list) else [str(value or "")]
        first = self._find(parts) if any(_HINT.search(part) for part in parts) else 0
        lines: list[int] = []
        for number, part in enumerate(parts):
            lines += [first + number if first else 0] * len(part.split("\n")[: -1 if part.endswith("\n") else None])
        return _Text("".join(parts), tuple(lines))

    def _find(self, parts: Sequence[str]) -> int:
        """Return the line of the first part, 0 where it is not found or the file does not give each part its line."""
        for ascii_only in (False, True):
            written = [json.dumps(p, ensure_ascii=ascii_only) for p in parts[:_SAMPLE]]
            begin = self.raw.find(written[0], self.position)
            while begin >= 0:
                if (end := self._end(begin, written)) is not None:
                    self.position = end
                    return self.line + self.raw.count("\n", 0, begin)
                begin = self.raw.find(written[0], begin + 1)
        return 0

    def _end(self, begin: int, written: Sequence[str]) -> int | None:
        """Return where these texts end that begin at `begin`, each on a line of its own; None where others stand there."""
        end = begin + len(written[0])
        for text in written[1:]:
            gap = _LINE_BREAK.match(self.raw, end)
            if gap is None or not self.raw.startswith(text, gap.end()):
                return None
            end = gap.end() + len(text)
        return end


def _printed(texts: Sequence[_Text]) -> _Curve:
    """Return what a cell printed, read as a console log; a run that begins after the Trainer's closing line is another one."""
    whole = "".join(t.whole if t.whole.endswith("\n") else t.whole + "\n" for t in texts)
    lines = _Text(whole, tuple(line for t in texts for line in t.lines))
    curve, ended = _Curve(), False
    for record in printed_records(whole):
        if isinstance(record, Row) and "train_loss" in record.values and ended:
            curve.records.append(NewRun(0))
            ended = False
        ended |= isinstance(record, Event) and record.kind == "end"
        if isinstance(record, Row | Event | Unread):
            curve.records.append(replace(record, line=lines.at(record.line)))
    return curve


def _html_tables(content: _Text) -> Iterator[_Curve]:
    """Yield the tables that have a column for a step or an epoch and one for a loss."""
    if "<table" not in content.whole:
        return
    parser = _Tables()
    parser.feed(content.whole)
    parser.close()
    for table in parser.tables:
        yield from _table([(content.at(line), cells) for line, cells in table])


def _text_table(content: _Text) -> Iterator[_Curve]:
    """Yield the table that plain text draws with columns two or more blanks apart, as pandas does."""
    lines = [(content.at(i), _COLUMN_GAP.split(t.strip())) for i, t in enumerate(content.whole.split("\n"), 1) if t.strip()]
    yield from _table(
        [(n, ["", *cells] if i == 0 and len(lines[-1][1]) > len(cells) else cells) for i, (n, cells) in enumerate(lines)]
    )


def _table(rows: Sequence[tuple[int, list[str]]]) -> Iterator[_Curve]:
    if not rows:
        return
    columns = rows[0][1]
    named = {name for _, name in canonical_keys(tuple(columns))}
    if named.isdisjoint(AXES) or not is_loss_like(named):
        return
    if "eval_loss" in named:
        # The columns beside `Validation Loss` are the evaluation's metrics.
        columns = [
            c if canonical(c) in (*AXES, "train_loss", "eval_loss") or c[:4] == "eval" or not c else f"eval_{c}" for c in columns
        ]
    curve = _Curve()
    for line, cells in rows[1:]:
        values = {k: v for k, v in zip(columns, cells, strict=False) if k and v not in _MISSING}
        if (measured := row(values, line)) is not None and not measured.values.keys().isdisjoint(AXES):
            curve.records.append(measured)
    if curve.rows:
        yield curve


class _Tables(HTMLParser):
    """Collects the cells of tables, by rows, with the line on which each row begins."""

    def __init__(self) -> None:
        super().__init__()
        self.tables: list[list[tuple[int, list[str]]]] = []
        self._in_cell = False

    def handle_starttag(self, tag: str, attrs: object) -> None:  # noqa: ARG002
        """Begin a table, a row or a cell."""
        if tag in ("table", "tr"):  # a cell that was not closed ends here
            self._in_cell = False
        if tag == "table":
            self.tables.append([])
        elif tag == "tr" and self.tables:
            self.tables[-1].append((self.getpos()[0], []))
        elif tag in ("td", "th") and self.tables and self.tables[-1]:
            self._in_cell = True
            self.tables[-1][-1][1].append("")

    def handle_endtag(self, tag: str) -> None:
        """End a cell."""
        if tag in ("td", "th"):
            self._in_cell = False

    def handle_data(self, data: str) -> None:
        """Add to the cell's text."""
        if self._in_cell:
            self.tables[-1][-1][1][-1] += data.strip()


FORMAT = Format(
    name="notebook",
    title={"en": "Jupyter notebook (Trainer table or printed log)", "zh": "Jupyter 笔记本 (Trainer 表格或打印的日志)"},
    read=read,
    head=(r'\A\s*\{\s*"(?:cells"\s*:\s*\[|nbformat(?:_minor)?"\s*:|metadata"\s*:\s*\{)',),
    example='{"cells": [{"cell_type": "code", "outputs": [{"data": {"text/html": ["<table><tr><th>Step</th>'
    '<th>Training Loss</th></tr>\\n", "<tr><td>100</td><td>1.289300</td></tr>\\n", "<tr><td>200</td><td>0.423300</td></tr>'
    '</table>"]}}]}], "nbformat": 4}',
)
