"""`advisor data convert`: between schemas without loss, and from plain text to questions and answers by documented rules."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from advisor.data.from_text import examples_of
from advisor.data.model import Example, Problem
from advisor.data.normal import Lossy, reader, write
from advisor.data.parse import dumps
from advisor.data.reading import Reading
from advisor.data.schemas import BY_NAME, Schema
from advisor.data.sources import files_of
from advisor.errors import UnreadableData


def convert(
    paths: Sequence[Path], target: str, out: Path, *, rule: str | None, spec: str, keep_extra: bool, language: str
) -> dict[str, Any]:
    """Write all records in the schema `target` to `out`; nothing where one of them cannot be read or would lose something.

    Raises Lossy or UnreadableData, which name the file and the line.
    """
    if target not in BY_NAME:
        raise UnreadableData(f"no schema `{target}`; expected one of {', '.join(BY_NAME)}")
    schema = BY_NAME[target]
    part = out.with_name(out.name + ".part")
    try:
        rows = _writers(out.suffix)(part, _records(paths, schema, rule, spec, keep_extra=keep_extra, language=language), schema)
        part.replace(out)
    finally:
        part.unlink(missing_ok=True)
    return {"out": str(out), "rows": rows, "schema": target}


def _records(
    paths: Sequence[Path], schema: Schema, rule: str | None, spec: str, *, keep_extra: bool, language: str
) -> Iterator[Any]:
    for file in files_of(paths):
        bad: list[Problem] = []
        reading = Reading(file, bad.append, spec=spec)
        for line, _, _, value in reading:
            if reading.schema is None:
                break
            example = reader(reading.schema)(value)
            if not keep_extra:
                example.extra = {}
            for made in _made(example, value, rule, language):
                try:
                    yield write(made, schema, keep_extra=keep_extra)
                except Lossy as error:
                    raise Lossy(f"{file.name}:{line}: {error}") from error
        unreadable = [problem for problem in bad if problem.cause not in _HARMLESS]
        if unreadable:
            first = unreadable[0]
            raise UnreadableData(
                f"{file.name}:{first.place.line}: {len(unreadable)} records cannot be read, the first for `{first.cause}`; "
                "see `advisor data check`, and mend them with its --repair"
            )


_HARMLESS = frozenset({"blank-line", "carriage-return", "csv-header", "wide-encoding", "repeated-key", "wrapped-records"})


def _made(example: Example, value: Any, rule: str | None, language: str) -> Iterator[Example]:
    if rule is None:
        yield example
    elif example.turns[0][0] != "text":
        raise UnreadableData(f"`--rule {rule}` makes questions of plain text; these records have questions already")
    else:
        yield from examples_of(example, value, rule, language)


def _writers(suffix: str) -> Any:
    writers = {".jsonl": _lines, ".json": _array, ".csv": _table, ".tsv": _table, ".parquet": _parquet}
    if suffix not in writers:
        raise UnreadableData(f"no format for the suffix `{suffix}`; expected one of {', '.join(writers)}")
    return writers[suffix]


def _lines(path: Path, records: Iterator[Any], _schema: Schema) -> int:
    count = 0
    with path.open("wb") as stream:
        for record in records:
            stream.write(dumps(record) + b"\n")
            count += 1
    return count


def _array(path: Path, records: Iterator[Any], _schema: Schema) -> int:
    count = 0
    with path.open("wb") as stream:
        stream.write(b"[\n")
        for record in records:
            stream.write((b",\n" if count else b"") + dumps(record))
            count += 1
        stream.write(b"\n]\n")
    return count


def _table(path: Path, records: Iterator[Any], schema: Schema) -> int:
    """Write a table: without a header where the schema documents none, else with the keys as its header."""
    if schema.shape != "flat":
        raise Lossy(f"a table has one text in each column; {schema.name} holds lists of turns")
    delimiter = "\t" if ".tsv" in path.suffixes else ","
    count = 0
    width: tuple[str, ...] = ()
    with path.open("w", encoding="utf-8", newline="") as stream:
        table = csv.writer(stream, delimiter=delimiter, lineterminator="\n")
        for record in records:
            columns = _columns(schema, record)
            if not count:
                width = columns
                if not schema.columns and schema.name != "pangu-ranking":
                    table.writerow(width)
            if any(not isinstance(record[key], str) and key != "targets" for key in record) or not set(record) <= set(width):
                raise Lossy(f"row {count + 1}: a table has one text in each of the columns {', '.join(width)}")
            fields = [record.get(key, "") for key in width if key != "targets"]
            table.writerow([*fields, *record.get("targets", ())])
            count += 1
    return count


def _columns(schema: Schema, record: dict[str, Any]) -> tuple[str, ...]:
    for columns in schema.columns:
        if set(columns) == set(record):
            return columns
    if schema.columns:
        raise Lossy(f"a table of {schema.name} has the columns {' or '.join(', '.join(c) for c in schema.columns)}")
    return (*schema.keys, *(key for key in schema.optional if key not in ("", "history")))


def _parquet(path: Path, records: Iterator[Any], schema: Schema) -> int:
    try:
        import pyarrow as arrow
        from pyarrow import parquet
    except ImportError as error:
        raise UnreadableData("Parquet needs pyarrow; `pip install finetune-advisor[data]`") from error
    if schema.shape == "pairs":
        raise Lossy(f"a table has named columns; a record of {schema.name} is a list")
    rows = list(records)
    parquet.write_table(arrow.Table.from_pylist(rows), path)
    return len(rows)
