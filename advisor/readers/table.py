"""CSV and TSV with a step or epoch column and loss-like columns: Lightning, Keras, pandas, spreadsheets."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from advisor.model import FloatArray
from advisor.readers.base import Block, Format, Record, Row, Source, Unread
from advisor.readers.blocks import loads, numbered
from advisor.readers.clean import cleaned, number
from advisor.readers.columns import IntArray
from advisor.readers.names import AXES, SPLIT_KEYS, canonical, canonical_keys, is_evaluation, is_loss_like, normalise, of_evaluation

_Cells = np.ndarray[tuple[int, int], np.dtype[np.float64]]
_NUMBERS_ONLY = re.compile(rb"[-+\d.eE,\s]*")
_EMPTY = b"-1.2345678987654321e301"
"""What stands for an empty cell while all cells are numbers: no log holds it."""

LONGEST_ROW = 1 << 20
"""Characters beyond which a line is none of a table, whose header stands within the first 64 kB."""

_DELIMITERS = (",", "\t", ";", "|")


def header_of(head: str) -> tuple[str, list[str]] | None:
    """Return (delimiter, column names) where the first line of `head` is the header of a log, else None."""
    first = next((line for line in head.splitlines() if line.strip()), "").removeprefix("\ufeff")
    for delimiter in sorted(_DELIMITERS, key=first.count, reverse=True):
        if delimiter not in first:
            break
        columns = cells_of(first, delimiter)
        named = [name for _, name in canonical_keys(tuple(columns))]
        plain = all(re.fullmatch(r"[^:={}]*", c) for c in columns)
        if plain and is_loss_like(named) and not any(number(c) is not None for c in columns if c):
            return delimiter, columns
    return None


def read(source: Source) -> Iterator[Record]:
    """Yield the measurements of the lines below the header. Empty cells are none; a row of another width is not read."""
    found = header_of(source.head)
    if found is None:
        return
    delimiter, columns = found
    place = {column: index for index, column in reversed(list(enumerate(columns)))}
    names = [(place[key], name) for key, name in canonical_keys(tuple(columns))]
    split = next((i for i, column in enumerate(columns) if normalise(column) in SPLIT_KEYS), None)
    seen_header = False
    for first, count, block in source.byte_blocks():
        if not seen_header and cells_of(cleaned(block.partition(b"\n")[0].decode(errors="replace")), delimiter) == columns:
            seen_header, first, count, block = True, first + 1, count - 1, block.partition(b"\n")[2]
        if not block:
            continue
        if seen_header and split is None and (table := _all_numbers(block, count, delimiter.encode(), len(columns))) is not None:
            yield numbered({name: _present(table[:, index]) for index, name in names}, first)
            continue
        lines = block.decode(errors="replace").removesuffix("\n").split("\n")
        if seen_header and split is None and (cells := _plain_cells(lines, delimiter, columns)):
            yield _block(cells, names, first)
            continue
        for line, raw in enumerate(lines, first):
            text = cleaned(raw)
            if not text.strip():
                continue
            row = cells_of(text, delimiter)
            if not seen_header or row == columns:
                seen_header = True
                continue
            if len(row) != len(columns):
                yield Unread(line)
                continue
            values = dict(_numbers(row, names))
            if split is not None and is_evaluation(row[split]):
                values = of_evaluation(values)
            if values.keys() - set(AXES):
                yield Row(line, values)


def _all_numbers(
    block: bytes, count: int, delimiter: bytes, width: int
) -> np.ndarray[tuple[int, int], np.dtype[np.float64]] | None:
    """Return the numbers of `count` lines of `width` cells, NaN where a cell is empty; None where any cell is something else.

    Cells and lines make one array of JSON, whose parser is several times faster than one call for each cell.
    """
    if b"\r" in block:
        block = block.replace(b"\r\n", b"\n")
    if not block.endswith(b"\n"):
        block += b"\n"
    signs = np.frombuffer(block, dtype=np.uint8)
    ends = np.searchsorted(np.flatnonzero(signs == ord(delimiter)), np.flatnonzero(signs == ord("\n")))
    if len(ends) != count or np.any(np.diff(ends, prepend=0) != width - 1):
        return None
    cells = block.replace(delimiter, b",").replace(b"\n", b",")
    while b",," in cells:
        cells = cells.replace(b",,", b"," + _EMPTY + b",")
    if cells.startswith(b","):
        cells = _EMPTY + cells
    if not _NUMBERS_ONLY.fullmatch(cells):
        return None
    try:
        numbers = loads(b"[" + cells[:-1] + b"]")
    except ValueError:
        return None
    table = np.fromiter(numbers, dtype=np.float64, count=count * width)
    table[table == float(_EMPTY)] = np.nan
    return table.reshape(count, width)


def _present(column: FloatArray) -> tuple[IntArray, FloatArray]:
    """Return (rows, values) of the cells that are not empty."""
    rows = np.flatnonzero(~np.isnan(column))
    return rows, column[rows]


def _plain_cells(lines: Sequence[str], delimiter: str, columns: Sequence[str]) -> list[list[str]] | None:
    """Return the cells of lines that are read together: all of one width, without quotes, blank lines or another header."""
    lines = list(map(cleaned, lines))
    whole = "\n".join(lines)
    if '"' in whole or "\r" in whole or max(map(len, lines)) > csv.field_size_limit():
        return None
    cells = [line.split(delimiter) for line in lines]
    return cells if set(map(len, cells)) == {len(columns)} and columns not in cells and all(map(str.strip, lines)) else None


def _block(cells: Sequence[Sequence[str]], names: Iterable[tuple[int, str]], first_line: int) -> Block:
    by_column = list(zip(*cells, strict=True))
    return numbered({name: _column(by_column[index]) for index, name in names}, first_line)


def _column(cells: Sequence[str]) -> tuple[IntArray, FloatArray]:
    """Return (rows, values) of the cells that hold a number."""
    try:
        return np.arange(len(cells)), np.fromiter(map(float, cells), dtype=np.float64, count=len(cells))
    except ValueError:
        read = [(row, value) for row, cell in enumerate(cells) if cell and (value := number(cell)) is not None]
        return np.array([row for row, _ in read], dtype=np.int64), np.array([value for _, value in read])


def cells_of(line: str, delimiter: str) -> list[str]:
    """Return the cells of one line; none where it is no line of a table (a stray carriage return, an endless field or line)."""
    if len(line) > LONGEST_ROW:
        return []
    try:
        return next(csv.reader([line], delimiter=delimiter), [])
    except csv.Error:
        return []


def _numbers(cells: list[str], names: Iterable[tuple[int, str]]) -> Iterator[tuple[str, float]]:
    for index, name in names:
        cell = cells[index]
        if cell and (value := number(cell)) is not None:
            yield name, value


class _Table(Format):
    """A table is recognised by its header, which no single pattern describes."""

    def recognises(self, source: Source) -> bool:
        return header_of(source.head) is not None


_NAME_COLUMNS = ("metric", "name", "key", "tag", "metric_name", "variable", "quantity")
_VALUE_COLUMNS = ("value", "metric_value", "val")
_TAG = re.compile(r"(?:^|.*[-_.])tag[-_](.+?)(?:\.csv)?$")


def long_header(source: Source) -> tuple[str, list[str], int, int, int] | None:
    """Return (delimiter, columns, which is the step, which the name, which the value) of a table with a line for each value.

    The name's place is -1 where the file's own name says the quantity, as in what TensorBoard's page exports.
    """
    first = next((line for line in source.head.splitlines() if line.strip()), "").removeprefix("\ufeff")
    for delimiter in _DELIMITERS:
        columns = cells_of(first, delimiter)
        plain = [normalise(c) for c in columns]
        step = next((i for i, c in enumerate(plain) if canonical(c) in AXES), None)
        value = next((i for i, c in enumerate(plain) if c in _VALUE_COLUMNS), None)
        name = next((i for i, c in enumerate(plain) if c in _NAME_COLUMNS), -1)
        if step is not None and value is not None and (name >= 0 or _exported(source.file_name) is not None):
            return delimiter, columns, step, name, value
    return None


def _exported(file_name: str) -> str | None:
    """Return the quantity that TensorBoard's page names a file by: `run-x-tag-train_loss.csv`."""
    found = _TAG.match(file_name)
    return canonical(found[1]) if found else None


def read_long(source: Source) -> Iterator[Record]:
    """Yield a row for each line: one value of the quantity that it names."""
    found = long_header(source)
    if found is None:
        return
    delimiter, columns, step, name, value = found
    axis, of_file = canonical(columns[step]), _exported(source.file_name)
    for line, text in source.lines():
        cells = cells_of(text, delimiter)
        if not text.strip() or cells == columns:
            continue
        if len(cells) != len(columns):
            yield Unread(line)
            continue
        quantity = canonical(cells[name]) or cells[name] if name >= 0 else of_file
        place, measured = number(cells[step]), number(cells[value])
        if axis and quantity and quantity not in AXES and place is not None and measured is not None:
            yield Row(line, {axis: place, quantity: measured})


class _Long(Format):
    """A table is recognised by its header, which no single pattern describes."""

    def recognises(self, source: Source) -> bool:
        return long_header(source) is not None


_SERVES = (
    "CSV with a column for the data set",
    "AlgoPerf (measurements.csv)", "Amazon Bedrock", "Keras CSVLogger", "OpenAI fine-tuning result",
    "PyTorch Lightning (metrics.csv)", "timm (summary.csv)",
)  # fmt: skip
FORMAT = _Table(
    name="csv",
    serves=_SERVES,
    title={"en": "CSV or TSV table", "zh": "CSV/TSV 表格"},
    read=read,
    example="epoch,step,train_loss,val_loss\n0,50,2.31,\n0,99,,2.18",
)
LONG = _Long(
    name="csv-long",
    title={"en": "CSV with a line for each value", "zh": "每行一个数值的 CSV"},
    read=read_long,
    serves=("TensorBoard (exported CSV)",),
    example="step,metric,value\n10,train_loss,2.31\n10,lr,0.0002\n20,val_loss,2.18",
)
