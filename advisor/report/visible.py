"""Text of a log made fit to be shown: nothing in it steers the reader's program or turns the words around."""

from __future__ import annotations

REPLACEMENT = "\ufffd"
TURNING = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Marks that change the direction of what follows: with them a text can be made to read as another one."""


def visible(text: str) -> str:
    """Return `text` with control characters, halves of surrogate pairs and marks of direction replaced by U+FFFD."""
    return text if text.isprintable() else "".join(map(_shown, text))


def _shown(character: str) -> str:
    if character in "\n\t" or character.isprintable() or character.isspace():
        return character
    hidden = character in TURNING or character < " " or "\x7f" <= character <= "\x9f" or "\ud800" <= character <= "\udfff"
    return REPLACEMENT if hidden else character
