"""Words of a text for metrics: words of letters, and each Chinese or Japanese character by itself."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache

CJK = "\u2e80-\u2fff\u3005-\u3007\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
"""Scripts that put no blank between words: each character counts as one."""

_TOKEN = re.compile(rf"[{CJK}]|[^\W_{CJK}]+")
_HAN = re.compile("[\u3400-\u9fff\uf900-\ufaff]")
_KANA = re.compile("[\u3040-\u30ff]")


def folded(text: str) -> str:
    """Return `text` without what is not content: compatibility forms and case (NFKC, casefold)."""
    return (text if text.isascii() else unicodedata.normalize("NFKC", text)).casefold()


@lru_cache(maxsize=1 << 14)
def tokens(text: str) -> tuple[str, ...]:
    """Return the words of `text`, folded; punctuation is left out. Kept, since most measurements ask for the same texts."""
    return tuple(_TOKEN.findall(folded(text)))


def same(text: str) -> str:
    """Return what two answers must share to be the same: all but case, forms of characters, blanks, and signs at the ends."""
    return " ".join(folded(text).split()).strip(_AT_THE_ENDS)


_AT_THE_ENDS = " .,;:!?\"'`*。，；：！？、“”‘’"


def script_of(texts: Sequence[str]) -> str:
    """Return `zh`, `ja` or `other` by the characters of `texts`."""
    whole = "".join(texts)
    letters = sum(map(str.isalpha, whole)) or 1
    kana, han = len(_KANA.findall(whole)), len(_HAN.findall(whole))
    if kana > KANA_SHARE * letters:
        return "ja"
    return "zh" if han > HAN_SHARE * letters else "other"


HAN_SHARE, KANA_SHARE = 0.3, 0.1
"""Shares of the letters from which a set of texts is Chinese, or Japanese."""


def overlap(one: Sequence[str], other: Sequence[str]) -> float:
    """Return the F1 of two lists of words: the harmonic mean of the shares of each that the other has (SQuAD, 2016)."""
    if not one or not other:
        return float(one == other)
    counts: dict[str, int] = {}
    for token in one:
        counts[token] = counts.get(token, 0) + 1
    shared = 0
    for token in other:
        left = counts.get(token, 0)
        if left:
            counts[token] = left - 1
            shared += 1
    return 2 * shared / (len(one) + len(other))
