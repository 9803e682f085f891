"""Our own log, schema `advisor.log/1`: see docs/log-format.md."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.model import Event
from advisor.readers.base import Format, NewRun, Record, Settings, Source, Unread
from advisor.readers.blocks import block, parse_all
from advisor.readers.events import event_in
from advisor.readers.objects import parse_object, row, scalars

SCHEMA = "advisor.log/1"


def read(source: Source) -> Iterator[Record]:
    """Yield the configuration of the first line, a row for each measurement and an event for each `event` line."""
    for first, count, lines in source.byte_blocks():
        # Events are few: nearly all blocks hold nothing but measurements, which are read together.
        if b'"event"' not in lines and (objects := parse_all(lines, count)):
            yield block(objects, first)
        else:
            for line, text in enumerate(lines.decode(errors="replace").split("\n"), first):
                yield from _line(text, line)


def _line(text: str, line: int) -> Iterator[Record]:
    if not text.strip():
        return
    entry = parse_object(text)
    if entry is None:
        yield Unread(line)
        return
    kind = entry.get("event")
    if kind is None:
        if (measured := row(entry, line)) is not None:
            yield measured
    elif kind in ("run", "settings"):
        if kind == "run":
            yield NewRun(line)
        config = entry.get("config")
        if isinstance(config, dict):
            yield Settings(scalars(config))
    elif kind == "error":
        message = str(entry.get("message", ""))
        known = event_in(message, line)
        yield known or Event("python-error", line, message)
    else:
        yield Event(str(kind), line, str(entry.get("message", "")))


FORMAT = Format(
    name="advisor-log",
    title={"en": "advisor log", "zh": "advisor 日志"},
    read=read,
    head=(r"\A\s*\{[^\n]*\"schema\"\s*:\s*\"advisor\.log/",),
    example='{"event": "run", "schema": "advisor.log/1", "config": {"learning_rate": 0.0002}}\n'
    '{"step": 10, "epoch": 0.5, "loss": 2.31, "learning_rate": 0.0002}',
)
