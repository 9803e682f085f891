"""Text that was decoded with the wrong encoding: UTF-8 read as Windows-1252, Latin-1 or GBK, and GBK read as Latin-1.

A suspicion is confirmed by turning the text back: only what becomes good text again, or cannot be turned back at all, counts.
"""

from __future__ import annotations

import re
from functools import lru_cache

_CP1252 = "€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ"
_AS_WESTERN = re.compile(f"[\u00c2-\u00f4][\u0080-\u00bf{_CP1252}]+")
_C1 = re.compile("[\u0080-\u0084\u0086-\u009f]")
_RUN_OF_ACCENTS = re.compile("[\u00a1-\u00fe]{4,}")
_HAN = re.compile("[\u4e00-\u9fff]")
_HANS = re.compile("[\u4e00-\u9fff]+")
_COMMON_HAN = re.compile(rb"[\xb0-\xd7][\xa1-\xfe]")
"""The 3,755 common characters of GB 2312, nine of ten in any text."""

_ASCII = re.compile("[\x00-\x7f]+")
_KNOWN = re.compile("锟斤拷|锟斤|烫烫烫|屯屯屯|\ufffd")
_TYPOGRAPHY = "“”‘’–—…™•"
_LIKELY = re.compile("[\u00a0-\u017f\u0370-\u04ff\u2010-\u203a\u20ac\u2122\u3000-\u30ff\u4e00-\u9fff\uff00-\uffef]")
_FEWEST_ACCENTS, _FEWEST_HAN = 8, 6
_HAN_AGAIN = 0.6
"""Share of a run of accented letters that must become Chinese characters again."""

_UTF8_AGAIN = 0.35
"""Share of a Chinese text's GBK bytes that must be UTF-8 of Chinese characters. In real Chinese it is under 0.02; in text garbled
this way at least half, less where bytes were lost."""


def garbled(text: str) -> tuple[int, str] | None:
    """Return (where it begins, what happened) of the first text decoded wrongly, or None."""
    if text.isascii():
        return None
    if known := _KNOWN.search(text):
        return known.start(), "replaced" if known[0] == "\ufffd" else "utf-8-as-gbk-twice"
    if control := _C1.search(text):
        return control.start(), "utf-8-as-latin-1"
    return _as_western(text) or _gbk_as_western(text) or _utf8_as_gbk(text)


def _byte(char: str) -> bytes:
    try:
        return char.encode("cp1252")
    except UnicodeEncodeError:
        return char.encode("latin-1")


def _as_western(text: str) -> tuple[int, str] | None:
    sure: list[int] = []
    for found in _AS_WESTERN.finditer(text):
        raw = b"".join(map(_byte, found[0]))
        again = raw.decode("utf-8", "ignore")
        if not again or not _LIKELY.match(again):
            continue
        # `IRMÃ”` or `CAFÉ™`: a capital before a quotation mark or a sign is no garbled letter.
        before = text[found.start() - 1 : found.start()]
        if len(found[0]) == len("Ã”") and found[0][1] in _TYPOGRAPHY and (before.isupper() or not before):
            continue
        sure.append(found.start())
    return (sure[0], "utf-8-as-western") if sure else None


def _gbk_as_western(text: str) -> tuple[int, str] | None:
    runs = list(_RUN_OF_ACCENTS.finditer(text))
    accents = "".join(run[0] for run in runs)
    if len(accents) < _FEWEST_ACCENTS:
        return None
    raw = accents.encode("latin-1")
    common = _COMMON_HAN.findall(raw.decode("gbk", "ignore").encode("gb2312", "ignore"))
    if 2 * len(common) < _HAN_AGAIN * len(raw):
        return None
    return runs[0].start(), "gbk-as-western"


def _characters(runs: re.Pattern[str], text: str) -> int:
    """Return how many characters stand in the runs: four times faster than to look for each."""
    return sum(map(len, runs.findall(text)))


def _utf8_as_gbk(text: str) -> tuple[int, str] | None:
    start = 0
    for paragraph in text.split("\n"):
        chinese = _ASCII.sub("", paragraph)
        if chinese and _characters(_HANS, chinese) >= _FEWEST_HAN:
            raw = chinese.encode("gb18030", "ignore")
            if 3 * _characters(_HANS, raw.decode("utf-8", "ignore")) >= _UTF8_AGAIN * len(raw):
                found = _HAN.search(paragraph)
                assert found is not None
                return start + found.start(), "utf-8-as-gbk"
        start += len(paragraph) + 1
    return None


@lru_cache(maxsize=4)
def script_shares(text: str) -> tuple[int, int]:
    """Return the number of Chinese characters and of other letters in `text`."""
    han = 0 if text.isascii() else _characters(_HANS, text)
    return han, sum(map(str.isalpha, text)) - han
