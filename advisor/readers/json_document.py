"""One JSON document: an array of log entries, or an object that holds such arrays or lists of numbers, at any depth.

`trainer.state.log_history`, a Keras history, `{"train": {"loss": […]}, "val": {"loss": […]}}`, a table that pandas wrote, and
`all_results.json`. The text is scanned and not parsed as a whole, so that a document cut off gives what it still holds and
every value keeps its line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from advisor.readers.base import Format, NewRun, Note, Record, Row, Source, Unread
from advisor.readers.clean import NUMBER, number
from advisor.readers.names import AXES, canonical, is_loss_like
from advisor.readers.objects import SUMMARY_MARKS, objects_of_array, row

_TOKEN = re.compile(
    rf'"(?P<key>[^"\\]{{1,200}})"\s*:\s*(?:(?P<value>(?:{NUMBER})(?=\s*[,}}\]]))|(?P<open>[{{\[])?)|(?P<bare>[{{\[])|(?P<close>[}}\]])',
    re.IGNORECASE,
)
_NUMBERS = re.compile(rf"\s*(?:(?:{NUMBER}|null|\"[^\"\n]{{0,20}}\")\s*(?:,\s*|(?=\]|\Z)))+(?P<end>\]?)", re.IGNORECASE)
_ELEMENT = re.compile(rf"{NUMBER}|null|\"[^\"\n]{{0,20}}\"", re.IGNORECASE)
_COUNTER = re.compile(r"(?:epoch|step|iter|iteration)?[ _-]?(\d+)", re.IGNORECASE)
MAX_COLUMNS = 1000


@dataclass(slots=True)
class _Column:
    """A list of numbers: their lines and values, by place in the list. whole: it is not cut off."""

    lines: list[int] = field(default_factory=list)
    values: list[float | None] = field(default_factory=list)
    whole: bool = True

    def __len__(self) -> int:
        return len(self.values)

    def add(self, line: int, text: str) -> None:
        self.lines.append(line)
        self.values.append(number(text))


@dataclass(slots=True)
class _Found:
    """What a document holds: lists by the keys that lead to them, arrays of entries, and numbers at its top."""

    columns: dict[tuple[str, ...], _Column] = field(default_factory=dict)
    entries: list[list[Record]] = field(default_factory=list)
    top: dict[str, float] = field(default_factory=dict)
    top_line: int = 0
    broken: list[int] = field(default_factory=list)

    def column(self, path: tuple[str, ...]) -> _Column:
        if len(self.columns) >= MAX_COLUMNS and path not in self.columns:
            return _Column()
        return self.columns.setdefault(path, _Column())


def read(source: Source) -> Iterator[Record]:
    """Yield the rows of each run in the document; only where there is no list, the numbers at its top."""
    found = _scan(source.text())
    runs = [records for records in found.entries if any(isinstance(r, Row) and is_loss_like(r.values) for r in records)]
    for group in _groups(found.columns).values():
        runs += [list(_rows(group))] if is_loss_like(group) else []
    for records in runs:
        if len(runs) > 1:
            yield NewRun(0)
        yield from records
    if not runs and (closing := row(found.top, found.top_line)) is not None:
        yield Note("closing-values")
        yield closing
    yield from (Unread(line) for line in found.broken)


def _scan(text: str) -> _Found:
    """Return what `text` holds, as far as it goes."""
    found = _Found()
    path: list[str] = []
    position, line = 0, 1
    while token := _TOKEN.search(text, position):
        line += text.count("\n", position, token.end())
        position = token.end()
        if token["close"]:
            del path[-1:]
        elif token["value"]:
            _scalar(found, path, token["key"], token["value"], line)
        elif (bracket := token["open"] or token["bare"]) is not None:
            key = token["key"] or ""
            if bracket == "[" and (numbers := _NUMBERS.match(text, position)):
                _list(found, (*path, key), numbers, line)
                end = numbers.end()
            elif bracket == "[" and text[position:].lstrip()[:1] == "{":
                end = _entries(found, text, position, line)
            else:
                path.append(key)
                continue
            line += text.count("\n", position, end)
            position = end
    return found


def _scalar(found: _Found, path: Sequence[str], key: str, value: str, line: int) -> None:
    """Take a number: of the document itself, or of a list that is written as an object with numbered keys, either way round."""
    inner = tuple(part for part in path if part)
    if not inner:
        measured = number(value)
        if measured is not None:
            found.top[key] = measured
            found.top_line = line if canonical(key) == "eval_loss" or not found.top_line else found.top_line
    elif _COUNTER.fullmatch(key):
        found.column(inner).add(line, value)
    elif _COUNTER.fullmatch(inner[-1]):
        found.column((*inner[:-1], key)).add(line, value)


def _list(found: _Found, path: tuple[str, ...], numbers: re.Match[str], line: int) -> None:
    """Take a list of numbers. Of one that is cut off the last may be half a number."""
    column = found.column(tuple(part for part in path if part))
    at = 0
    body = numbers[0]
    elements = list(_ELEMENT.finditer(body))
    for element in elements[: None if numbers["end"] else -1]:
        line += body.count("\n", at, element.start())
        at = element.start()
        column.add(line, element[0])
    if not numbers["end"]:
        column.whole = False
        found.broken.append(line)


def _entries(found: _Found, text: str, start: int, line: int) -> int:
    """Take an array of log entries; return where it ends."""
    records: list[Record] = []
    end = start
    for at, entry, position in objects_of_array(text, start, line):
        end = position
        if entry is None:
            found.broken.append(at)
        elif (measured := row(entry, at)) is not None:
            records.append(measured)
    found.entries.append(records)
    return end + (0 if text[end : end + 1] != "]" else 1)


def _groups(columns: Mapping[tuple[str, ...], _Column]) -> dict[tuple[str, ...], dict[str, _Column]]:
    """Return the lists by quantity, apart for each group of keys that has a loss of its own (folds, models)."""
    groups: dict[tuple[str, ...], dict[str, _Column]] = {}
    for path, column in columns.items():
        meant = ((path[:begin], canonical("_".join(path[begin:]))) for begin in range(len(path)))
        group, name = next(((head, name) for head, name in meant if name is not None), (path[:-1], path[-1] if path else ""))
        groups.setdefault(group, {}).setdefault(name, column)
    return groups


def _rows(columns: Mapping[str, _Column]) -> Iterator[Record]:
    """Yield the rows of one group. A list of steps or epochs places those of its length; else they are counted. A document that
    is cut off does not tell how long its lists were.

    Where training and evaluation are as long as each other an entry is an epoch. Else the longer one counts steps, and the
    shorter is spread over it evenly, as a loop that evaluates at regular intervals fills them.
    """
    losses = {name: column for name, column in columns.items() if is_loss_like((name,)) and name not in AXES}
    longest = max(map(len, losses.values()))
    placed = {len(column): (axis, column) for name, column in columns.items() if (axis := _axis(name)) is not None}
    lengths = {len(column) for column in losses.values()}
    if not all(column.whole for column in losses.values()):
        lengths = {longest}
    axis = "epoch" if len(lengths) == 1 and len(losses) > 1 else "step"
    if not lengths & placed.keys():
        yield Note("listed-by-epoch" if axis == "epoch" else "listed-by-step")
    for length in sorted({len(c) for c in columns.values() if len(c)}, reverse=True):
        name_of_axis, places = placed.get(length, (axis, None))
        same = {name: column for name, column in columns.items() if len(column) == length and _axis(name) is None}
        for index in range(length):
            by_line: dict[int, dict[str, float]] = {}
            for name, column in same.items():
                if (value := column.values[index]) is not None:
                    by_line.setdefault(column.lines[index], {})[name] = value
            place = places.values[index] if places else (index + 1) * (longest / length if len(lengths) > 1 else 1)
            if place is not None:
                yield from (Row(line, {name_of_axis: float(place), **values}) for line, values in by_line.items())


def _axis(name: str) -> str | None:
    """Return which axis a list places its fellows on: `steps`, `epoch`, `eval_steps`."""
    plain = canonical(name.removeprefix("eval_").removeprefix("val_"))
    return plain if plain in AXES else None


def read_array(source: Source) -> Iterator[Record]:
    """Yield a row for each object of a JSON array, such as a dumped `trainer.state.log_history`."""
    text = source.text()
    start = text.find("[") + 1
    for line, entry, _ in objects_of_array(text, start, 1 + text.count("\n", 0, start)):
        if entry is None:
            yield Unread(line)
        elif (measured := row(entry, line)) is not None:
            yield measured


def is_closing_summary(head: str) -> bool:
    """Tell whether a document is the Trainer's `train_results.json`: closing values without one of an evaluation."""
    return head.startswith("{") and SUMMARY_MARKS[0] in head and "eval_loss" not in head and "[" not in head and "\n{" not in head


ARRAY = Format(
    name="json-array",
    serves=("trainer.state.log_history",),
    title={"en": "JSON array of log entries", "zh": "JSON 数组日志"},
    read=read_array,
    head=(r"\A\s*\[\s*\{",),
    example='[{"step": 10, "loss": 2.31}, {"step": 20, "loss": 2.05}]',
)
FORMAT = Format(
    name="json-document",
    title={"en": "JSON document with lists of numbers or entries", "zh": "含数值列表或记录列表的 JSON 文档"},
    read=read,
    serves=("Keras history", "all_results.json", "pandas (to_json)", "hand-written lists of losses"),
    # An object over several lines, or a single one with something in it: several objects, one a line, are JSON lines.
    head=(r'\A\s*\{[ \t]*\n\s*"', r'\A\s*\{\s*"[^\n]*?[\[{][^\n]*\s*\Z'),
    example='{"loss": [0.9, 0.7, 0.6], "val_loss": [1.0, 0.8, 0.8]}',
)
