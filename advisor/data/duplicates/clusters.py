"""From pairs to clusters: connected texts, split so that every text is like the one that is kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from advisor.data.duplicates.kernel import Counts, Flags

ROUNDS = 8
"""Centres of one connected group that are compared with all of its rest; a group that needs more is a chain, see `stars`."""


class Groups:
    """Which texts are connected (union-find over arrays)."""

    def __init__(self, count: int) -> None:
        self.root: Counts = np.arange(count, dtype=np.int64)

    def join(self, first: Counts, second: Counts) -> None:
        """Connect pairs."""
        while len(first):
            one, other = self.root[first], self.root[second]
            apart = one != other
            first, second = first[apart], second[apart]
            np.minimum.at(self.root, np.maximum(one, other)[apart], np.minimum(one, other)[apart])
            self._flatten()

    def _flatten(self) -> None:
        while not np.array_equal(above := self.root[self.root], self.root):
            self.root = above

    def groups(self) -> Iterator[Counts]:
        """Yield the members of each group of two or more, by their lowest member."""
        order = np.argsort(self.root, kind="stable")
        starts = np.flatnonzero(np.append(True, self.root[order][1:] != self.root[order][:-1])) if len(order) else order
        sizes = np.diff(np.append(starts, len(order)))
        for start, size in zip(starts[sizes > 1].tolist(), sizes[sizes > 1].tolist(), strict=True):
            yield order[start : start + size]


def stars(
    groups: Sequence[Counts],
    near: Callable[[Counts, Counts], tuple[NDArray[np.float64], Flags]],
    compared: Callable[[int], Counts],
) -> Iterator[tuple[list[int], list[float]]]:
    """Yield (texts, similarity to the first) from connected groups whose members come best first.

    The first is kept; whatever is near it goes with it; of the rest again the first is kept: nothing is dropped that is not like
    a text that stays. From the `ROUNDS`th centre on only texts that were `compared` with it before count: a chain costs no square
    of its length. All groups are taken one step at a time, so that `near` is asked for many pairs at once.
    """
    rests = list(groups)
    turn = 0
    while rests := [rest for rest in rests if len(rest) > 1]:
        others = [rest[1:] if turn < ROUNDS else rest[1:][np.isin(rest[1:], compared(int(rest[0])))] for rest in rests]
        sizes = np.array([len(asked) for asked in others])
        alike, close = near(np.repeat([rest[0] for rest in rests], sizes), np.concatenate(others))
        ends = np.cumsum(sizes)
        for place, (start, end) in enumerate(zip((ends - sizes).tolist(), ends.tolist(), strict=True)):
            centre, found = rests[place][0], others[place][close[start:end]]
            if len(found):
                yield [int(centre), *found.tolist()], [1.0, *alike[start:end][close[start:end]].tolist()]
            rests[place] = rests[place][1:][~np.isin(rests[place][1:], found)]
        turn += 1
