"""The inner loops compiled, where numba is installed. They return what the NumPy code returns, bit by bit."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np

from advisor.data.duplicates.characters import ALONE, CLASS_SHIFT, DIGIT_BIT, FOLDED, SYLLABIC, WORD


def _compiler() -> Callable[..., Any] | None:
    """Return numba's compiler; None where numba is absent or does not fit the NumPy that is installed."""
    if find_spec("numba") is None:
        return None
    try:
        njit: Callable[..., Any] = import_module("numba").njit
    except ImportError:
        return None
    return njit


_NJIT = _compiler()
AVAILABLE = _NJIT is not None

_SHIFT, _DIGIT, _FOLDED = np.uint32(CLASS_SHIFT), np.uint32(DIGIT_BIT), np.uint32(FOLDED)
_ONE, _NONE = np.uint64(1), np.uint64(0)
_HIGHEST = np.uint32(0xFFFFFFFF)


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return `function` compiled at its first call, and kept on disk where there is a place; without numba, as it is."""
    if _NJIT is None:
        return function
    made: Callable[..., Any]
    try:
        made = _NJIT(cache=True, nogil=True)(function)
    except RuntimeError:  # neither the package's folder nor the user's can be written to
        made = _NJIT(nogil=True)(function)
    return made


@compiled
def words(entries: Any, texts: int, base: Any) -> Any:
    """Return (hash before mixing, has digits, is a syllable) of each word and the number of words before each text."""
    hashes = np.empty(len(entries), dtype=np.uint64)
    digits = np.zeros(len(entries), dtype=np.bool_)
    syllable = np.zeros(len(entries), dtype=np.bool_)
    first = np.zeros(texts + 1, dtype=np.int64)
    text, word, inside, power = 0, -1, False, _ONE
    for entry in entries:
        kind = entry >> _SHIFT
        code = np.uint64(entry & _FOLDED)
        if kind >= ALONE or (kind == WORD and not inside):
            word += 1
            hashes[word], power = _NONE, _ONE
            syllable[word] = kind == SYLLABIC
        if kind >= WORD:
            hashes[word] += code * power
            power *= base
            if entry & _DIGIT:
                digits[word] = True
        inside = kind == WORD
        if code == 0:
            text += 1
            first[text] = word + 1
    return hashes[: word + 1], digits[: word + 1], syllable[: word + 1], first


assert ALONE > WORD  # the loop relies on the order of the classes


@compiled
def minima(high: Any, low: Any, sizes: Any, factors: Any) -> Any:
    """Return (texts, hashes): the lowest value of each hash function over a text's shingles; 0 where there are none."""
    hashes = factors.shape[1]
    lowest = np.zeros((len(sizes), hashes), dtype=np.uint32)
    start = 0
    for text in range(len(sizes)):
        if sizes[text] == 0:
            continue
        row = lowest[text]
        row[:] = _HIGHEST
        for shingle in range(start, start + sizes[text]):
            for k in range(hashes):
                value = np.uint32(high[shingle] * factors[0, k] + low[shingle] * factors[1, k])
                row[k] = min(row[k], value)
        start += sizes[text]
    return lowest


_DROPPED, _OF_NUMBER, _NUMBER = np.uint64(13), np.uint64(1), np.uint64(2)
_DIFFERENT, _NEAR, _TEMPLATE, _SIDES = 0, 1, 2, 2
_LEAST_PLACES = 16


@compiled
def _table(sizes: Any, first: Any, second: Any) -> Any:
    """Return room for the shingles of the largest pair, and the marks of what stands there: 0, nothing yet."""
    largest = 0
    for pair in range(len(first)):
        largest = max(largest, sizes[first[pair]] + sizes[second[pair]])
    places = np.int64(_mask(largest)) + 1
    return np.zeros(places, dtype=np.uint64), np.zeros(places, dtype=np.int64)


@compiled
def _mask(count: Any) -> Any:
    """Return the mask of a table of which `count` entries fill at most half."""
    places = _LEAST_PLACES
    while places < 2 * count:
        places *= 2
    return np.uint64(places - 1)


@compiled
def _place(held: Any, marks: Any, value: Any, mask: Any, mark: Any) -> Any:
    """Return where `value` stands, or the free place where it would; what has a lower mark than `mark` is of an earlier pair."""
    place = value & mask
    while marks[place] >= mark and held[place] != value:
        place = (place + _ONE) & mask
    return place


@compiled
def similarities(shingles: Any, starts: Any, sizes: Any, first: Any, second: Any) -> Any:
    """Return the Dice coefficient of the shingles of each pair of texts, as sets, by a table of those of both."""
    shares = np.zeros(len(first), dtype=np.float64)
    held, marks = _table(sizes, first, second)
    for pair in range(len(first)):
        mask = _mask(sizes[first[pair]] + sizes[second[pair]])
        in_first, in_second, in_both = 3 * pair + 1, 3 * pair + 2, 3 * pair + 3
        distinct, common = 0, 0
        for at in range(starts[first[pair]], starts[first[pair]] + sizes[first[pair]]):
            place = _place(held, marks, shingles[at] >> _DROPPED, mask, in_first)
            if marks[place] < in_first:
                held[place], marks[place] = shingles[at] >> _DROPPED, in_first
                distinct += 1
        for at in range(starts[second[pair]], starts[second[pair]] + sizes[second[pair]]):
            place = _place(held, marks, shingles[at] >> _DROPPED, mask, in_first)
            if marks[place] < in_first:
                held[place], marks[place] = shingles[at] >> _DROPPED, in_second
                distinct += 1
            elif marks[place] == in_first:
                marks[place] = in_both
                distinct += 1
                common += 1
        shares[pair] = 2 * common / max(distinct, 1)
    return shares


@compiled
def verdicts(shingles: Any, starts: Any, sizes: Any, first: Any, second: Any, stretches: Any, least: Any) -> Any:
    """Return what pairs of texts are that are alike enough; see `verify.verdicts_of`."""
    told = np.zeros(len(first), dtype=np.uint8)
    held, marks = _table(sizes, first, second)
    shared = np.zeros(len(held), dtype=np.bool_)
    for pair in range(len(first)):
        mask = _mask(sizes[first[pair]] + sizes[second[pair]])
        mark, in_both = 2 * pair + 1, 2 * pair + 2
        for at in range(starts[first[pair]], starts[first[pair]] + sizes[first[pair]]):
            place = _place(held, marks, shingles[at] >> _DROPPED, mask, mark)
            held[place], marks[place] = shingles[at] >> _DROPPED, mark
        alone, of_numbers, with_numbers, own = 0, 0, 0, 0
        # The second text first: it marks what both have.
        for text in (second[pair], first[pair]):
            numbers, before, inside, fewest = False, 0, 0, stretches[pair]
            for at in range(sizes[text]):
                shingle = shingles[starts[text] + at]
                place = _place(held, marks, shingle >> _DROPPED, mask, mark)
                if text == first[pair]:
                    shared[at] = marks[place] == in_both
                else:
                    shared[at] = marks[place] >= mark
                    if shared[at]:
                        marks[place] = in_both
                if shared[at]:
                    inside += 1
                else:
                    alone += 1
                    of_numbers += np.int64(shingle & _OF_NUMBER)
                    numbers |= (shingle & _NUMBER) != _NONE
                if at >= stretches[pair] and shared[at - stretches[pair]]:
                    before += 1
                if at + 1 >= stretches[pair]:
                    fewest = min(fewest, inside - before)
            with_numbers += numbers
            own += fewest < least[pair]
        told[pair] = _TEMPLATE if with_numbers == _SIDES and 2 * of_numbers >= alone else _DIFFERENT if own == _SIDES else _NEAR
    return told
