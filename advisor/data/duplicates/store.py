"""The sketches of all texts, on disk but for what a step needs: memory grows by bytes a text, not by the text."""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from advisor.data.duplicates.kernel import HASHES, Counts, Hashes, Sketches

COLUMNS: dict[str, Any] = {
    "digest": np.dtype(("u8", 2)), "length": "i8", "complete": "?", "words": "i8", "sequence": "u8", "template": "u8",
    "sizes": "i8", "numbers": "u8", "minima": np.dtype(("u1", HASHES)),
}  # fmt: skip
CACHE_TEXTS = 1 << 15
CACHE_SHINGLES = 1 << 23
"""What the comparison keeps at hand: at most so many texts and so many shingles (8 bytes each)."""


class Store:
    """Sketches in the order they came in: one file per column, one per band, one of shingles, in `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.rows = 0
        self._files: dict[str, BinaryIO] = {}
        self._cache: OrderedDict[int, Hashes] = OrderedDict()
        self._cached = 0

    def __enter__(self) -> Store:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for file in self._files.values():
            file.close()

    def add(self, sketches: Sketches) -> None:
        """Append a batch."""
        for name in COLUMNS:
            self._append(name, getattr(sketches, name))
        self._append("shingles", sketches.shingles)
        for band in range(sketches.bands.shape[1]):
            self._append(f"band-{band}", sketches.bands[:, band])
        self.rows += len(sketches.sizes)

    def close(self) -> None:
        """End adding; from here on the store is read."""
        for file in self._files.values():
            file.flush()
        self._ends: Counts = np.cumsum(self.column("sizes")) if self.rows else np.zeros(0, dtype=np.int64)

    def _append(self, name: str, values: NDArray[Any]) -> None:
        if name not in self._files:
            self._files[name] = (self.folder / name).open("w+b")
        self._files[name].write(np.ascontiguousarray(values).data)

    def column(self, name: str) -> NDArray[Any]:
        """Return one entry per text."""
        return np.fromfile(self.folder / name, dtype=COLUMNS[name])

    def band(self, band: int) -> Hashes:
        """Return one band's hash of every text."""
        return np.fromfile(self.folder / f"band-{band}", dtype=np.uint64)

    def shingles(self, row: int) -> Hashes:
        """Return the shingles of a text in their order."""
        if row in self._cache:
            self._cache.move_to_end(row)
            return self._cache[row]
        end = int(self._ends[row])
        start = int(self._ends[row - 1]) if row else 0
        file = self._files["shingles"]
        file.seek(8 * start)
        ordered = np.frombuffer(file.read(8 * (end - start)), dtype=np.uint64)
        self._cache[row] = ordered
        self._cached += len(ordered)
        while len(self._cache) > 1 and (len(self._cache) > CACHE_TEXTS or self._cached > CACHE_SHINGLES):
            self._cached -= len(self._cache.popitem(last=False)[1])
        return ordered
