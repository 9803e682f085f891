"""Which pieces stand together in a row of constant length, and in which order rows come: a function of (seed, epoch) alone.

Best fit looks only at lengths, so the pattern of lengths is found once; every epoch then deals the pieces of each length anew to
the places of that length and shuffles the rows. Each epoch has the same number of rows and other neighbours.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from advisor_trainer.arena import IntArray


@dataclass(frozen=True, slots=True)
class Pattern:
    """How pieces are packed. slots: for each place, in the order of rows, its rank among all lengths. starts: where rows begin."""

    slots: IntArray
    starts: IntArray

    def __len__(self) -> int:
        return len(self.starts) - 1

    def order(self, lengths: IntArray, seed: int, epoch: int, *, shuffle: bool = True) -> list[IntArray]:
        """Return the rows of an epoch, each as the numbers of its pieces."""
        draw = np.random.default_rng((seed, epoch))
        ties = draw.random(len(lengths)) if shuffle else np.arange(len(lengths))
        ranked = np.lexsort((ties, -lengths))
        pieces = ranked[self.slots]
        rows = draw.permutation(len(self)) if shuffle else np.arange(len(self))
        return [pieces[self.starts[row] : self.starts[row + 1]] for row in rows]


def alone(lengths: IntArray) -> Pattern:
    """Return the pattern in which every piece has a row of its own."""
    return Pattern(np.arange(len(lengths)), np.arange(len(lengths) + 1))


def best_fit(lengths: IntArray, size: int) -> Pattern:
    """Pack pieces, the longest first, each into the fullest row that still has room for it (best fit decreasing)."""
    room_of: dict[int, list[int]] = {}
    with_room = 0  # bit r is set where a row has room for r more tokens
    rows: list[list[int]] = []
    for rank, length in enumerate(np.sort(lengths)[::-1].tolist()):
        fitting = with_room >> length
        if fitting:
            room = length + (fitting & -fitting).bit_length() - 1
            row = room_of[room].pop()
            if not room_of[room]:
                with_room &= ~(1 << room)
        else:
            room, row = size, len(rows)
            rows.append([])
        rows[row].append(rank)
        if left := room - length:
            room_of.setdefault(left, []).append(row)
            with_room |= 1 << left
    starts = np.cumsum([0, *map(len, rows)])
    return Pattern(np.array([rank for row in rows for rank in row], dtype=np.int64), starts)
