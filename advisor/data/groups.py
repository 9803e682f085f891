"""Rows that share a key, as groups in the order of the data."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from advisor.data.survey import IntArray


@dataclass(frozen=True, slots=True)
class Groups:
    """Groups of rows that belong together.

    rows: groups one after another, each in the order of the data; starts: where each group begins, and the end of the last.
    keep: the row of each group that stays. similarity: of each row to the one that is kept, where it was measured, else 1.
    """

    rows: IntArray
    starts: IntArray
    keep: IntArray
    similarity: np.ndarray[tuple[int], np.dtype[np.float64]]

    def __len__(self) -> int:
        return len(self.keep)

    def __iter__(self) -> Iterator[IntArray]:
        for start, end in zip(self.starts[:-1], self.starts[1:], strict=True):
            yield self.rows[start:end]

    @property
    def removable(self) -> int:
        """Rows that would go: all but the kept one of each group."""
        return len(self.rows) - len(self.keep)


def from_lists(groups: list[list[int]], keep: list[int], similarity: list[list[float]]) -> Groups:
    """Return groups that were found one by one."""
    lengths = np.array([0, *map(len, groups)], dtype=np.int64)
    rows = np.array([row for group in groups for row in group], dtype=np.int64)
    values = np.array([value for group in similarity for value in group], dtype=np.float64)
    return Groups(rows, np.cumsum(lengths), np.array(keep, dtype=np.int64), values)


def group_by(keys: IntArray, among: IntArray | None = None) -> Groups:
    """Return the groups of two rows and more that share a key; of each the first row is kept. among: the rows looked at."""
    rows = np.arange(len(keys), dtype=np.int64) if among is None else among
    order = rows[np.argsort(keys[rows], kind="stable")]
    ordered = keys[order]
    starts = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]])) if len(order) else np.array([], dtype=np.int64)
    ends = np.append(starts[1:], len(order))
    large = np.flatnonzero(ends - starts > 1)
    # In the order in which the groups begin in the data.
    large = large[np.argsort(order[starts[large]], kind="stable")]
    members = [order[starts[i] : ends[i]] for i in large]
    lengths = np.array([0, *map(len, members)], dtype=np.int64)
    rows_of = np.concatenate(members) if members else np.array([], dtype=np.int64)
    keep = np.array([group[0] for group in members], dtype=np.int64)
    return Groups(rows_of, np.cumsum(lengths), keep, np.ones(len(rows_of)))


def differing(groups: Groups, values: IntArray) -> Groups:
    """Return the groups whose rows do not all have the same value."""
    chosen = [group for group in groups if len(np.unique(values[group])) > 1]
    return from_lists([list(map(int, g)) for g in chosen], [int(g[0]) for g in chosen], [[1.0] * len(g) for g in chosen])


def one_each(groups: Groups, values: IntArray) -> Groups:
    """Return the groups with one row of each value; groups of a single value fall away."""
    kept: list[list[int]] = []
    for group in groups:
        first: dict[int, int] = {}
        for row in group:
            first.setdefault(int(values[row]), int(row))
        if len(first) > 1:
            kept.append(list(first.values()))
    return from_lists(kept, [group[0] for group in kept], [[1.0] * len(group) for group in kept])
