"""The exact comparison of two texts: how alike, and in what they differ.

Similarity is the Sørensen–Dice coefficient of the two sets of shingles, 2·|A ∩ B| / (|A| + |B|): the share of word pairs that both
have. In terms of Jaccard: J = s / (2 − s), so 0.7 is J = 0.54.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from advisor.data.duplicates.kernel import NUMBER, OF_NUMBER, Counts, Flags, Hashes

Verdict = Literal["near", "template", "different"]

SHORT_WORDS, SHORT_SIMILARITY = 20, 0.85
"""Texts with fewer words need this similarity: one word of ten changes what is said."""
STRETCH_LEAST, STRETCH_MOST, STRETCHES = 12, 32, 3
"""Shingles in a stretch: a third of the shorter text, within these bounds."""
STRETCH_SHARED = 0.75
"""Share of a stretch that the other text has, in parts of the threshold, below which it is another text and no edit."""


def similarities(sets: Sequence[Hashes]) -> NDArray[np.float64]:
    """Return the Dice coefficient of the first and second set, the third and fourth, and so on: one sort for all of them.

    48 bits of each shingle are compared; that two of a pair of long texts agree in these by chance is one in 10^8.
    """
    sizes = np.array([len(members) for members in sets], dtype=np.int64).reshape(-1, 2).sum(axis=1)
    pair = np.repeat(np.arange(len(sizes), dtype=np.uint64) << np.uint64(48), sizes)
    together = pair | np.concatenate(sets) >> np.uint64(16)
    together.sort()
    common = (together[1:][together[1:] == together[:-1]] >> np.uint64(48)).astype(np.int64)
    shares: NDArray[np.float64] = 2 * np.bincount(common, minlength=len(sizes)) / np.maximum(sizes, 1)
    return shares


def contains(members: Hashes, values: Hashes) -> Flags:
    """Return which of `values` are among the sorted `members`."""
    places = np.searchsorted(members, values)
    found: Flags = members[np.minimum(places, len(members) - 1)] == values
    return found


def is_template(first: Hashes, second: Hashes) -> bool:
    """Return whether what each text has alone holds numbers on both sides, and mostly comes of numbers."""
    if not ((first & NUMBER).any() and (second & NUMBER).any()):
        return False
    return 2 * int(np.count_nonzero(first & OF_NUMBER) + np.count_nonzero(second & OF_NUMBER)) >= len(first) + len(second)


def has_own_stretch(shared: Flags, stretch: int, least: float) -> bool:
    """Return whether somewhere in a text fewer than `least` of `stretch` shingles on end are shared."""
    if len(shared) < stretch or len(shared) - int(np.count_nonzero(shared)) <= stretch - least:
        return False
    sums = np.zeros(len(shared) + 1, dtype=np.int64)
    np.cumsum(shared, out=sums[1:])
    return int((sums[stretch:] - sums[:-stretch]).min()) < least


def enough(alike: float, words: int, threshold: float) -> bool:
    """Return whether texts of which the shorter has so many words are alike enough."""
    return alike >= (threshold if words >= SHORT_WORDS else max(threshold, SHORT_SIMILARITY))


def verdict(first: tuple[Hashes, Hashes], second: tuple[Hashes, Hashes], threshold: float) -> Verdict:
    """Return what two texts are that are alike enough; of each the shingles in order, and their sorted set.

    Two texts of which each has a stretch of its own are different: they begin with one system prompt, then ask for different
    things. A copy that was cut off, or continued, has no stretch of its own, and edits scattered over a text leave none.
    """
    of_first, of_second = contains(second[1], first[0]), contains(first[1], second[0])
    if is_template(first[0][~of_first], second[0][~of_second]):
        return "template"
    stretch = min(max(min(len(of_first), len(of_second)) // STRETCHES, STRETCH_LEAST), STRETCH_MOST)
    least = STRETCH_SHARED * threshold * stretch
    return "different" if all(has_own_stretch(shared, stretch, least) for shared in (of_first, of_second)) else "near"


@dataclass(frozen=True, slots=True)
class Pairs:
    """Pairs to compare, with all that it takes: what a worker of a cluster is sent.

    texts: of each text the shingles in order, and their sorted set. first, second: places in `texts`. same_words, same_template:
    what their hashes say already. words: of the shorter text.
    """

    texts: list[tuple[Hashes, Hashes]]
    first: Counts
    second: Counts
    same_words: Flags
    same_template: Flags
    words: Counts
    threshold: float


def judged(pairs: Pairs) -> tuple[NDArray[np.float64], NDArray[np.str_]]:
    """Return how alike the texts of each pair are, and the verdict on each."""
    texts, both = pairs.texts, list(zip(pairs.first.tolist(), pairs.second.tolist(), strict=True))
    alike = similarities([texts[text][1] for pair in both for text in pair])
    alike[pairs.same_words] = 1.0
    verdicts = np.full(len(both), "different", dtype="U9")
    for place in np.flatnonzero(alike >= pairs.threshold).tolist():
        one, other = both[place]
        if pairs.same_words[place]:
            verdicts[place] = "near"
        elif pairs.same_template[place]:
            verdicts[place] = "template"
        elif enough(float(alike[place]), int(pairs.words[place]), pairs.threshold):
            verdicts[place] = verdict(texts[one], texts[other], pairs.threshold)
    return alike, verdicts
