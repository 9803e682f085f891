"""Where the numbers of a line stand: found once for all lines of one shape, since a log prints the same line again and again.

The shape of a line is the line with every digit made a 0. What finds numbers in it must not depend on which digits they are.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache, wraps
from typing import TypeAlias, TypeVar

from advisor.readers.clean import number

T = TypeVar("T")

Spans: TypeAlias = tuple[tuple[str, int, int], ...]
"""Quantities, and where their numbers begin and end in the line."""

KEPT_SHAPES = 1 << 14
"""Shapes that are remembered for each kind of line; numbers of varying length make many."""

_ZEROS = bytes.maketrans(b"123456789", b"000000000")
_DIGIT = re.compile(r"\d")


def by_shape(find: Callable[[str], tuple[T, bool]]) -> Callable[[str], T]:
    """Return `find` as a function that looks at one line of each shape.

    `find` returns what it found, and whether the shape of the line tells as much as the line: it does not where a name holds
    digits (`rouge1`, `lr_0`), and such a line is looked at by itself.
    """

    @lru_cache(maxsize=KEPT_SHAPES)
    def found_in_shape(shape: bytes) -> T | None:
        found, told_by_shape = find(shape.decode(errors="surrogatepass"))
        return found if told_by_shape else None

    @wraps(find)
    def found_in(line: str) -> T:
        # As bytes: their digits are replaced ten times faster than those of a str.
        found = found_in_shape(line.encode(errors="surrogatepass").translate(_ZEROS))
        return find(line)[0] if found is None else found

    return found_in


def numbers_at(spans: Spans, text: str) -> dict[str, float]:
    """Return the numbers that stand at these places of `text`, without what is none after all."""
    try:
        return {name: float(text[begin:end]) for name, begin, end in spans}
    except ValueError:
        return {name: value for name, begin, end in spans if (value := number(text[begin:end])) is not None}


def has_digit(name: str) -> bool:
    """Tell whether a name holds a digit."""
    return _DIGIT.search(name) is not None
