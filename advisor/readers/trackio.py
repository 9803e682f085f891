"""Trackio: the SQLite file `<project>.db`, a row for each call of `trackio.log`, its metrics as one JSON object."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from advisor.errors import UnreadableLog
from advisor.model import Value
from advisor.readers.base import Format, NewRun, Record, Row, Settings, Source, Unread
from advisor.readers.mlflow import open_database
from advisor.readers.names import is_loss_like
from advisor.readers.objects import parse_object, row, scalars
from advisor.readers.streams import BROKEN_ARCHIVE

_SQLITE = rb"SQLite format 3\0"
_NEEDED = {"run_name", "step", "metrics"}
"""Columns of the table `metrics` that tell Trackio's database from MLflow's, which has a table of that name too."""


def read(source: Source) -> Iterator[Record]:
    """Yield the runs of the project that hold a loss. Raises UnreadableLog where the file is damaged."""
    try:
        with closing(open_database(source)) as database:
            yield from _runs(database)
    except (sqlite3.Error, OverflowError, ValueError, *BROKEN_ARCHIVE) as error:
        raise UnreadableLog(f"{source.name}: a database that cannot be read ({error}); is it whole?") from error


def _runs(database: sqlite3.Connection) -> Iterator[Record]:
    """Yield the runs in the order in which they began. Until 2025 a run was known by its name alone."""
    run = "run_id" if "run_id" in _columns(database, "metrics") else "run_name"
    settings = _settings(database)
    rows: dict[str, list[Record]] = {}
    names: dict[str, str] = {}
    for key, name, step, metrics in database.execute(f"SELECT {run}, run_name, step, metrics FROM metrics ORDER BY id"):  # noqa: S608
        names[str(key)] = str(name)
        content = parse_object(_text(metrics))
        measured = row({"step": step, **content}, 0) if content is not None else None
        if content is None:
            rows.setdefault(str(key), []).append(Unread(0))
        elif measured is not None:
            rows.setdefault(str(key), []).append(measured)
    for key, records in rows.items():
        if any(isinstance(r, Row) and is_loss_like(r.values) for r in records):
            yield NewRun(0)
            yield Settings({**settings.get(names[key], {}), "run_name": names[key]})
            yield from records


def _settings(database: sqlite3.Connection) -> dict[str, dict[str, Value]]:
    """Return what each run was begun with, by its name. Keys that begin with `_` are Trackio's own."""
    if not _columns(database, "configs"):
        return {}
    found = {}
    for name, config in database.execute("SELECT run_name, config FROM configs"):
        content = parse_object(_text(config)) or {}
        found[str(name)] = scalars({key: value for key, value in content.items() if not key.startswith("_")})
    return found


def _columns(database: sqlite3.Connection, table: str) -> set[str]:
    return {str(entry[1]) for entry in database.execute(f"PRAGMA table_info({table})")}


def _text(content: object) -> str:
    return content.decode("utf-8", errors="replace") if isinstance(content, bytes) else str(content)


def read_folder(folder: Path) -> Iterator[tuple[Path, Iterator[Record]]]:
    """Yield the projects in Trackio's folder."""
    for path in sorted(folder.glob("*.db")):
        source = Source(str(path), path=path)
        if path.is_file() and FORMAT.recognises(source):
            yield path, read(source)


class _Project(Format):
    """A database is recognised by its tables."""

    def recognises(self, source: Source) -> bool:
        if not re.match(_SQLITE, source.raw_head):
            return False
        try:
            with closing(open_database(source)) as database:
                return _columns(database, "metrics") >= _NEEDED
        except (sqlite3.Error, OverflowError, ValueError, *BROKEN_ARCHIVE):
            return False


FORMAT = _Project(
    name="trackio",
    title={"en": "Trackio project (SQLite)", "zh": "Trackio 项目 (SQLite)"},
    read=read,
    magic=(_SQLITE,),
    read_folder=read_folder,
    example="~/.cache/huggingface/trackio/my-project.db",
)
