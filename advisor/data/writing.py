"""Writing records: JSON lines, a JSON array, a table of text, Parquet; the suffix says which."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from advisor.data.normal import Lossy
from advisor.data.parse import dumps
from advisor.data.schemas import Schema
from advisor.errors import UnreadableData

Writer = Callable[[Path, Iterator[Any], Schema], int]
"""Writes records of a schema to a file and returns how many they were."""


def writer_of(suffix: str) -> Writer:
    """Return what writes records to a file of this suffix. Raises UnreadableData where there is none."""
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
