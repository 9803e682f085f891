"""From pieces to the tensors of a step: which rows a process takes, and several documents in one line without padding."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

from advisor_trainer.arena import Arena, IntArray, Pieces
from advisor_trainer.packing import Pattern, alone, best_fit

IGNORED = -100


@dataclass(frozen=True, slots=True)
class Micro:
    """What one process takes in one forward pass. rows: its packed rows, as numbers of pieces.

    labels, tokens: of all processes together, which every process knows from the plan without asking the others.
    """

    rows: tuple[IntArray, ...]
    labels: int
    tokens: int

    @property
    def pieces(self) -> list[int]:
        """The pieces in it."""
        return [int(piece) for row in self.rows for piece in row]


class Plan:
    """The micro-batches of each epoch for one process: a function of the data, the seed and the epoch."""

    def __init__(
        self,
        pieces: Pieces,
        *,
        size: int,
        batch: int,
        packing: bool,
        seed: int,
        shuffle: bool = True,
        rank: int = 0,
        world: int = 1,
    ) -> None:
        self.pieces, self.seed, self.shuffle = pieces, seed, shuffle
        self.batch, self.rank, self.world = batch, rank, world
        self.epoch = 0
        self.pattern: Pattern = best_fit(pieces.length, size) if packing else alone(pieces.length)

    def __len__(self) -> int:
        return -(-len(self.pattern) // (self.batch * self.world))

    def set_epoch(self, epoch: int) -> None:
        """Begin with this epoch the next time."""
        self.epoch = epoch

    def of_epoch(self, epoch: int) -> Iterator[Micro]:
        """Yield the micro-batches of an epoch."""
        order = self.pattern.order(self.pieces.length, self.seed, epoch, shuffle=self.shuffle)
        whole = self.batch * self.world
        for first in range(0, len(order), whole):
            together = np.concatenate(order[first : first + whole])
            mine = first + self.rank * self.batch
            labels, tokens = self.pieces.labels[together].sum(), self.pieces.length[together].sum()
            yield Micro(tuple(order[mine : min(mine + self.batch, first + whole)]), int(labels), int(tokens))

    def __iter__(self) -> Iterator[list[Micro]]:
        for micro in self.of_epoch(self.epoch):
            yield [micro]


class Lines(Dataset[dict[str, Any]]):
    """Makes the tensors of a micro-batch. size: length that every packed row is filled up to, 0 for none."""

    def __init__(self, arena: Arena, pieces: Pieces, *, size: int = 0, filler: int = 0) -> None:
        self._arena, self._pieces, self._size, self._filler = arena, pieces, size, filler

    def __len__(self) -> int:
        return len(self._pieces)

    def __getitem__(self, micro: Micro) -> dict[str, Any]:
        """Return ids, positions and targets of all documents in one line, and where documents end."""
        ids: list[Any] = []
        masks: list[Any] = []
        lengths: list[int] = []
        for row in micro.rows:
            filled = 0
            for piece in row:
                begin, length = int(self._pieces.begin[piece]), int(self._pieces.length[piece])
                ids.append(self._arena.tokens[begin : begin + length])
                masks.append(self._arena.mask[begin : begin + length])
                lengths.append(length)
                filled += length
            self._fill(ids, masks, lengths, self._size - filled)
        if not lengths:
            # A process without a row in the last step of an epoch takes part with one token that counts for nothing.
            self._fill(ids, masks, lengths, self._size or 1)
        return _tensors(np.concatenate(ids), np.concatenate(masks), lengths) | {"micro": micro}

    def _fill(self, ids: list[Any], masks: list[Any], lengths: list[int], room: int) -> None:
        if room > 0:
            ids.append(np.full(room, self._filler, dtype=np.int32))
            masks.append(np.zeros(room, dtype=np.uint8))
            lengths.append(room)


def _tensors(ids: Any, mask: Any, lengths: list[int]) -> dict[str, Any]:
    ends = np.cumsum(lengths)
    starts = ends - lengths
    predicted = mask.copy()
    predicted[starts] = 0  # the first token of a document is predicted from nothing
    keep = np.flatnonzero(predicted) - 1
    targets = ids[keep + 1].astype(np.int64)
    if not len(keep):
        keep, targets = np.zeros(1, dtype=np.int64), np.full(1, IGNORED, dtype=np.int64)
    positions = np.arange(len(ids)) - np.repeat(starts, lengths)
    return {
        "input_ids": torch.from_numpy(ids.astype(np.int64))[None],
        "position_ids": torch.from_numpy(positions)[None],
        "logits_to_keep": torch.from_numpy(keep),
        "targets": torch.from_numpy(targets),
        "segments": tuple(lengths),
        "ends": torch.from_numpy(np.concatenate(([0], ends)).astype(np.int32)),
        "longest": max(lengths),
    }


def _only(items: list[dict[str, Any]]) -> dict[str, Any]:
    return items[0]


class Loader(DataLoader[dict[str, Any]]):
    """A loader that follows a plan; the Trainer sets its epoch and skips into the middle of one on resume."""

    def __init__(self, lines: Lines, plan: Plan, *, pin: bool, workers: int) -> None:
        # A generator of its own: taking one from torch's would move the state that dropout is drawn from. Workers are forked so
        # that they share the mapped tokens instead of copying them.
        super().__init__(
            lines, batch_sampler=plan, collate_fn=_only, pin_memory=pin, num_workers=workers,
            generator=torch.Generator(), multiprocessing_context="fork" if workers else None,
        )  # fmt: skip
        self._plan = plan

    def set_epoch(self, epoch: int) -> None:
        """Begin with this epoch the next time."""
        self._plan.set_epoch(epoch)
