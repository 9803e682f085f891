"""JSON lines with a step or epoch and loss-like keys, whoever wrote them."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.readers.base import Format, Record, Settings, Source, Unread
from advisor.readers.blocks import block, parse_all
from advisor.readers.events import event_in
from advisor.readers.objects import parse_object, row, scalars


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


_SERVES = (
    "JSON lines that name the data set",
    "detectron2 (metrics.json)", "hand-written JSON lines", "LLaMA-Factory (trainer_log.jsonl)", "ms-swift (logging.jsonl)",
    "xtuner, mmengine (scalars.json)",
)  # fmt: skip
FORMAT = Format(
    name="json-lines",
    serves=_SERVES,
    title={"en": "JSON lines", "zh": "JSON 行日志"},
    read=read,
    head=(r"\A\s*(?:[^{\n]*\n){0,20}\s*\{\s*\"[^\n]*[\]\}\",0-9a-z]\s*$",),
    example='{"step": 10, "loss": 2.31, "lr": 1e-4}\n{"step": 20, "loss": 2.05, "val_loss": 2.18, "lr": 9e-5}',
)
