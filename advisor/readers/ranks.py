"""Logs into which several processes write: eight ranks that print the same loss are one run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from advisor.readers.base import Note


class OneRank:
    """Keeps to the rank that logs first, for training and for evaluations apart: Megatron prints the latter on its last rank.

    Lines without a rank are everybody's.
    """

    def __init__(self) -> None:
        self._read: dict[bool, int] = {}
        self._noted = False

    def keeps(self, rank: int | None, names: Iterable[str]) -> bool:
        """Tell whether what `rank` measured is read: it is the first to measure that."""
        if rank is None:
            return True
        return self._read.setdefault(any(name.startswith("eval_") for name in names), rank) == rank

    def left_out(self) -> Iterator[Note]:
        """Yield, once, that another rank's measurements are left out."""
        if not self._noted:
            self._noted = True
            yield Note("one-rank")
