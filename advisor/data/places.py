"""From a place in bytes to what a user can look up: column, excerpt and caret."""

from __future__ import annotations

from advisor.data.malformed import visible
from advisor.model import Facts, Place

BEFORE, AFTER = 36, 28
"""Characters of the line shown before and after the place."""


def place(source: str, line: int, offset: int, raw: bytes, at: int, facts: Facts | None = None) -> Place:
    """Return the place `at` bytes into the line `raw`, which begins at `offset`; -1 means that the file has no bytes to count."""
    at = min(max(at, 0), len(raw))
    before = raw[:at].decode("utf-8", "replace")
    after = raw[at : at + AFTER * 4 + 4].decode("utf-8", "replace")[:AFTER]
    shown = before[-BEFORE:] + after
    caret = min(len(before), BEFORE)
    head = "…" if len(before) > BEFORE else ""
    excerpt = head + (shown if shown.isprintable() else "".join(map(visible, shown)))
    column = len(before) + 1
    return Place(source, line, column, offset + at if offset >= 0 else -1, excerpt, caret + len(head), facts or {})


def place_in_text(source: str, line: int, offset: int, text: str, start: int, facts: Facts | None = None) -> Place:
    """Return a place in a text that stands in the record of this line; the excerpt is of the text, the column unknown."""
    before = text[max(start - BEFORE, 0) : start]
    head = "…" if start > BEFORE else ""
    excerpt = head + "".join(map(visible, before + text[start : start + AFTER]))
    return Place(source, line, 0, offset, excerpt, len(before) + len(head), facts or {})
