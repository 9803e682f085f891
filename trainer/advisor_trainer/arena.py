"""All tokens of a dataset in one memory-mapped file, written once: what a run reads, and what the next one finds in the cache.

tokens.bin   int32, all rows one after the other
labels.bin   uint8, 1 where a token is trained on
rows.npy     int64, one line a row: begin in tokens, tokens in it that are predicted, number of its file, its line
meta.json    what it was made of; written last, so that a folder without it is none
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from advisor_trainer.encode import Encoded

IntArray = np.ndarray[tuple[int], np.dtype[np.int64]]
BEGIN, LABELS, FILE, LINE = range(4)
WIDTH = 4

Row = tuple[Encoded, int, int]
"""(ids and mask, number of the file, line in it)."""


@dataclass(frozen=True, slots=True)
class Arena:
    """The tokens of a dataset. rows: begin, labels, file, line of each row. files: their names. text: whether all is trained on."""

    tokens: np.ndarray[tuple[int], np.dtype[np.int32]]
    mask: np.ndarray[tuple[int], np.dtype[np.uint8]]
    rows: np.ndarray[tuple[int, int], np.dtype[np.int64]]
    files: tuple[str, ...]
    text: bool

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def lengths(self) -> IntArray:
        """Tokens of each row."""
        ends = np.append(self.rows[1:, BEGIN], len(self.tokens))
        return ends - self.rows[:, BEGIN]

    def place(self, row: int) -> str:
        """Return where a row stands, as `file:line`."""
        return f"{self.files[self.rows[row, FILE]]}:{self.rows[row, LINE]}"


def opened(folder: Path) -> Arena | None:
    """Return the arena in `folder`, or None where there is none."""
    try:
        meta = json.loads((folder / "meta.json").read_text(encoding="utf-8"))
        rows = np.load(folder / "rows.npy", mmap_mode="r")
        count = int(meta["tokens"])
        if (folder / "tokens.bin").stat().st_size != 4 * count or (folder / "labels.bin").stat().st_size != count:
            return None
        return Arena(
            _mapped(folder / "tokens.bin", np.int32, count), _mapped(folder / "labels.bin", np.uint8, count), rows,
            tuple(meta["files"]), bool(meta["text"]),
        )  # fmt: skip
    except (OSError, ValueError, KeyError):
        return None


def _mapped(path: Path, kind: type, count: int) -> Any:
    # A mapping of nothing is refused.
    return np.memmap(path, dtype=kind, mode="r") if count else np.empty(0, dtype=kind)


def build(folder: Path, rows: Iterable[Row], files: Sequence[str], *, text: bool) -> Arena:
    """Write `rows` into `folder`, one after the other, and return the arena. No more than one row is held in memory."""
    part = folder.with_name(f"{folder.name}.{os.getpid()}")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    try:
        with (
            (part / "tokens.bin").open("wb") as tokens,
            (part / "labels.bin").open("wb") as labels,
            (part / "rows.bin").open("wb") as index,
        ):
            count = _write(rows, tokens, labels, index)
        table = np.fromfile(part / "rows.bin", dtype=np.int64).reshape(-1, WIDTH)
        np.save(part / "rows.npy", table)
        (part / "rows.bin").unlink()
        meta = {"tokens": count, "rows": len(table), "files": list(files), "text": text}
        (part / "meta.json").write_text(json.dumps(meta), encoding="utf-8")
        shutil.rmtree(folder, ignore_errors=True)
        part.replace(folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    arena = opened(folder)
    assert arena is not None
    return arena


def _write(rows: Iterable[Row], tokens: BinaryIO, labels: BinaryIO, index: BinaryIO) -> int:
    begin = 0
    for (ids, mask), file, line in rows:
        tokens.write(ids.tobytes())
        labels.write(mask.tobytes())
        index.write(np.array([begin, int(mask[1:].sum()), file, line], dtype=np.int64).tobytes())
        begin += len(ids)
    return begin


@dataclass(frozen=True, slots=True)
class Pieces:
    """What is trained on: parts of rows that fit the length limit. labels: tokens of each that are predicted."""

    row: IntArray
    begin: IntArray
    length: IntArray
    labels: IntArray

    def __len__(self) -> int:
        return len(self.row)

    def take(self, which: Any) -> Pieces:
        """Return the pieces that `which` selects."""
        return Pieces(self.row[which], self.begin[which], self.length[which], self.labels[which])


@dataclass(frozen=True, slots=True)
class Losses:
    """Rows that cannot be trained on as they are. cut: answers that the length limit cuts. empty: rows without a label token."""

    rows: int
    cut: int
    empty: int
    first_cut: str = ""
    first_empty: str = ""

    @property
    def share(self) -> float:
        """Share of all rows."""
        return (self.cut + self.empty) / max(self.rows, 1)


def pieces_of(arena: Arena, max_length: int) -> tuple[Pieces, Losses]:
    """Cut rows to `max_length` tokens: running text into windows, others at the end. Rows left without a label are left out."""
    lengths = arena.lengths
    begins = arena.rows[:, BEGIN]
    if arena.text:
        return _windows(arena, lengths, max_length)
    kept = np.minimum(lengths, max_length)
    labels = arena.rows[:, LABELS].copy()
    cut = 0
    first_cut = first_empty = ""
    for row in np.flatnonzero(lengths > max_length):
        begin = int(begins[row])
        inside = int(arena.mask[begin + 1 : begin + max_length].sum())
        if inside < labels[row]:
            cut += inside > 0
            first_cut = first_cut or (arena.place(int(row)) if inside else "")
        labels[row] = inside
    used = np.flatnonzero(labels > 0)
    empty = len(arena) - len(used)
    if empty:
        first_empty = arena.place(int(np.flatnonzero(labels <= 0)[0]))
    pieces = Pieces(used, begins[used].copy(), kept[used], labels[used])
    return pieces, Losses(len(arena), cut, empty, first_cut, first_empty)


def _windows(arena: Arena, lengths: IntArray, size: int) -> tuple[Pieces, Losses]:
    """Cut running text into windows that share one token: each but a text's first is predicted exactly once."""
    step = size - 1
    counts = -(-(lengths - 1) // step)
    row = np.repeat(np.arange(len(lengths)), counts)
    begin = (np.arange(len(row)) - np.repeat(np.cumsum(counts) - counts, counts)) * step
    length = np.minimum(size, lengths[row] - begin)
    bare = np.flatnonzero(counts == 0)
    pieces = Pieces(row, arena.rows[row, BEGIN] + begin, length, length - 1)
    return pieces, Losses(len(arena), 0, len(bare), "", arena.place(int(bare[0])) if len(bare) else "")
