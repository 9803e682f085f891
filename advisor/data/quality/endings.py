"""Answers that stop in the middle."""

from __future__ import annotations

import re
import unicodedata
from typing import Literal

Ending = Literal["ended", "open", "other"]
"""How a text ends: as prose does, in the middle of prose, or it is no prose and has no usual end."""

_TERMINATORS = ".!?。！？…"
_CLOSERS = "\"'”’」』)）]】》>*_`~|}$%;；:：°€"
_COMMON_SENTENCE_ENDS = (". ", ".\n", "? ", "! ", "?\n", "!\n")
# One set of characters first: a search looks for these alone until one is found.
_SENTENCE_END = re.compile(r"[.!?。！？；](?:(?<=[.!?])(?=\s)|(?<=[。！？；])(?=.))", re.DOTALL)
_NO_PROSE = re.compile(r"\s*(?:[-*•·>|#]|\d+[.)、]|\(\d+\)|[a-zA-Z][.)]\s|https?://)")
_CODE = re.compile(r"[={}\\]|\w\(|::|->")
_WIDE = re.compile("[\u2e80-\uffdc]")
_LEAST_PROSE = 40
_LEAST_CJK_PROSE = 18


def ending(answer: str) -> tuple[Ending, str]:
    """Return how `answer` ends, and what is missing where it is open: `fence`, `bracket` or `sentence`."""
    text = answer.rstrip()
    if text.count("```") % 2:
        return "open", "fence"
    if text.startswith(("{", "[{", '["')) and text[-1] not in "}]":
        opened = text.count("{") + text.count("[") - text.count("}") - text.count("]")
        return ("open", "bracket") if opened > 0 else ("other", "")
    last_line = text.rsplit("\n", 1)[-1].strip()
    wide = not last_line.isascii() and _WIDE.search(last_line) is not None
    if len(text) < (_LEAST_CJK_PROSE if wide else _LEAST_PROSE) or not _has_sentence_end(text):
        return "other", ""
    last = text[-1]
    if last in _TERMINATORS or last in _CLOSERS or unicodedata.category(last) in ("So", "Sk", "Sm", "Pe", "Pf"):
        return "ended", ""
    if "```" in text or _NO_PROSE.match(last_line) or _CODE.search(last_line):
        return "other", ""
    word = last_line.rsplit(None, 1)[-1]
    if "@" in word or "/" in word:
        return "other", ""
    # A line of its own without an end is a title or a signature; a sentence that follows another one on its line is prose.
    return ("open", "sentence") if _SENTENCE_END.search(last_line) or last in ",，、" else ("other", "")


def _has_sentence_end(text: str) -> bool:
    """Tell whether a sentence ends before the end of `text`; a look for the common ends is much faster than the pattern."""
    return any(end in text for end in _COMMON_SENTENCE_ENDS) or _SENTENCE_END.search(text) is not None
