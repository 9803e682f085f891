"""Many JSON objects at once: objects with the same keys become columns in one step, which is several times faster than rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain
from operator import itemgetter
from typing import Any

import numpy as np

from advisor.model import FloatArray
from advisor.readers.base import Block
from advisor.readers.columns import IntArray, joined
from advisor.readers.names import AXES, canonical_keys
from advisor.readers.objects import SPLITS, SUMMARY_MARKS, is_mmengine_evaluation, row

try:
    from orjson import loads
except ImportError:  # the `fast` extra; the standard library reads the same
    from json import loads  # type: ignore[assignment]

__all__ = ["block", "loads", "numbered", "parse_all"]

LEAST_FOR_COLUMNS = 16
"""Objects with the same keys, below which rows cost less than columns."""


def parse_all(lines: bytes, count: int) -> list[dict[str, Any]] | None:
    """Return the objects on these `count` lines, one each; None where a line is anything else, so that each is looked at."""
    try:
        # One call for all lines: half of the time of a call for each.
        objects = loads(b"[" + lines.removesuffix(b"\n").replace(b"\n", b",") + b"]")
    except (ValueError, RecursionError):
        return None
    return objects if len(objects) == count and set(map(type, objects)) == {dict} else None


def block(objects: Sequence[dict[str, Any]], first_line: int) -> Block:
    """Return the measurements of `objects`, which stand on consecutive lines. Objects without a measurement are left out."""
    keys = tuple(objects[0])
    # Where every key is a number, objects of one length with those keys have no others, and need no grouping.
    if len(_numeric(objects[0], keys)) == len(keys) and len(set(map(len, objects))) == 1 and (table := _columns(objects, keys)):
        every = np.arange(len(objects))
        return Block(every + first_line, {name: (every, column) for name, column in table.items()})
    groups: dict[tuple[str, ...], list[int]] = {}
    for i, entry in enumerate(objects):
        groups.setdefault(tuple(entry), []).append(i)
    parts: dict[str, list[tuple[IntArray, FloatArray]]] = {}
    for keys, indices in groups.items():
        table = _columns([objects[i] for i in indices], keys) if len(indices) >= LEAST_FOR_COLUMNS else None
        if table is not None:
            at = np.array(indices)
            for name, column in table.items():
                parts.setdefault(name, []).append((at, column))
            continue
        for i in indices:
            measured = row(objects[i], i)
            for name, value in (measured.values if measured else {}).items():
                parts.setdefault(name, []).append((np.array([i]), np.array([value])))
    return numbered({name: joined(pieces) for name, pieces in parts.items()}, first_line)


def _numeric(first: Mapping[str, Any], keys: tuple[str, ...]) -> list[tuple[str, str]]:
    """Return (key, quantity) of what is a number in the first object."""
    return [(key, name) for key, name in canonical_keys(keys) if type(first[key]) in (int, float)]


def _columns(objects: Sequence[dict[str, Any]], keys: tuple[str, ...]) -> dict[str, FloatArray] | None:
    """Return the columns of objects with these keys; None where one lacks a key, or they measure nothing or hold no numbers."""
    names = _numeric(objects[0], keys)
    if len(names) < 2 or any(mark in keys for mark in SUMMARY_MARKS) or {n for _, n in names} <= set(AXES):  # noqa: PLR2004
        return None
    # Numbers may be written as texts, and a text may name the data set.
    if not SPLITS.isdisjoint(keys) or any(type(objects[0][key]) is str for key, _ in canonical_keys(keys)):
        return None
    if is_mmengine_evaluation(set(keys)):
        return None
    numbers = chain.from_iterable(map(itemgetter(*(key for key, _ in names)), objects))
    try:
        table = np.fromiter(numbers, dtype=np.float64, count=len(objects) * len(names)).reshape(-1, len(names))
    except (KeyError, ValueError, TypeError, OverflowError):
        return None
    # What is no number is rare enough to be read row by row.
    return {name: table[:, column] for column, (_, name) in enumerate(names)} if np.isfinite(table).all() else None


def numbered(values: Mapping[str, tuple[IntArray, FloatArray]], first_line: int) -> Block:
    """Return a block of the objects that measure something, numbered from 0."""
    every = max((int(rows[-1]) + 1 for rows, _ in values.values() if len(rows)), default=0)
    measures = np.zeros(every, dtype=bool)
    for name, (rows, _) in values.items():
        if name not in AXES:
            measures[rows] = True
    number = np.cumsum(measures) - 1
    kept = {}
    for name, (rows, column) in values.items():
        inside = measures[rows] if name in AXES else slice(None)
        if len(rows[inside]):
            kept[name] = (number[rows[inside]], column[inside])
    return Block(np.flatnonzero(measures) + first_line, kept)
