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
