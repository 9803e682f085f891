"""From pairs to clusters: connected texts, split so that every text is like the one that is kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from advisor.data.duplicates.kernel import Counts

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
    members: Counts, near: Callable[[int, Counts], dict[int, float]], compared: Callable[[int], Counts]
) -> Iterator[tuple[list[int], list[float]]]:
    """Yield (texts, similarity to the first) from a connected group whose members come best first.

    The first is kept; whatever is near it goes with it; of the rest again the first is kept: nothing is dropped that is not like
    a text that stays. From the `ROUNDS`th centre on only texts that were `compared` with it before count: a chain costs no square
    of its length.
    """
    rest = members
    for turn in range(len(members)):
        if len(rest) < 2:  # noqa: PLR2004 - a text alone is no cluster
            return
        centre, others = int(rest[0]), rest[1:]
        asked = others if turn < ROUNDS else others[np.isin(others, compared(centre))]
        found = near(centre, asked)
        if found:
            yield [centre, *found], [1.0, *found.values()]
        rest = others[~np.isin(others, list(found))] if found else others
