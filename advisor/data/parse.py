"""Strict JSON: what RFC 8259 allows and nothing else, read by orjson where it is installed, else by the standard library."""

from __future__ import annotations

import json
import math
import re
import sys
from collections.abc import Callable
from typing import Any

try:
    import orjson
except ImportError:
    orjson = None  # type: ignore[assignment]

DEEPEST = 1024
"""Levels of nesting that are read. orjson's limit; the standard library's depends on the interpreter's stack."""

_NESTED = re.compile(r'"(?:[^"\\]|\\.)*"|[\[{]|[\]}]', re.DOTALL)
_WORD = 20
"""Characters of the longest integer of 64 bits; a longer one is read as a float, as orjson does."""


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _integer(text: str) -> int | float:
    return int(text) if len(text) < _WORD else _float(text)


def _float(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise ValueError("the number is too large")
    return value


_DECODER = json.JSONDecoder(parse_constant=_no_constant, parse_int=_integer, parse_float=_float)


def loads_slowly(line: bytes) -> Any:
    """Return the value of one JSON text, with the standard library alone. Raises ValueError, as strictly as orjson does."""
    text = line.decode("utf-8")
    if text.startswith("\ufeff"):
        raise ValueError("a byte order mark")
    text = text.strip(" \t\r\n")
    value = _decode_deep(text) if text.count("[") + text.count("{") > _SHALLOW else _DECODER.decode(text)
    if "\\u" in text:
        # The standard library lets half a character pass; encoding the value finds it.
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    return value


_SHALLOW = 500
"""Brackets up to which the interpreter's own limit of recursion is far."""


def _decode_deep(text: str) -> Any:
    if _depth(text) > DEEPEST:
        raise ValueError("too deep")
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(limit + 4 * DEEPEST)
    try:
        return _DECODER.decode(text)
    finally:
        sys.setrecursionlimit(limit)


def _depth(text: str) -> int:
    depth = deepest = 0
    for token in _NESTED.finditer(text):
        first = token[0][0]
        if first in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif first != '"':
            depth -= 1
    return deepest


loads: Callable[[bytes], Any] = orjson.loads if orjson is not None else loads_slowly
"""Return the value of one JSON text. Raises ValueError at anything that RFC 8259 does not allow."""


def dumps(value: Any) -> bytes:
    """Return `value` as compact JSON in UTF-8, characters as themselves; what JSON has no form for (a date) as its text."""
    if orjson is not None:
        try:
            return bytes(orjson.dumps(value, default=str))
        except TypeError:
            pass  # nested more deeply than orjson writes, which is less than it reads
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False, default=str).encode("utf-8")


def with_pairs(line: bytes, hook: Callable[[list[tuple[str, Any]]], Any]) -> Any:
    """Return the value of one JSON text whose objects are made by `hook` from all their pairs, repeated keys included."""
    return json.loads(line, object_pairs_hook=hook)
