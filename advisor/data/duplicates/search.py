"""The search: same texts, same words, same templates by their hashes; then, band by band, candidates and their exact comparison."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from advisor.data.duplicates.candidates import agreeing, band_pairs, least_agreement
from advisor.data.duplicates.clusters import Groups, stars
from advisor.data.duplicates.kernel import HASHES, Counts, Flags, Hashes
from advisor.data.duplicates.store import COLUMNS, Store
from advisor.data.duplicates.verify import Verdict, compare, similarity

Found = tuple[list[int], list[float], int, Literal["near", "template"]]

PAIR_SHIFT = 32
"""A pair is one number: the first text's above the second's."""


class _Search:
    """The state of one search. Texts are numbered by the rank of their digest, `row` leads back to the input."""

    def __init__(self, store: Store, threshold: float, memory_limit: int | None) -> None:
        self.store, self.threshold = store, threshold
        self.row = distinct(store.column("digest"))
        self.words, self.sequence, self.template, self.numbers = (
            store.column(name)[self.row] for name in ("words", "sequence", "template", "numbers")
        )
        self.minima = _minima(store, memory_limit)
        self.near, self.templates = Groups(len(self.row)), Groups(len(self.row))
        self.edges: defaultdict[int, set[int]] = defaultdict(set)
        self.refused: Hashes = np.zeros(0, dtype=np.uint64)
        self.pairs = 0

    def same_words(self) -> Counts:
        """Connect texts with the same words in the same order, and equal templates; return the texts that stand for the others."""
        present = np.flatnonzero(self.words > 0)
        first, second = linked(self.sequence, present)
        self.near.join(first, second)
        self.pairs += len(first)
        for one, other in zip(first.tolist(), second.tolist(), strict=True):
            self._edge(one, other)
        standing = np.setdiff1d(present, second, assume_unique=True)
        self.templates.join(*linked(self.template, standing[self.template[standing] != 0]))
        return standing

    def band(self, texts: Counts, band: int, bands: int) -> None:
        """Compare the texts that share one band."""
        chosen = [
            self._worth(texts[first], texts[second]) for first, second in band_pairs(self.store, self.row[texts], band, bands)
        ]
        if not chosen:
            return
        pairs = np.unique(np.concatenate(chosen))
        pairs = pairs[~np.isin(pairs, self.refused)]
        verdicts = [self.compare(int(pair) >> PAIR_SHIFT, int(pair) & (1 << PAIR_SHIFT) - 1) for pair in pairs]
        kinds = np.array([verdict for _, verdict in verdicts], dtype="U9")
        first, second = unpack(pairs)
        self.near.join(first[kinds == "near"], second[kinds == "near"])
        self.templates.join(first[kinds == "template"], second[kinds == "template"])
        for one, other in zip(first[kinds == "near"].tolist(), second[kinds == "near"].tolist(), strict=True):
            self._edge(one, other)
        self.refused = np.union1d(self.refused, pairs[kinds != "near"])
        self.pairs += int(np.count_nonzero(kinds == "near"))

    def _worth(self, first: Counts, second: Counts) -> Hashes:
        """Return the pairs to compare exactly: not yet connected, no equal templates, alike by their minima."""
        near, other = self.near.root, self.templates.root
        open_ = near[first] != near[second]
        open_ &= (self.template[first] != self.template[second]) | (self.template[first] == 0)
        # Two rows of one template with different numbers are what is known already.
        open_ &= (other[first] != other[second]) | (self.numbers[first] == self.numbers[second])
        first, second = first[open_], second[open_]
        alike = agreeing(self.minima, self.row[first], self.row[second], least_agreement(self.threshold))
        return first[alike].astype(np.uint64) << np.uint64(PAIR_SHIFT) | second[alike].astype(np.uint64)

    def _edge(self, one: int, other: int) -> None:
        self.edges[one].add(other)
        self.edges[other].add(one)

    def compare(self, first: int, second: int) -> tuple[float, Verdict]:
        """Compare two texts exactly."""
        if self.sequence[first] == self.sequence[second]:
            return 1.0, "near"
        words = min(self.words[first], self.words[second])
        rows = self.row[first], self.row[second]
        alike, verdict = compare(lambda text: self.store.shingles(int(rows[text])), 0, 1, int(words), self.threshold)
        if verdict == "near" and self.template[first] == self.template[second] != 0:
            return alike, "template"
        return alike, verdict

    def _near(self, first: int, second: int) -> float | None:
        alike, verdict = self.compare(first, second)
        return alike if verdict == "near" else None

    def clusters(self) -> Iterator[Found]:
        """Yield (rows, similarity to the kept row, the kept row, kind)."""
        complete, length = self.store.column("complete")[self.row], self.store.column("length")[self.row]

        def best_first(members: Counts) -> Counts:
            return members[np.lexsort((members, -length[members], ~complete[members]))]

        for members in self.near.groups():
            for texts, alike in stars(best_first(members), self._near, lambda centre: self.edges[centre]):
                yield self._found(texts, alike, "near")
        for members in self.templates.groups():
            texts = best_first(members).tolist()
            sets = [self.store.shingles(int(self.row[texts[0]]))[1]]
            yield self._found(
                texts, [1.0, *(similarity(sets[0], self.store.shingles(int(self.row[text]))[1]) for text in texts[1:])], "template"
            )

    def _found(self, texts: list[int], alike: list[float], kind: Literal["near", "template"]) -> Found:
        rows = self.row[texts].tolist()
        both = sorted(zip(rows, alike, strict=True))
        return [row for row, _ in both], [value for _, value in both], rows[0], kind


def distinct(digests: NDArray[np.uint64]) -> Counts:
    """Return the first row of each different digest, in the order of the digests."""
    order = np.lexsort((digests[:, 1], digests[:, 0]))
    ordered = digests[order]
    first: Flags = np.ones(len(order), dtype=bool)
    first[1:] = (ordered[1:] != ordered[:-1]).any(axis=1)
    return order[first]


def linked(values: Hashes, texts: Counts) -> tuple[Counts, Counts]:
    """Return pairs that link each of `texts` to the first one with the same value."""
    order = texts[np.argsort(values[texts], kind="stable")]
    same = np.append(False, values[order][1:] == values[order][:-1]) if len(order) else np.zeros(0, dtype=bool)
    heads = order[np.maximum.accumulate(np.where(same, 0, np.arange(len(order))))] if len(order) else order
    return heads[same], order[same]


def unpack(pairs: Hashes) -> tuple[Counts, Counts]:
    """Return the two texts of each pair."""
    return (pairs >> np.uint64(PAIR_SHIFT)).astype(np.int64), (pairs & np.uint64((1 << PAIR_SHIFT) - 1)).astype(np.int64)


def _minima(store: Store, memory_limit: int | None) -> NDArray[Any]:
    """Return the minima in memory, or mapped from their file where they would take more than half of what may be taken."""
    if memory_limit is not None and store.rows * HASHES > memory_limit // 2:
        return np.memmap(store.folder / "minima", dtype=np.uint8, mode="r").reshape(-1, HASHES)
    return store.column("minima")


def search(store: Store, threshold: float, rows: int, memory_limit: int | None) -> tuple[list[Found], int]:
    """Return what was found among the texts of `store`, and the number of pairs found alike."""
    if not store.rows:
        return [], 0
    state = _Search(store, threshold, memory_limit)
    texts = state.same_words()
    bands = HASHES // rows
    for band in range(bands):
        state.band(texts, band, bands)
    return list(state.clusters()), state.pairs


assert COLUMNS["minima"].shape == (HASHES,)
