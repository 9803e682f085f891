"""Mixing rows of several sources by ratio, in an order that a seed decides, in memory that grows by bytes a row."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, BinaryIO

from advisor.data.parse import dumps, loads


@dataclass(frozen=True, slots=True)
class Share:
    """A source that is mixed in: so many of its rows for each row of the main one."""

    path: Path
    ratio: float


@dataclass(frozen=True, slots=True)
class Taken:
    """What was taken of a source. of: rows it has. wanted: rows that its ratio asks for; fewer are taken where it has no more."""

    path: Path
    rows: int
    of: int
    wanted: int


class Mixture:
    """Rows of a main source and of others, written to `spool` and given out in a new order. No row is taken twice."""

    def __init__(self, spool: BinaryIO, seed: int) -> None:
        self._spool = spool
        self._chance = Random(seed)  # noqa: S311  no secret hangs on it
        self._chosen = array("q")
        self.main = 0
        self.taken: list[Taken] = []

    def fill(self, main: Iterable[Any], others: Sequence[tuple[Share, Iterable[Any]]]) -> None:
        """Take in all rows of `main`, and of each other source as many as its ratio asks for, chosen by chance."""
        self._chosen.extend(self._written(main))
        self.main = len(self._chosen)
        for share, rows in others:
            places = self._written(rows)
            wanted = round(share.ratio * self.main)
            count = min(wanted, len(places))
            self._chosen.extend(sorted(self._chance.sample(places, count)))
            self.taken.append(Taken(share.path, count, len(places), wanted))

    def _written(self, rows: Iterable[Any]) -> array[int]:
        places = array("q")
        for row in rows:
            places.append(self._spool.tell())
            self._spool.write(dumps(row) + b"\n")
        return places

    def __iter__(self) -> Iterator[Any]:
        order = list(self._chosen)
        self._chance.shuffle(order)
        for place in order:
            self._spool.seek(place)
            yield loads(self._spool.readline())
