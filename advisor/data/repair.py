"""`advisor data check --repair OUT`: a corrected copy, and the list of what was changed and what could not be. The source stays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from advisor.data.lines import Line
from advisor.data.malformed import Cause
from advisor.data.mending import mended
from advisor.data.parse import dumps
from advisor.data.reading import Reading
from advisor.data.schemas import Schema
from advisor.data.sources import File, files_of
from advisor.errors import UnreadableData

KEPT_ANYWAY = frozenset({"carriage-return", "wide-encoding", "csv-header", "wrapped-records"})
"""Causes that concern the whole file, and go when it is written anew."""

_TABLES = (".csv", ".tsv")

CHANGES = ".changes.jsonl"


@dataclass(slots=True)
class Copy:
    """The corrected copy of one file while it is written."""

    file: File
    out: BinaryIO
    changes: BinaryIO
    schema: Schema | None
    written: int = 0
    changed: int = 0
    failed: int = 0
    line: int = 0
    repeated: int = 0
    causes: list[str] = field(default_factory=list)

    def broken(self, cause: Cause, line: Line) -> None:
        """Take a line that is no good record: mend and write it, or leave it out and say so."""
        number, _, raw = line
        read_on = self.file.suffix in _TABLES and cause.name == "other-encoding"
        if cause.name in KEPT_ANYWAY or read_on or (cause.between and cause.name != "text-after-record"):
            self._note(number, [cause.name], "repaired", [], raw)
            return
        if cause.name == "repeated-key":
            # Only said of records that are read all the same.
            self.repeated = number
            return
        if cause.name == "unknown-schema" or (number == self.line and cause.name != "blank-line"):
            return
        self.line = number
        if cause.name == "raw-newline":
            raw = raw.replace(b"\r", b"").replace(b"\n", b"\\n")
        result = mended(raw, self.schema)
        if result is None:
            self.failed += 1
            self._note(number, [cause.name], "left out", [], raw)
            return
        records, steps = result
        self.changed += bool(records)
        first = self.written + 1
        for record in records:
            self.write(record if b"\n" not in record else b"".join(part.strip() for part in record.split(b"\n")))
        self._note(number, [cause.name, *steps], "repaired" if records else "left out", list(range(first, self.written + 1)), raw)

    def good(self, line: int, raw: bytes, value: object, *, in_lines: bool) -> None:
        """Write a good record: as it stands, but with a key twice as every reader of JSON takes it, by its last value."""
        twice = self.repeated == line
        if twice:
            self.changed += 1
            self._note(line, ["repeated-key"], "repaired", [self.written + 1], raw)
        self.write(raw if in_lines and raw and not twice else dumps(value))

    def write(self, record: bytes) -> None:
        """Write one record on its line."""
        self.out.write(record.strip() + b"\n")
        self.written += 1

    def _note(self, line: int, causes: list[str], done: str, lines: list[int], raw: bytes) -> None:
        entry = {
            "file": self.file.name,
            "line": line,
            "causes": list(dict.fromkeys(causes)),
            "done": done,
            "written_to_lines": lines,
            "was": raw.decode("utf-8", "backslashreplace")[:2000],
        }
        self.changes.write(dumps(entry) + b"\n")


def repair_all(paths: Sequence[Path], out: Path, *, spec: str = "auto") -> dict[str, str | int]:
    """Write the corrected copy of all files as JSON lines: to the file `out`, or into the folder `out` where they are several.

    Raises UnreadableData where `out` is one of the sources.
    """
    files = files_of(paths)
    if any(file.path is not None and file.path.resolve() == out.resolve() for file in files):
        raise UnreadableData(f"{out}: this is the source, which is never overwritten; give another file")
    single = len(files) == 1 and not out.is_dir()
    if not single:
        out.mkdir(parents=True, exist_ok=True)
    report = out.with_name(out.name + CHANGES) if single else out / CHANGES.removeprefix(".")
    out.parent.mkdir(parents=True, exist_ok=True)
    totals = {"kept": 0, "changed": 0, "failed": 0}
    with report.open("wb") as changes:
        for number, file in enumerate(files):
            target = out if single else out / _name(file, number)
            with target.open("wb") as stream:
                copy = _copy(file, stream, changes, spec)
            totals = {
                "kept": totals["kept"] + copy.written,
                "changed": totals["changed"] + copy.changed,
                "failed": totals["failed"] + copy.failed,
            }
    return {"out": str(out), "report": str(report), **totals}


def _name(file: File, number: int) -> str:
    stem = Path(file.name).name.split(".")[0]
    return f"{number:03d}-{stem}.jsonl"


def _copy(file: File, stream: BinaryIO, changes: BinaryIO, spec: str) -> Copy:
    first = Reading(file, lambda _problem: None, spec=spec)
    next(iter(first), None)
    copy = Copy(file, stream, changes, first.schema)
    if first.schema is None:
        spec = "any"
    reading = Reading(file, lambda _problem: None, spec=first.schema.name if first.schema else spec, on_line=copy.broken)
    in_lines = first.kind == "json-lines"
    for number, _, raw, value in reading:
        copy.good(number, raw, value, in_lines=in_lines)
    return copy
