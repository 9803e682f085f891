"""From texts to sketches: words, shingles, MinHash.

A shingle is a pair of neighbouring words; a Chinese, Japanese or Korean character is a word; a word with digits is a shingle of
its own as well, so that texts that differ in their numbers are less alike. Everything is computed for many texts at once.

MinHash: A. Z. Broder, "On the resemblance and containment of documents", 1997; bands: Leskovec, Rajaraman, Ullman,
"Mining of Massive Datasets", chapter 3.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import blake2b
from typing import Any

import numpy as np
from numpy.typing import NDArray

from advisor.data.duplicates import fast
from advisor.data.duplicates.characters import (
    ALONE,
    CLASS_SHIFT,
    CLOSING,
    DIGIT_BIT,
    FOLDED,
    GAP,
    SYLLABIC,
    WORD,
    is_mark,
    table,
)

Hashes = NDArray[np.uint64]
Counts = NDArray[np.int64]
Flags = NDArray[np.bool_]

HASHES = 128
"""MinHash values per text: the similarity they estimate has a standard error of at most 0.5 / √128 = 0.044."""
SYLLABLES = 5
"""Characters in a shingle of a script that is written without gaps, where no word boundary is at hand."""
OF_NUMBER, NUMBER = np.uint64(1), np.uint64(2)
"""Bits of a shingle: it holds a word with digits; it is a word with digits."""

_BASE, _STEP, _MASKED = 0xD6E8FEB86659FD93, np.uint64(0x9E3779B97F4A7C15), np.uint64(0x2545F4914F6CDD1D)
_BLOCK = 1 << 15
"""Shingles hashed at once: what fits a core's own cache."""


@dataclass(frozen=True, slots=True)
class Sketches:
    """What is kept of a batch of texts: one entry per text in each array, and the shingles of all texts one after the other."""

    digest: NDArray[np.bytes_]
    """BLAKE2b of the text, 16 bytes: texts with the same digest are the same."""
    length: Counts
    """Characters."""
    complete: Flags
    """Whether the text ends as a finished one does."""
    words: Counts
    sequence: Hashes
    """Hash of the words in their order."""
    template: Hashes
    """Hash of the words in their order, one placeholder for every word with digits; 0 where hardly a word is left."""
    sizes: Counts
    """Number of shingles."""
    numbers: Hashes
    """Hash of the words with digits, whatever their order; 0 where there are none."""
    shingles: Hashes
    """In the order of the text."""
    bands: Hashes
    """(texts, bands): texts with an equal value in one column are compared."""
    minima: NDArray[np.uint8]
    """(texts, HASHES): the lowest hashes, a byte each; the share of equal ones estimates the Jaccard similarity."""


def mix(values: Hashes) -> Hashes:
    """Return `values` scrambled: the finaliser of SplitMix64 (Steele, Lea, Flood 2014)."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


@cache
def _powers(count: int) -> tuple[Hashes, Hashes]:
    """Return the first `count` powers of an odd base modulo 2^64, and of its inverse."""
    both = []
    for base in (_BASE, pow(_BASE, -1, 1 << 64)):
        factors = np.full(count, base, dtype=np.uint64)
        factors[0] = 1
        both.append(np.multiply.accumulate(factors))
    return both[0], both[1]


def powers(count: int) -> tuple[Hashes, Hashes]:
    """Return at least `count` powers; sizes are rounded up so that few tables are kept."""
    return _powers(1 << max(16, (count - 1).bit_length()))


def spans(values: Hashes, starts: Counts, ends: Counts) -> Hashes:
    """Return a hash of `values[start:end]` for each span, the order of the values included."""
    if fast.AVAILABLE:
        hashed: Hashes = fast.spans(values, starts, ends, np.uint64(_BASE))
        return hashed
    forth, back = powers(len(values) + 1)
    sums = np.zeros(len(values) + 1, dtype=np.uint64)
    np.cumsum(values * forth[: len(values)], out=sums[1:])
    return mix((sums[ends] - sums[starts]) * back[starts])


@dataclass(frozen=True, slots=True)
class _Words:
    """The words of a batch: a hash of each, whether it has digits, whether it is a syllable; and each text's first and last."""

    hashes: Hashes
    digits: Flags
    syllable: Flags
    first: Counts
    last: Counts


def _characters(texts: Sequence[str]) -> NDArray[np.uint32]:
    """Return all characters, with a NUL behind every text."""
    joined = "".join([(text.replace("\0", " ") if "\0" in text else text) + "\0" for text in texts])
    return np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)


def _words(texts: Sequence[str]) -> _Words:
    codes = _characters(texts)
    if fast.AVAILABLE:
        hashes, digits, syllable, first = fast.words(codes, table(), len(texts), np.uint64(_BASE))
        return _Words(hashes, digits, syllable, first[:-1], first[1:])
    entries = table()[codes[~marks] if (marks := is_mark(codes)).any() else codes]
    kinds = (entries >> np.uint32(CLASS_SHIFT)).astype(np.uint8)
    inside, alone = kinds == WORD, kinds >= ALONE
    opens, closes = inside | alone, np.zeros(len(kinds) + 1, dtype=bool)
    opens[1:] &= ~(inside[1:] & inside[:-1])
    closes[1:-1] = alone[:-1] | (inside[:-1] & ~inside[1:])
    starts, ends = np.flatnonzero(opens), np.flatnonzero(closes)
    folded = entries & np.uint32(FOLDED)
    bounds = np.searchsorted(starts, np.flatnonzero(folded == 0))
    digits = np.zeros(len(starts), dtype=bool)
    digits[np.searchsorted(starts, np.flatnonzero(entries & np.uint32(DIGIT_BIT)), side="right") - 1] = True
    hashes = spans(folded.astype(np.uint64), starts, ends)
    return _Words(hashes, digits, kinds[starts] == SYLLABIC, np.concatenate(([0], bounds[:-1])), bounds)


def _shingles(words: _Words) -> tuple[Hashes, Counts]:
    """Return the shingles of each text in their order, one text after the other; and how many each has."""
    if fast.AVAILABLE:
        first = np.append(words.first, words.last[-1:])
        made: tuple[Hashes, Counts] = fast.shingles(words.hashes, words.digits, words.syllable, first, _STEP, SYLLABLES)
        return made
    texts = len(words.first)
    counts = words.last - words.first
    owner = np.repeat(np.arange(texts, dtype=np.uint64), counts)
    following = np.append(words.hashes[1:], np.uint64(0))
    is_last = np.zeros(len(owner), dtype=bool)
    is_last[words.last[counts > 0] - 1] = True
    pairs = words.hashes * _STEP + np.where(is_last, np.uint64(0), following)
    numbered = words.digits | (np.append(words.digits[1:], False) & ~is_last)
    if words.syllable.any():
        pairs = _longer(words, owner, pairs)
    # A text of one word has no pair; the word stands for it.
    kept = ~is_last | (np.repeat(counts, counts) == 1)
    pairs = _flagged(mix(pairs[kept]), numbered[kept].astype(np.uint64))
    numbers = _flagged(mix(words.hashes[words.digits] + _STEP), OF_NUMBER | NUMBER)
    # Numbers stand behind the pair they begin: the order of the text is kept.
    behind = np.cumsum(kept) + np.cumsum(words.digits)
    shingles = np.empty(len(pairs) + len(numbers), dtype=np.uint64)
    shingles[behind[kept] - words.digits[kept] - 1] = pairs
    shingles[behind[words.digits] - 1] = numbers
    bounds = np.concatenate(([0], behind))
    return shingles, bounds[words.last] - bounds[words.first]


def _longer(words: _Words, owner: Hashes, pairs: Hashes) -> Hashes:
    """Return `pairs` with longer shingles where a script without gaps begins one."""
    longer = pairs.copy()
    for distance in range(2, SYLLABLES):
        if distance < len(owner):
            same = owner[distance:] == owner[:-distance]
            longer[:-distance] = np.where(same, mix(longer[:-distance]) * _STEP + words.hashes[distance:], longer[:-distance])
    return np.where(words.syllable, longer, pairs)


def _flagged(hashes: Hashes, flags: Hashes | np.uint64) -> Hashes:
    """Return `hashes` with their two lowest bits replaced by flags."""
    replaced: Hashes = hashes & ~np.uint64(3) | flags
    return replaced


@cache
def _multipliers() -> NDArray[np.uint32]:
    drawn = np.random.default_rng(20240229).integers(0, 1 << 31, (2, HASHES), dtype=np.uint32)
    return drawn << np.uint32(1) | np.uint32(1)


def _minima(shingles: Hashes, sizes: Counts) -> NDArray[np.uint32]:
    """Return (texts, HASHES): the lowest value of each hash function over a text's shingles."""
    lowest = np.zeros((HASHES, len(sizes)), dtype=np.uint32)
    spread = shingles * _STEP
    high, low = (spread >> np.uint64(32)).astype(np.uint32), (spread & np.uint64(0xFFFFFFFF)).astype(np.uint32)
    factors = _multipliers()
    if fast.AVAILABLE:
        compiled: NDArray[np.uint32] = fast.minima(high, low, sizes, factors)
        return compiled
    present = np.flatnonzero(sizes)
    offsets = np.cumsum(sizes[present]) - sizes[present]
    ends = np.append(offsets[1:], len(shingles))
    at = 0
    while at < len(present):
        upto = max(at + 1, int(np.searchsorted(ends, offsets[at] + _BLOCK, side="right")))
        block, places = slice(offsets[at], ends[upto - 1]), offsets[at:upto] - offsets[at]
        first, second = np.empty_like(high[block]), np.empty_like(high[block])
        for k in range(HASHES):
            np.multiply(high[block], factors[0, k], out=first)
            np.multiply(low[block], factors[1, k], out=second)
            first += second
            lowest[k, present[at:upto]] = np.minimum.reduceat(first, places)
        at = upto
    return np.ascontiguousarray(lowest.T)


def _bands(lowest: NDArray[np.uint32], rows: int) -> Hashes:
    """Return (texts, HASHES // rows): a hash of each `rows` minima."""
    bands = HASHES // rows
    groups = lowest[:, : bands * rows].reshape(len(lowest), bands, rows)
    keys = np.zeros(groups.shape[:2], dtype=np.uint64)
    for row in range(rows):
        keys = mix(keys + _STEP + groups[:, :, row])
    return keys


def _within(values: NDArray[Any], words: _Words) -> NDArray[Any]:
    """Return the sum of `values`, one per word, over the words of each text."""
    sums = np.zeros(len(values) + 1, dtype=values.dtype)
    np.cumsum(values, out=sums[1:])
    found: NDArray[Any] = sums[words.last] - sums[words.first]
    return found


def sketch(texts: Sequence[str], rows: int) -> Sketches:
    """Return the sketches of at most 65,536 texts, with `rows` hashes to a band. The same with numba and without."""
    words = _words(texts)
    shingles, sizes = _shingles(words)
    lowest = _minima(shingles, sizes)
    counts = words.last - words.first
    plain = counts - _within(words.digits.astype(np.int64), words)
    template = spans(np.where(words.digits, _MASKED, words.hashes), words.first, words.last)
    ends = [text.rstrip()[-1:] for text in texts]
    return Sketches(
        digest=np.array([blake2b(t.encode("utf-8", "surrogatepass"), digest_size=16).digest() for t in texts], dtype="V16"),
        length=np.fromiter(map(len, texts), dtype=np.int64, count=len(texts)),
        complete=np.isin(np.array([ord(end) if end else 0 for end in ends], dtype=np.uint32), CLOSING),
        words=counts,
        sequence=spans(words.hashes, words.first, words.last),
        template=np.where(plain >= LEAST_PLAIN, template, np.uint64(0)),
        sizes=sizes,
        numbers=_within(np.where(words.digits, mix(words.hashes), np.uint64(0)), words),
        shingles=shingles,
        bands=_bands(lowest, rows),
        # The upper bits of a minimum are nearly always 0: multiply, then take the upper byte.
        minima=(lowest * np.uint32(0x9E3779B1) >> np.uint32(24)).astype(np.uint8),
    )


LEAST_PLAIN = 3
"""Words without digits below which a text is no template: "42" and "17" repeat nothing."""
assert GAP == 0  # the NUL between texts is a gap
