"""The exact comparison of two texts: how alike, and in what they differ.

Similarity is the Sørensen–Dice coefficient of the two sets of shingles, 2·|A ∩ B| / (|A| + |B|): the share of word pairs that both
have. In terms of Jaccard: J = s / (2 − s), so 0.7 is J = 0.54.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from advisor.data.duplicates import fast
from advisor.data.duplicates.kernel import NUMBER, OF_NUMBER, Counts, Flags, Hashes

DIFFERENT, NEAR, TEMPLATE = 0, 1, 2
"""Verdicts on two texts."""
Verdicts = NDArray[np.uint8]

SHORT_WORDS, SHORT_SIMILARITY = 20, 0.85
"""Texts with fewer words need this similarity: one word of ten changes what is said."""
STRETCH_LEAST, STRETCH_MOST, STRETCHES = 12, 32, 3
"""Shingles in a stretch: a third of the shorter text, within these bounds."""
STRETCH_SHARED = 0.75
"""Share of a stretch that the other text has, in parts of the threshold, below which it is another text and no edit."""

MOST_PAIRS = 1 << 12
"""Pairs that are compared at once have numbers of 12 bits, which leaves 51 for a shingle and one for the side it stands on."""
_PAIR, _DROPPED, _SIDE = np.uint64(52), np.uint64(13), np.uint64(1)


@dataclass(frozen=True, slots=True)
class Pairs:
    """Pairs to compare, with all that it takes: what a worker of a cluster is sent.

    shingles: of the texts, one after another, each in its order; sizes: how many each has. first, second: the texts of each pair.
    same_words, same_template: what their hashes say already. words: of the shorter text.

    51 bits of a shingle are compared; that two of a pair of long texts agree in these by chance is one in 10^9.
    """

    shingles: Hashes
    sizes: Counts
    first: Counts
    second: Counts
    same_words: Flags
    same_template: Flags
    words: Counts
    threshold: float


def judged(pairs: Pairs) -> tuple[NDArray[np.float64], Verdicts]:
    """Return how alike the texts of each pair are, and the verdict on each. The same with numba and without."""
    alike: NDArray[np.float64] = (fast.similarities if fast.AVAILABLE else similarities)(*_texts(pairs), pairs.first, pairs.second)
    alike[pairs.same_words] = 1.0
    least = np.where(pairs.words >= SHORT_WORDS, pairs.threshold, max(pairs.threshold, SHORT_SIMILARITY))
    verdicts = np.full(len(alike), DIFFERENT, dtype=np.uint8)
    known = pairs.same_words | pairs.same_template
    verdicts[(alike >= pairs.threshold) & pairs.same_template] = TEMPLATE
    verdicts[pairs.same_words] = NEAR
    open_ = np.flatnonzero((alike >= least) & ~known)
    first, second = pairs.first[open_], pairs.second[open_]
    shorter = np.minimum(pairs.sizes[first], pairs.sizes[second])
    stretches = np.clip(shorter // STRETCHES, STRETCH_LEAST, STRETCH_MOST)
    told = (fast.verdicts if fast.AVAILABLE else verdicts_of)(
        *_texts(pairs), first, second, stretches, STRETCH_SHARED * pairs.threshold * stretches
    )
    verdicts[open_] = told
    return alike, verdicts


def _texts(pairs: Pairs) -> tuple[Hashes, Counts, Counts]:
    return pairs.shingles, np.cumsum(pairs.sizes) - pairs.sizes, pairs.sizes


def _side_by_side(shingles: Hashes, starts: Counts, sizes: Counts, first: Counts, second: Counts) -> tuple[Hashes, Hashes, Counts]:
    """Return the shingles of the first and second text of each pair in turn; a key of each; where each text begins.

    A key holds the pair, the shingle, and which of the two texts it stands in.
    """
    texts = np.stack((first, second), axis=1).ravel()
    lengths = sizes[texts]
    begins = np.cumsum(lengths) - lengths
    ordered = shingles[np.repeat(starts[texts] - begins, lengths) + np.arange(int(lengths.sum()))]
    sides = np.arange(len(texts), dtype=np.uint64)
    marks = sides >> _SIDE << _PAIR | sides & _SIDE
    return ordered, np.repeat(marks, lengths) | ordered >> _DROPPED << _SIDE, begins


def similarities(shingles: Hashes, starts: Counts, sizes: Counts, first: Counts, second: Counts) -> NDArray[np.float64]:
    """Return the Dice coefficient of the shingles of each pair of texts, as sets: one sort for all of them."""
    keys = _side_by_side(shingles, starts, sizes, first, second)[1]
    keys.sort()
    keys = keys[np.append(True, keys[1:] != keys[:-1])] if len(keys) else keys
    common = keys[1:][keys[1:] >> _SIDE == keys[:-1] >> _SIDE]
    pairs = np.arange(len(first), dtype=np.uint64) << _PAIR
    counts = [np.diff(np.searchsorted(some, pairs), append=len(some)) for some in (common, keys)]
    shares: NDArray[np.float64] = 2 * counts[0] / np.maximum(counts[1], 1)
    return shares


def verdicts_of(
    shingles: Hashes, starts: Counts, sizes: Counts, first: Counts, second: Counts, stretches: Counts, least: NDArray[np.float64]
) -> Verdicts:
    """Return what pairs of texts are that are alike enough.

    A template: what each text has alone holds numbers on both sides, and mostly comes of numbers. Different: each has a stretch
    of its own, so many shingles on end of which fewer than `least` are shared: they begin with one system prompt, then ask for
    different things. A copy that was cut off, or continued, has no stretch of its own, and edits scattered over a text leave none.
    """
    if not len(first):
        return np.zeros(0, dtype=np.uint8)
    ordered, keys, begins = _side_by_side(shingles, starts, sizes, first, second)
    shared = _shared(keys)
    alone = [~shared, ~shared & (ordered & OF_NUMBER != 0), ~shared & (ordered & NUMBER != 0)]
    all_, of_numbers, numbers = (np.add.reduceat(flags, begins, dtype=np.int64).reshape(-1, 2) for flags in alone)
    template = numbers.all(axis=1) & (2 * of_numbers.sum(axis=1) >= all_.sum(axis=1))
    lengths = np.diff(np.append(begins, len(keys)))
    sums = np.zeros(len(keys) + 1, dtype=np.int64)
    np.cumsum(shared, out=sums[1:])
    upto = np.arange(len(keys)) + np.repeat(np.repeat(stretches, 2), lengths)
    inside = upto <= np.repeat(begins + lengths, lengths)
    window = np.where(inside, sums[np.minimum(upto, len(keys))] - sums[:-1], STRETCH_MOST)
    own = np.minimum.reduceat(window, begins).reshape(-1, 2) < least[:, None]
    return np.where(template, TEMPLATE, np.where(own.all(axis=1), DIFFERENT, NEAR)).astype(np.uint8)


def _shared(keys: Hashes) -> Flags:
    """Return which shingles stand in both texts of their pair."""
    order = np.argsort(keys)
    ordered = keys[order]
    begins = np.flatnonzero(np.append(True, ordered[1:] >> _SIDE != ordered[:-1] >> _SIDE))
    ends = np.append(begins[1:], len(ordered))
    both = ordered[begins] & _SIDE != ordered[ends - 1] & _SIDE
    shared: Flags = np.empty(len(keys), dtype=bool)
    shared[order] = np.repeat(both, ends - begins)
    return shared
