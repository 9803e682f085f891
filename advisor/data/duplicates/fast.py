"""The inner loops compiled, where numba is installed. They return what the NumPy code returns, bit by bit."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np

from advisor.data.duplicates.characters import ALONE, CLASS_SHIFT, DIGIT_BIT, FOLDED, MARKS, SYLLABIC, WORD


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
_FIRST_MARK, _LAST_MARK = MARKS
_SHIFTS = (np.uint64(30), np.uint64(27), np.uint64(31))
_FACTORS = (np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))
_DROPPED, _OF_NUMBER, _NUMBER, _FLAGS = np.uint64(13), np.uint64(1), np.uint64(2), np.uint64(3)
_DIFFERENT, _NEAR, _TEMPLATE, _SIDES = 0, 1, 2, 2
_LEAST_PLACES = 16


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
def _mix(value: Any) -> Any:
    """Return `kernel.mix` of one value."""
    value = (value ^ (value >> _SHIFTS[0])) * _FACTORS[0]
    value = (value ^ (value >> _SHIFTS[1])) * _FACTORS[1]
    return value ^ (value >> _SHIFTS[2])


@compiled
def words(codes: Any, table: Any, texts: int, base: Any) -> Any:
    """Return (hash, has digits, is a syllable) of each word and the number of words before each text.

    codes: characters, with a NUL behind every text. table: see `characters.table`.
    """
    hashes = np.empty(len(codes), dtype=np.uint64)
    digits = np.zeros(len(codes), dtype=np.bool_)
    syllable = np.zeros(len(codes), dtype=np.bool_)
    first = np.zeros(texts + 1, dtype=np.int64)
    text, word, inside, power = 0, -1, False, _ONE
    for character in codes:
        if _FIRST_MARK <= character <= _LAST_MARK:
            continue
        entry = table[character]
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
    for place in range(word + 1):
        hashes[place] = _mix(hashes[place])
    return hashes[: word + 1], digits[: word + 1], syllable[: word + 1], first


assert ALONE > WORD  # the loop relies on the order of the classes


@compiled
def shingles(hashes: Any, digits: Any, syllable: Any, first: Any, step: Any, longest: int) -> Any:
    """Return the shingles of each text in their order, one text after the other; and how many each has."""
    texts = len(first) - 1
    made = np.empty(2 * len(hashes), dtype=np.uint64)
    sizes = np.zeros(texts, dtype=np.int64)
    count = 0
    for text in range(texts):
        start, end, before = first[text], first[text + 1], count
        for word in range(start, end):
            is_last = word == end - 1
            if not is_last or start == end - 1:
                pair, numbered = hashes[word] * step, digits[word]
                if not is_last:
                    pair += hashes[word + 1]
                    numbered |= digits[word + 1]
                if syllable[word]:
                    for other in range(word + 2, min(word + longest, end)):
                        pair = _mix(pair) * step + hashes[other]
                made[count] = _mix(pair) & ~_FLAGS | (_OF_NUMBER if numbered else _NONE)
                count += 1
            if digits[word]:
                made[count] = _mix(hashes[word] + step) & ~_FLAGS | _OF_NUMBER | _NUMBER
                count += 1
        sizes[text] = count - before
    return made[:count].copy(), sizes


@compiled
def spans(values: Any, starts: Any, ends: Any, base: Any) -> Any:
    """Return a hash of `values[start:end]` for each span, the order of the values included."""
    found = np.zeros(len(starts), dtype=np.uint64)
    for place in range(len(starts)):
        power, total = _ONE, _NONE
        for at in range(starts[place], ends[place]):
            total += values[at] * power
            power *= base
        found[place] = _mix(total)
    return found


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
                    of_numbers += (shingle & _OF_NUMBER) != _NONE
                    numbers |= (shingle & _NUMBER) != _NONE
                if at >= stretches[pair] and shared[at - stretches[pair]]:
                    before += 1
                if at + 1 >= stretches[pair]:
                    fewest = min(fewest, inside - before)
            with_numbers += numbers
            own += fewest < least[pair]
        told[pair] = _TEMPLATE if with_numbers == _SIDES and 2 * of_numbers >= alone else _DIFFERENT if own == _SIDES else _NEAR
    return told
