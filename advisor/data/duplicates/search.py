"""The search: same texts, same words, same templates by their hashes; then, band by band, candidates and their exact comparison."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from advisor.data.duplicates.candidates import agreeing, band_pairs, least_agreement
from advisor.data.duplicates.clusters import Groups, stars
from advisor.data.duplicates.engines import Engine
from advisor.data.duplicates.kernel import HASHES, Counts, Flags, Hashes
from advisor.data.duplicates.store import Store
from advisor.data.duplicates.verify import MOST_PAIRS, NEAR, TEMPLATE, Pairs, Verdicts, judged

Found = tuple[list[int], list[float], int, Literal["near", "template"]]

PAIR_SHIFT = 32
"""A pair is one number: the first text's above the second's."""
COMPARED, COMPARED_SHINGLES = MOST_PAIRS, 1 << 20
"""Pairs, and shingles of theirs, compared at once: some 60 MB of working memory per thread."""


class _Search:
    """The state of one search. Texts are numbered by the rank of their digest, `row` leads back to the input."""

    def __init__(self, store: Store, threshold: float, memory_limit: int | None, run: Engine) -> None:
        self.store, self.threshold, self.run = store, threshold, run
        self.row = distinct(store.column("digest"))
        self.words, self.sequence, self.template, self.numbers, self.sizes = (
            store.column(name)[self.row] for name in ("words", "sequence", "template", "numbers", "sizes")
        )
        self.minima = _minima(store, memory_limit)
        self.near, self.templates = Groups(len(self.row)), Groups(len(self.row))
        self.alike: list[Hashes] = []
        self.refused: Hashes = np.zeros(0, dtype=np.uint64)

    def same_words(self) -> Counts:
        """Connect texts with the same words in the same order, and equal templates; return the texts that stand for the others."""
        present = np.flatnonzero(self.words > 0)
        first, second = linked(self.sequence, present)
        self.near.join(first, second)
        self.alike.append(pack(first, second))
        standing = np.setdiff1d(present, second, assume_unique=True)
        self.templates.join(*linked(self.template, standing[self.template[standing] != 0]))
        return standing

    def band(self, texts: Counts, band: int, bands: int) -> None:
        """Compare the texts that share one band: neighbours in a bucket first, then those these did not connect."""
        pairs = band_pairs(self.store, self.row[texts], band, bands)
        self._wave([self._worth(texts[first], texts[second]) for first, second in islice(pairs, 1)])
        self._wave([self._worth(texts[first], texts[second]) for first, second in pairs])

    def _wave(self, chosen: list[Hashes]) -> None:
        """Compare these pairs, those refused before left out, and connect those alike."""
        pairs = once(np.concatenate(chosen)) if chosen else self.refused[:0]
        first, second = unpack(pairs[~among(self.refused, pairs)])
        _, verdicts = self.compare(first, second)
        near, template = verdicts == NEAR, verdicts == TEMPLATE
        self.near.join(first[near], second[near])
        self.templates.join(first[template], second[template])
        self.alike.append(pack(first[near], second[near]))
        self.refused = once(np.concatenate((self.refused, pack(first[~near], second[~near]))))

    def _worth(self, first: Counts, second: Counts) -> Hashes:
        """Return the pairs to compare exactly: not yet connected, no equal templates, alike by their minima."""
        near, other = self.near.root, self.templates.root
        open_ = near[first] != near[second]
        open_ &= (self.template[first] != self.template[second]) | (self.template[first] == 0)
        # Two rows of one template with different numbers are what is known already.
        open_ &= (other[first] != other[second]) | (self.numbers[first] == self.numbers[second])
        first, second = first[open_], second[open_]
        alike = agreeing(self.minima, self.row[first], self.row[second], least_agreement(self.threshold))
        return pack(first[alike], second[alike])

    def compare(self, first: Counts, second: Counts) -> tuple[NDArray[np.float64], Verdicts]:
        """Return how alike these pairs of texts are, and the verdict on each."""
        # What one worker would be sent is done sooner here.
        run = self.run if len(first) > COMPARED else map
        found = [(np.zeros(0), np.zeros(0, dtype=np.uint8)), *run(judged, self._parts(first, second))]
        return np.concatenate([alike for alike, _ in found]), np.concatenate([verdicts for _, verdicts in found])

    def _parts(self, first: Counts, second: Counts) -> Iterator[Pairs]:
        """Yield the pairs in parts of at most so many pairs and, but for a single one, so many shingles."""
        ends = np.cumsum(self.sizes[first] + self.sizes[second])
        start = 0
        while start < len(first):
            before = int(ends[start - 1]) if start else 0
            fitting = int(np.searchsorted(ends, before + COMPARED_SHINGLES, side="right"))
            end = min(max(fitting, start + 1), start + COMPARED)
            yield self._pairs(first[start:end], second[start:end])
            start = end

    def _pairs(self, first: Counts, second: Counts) -> Pairs:
        texts, places = np.unique(np.concatenate((first, second)), return_inverse=True)
        return Pairs(
            np.concatenate([self.store.shingles(row) for row in self.row[texts].tolist()]), self.sizes[texts],
            places[: len(first)], places[len(first) :],
            self.sequence[first] == self.sequence[second],
            (self.template[first] == self.template[second]) & (self.template[first] != 0),
            np.minimum(self.words[first], self.words[second]), self.threshold,
        )  # fmt: skip

    def _near(self, first: Counts, second: Counts) -> tuple[NDArray[np.float64], Flags]:
        alike, verdicts = self.compare(first, second)
        return alike, verdicts == NEAR

    def clusters(self) -> Iterator[Found]:
        """Yield (rows, similarity to the kept row, the kept row, kind)."""
        complete, length = self.store.column("complete")[self.row], self.store.column("length")[self.row]
        rank = np.empty(len(self.row), dtype=np.int64)
        rank[np.lexsort((np.arange(len(self.row)), -length, ~complete))] = np.arange(len(self.row))
        near, templates = (
            [members[np.argsort(rank[members])] for members in groups.groups()] for groups in (self.near, self.templates)
        )
        compared = Compared(once(np.concatenate([swapped(pairs) for pairs in self.alike] + self.alike)))
        for texts, alike in stars(near, self._near, compared.neighbours):
            yield self._found(texts, alike, "near")
        first = [np.full(len(members), members[0]) for members in templates]
        similar = iter(self.compare(joined(first), joined(templates))[0].tolist())
        for members in templates:
            yield self._found(members.tolist(), list(islice(similar, len(members))), "template")

    def _found(self, texts: list[int], alike: list[float], kind: Literal["near", "template"]) -> Found:
        rows = self.row[texts].tolist()
        both = sorted(zip(rows, alike, strict=True))
        return [row for row, _ in both], [value for _, value in both], rows[0], kind


class Compared:
    """Pairs found alike, each in both directions, sorted."""

    def __init__(self, pairs: Hashes) -> None:
        self.pairs = pairs

    def neighbours(self, text: int) -> Counts:
        """Return the texts that were found alike with `text`."""
        first, last = np.searchsorted(self.pairs, np.array([text, text + 1], dtype=np.uint64) << np.uint64(PAIR_SHIFT))
        return unpack(self.pairs[first:last])[1]


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


def once(values: Hashes) -> Hashes:
    """Return the different values, sorted."""
    ordered = np.sort(values)
    return ordered[np.append(True, ordered[1:] != ordered[:-1])] if len(ordered) else ordered


def among(members: Hashes, values: Hashes) -> Flags:
    """Return which `values` are among the sorted `members`, of which there may be none."""
    if not len(members):
        return np.zeros(len(values), dtype=bool)
    found: Flags = members[np.minimum(np.searchsorted(members, values), len(members) - 1)] == values
    return found


def joined(parts: list[Counts]) -> Counts:
    """Return the parts one after another; there may be none."""
    return np.concatenate(parts) if parts else np.zeros(0, dtype=np.int64)


def pack(first: Counts, second: Counts) -> Hashes:
    """Return each pair as one number."""
    return first.astype(np.uint64) << np.uint64(PAIR_SHIFT) | second.astype(np.uint64)


def swapped(pairs: Hashes) -> Hashes:
    """Return each pair with its texts exchanged."""
    first, second = unpack(pairs)
    return pack(second, first)


def unpack(pairs: Hashes) -> tuple[Counts, Counts]:
    """Return the two texts of each pair."""
    return (pairs >> np.uint64(PAIR_SHIFT)).astype(np.int64), (pairs & np.uint64((1 << PAIR_SHIFT) - 1)).astype(np.int64)


def _minima(store: Store, memory_limit: int | None) -> NDArray[Any]:
    """Return the minima in memory, or mapped from their file where they would take more than half of what may be taken."""
    if memory_limit is not None and store.rows * HASHES > memory_limit // 2:
        return np.memmap(store.folder / "minima", dtype=np.uint8, mode="r").reshape(-1, HASHES)
    return store.column("minima")


def search(store: Store, threshold: float, rows: int, memory_limit: int | None, run: Engine) -> tuple[list[Found], int]:
    """Return what was found among the texts of `store`, and the number of pairs found alike; `run` has the pairs compared."""
    if not store.rows:
        return [], 0
    state = _Search(store, threshold, memory_limit, run)
    texts = state.same_words()
    bands = HASHES // rows
    for band in range(bands):
        state.band(texts, band, bands)
    return list(state.clusters()), sum(map(len, state.alike))
