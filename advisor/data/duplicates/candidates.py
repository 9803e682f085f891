"""Which texts are worth comparing: those that share a band, and whose MinHash says that they may be alike enough.

Never quadratic: in a bucket of up to 64 texts each is compared with each, in a larger one each with the next few, sorted by the
neighbouring band so that like lies beside like. Texts are numbered by their content, so the order they came in changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from advisor.data.duplicates.kernel import HASHES, Counts, Flags, Hashes
from advisor.data.duplicates.store import Store

BUCKET_PAIRS, LEAST_NEIGHBOURS = 4096, 2
"""A bucket of m texts compares each with its next BUCKET_PAIRS // m, at least the least."""
RECALL_AT_THRESHOLD = 0.93
"""Chance to share a band that two texts exactly at the threshold must have; above it the chance only rises."""
DEVIATIONS = 2.5
"""Standard errors by which the estimated similarity may lie below the threshold."""
CHUNK = 1 << 16
"""Pairs whose minima are compared at once: 16 MB."""


def jaccard(dice: float) -> float:
    """Return the Jaccard similarity of two sets with this Dice coefficient."""
    return dice / (2 - dice)


def rows_per_band(threshold: float) -> int:
    """Return the most hashes to a band with which texts at the threshold are still found."""
    level = jaccard(threshold)
    fitting = [rows for rows in range(1, HASHES + 1) if 1 - (1 - level**rows) ** (HASHES // rows) >= RECALL_AT_THRESHOLD]
    return max(fitting, default=1)


def least_agreement(threshold: float) -> int:
    """Return how many of the minima must agree for an exact comparison."""
    level = jaccard(threshold)
    return int(HASHES * level - DEVIATIONS * (HASHES * level * (1 - level)) ** 0.5)


def bucket_pairs(keys: Hashes, following: Hashes) -> Iterator[tuple[Counts, Counts]]:
    """Yield pairs of indices with equal `keys`, first < second; buckets too large for all pairs are sorted by `following`."""
    order = np.argsort(keys)
    ordered = keys[order]
    alike = ordered[1:] == ordered[:-1]
    shared = np.zeros(len(keys), dtype=bool)
    shared[1:] |= alike
    shared[:-1] |= alike
    members = order[shared]
    if not len(members):
        return
    members = members[np.lexsort((members, following[members], keys[members]))]
    starts = np.flatnonzero(np.append(True, keys[members][1:] != keys[members][:-1]))
    sizes = np.diff(np.append(starts, len(members)))
    last = np.repeat(starts + sizes - 1, sizes)
    reach = np.repeat(np.maximum(BUCKET_PAIRS // sizes, LEAST_NEIGHBOURS), sizes)
    upto = np.minimum(np.arange(len(members)) + reach, last)
    at, distance = np.flatnonzero(upto > np.arange(len(members))), 1
    while len(at):
        one, other = members[at], members[at + distance]
        yield np.minimum(one, other), np.maximum(one, other)
        distance += 1
        at = at[upto[at] >= at + distance]


def agreeing(minima: np.ndarray[tuple[int, int], np.dtype[np.uint8]], first: Counts, second: Counts, least: int) -> Flags:
    """Return which pairs agree in at least `least` minima."""
    found = np.empty(len(first), dtype=bool)
    for at in range(0, len(first), CHUNK):
        chunk = slice(at, at + CHUNK)
        found[chunk] = np.count_nonzero(minima[first[chunk]] == minima[second[chunk]], axis=1) >= least
    return found


def band_pairs(store: Store, rows: Counts, band: int, bands: int) -> Iterator[tuple[Counts, Counts]]:
    """Yield pairs of indices into `rows` whose texts share this band."""
    keys = store.band(band)[rows]
    yield from bucket_pairs(keys, store.band((band + 1) % bands)[rows])
