"""Where the numbers of a line stand: found once for all lines of one shape, since a log prints the same line again and again.

The shape of a line is the line with every digit made a 0. What finds numbers in it must not depend on which digits they are.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import lru_cache, update_wrapper
from typing import Generic, TypeAlias, TypeVar

from advisor.readers.clean import number

T = TypeVar("T")

Spans: TypeAlias = tuple[tuple[str, int, int], ...]
"""Quantities, and where their numbers begin and end in the line."""

KEPT_SHAPES = 1 << 14
"""Shapes that are remembered for each kind of line; numbers of varying length make many."""

_ZEROS = bytes.maketrans(b"123456789", b"000000000")
_DIGIT = re.compile(r"\d")


def shapes(lines: Sequence[str]) -> list[str]:
    """Return the shape of each line. No line holds a line feed."""
    # As bytes: their digits are replaced ten times faster than those of a str.
    together = "\n".join(lines).encode(errors="surrogatepass").translate(_ZEROS)
    return together.decode(errors="surrogatepass").split("\n")


def shape_of(line: str) -> str:
    """Return the line with every digit made a 0."""
    return line.encode(errors="surrogatepass").translate(_ZEROS).decode(errors="surrogatepass")


class by_shape(Generic[T]):  # noqa: N801  # a decorator
    """A function of a line that looks at one line of each shape.

    What is decorated returns what it found, and whether the shape of the line tells as much as the line: it does not where a
    name holds digits (`rouge1`, `lr_0`), and such a line is looked at by itself.
    """

    def __init__(self, find: Callable[[str], tuple[T, bool]]) -> None:
        update_wrapper(self, find)
        self._find = find
        self._found_in_shape = lru_cache(maxsize=KEPT_SHAPES)(self._look)

    def _look(self, shape: bytes) -> T | None:
        found, told_by_shape = self._find(shape.decode(errors="surrogatepass"))
        return found if told_by_shape else None

    def of_shape(self, shape: str) -> T | None:
        """Return what is found in every line of this shape; None where each is looked at by itself."""
        return self._found_in_shape(shape.encode(errors="surrogatepass"))

    def __call__(self, line: str) -> T:
        """Return what is found in this line."""
        found = self._found_in_shape(line.encode(errors="surrogatepass").translate(_ZEROS))
        return self._find(line)[0] if found is None else found


def numbers_at(spans: Spans, text: str) -> dict[str, float]:
    """Return the numbers that stand at these places of `text`, without what is none after all."""
    try:
        return {name: float(text[begin:end]) for name, begin, end in spans}
    except ValueError:
        return {name: value for name, begin, end in spans if (value := number(text[begin:end])) is not None}


def has_digit(name: str) -> bool:
    """Tell whether a name holds a digit."""
    return _DIGIT.search(name) is not None
