"""The exact comparison of two texts: how alike, and in what they differ.

Similarity is the Sørensen–Dice coefficient of the two sets of shingles, 2·|A ∩ B| / (|A| + |B|): the share of word pairs that both
have. In terms of Jaccard: J = s / (2 − s), so 0.7 is J = 0.54.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np

from advisor.data.duplicates.kernel import NUMBER, OF_NUMBER, Flags, Hashes

Verdict = Literal["near", "template", "different"]

SHORT_WORDS, SHORT_SIMILARITY = 20, 0.85
"""Texts with fewer words need this similarity: one word of ten changes what is said."""
STRETCH_LEAST, STRETCH_MOST, STRETCHES = 12, 32, 4
"""Shingles in a stretch: a quarter of the shorter text, within these bounds."""
STRETCH_SHARED = 0.45
"""Share of a stretch that the other text has, below which the stretch is another text and no edit."""


def similarity(first: Hashes, second: Hashes) -> float:
    """Return the Dice coefficient of two sorted sets of shingles."""
    together = np.concatenate((first, second))
    if not len(together):
        return 0.0
    together.sort()
    return 2 * int(np.count_nonzero(together[1:] == together[:-1])) / len(together)


def contains(members: Hashes, values: Hashes) -> Flags:
    """Return which of `values` are among the sorted `members`."""
    places = np.searchsorted(members, values)
    found: Flags = members[np.minimum(places, len(members) - 1)] == values
    return found


def is_template(first: Hashes, second: Hashes) -> bool:
    """Return whether two sets differ in numbers on both sides, and mostly in numbers."""
    only_first, only_second = first[~contains(second, first)], second[~contains(first, second)]
    if not ((only_first & NUMBER).any() and (only_second & NUMBER).any()):
        return False
    numbered = np.count_nonzero(only_first & OF_NUMBER) + np.count_nonzero(only_second & OF_NUMBER)
    return 2 * int(numbered) >= len(only_first) + len(only_second)


def lowest_shared(shared: Flags, stretch: int) -> float:
    """Return the lowest share of True in `stretch` values on end."""
    sums = np.concatenate(([0], np.cumsum(shared)))
    return float((sums[stretch:] - sums[:-stretch]).min()) / stretch


def differ_in_a_part(first: Hashes, second: Hashes, first_set: Hashes, second_set: Hashes) -> bool:
    """Return whether each text has a stretch of its own: both begin with one system prompt, then ask for different things.

    A copy that was cut off, or continued, has no stretch of its own, and edits scattered over a text leave none.
    """
    stretch = min(max(min(len(first), len(second)) // STRETCHES, STRETCH_LEAST), STRETCH_MOST)
    if min(len(first), len(second)) < stretch:
        return False
    return all(
        lowest_shared(contains(other, own), stretch) < STRETCH_SHARED for own, other in ((first, second_set), (second, first_set))
    )


def compare(
    texts: Callable[[int], tuple[Hashes, Hashes]], first: int, second: int, words: int, threshold: float
) -> tuple[float, Verdict]:
    """Return the similarity of two texts and what it means. `texts` returns a text's shingles in order, and their sorted set."""
    first_order, first_set = texts(first)
    second_order, second_set = texts(second)
    alike = similarity(first_set, second_set)
    if alike < (threshold if words >= SHORT_WORDS else max(threshold, SHORT_SIMILARITY)):
        return alike, "different"
    if is_template(first_set, second_set):
        return alike, "template"
    if differ_in_a_part(first_order, second_order, first_set, second_set):
        return alike, "different"
    return alike, "near"
