"""Constraints that a prompt states and its own answer breaks, as far as they can be counted: length and JSON."""

from __future__ import annotations

import re

from advisor.data.parse import loads
from advisor.model import Term

_MOST = re.compile(
    r"(?:no more than|at most|not exceed(?:ing)?|within|under|less than|fewer than|up to|maximum of|limit(?:ed)? to)"
    r"\s+(\d{1,5})\s+(words?|characters?)\b",
    re.IGNORECASE,
)
_LEAST = re.compile(
    r"(?:at least|no fewer than|no less than|minimum of|more than)\s+(\d{1,5})\s+(words?|characters?)\b", re.IGNORECASE
)
_MOST_ZH = re.compile(
    r"(?:不超过|不多于|不得超过|(?<!不)少于|最多|控制在|限制在)\s*(\d{1,5})\s*个?字|(\d{1,5})\s*个?字(?:以内|之内|以下)"
)
_LEAST_ZH = re.compile(r"(?:不少于|不低于|至少|(?<!不)(?<!不得)超过|多于)\s*(\d{1,5})\s*个?字|(\d{1,5})\s*个?字(?:以上)")
_UNITS = ("字", "word", "character", "Word", "WORD", "CHARACTER")
"""What a limit is counted in; a prompt without one sets none, and most have none."""

_JSON = re.compile(
    r"(?:return|output|respond|reply|answer|format\w*|as|in|valid|only)\s+(?:\w+\s+){0,3}JSON\b|"
    r"(?:以|用|按|输出|返回|生成|采用).{0,8}JSON",
    re.IGNORECASE,
)
_FENCED = re.compile(r"```(?:json)?\s*\n(.*?)```", re.DOTALL | re.IGNORECASE)
TOLERANCE = 0.1
"""Share by which a length may miss what was asked: people count words in more than one way."""


def broken_length(prompt: str, answer: str) -> dict[str, str | int] | None:
    """Return what was asked and what came where the answer is too long or too short for its prompt, or None."""
    if not any(unit in prompt for unit in _UNITS):
        return None
    for pattern, most in ((_MOST, True), (_LEAST, False)):
        if found := pattern.search(prompt):
            asked = int(found[1])
            length = len(answer.split()) if found[2].lower().startswith("word") else len(answer)
            if _missed(length, asked, most=most):
                return {
                    "asked": asked,
                    "length": length,
                    "unit": Term("unit-words" if found[2].lower().startswith("word") else "unit-characters"),
                }
    for pattern, most in ((_MOST_ZH, True), (_LEAST_ZH, False)):
        if found := pattern.search(prompt):
            asked, length = int(found[1] or found[2]), len("".join(answer.split()))
            if _missed(length, asked, most=most):
                return {"asked": asked, "length": length, "unit": Term("unit-characters")}
    return None


def _missed(length: int, asked: int, *, most: bool) -> bool:
    return length > asked * (1 + TOLERANCE) if most else length < asked * (1 - TOLERANCE)


def broken_json(prompt: str, answer: str) -> bool:
    """Tell whether a prompt asks for JSON and what its answer gives for it is none."""
    if "json" not in prompt.lower() or not _JSON.search(prompt):
        return False
    fenced = _FENCED.search(answer)
    text = (fenced[1] if fenced else answer).strip()
    if not text.startswith(("{", "[")):
        return False
    try:
        loads(text.encode("utf-8", "replace"))
    except ValueError:
        return True
    return False
