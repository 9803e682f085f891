"""Lines that are facts but not numbers: the errors a log can hold."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from advisor.model import Event
from advisor.readers.clean import split_rank, strip_ansi
from advisor.readers.event_patterns import HINTS, PATTERNS, Weight
from advisor.readers.shapes import KEPT_SHAPES, shape_of

_HINTS_IN_SHAPES = tuple(dict.fromkeys(map(shape_of, HINTS)))
WEIGHTS = {kind: weight for kind, weight, _ in PATTERNS}

_NO_NEWS = re.compile(
    # Source code (a traceback prints it), comments, the help of a program, settings, the chatter of a library.
    r"""^\s*(?:[#>|]|//|-{1,3}>|-{1,2}[a-z]|raise\b|except\b|assert\b|return\b|el?if\b|def\b|print\(|log(?:ger|ging)?\."""
    r"""|(?![\w.]*(?:error|exception)\b)[\w.\[\]"']+\s*[=:]\s*f?["'])|\bnccl info\b|\bno (?:grad )?overflow\b"""
    r"""|exception ignored in""",
    re.IGNORECASE,
)
_WARNING = re.compile(r"\b(?:[A-Z]\w*)?Warning: ")
_PYTHON_ERROR = re.compile(r"^\s*(?:\w+\.)*[A-Z]\w*(?:Error|Exception)(?::|$)")
_PREFIX = re.compile(
    r"^\s*(?:\[[^\]]{1,40}\]\s*)?\d{4}-\d\d-\d\d[ T][\d:.,]{5,}Z?(?:\s*[-|:]?\s*(?:\[?\w+\]?)?\s*[-|:]\s)?\s*(?=[A-Z])"
)
_QUOTED = re.compile(r"^\s*>\s+(?=\[|\d{4}-|traceback \(|[\w.]*(?:error|exception):)", re.IGNORECASE)
"""The mark that a mail or an issue puts before a quoted line of a log."""

_MOST_LOOKED_AT = 10_000
_MAX_TEXT = 700
"""An out-of-memory message with all its numbers is about 600 characters long."""


@lru_cache(maxsize=1)
def _compiled() -> tuple[tuple[str, Weight, re.Pattern[str]], ...]:
    """Return the table with its patterns compiled, which takes longer than reading a small log: only where a line gives cause."""
    return tuple((kind, weight, re.compile(pattern)) for kind, weight, pattern in PATTERNS)


@lru_cache(maxsize=KEPT_SHAPES)
def may_be_event(shape: str) -> bool:
    """Tell whether a line of this shape may report an event; most lines of a log do not."""
    return _holds_any(_HINTS_IN_SHAPES, shape[:_MOST_LOOKED_AT].lower())


def _holds_any(hints: Iterable[str], low: str) -> bool:
    for hint in hints:  # noqa: SIM110  # twice as fast as `any`, and asked for every line
        if hint in low:
            return True
    return False


def event_in(text: str, line: int) -> Event | None:
    """Return the event that `text` reports, or None. The earliest pattern of the table wins."""
    low = text[:_MOST_LOOKED_AT].lower()
    if not _holds_any(HINTS, low):
        return None
    _, rest = split_rank(strip_ansi(text[:_MOST_LOOKED_AT]))
    rest = _PREFIX.sub("", _QUOTED.sub("", rest))
    if _NO_NEWS.search(rest):
        return None
    low = rest.lower()
    warns = _WARNING.search(rest) is not None
    for kind, weight, pattern in _compiled():
        # A warning says what may go wrong; only what is a note anyway is taken from it.
        if (warns and weight != Weight.NOTE) or not pattern.search(low):
            continue
        # Case matters here: `ValueError: …` is Python's, `error: …` is anybody's.
        if kind == "python-error" and not _PYTHON_ERROR.search(rest):
            continue
        return Event(kind, line, text.strip()[:_MAX_TEXT])
    return None
