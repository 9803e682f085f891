"""What each character is: part of a word, a word of its own, or a gap between words.

One table for the whole of Unicode, looked up once per character: the folded character (lower case, full width to half width,
accents of Latin, Greek and Cyrillic letters dropped) with its class in the upper bits.
"""

from __future__ import annotations

import unicodedata
from functools import cache

import numpy as np
from numpy.typing import NDArray

GAP, WORD, ALONE, SYLLABIC = 0, 1, 2, 3
"""Classes: between words; within a word; a word by itself (Chinese, Japanese, Korean, signs); without gaps (Thai, Khmer …)."""
CLASS_SHIFT, DIGIT_BIT, FOLDED = 24, 1 << 23, (1 << 21) - 1

_ALONE = (
    (0x2E80, 0x2FDF), (0x3005, 0x3007), (0x3040, 0x30FF), (0x31F0, 0x31FF), (0x3400, 0x4DBF), (0x4E00, 0x9FFF),
    (0xAC00, 0xD7AF), (0xF900, 0xFAFF), (0x1B000, 0x1B16F), (0x20000, 0x3FFFF),
)  # fmt: skip
_SYLLABIC = ((0x0E00, 0x0EFF), (0x1000, 0x109F), (0x1780, 0x17FF))
_ACCENTED = ((0x00C0, 0x052F), (0x1E00, 0x1FFF))
_SIGNS, _DECORATION = "/%&", "|~^`´¨¯¸˘˙˚˛˜˝"
"""5 + 3 is not 5 / 3: signs are words, but for those that mostly draw tables and headings."""
_LISTED = 0x20000
"""Above this only ideographs are told apart, by range."""


def _within(code: int, ranges: tuple[tuple[int, int], ...]) -> bool:
    return any(low <= code <= high for low, high in ranges)


def _fold(character: str) -> str:
    """Return the one character that stands for `character` in comparisons."""
    folded = unicodedata.normalize("NFKC", character).lower()
    if len(folded) == 1 and _within(ord(folded), _ACCENTED):
        folded = unicodedata.normalize("NFKD", folded)[0]
    return folded if len(folded) == 1 else character


@cache
def table() -> NDArray[np.uint32]:
    """Return for each code point: the folded code point, a bit for digits, the class."""
    entries = np.arange(0x110000, dtype=np.uint32)
    for low, high in _ALONE:
        entries[low : high + 1] |= np.uint32(ALONE << CLASS_SHIFT)
    for code in range(_LISTED):
        kind = unicodedata.category(chr(code))
        if chr(code) in _SIGNS or (kind[0] == "S" and chr(code) not in _DECORATION):
            entries[code] = code | ALONE << CLASS_SHIFT
            continue
        if kind[0] not in "LNM" and code != ord("_"):
            entries[code] = code
            continue
        folded = ord(_fold(chr(code)))
        of = ALONE if _within(folded, _ALONE) else SYLLABIC if _within(folded, _SYLLABIC) else WORD
        entries[code] = folded | of << CLASS_SHIFT | (DIGIT_BIT if kind == "Nd" else 0)
    return entries


MARKS = (0x0300, 0x036F)
"""Combining accents: first and last."""


def is_mark(codes: NDArray[np.uint32]) -> NDArray[np.bool_]:
    """Return where a combining accent stands: it is dropped, so that é is é however it is composed."""
    found: NDArray[np.bool_] = (codes >= MARKS[0]) & (codes <= MARKS[1])
    return found


CLOSING = np.array(sorted({ord(c) for c in ".!?…。！？)]}>\"'”’»」』）】`*|;"}), dtype=np.uint32)
"""A text that ends in one of these was written to its end."""
