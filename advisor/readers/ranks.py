"""Logs into which several processes write: eight ranks that print the same loss are one run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from advisor.readers.base import MAX_DOCUMENT_BYTES, Note, Source
from advisor.readers.clean import split_rank, strip_ansi

MOSTLY = 0.5
"""Share of the lines at the beginning that must name a rank for a log to be one of several processes."""


def head_of_one_rank(source: Source) -> Source | None:
    """Return the beginning of the log as the rank wrote it that wrote most of it; None where no launcher put ranks before lines."""
    lines = source.head.splitlines()
    rank = _busiest(lines)
    return None if rank is None else Source(source.name, data="\n".join(_of_rank(lines, rank)).encode())


def of_one_rank(source: Source) -> Source:
    """Return the log as one rank wrote it, without the launcher's marks; every line keeps its number."""
    rank = _busiest(source.head.splitlines())
    lines, size = list[str](), 0
    for _, line in source.lines():
        size += len(line)
        if size > MAX_DOCUMENT_BYTES:
            break
        lines.append(line)
    return Source(source.name, data="\n".join(_of_rank(lines, rank)).encode())


def _busiest(lines: Iterable[str]) -> int | None:
    """Return the rank of which most lines are, those with figures counting."""
    split = [split_rank(strip_ansi(line)) for line in lines if line.strip()]
    marked = [
        (rank, rest)
        for (rank, rest), line in zip(split, filter(str.strip, lines), strict=True)
        if rank is not None and rest != line
    ]
    if len(marked) < MOSTLY * len(split):
        return None
    counts = Counter(rank for rank, rest in marked if "loss" in rest) or Counter(rank for rank, _ in marked)
    return counts.most_common(1)[0][0] if counts else None


def _of_rank(lines: Iterable[str], rank: int | None) -> Iterator[str]:
    """Yield the lines of `rank` and of none, and empty ones in the place of the others."""
    for line in lines:
        of, rest = split_rank(line)
        yield rest if of == rank or of is None else ""


class OneRank:
    """Keeps to the rank that logs first, for training and for evaluations apart: Megatron prints the latter on its last rank.

    Lines without a rank are everybody's.
    """

    def __init__(self) -> None:
        self._read: dict[bool, int] = {}
        self._noted = False

    def keeps(self, rank: int, names: Iterable[str]) -> bool:
        """Tell whether what `rank` measured is read: it is the first to measure that."""
        return self._read.setdefault(any(name.startswith("eval_") for name in names), rank) == rank

    def leaves_out(self, rank: int) -> bool:
        """Tell whether nothing of `rank` is read, as far as is known by now."""
        return bool(self._read) and rank not in self._read.values()

    def left_out(self) -> Iterator[Note]:
        """Yield, once, that another rank's measurements are left out."""
        if not self._noted:
            self._noted = True
            yield Note("one-rank")
