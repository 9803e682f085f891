"""Where a text stops being JSON, and what stands there. Runs only on texts that failed, so it may be slow and exact."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Literal

from advisor.data.parse import DEEPEST

What = Literal[
    "value", "key", "colon", "comma-or-close", "after-comma", "control", "escape", "surrogate", "open-string", "number", "range",
    "extra", "depth", "end", "empty",
]  # fmt: skip
"""What was wanted or wrong at the fault: a value, a key, a colon, a comma or the closing bracket …"""

_SPACE = re.compile(r"[ \t\r\n]*")
_PLAIN = re.compile(r'[^"\\\x00-\x1f]*')
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_NUMBERLIKE = re.compile(r"[-+.0-9][-+.0-9a-zA-Z_]*")
_HEX = re.compile(r"[0-9a-fA-F]{4}")
_LITERALS = ("true", "false", "null")


@dataclass(frozen=True, slots=True)
class Fault:
    """The first place at which a text is not JSON.

    position: in characters. what: see `What`. opened: brackets open there, outermost first. begins: where the string or the
    record that is cut off or too long begins.
    """

    position: int
    what: What
    opened: str = ""
    begins: int = 0


def first_fault(text: str) -> Fault | None:
    """Return the first fault of `text`, or None where it is one JSON value."""
    opened: list[str] = []
    position = _skip(text, 0)
    if position == len(text):
        return Fault(position, "empty")
    expect = "value"
    while True:
        position = _skip(text, position)
        if position >= len(text):
            return None if expect == "end" else Fault(len(text), "end", "".join(opened))
        char = text[position]
        if expect == "end":
            return Fault(position, "extra")
        if expect == "comma":
            close = "}" if opened[-1] == "{" else "]"
            if char == ",":
                position, expect = position + 1, ("key" if opened[-1] == "{" else "value") + "-after-comma"
            elif char == close:
                opened.pop()
                position, expect = position + 1, "comma" if opened else "end"
            else:
                return Fault(position, "comma-or-close", "".join(opened))
            continue
        if expect == "colon":
            if char != ":":
                return Fault(position, "colon", "".join(opened))
            position, expect = position + 1, "value"
            continue
        if expect.startswith("key"):
            if char == "}" and expect == "key":
                opened.pop()
                position, expect = position + 1, "comma" if opened else "end"
                continue
            if char != '"':
                what: What = "after-comma" if expect == "key-after-comma" and char == "}" else "key"
                return Fault(position, what, "".join(opened))
            fault, position = _string(text, position, "".join(opened))
            if fault:
                return fault
            expect = "colon"
            continue
        if char == "]" and opened and opened[-1] == "[":
            if expect != "first-value":
                return Fault(position, "after-comma" if expect == "value-after-comma" else "value", "".join(opened))
            opened.pop()
            position, expect = position + 1, "comma" if opened else "end"
            continue
        if char in "[{":
            opened.append(char)
            if len(opened) > DEEPEST:
                return Fault(position, "depth", "".join(opened[:8]))
            position, expect = position + 1, "key" if char == "{" else "first-value"
            continue
        fault, position = _scalar(text, position, "".join(opened))
        if fault:
            return fault
        expect = "comma" if opened else "end"


def _skip(text: str, position: int) -> int:
    found = _SPACE.match(text, position)
    assert found is not None
    return found.end()


def _scalar(text: str, position: int, opened: str) -> tuple[Fault | None, int]:
    char = text[position]
    if char == '"':
        return _string(text, position, opened)
    for literal in _LITERALS:
        if text.startswith(literal, position):
            return None, position + len(literal)
    if _NUMBERLIKE.match(char):
        found = _NUMBER.match(text, position)
        whole = _NUMBERLIKE.match(text, position)
        if found and whole and found.end() == whole.end():
            huge = math.isinf(float(found[0]))
            return (Fault(position, "range", opened) if huge else None), found.end()
        return Fault(position, "number", opened), position
    return Fault(position, "value", opened), position


def _string(text: str, position: int, opened: str) -> tuple[Fault | None, int]:
    """Read the string that begins at `position`; return the fault in it, or where it ends."""
    begins = position
    position += 1
    while True:
        plain = _PLAIN.match(text, position)
        assert plain is not None
        position = plain.end()
        if position >= len(text):
            return Fault(position, "open-string", opened, begins), position
        char = text[position]
        if char == '"':
            return None, position + 1
        if char != "\\":
            return Fault(position, "control", opened, begins), position
        escaped = text[position + 1 : position + 2]
        if escaped == "u":
            found = _HEX.match(text, position + 2)
            if not found:
                return Fault(position, "escape", opened, begins), position
            length = _surrogates(text, position, int(found[0], 16))
            if not length:
                return Fault(position, "surrogate", opened, begins), position
            position += length
        elif escaped and escaped in '"\\/bfnrt':
            position += 2
        else:
            what: What = "escape" if escaped else "open-string"
            return Fault(position, what, opened, begins), position


def _surrogates(text: str, position: int, code: int) -> int:
    r"""Return the length of the `\uXXXX` escape at `position`, of both halves where it is a pair, 0 where it is half of one."""
    if not 0xD800 <= code <= 0xDFFF:  # noqa: PLR2004  the surrogates of Unicode
        return 6
    second = _HEX.match(text, position + 8) if text.startswith("\\u", position + 6) else None
    whole = second is not None and code <= 0xDBFF and 0xDC00 <= int(second[0], 16) <= 0xDFFF  # noqa: PLR2004
    return 12 if whole else 0
