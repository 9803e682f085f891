"""JSON lines with a step or epoch and loss-like keys, whoever wrote them."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.readers.base import Format, Record, Row, Settings, Source, Unread
from advisor.readers.blocks import block, parse_all
from advisor.readers.events import event_in
from advisor.readers.objects import objects_of_array, parse_object, row, scalars


def read(source: Source) -> Iterator[Record]:
    """Yield the measurements of each line that is a JSON object; lines of another kind may carry events."""
    planned = False
    for first, count, lines in source.byte_blocks():
        objects = parse_all(lines, count)
        if objects is None:
            for record in _one_by_one(first, lines):
                planned |= isinstance(record, Settings)
                yield record
            continue
        if not planned and objects and isinstance(objects[0].get("total_steps"), int):
            planned = True
            yield Settings(scalars({"max_steps": objects[0]["total_steps"]}))
        yield block(objects, first)


def _one_by_one(first: int, lines: bytes) -> Iterator[Record]:
    """Yield the records of lines of which at least one is no JSON object."""
    for line, raw in enumerate(lines.split(b"\n"), first):
        text = raw.decode(errors="replace")
        stripped = text.strip()
        if not stripped:
            continue
        if not stripped.startswith("{"):
            if (event := event_in(text, line)) is not None:
                yield event
            continue
        entry = parse_object(stripped)
        if entry is None:
            yield Unread(line)
            continue
        if isinstance(entry.get("total_steps"), int) and line == 1:
            yield Settings(scalars({"max_steps": entry["total_steps"]}))
        if (measured := row(entry, line)) is not None:
            yield measured


def read_array(source: Source) -> Iterator[Record]:
    """Yield a row for each object of a JSON array, such as a dumped `trainer.state.log_history`."""
    text = source.text()
    start = text.find("[") + 1
    for line, entry, _ in objects_of_array(text, start, 1 + text.count("\n", 0, start)):
        if entry is None:
            yield Unread(line)
        elif (measured := row(entry, line)) is not None:
            yield measured


def read_columns(source: Source) -> Iterator[Record]:
    """Yield rows from one JSON object of equally long arrays, such as a Keras history: `{"loss": […], "val_loss": […]}`."""
    entry = parse_object(source.text()) or {}
    columns = {k: v for k, v in entry.items() if isinstance(v, list) and v}
    for index in range(max(map(len, columns.values()), default=0)):
        values = {key: column[index] for key, column in columns.items() if index < len(column)}
        if (measured := row(values, 1)) is not None:
            yield Row(1, {"step": float(index + 1), **measured.values})


FORMAT = Format(
    name="json-lines",
    title={"en": "JSON lines", "zh": "JSON 行日志"},
    read=read,
    head=(r"\A\s*(?:[^{\n]*\n){0,20}\s*\{\s*\"[^\n]*[\]\}\",0-9a-z]\s*$",),
    example='{"step": 10, "loss": 2.31, "lr": 1e-4}\n{"step": 20, "loss": 2.05, "val_loss": 2.18, "lr": 9e-5}',
)
ARRAY = Format(
    name="json-array",
    title={"en": "JSON array of log entries", "zh": "JSON 数组日志"},
    read=read_array,
    head=(r"\A\s*\[\s*\{",),
    example='[{"step": 10, "loss": 2.31}, {"step": 20, "loss": 2.05}]',
)
COLUMNS = Format(
    name="json-columns",
    title={"en": "JSON object of columns (Keras history)", "zh": "JSON 列式历史 (Keras history)"},
    read=read_columns,
    head=(r"\A\s*\{\s*\"[^\"]+\"\s*:\s*\[\s*(?:[-\d]|NaN)",),
    example='{"loss": [0.9, 0.7, 0.6], "val_loss": [1.0, 0.8, 0.8]}',
)
