"""CSV and TSV with a step or epoch column and loss-like columns: Lightning, Keras, pandas, spreadsheets."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from advisor.model import FloatArray
from advisor.readers.base import Block, Format, Record, Row, Source, Unread, cleaned
from advisor.readers.blocks import numbered
from advisor.readers.clean import number
from advisor.readers.columns import IntArray
from advisor.readers.names import AXES, canonical_keys, is_loss_like

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
    names = [(columns.index(key), name) for key, name in canonical_keys(tuple(columns))]
    seen_header = False
    for first, lines in source.blocks():
        if seen_header and (cells := _plain_cells(lines, delimiter, columns)):
            yield _block(cells, names, first)
            continue
        for line, raw in enumerate(lines, first):
            text = cleaned(raw)
            if not text.strip():
                continue
            row = cells_of(text, delimiter)
            if not seen_header or row == columns:
                seen_header = True
            elif len(row) != len(columns):
                yield Unread(line)
            elif (values := dict(_numbers(row, names))).keys() - set(AXES):
                yield Row(line, values)


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
    """Return the cells of one line; none where it is no line of a table (a stray carriage return, an endless field)."""
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


FORMAT = _Table(
    name="csv",
    title={"en": "CSV or TSV table", "zh": "CSV/TSV 表格"},
    read=read,
    example="epoch,step,train_loss,val_loss\n0,50,2.31,\n0,99,,2.18",
)
