"""Rows of CSV and TSV, each with the line it begins on, and of Parquet and Arrow."""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO

from advisor.data.lines import Line
from advisor.data.malformed import Cause, cause_of, encoding_of_line
from advisor.data.records import Explain, Record
from advisor.errors import UnreadableData

LONGEST_FIELD = 1 << 20
"""Characters of one field; a quote that is not closed swallows no more than this."""

BATCH = 1024


class DamagedTable(Exception):
    """A file begins as Parquet or Arrow and cannot be read to its end."""


class Rows:
    """The rows of a table of text, as lists of fields. A quote that is never closed is reported and hides no other row."""

    def __init__(self, lines: Iterable[Line], explain: Explain, *, delimiter: str) -> None:
        self._origin = iter(lines)
        self._again: deque[Line] = deque()
        self._explain = explain
        self._delimiter = delimiter
        self._taken: deque[Line] = deque()

    def __iter__(self) -> Iterator[tuple[Line, list[str]]]:
        csv.field_size_limit(LONGEST_FIELD)
        while True:
            self._taken.clear()
            reader = csv.reader(self._texts(), delimiter=self._delimiter, strict=True)
            try:
                while True:
                    fields = next(reader, None)
                    if fields is None:
                        return
                    line = self._taken[0]
                    self._taken.clear()
                    if fields:
                        yield line, fields
                    else:
                        self._explain(Cause("blank-line", 0), line)
            except csv.Error as error:
                line = self._taken.popleft()
                open_quote = "unexpected end" in str(error) or "field larger" in str(error)
                at = line[2].rfind(b'"') if open_quote else _after_quote(line[2])
                self._explain(Cause("csv-quote", max(at, 0)), line)
                self._again.extendleft(reversed(self._taken))

    def _texts(self) -> Iterator[str]:
        while line := self._again.popleft() if self._again else next(self._origin, None):
            self._taken.append(line)
            try:
                text = line[2].decode("utf-8-sig" if line[0] == 1 else "utf-8")
            except UnicodeDecodeError:
                self._explain(cause_of(line[2]), line)
                # Tables come from spreadsheets, which write the whole file in another encoding: it is named, and read on.
                text = line[2].decode(encoding_of_line(line[2]) or "utf-8", "replace")
            yield text.rstrip("\r").replace("\0", "") + "\n"


def _after_quote(line: bytes) -> int:
    """Return where a quote closes a field and text follows it."""
    at = line.find(b'"')
    while 0 <= at < len(line) - 1:
        at = line.find(b'"', at + 1)
        if at >= 0 and line[at + 1 : at + 2] not in (b",", b"\t", b'"', b""):
            return at
    return 0


def rows_of_parquet(path: Any, name: str) -> Iterator[Record]:
    """Yield the rows of a Parquet file as (row number, -1, nothing, value). Raises DamagedTable."""
    parquet = _pyarrow("pyarrow.parquet", name)
    try:
        file = parquet.ParquetFile(path)
        yield from _numbered(file.iter_batches(batch_size=BATCH))
    except _errors() as error:
        raise DamagedTable from error


def rows_of_arrow(stream: BinaryIO, name: str) -> Iterator[Record]:
    """Yield the rows of an Arrow or Feather file, or of the stream that `datasets` writes. Raises DamagedTable."""
    ipc = _pyarrow("pyarrow.ipc", name)
    try:
        if stream.read(6).startswith((b"ARROW1", b"FEA1")):
            file = ipc.open_file(stream)
            yield from _numbered(file.get_batch(i) for i in range(file.num_record_batches))
        else:
            stream.seek(0)
            yield from _numbered(ipc.open_stream(stream))
    except _errors() as error:
        raise DamagedTable from error


def _numbered(batches: Iterable[Any]) -> Iterator[Record]:
    number = 0
    for batch in batches:
        for value in batch.to_pylist():
            number += 1
            yield number, -1, b"", value


def _pyarrow(module: str, name: str) -> Any:
    import importlib

    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise UnreadableData(f"{name}: Parquet and Arrow need pyarrow; `pip install finetune-advisor[data]`") from error


def _errors() -> tuple[type[Exception], ...]:
    import pyarrow

    return (pyarrow.ArrowException, OSError, ValueError)
