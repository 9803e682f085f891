"""CSV and TSV with a step or epoch column and loss-like columns: Lightning, Keras, pandas, spreadsheets."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator

from advisor.readers.base import Format, Record, Row, Source, Unread
from advisor.readers.clean import number
from advisor.readers.names import canonical_keys, is_loss_like

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
    """Yield a row for each line below the header. Empty cells are no measurements; a row of another width is not read."""
    found = header_of(source.head)
    if found is None:
        return
    delimiter, columns = found
    names = [(columns.index(key), name) for key, name in canonical_keys(tuple(columns))]
    seen_header = False
    for line, text in source.lines():
        if not text.strip():
            continue
        cells = cells_of(text, delimiter)
        if not seen_header or cells == columns:
            seen_header = True
            continue
        if len(cells) != len(columns):
            yield Unread(line)
            continue
        values = dict(_numbers(cells, names))
        if values.keys() - {"step", "epoch"}:
            yield Row(line, values)


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


_SERVES = (
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
