"""Where the numbers of a line stand: found once for all lines of one shape, since a log prints the same line again and again.

The shape of a line is the line with every digit made a 0. What finds numbers in it must not depend on which digits they are, and
must not look at names that hold digits (`rouge1`, `lr_0`): those lines are looked at by themselves.
"""

from __future__ import annotations

import re
from typing import TypeAlias

Spans: TypeAlias = tuple[tuple[str, int, int], ...]
"""Quantities and where their numbers begin and end in the line."""

KEPT_SHAPES = 1 << 14
"""Shapes that are remembered of each kind of line; numbers of varying length make many."""

_ZEROS = str.maketrans("123456789", "000000000")
_DIGIT = re.compile(r"\d")


def shape(line: str) -> str:
    """Return `line` with every digit made a 0; every other character keeps its place."""
    return line.translate(_ZEROS)


def has_digit(name: str) -> bool:
    """Tell whether a name holds a digit, which its shape does not tell."""
    return _DIGIT.search(name) is not None
