"""A quick yes for good records: what runs on every record of a file, and therefore without a call too many."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from advisor.data.schemas import CONVERSATION, Schema

Fits = Callable[[Any], int]
"""Tells of a record how many keys it has, in itself and in its turns; 0 where it is not beyond doubt one of the schema."""


def fits(schema: Schema) -> Fits:
    """Return a function that tells quickly whether a record is beyond doubt one of `schema`.

    It may refuse a good record of a rare form; `flaws` then finds nothing wrong with it.
    """
    if schema.shape == "chat":
        return _fits_chat(schema)
    if schema.shape == "pairs":
        return _fits_pairs
    keys = tuple(key for key, holds in schema.keys.items() if holds != "ranked")
    return _fits_flat(keys, len(schema.keys), tuple(schema.optional)) if len(keys) == len(schema.keys) else _never


def _never(_record: Any) -> int:
    return 0


_NOT_THIS = (KeyError, TypeError, AttributeError, IndexError)
"""What a record of another shape raises where it is taken for granted: asking its type first would cost every good record."""


def _fits_flat(keys: tuple[str, ...], count: int, optional: tuple[str, ...]) -> Fits:
    first, last = keys[0], keys[-1]
    between = keys[1:-1]

    def check(record: Any) -> int:
        try:
            # The first and the last key are looked at without a loop: most schemas have no others.
            value = record[last]
            if not value or value.isspace():
                return 0
            value = record[first]
            if not value or value.isspace():
                return 0
            length = len(record)
            if length > count or between:
                for key in between:
                    value = record[key]
                    if not value or value.isspace():
                        return 0
                more = length - count
                for key in optional:
                    if key in record:
                        if type(record[key]) is not str:
                            return 0
                        more -= 1
                        if not more:
                            break
        except _NOT_THIS:
            return 0
        return length

    return check


def _fits_pairs(record: Any) -> int:
    if type(record) is not list:
        return 0
    try:
        for pair in record:
            question, answer = pair["context"], pair["target"]
            if not question or not answer or question.isspace() or answer.isspace() or len(pair) != 2:  # noqa: PLR2004  the two
                return 0
    except _NOT_THIS:
        return 0
    return 2 * len(record)


def _fits_chat(schema: Schema) -> Fits:
    (key,) = schema.keys
    speaker_key, text_key = schema.turn_keys
    kinds = {name: CONVERSATION[name] for name in schema.speakers}

    def check(record: Any) -> int:
        try:
            turns = record[key]
            if type(turns) is not list:
                return 0
            before = ""
            count = len(record)
            for turn in turns:
                text = turn[text_key]
                if not text or text.isspace():
                    return 0
                kind = kinds[turn[speaker_key]]
                if kind == "user":
                    if before == "user":
                        return 0
                elif kind == "assistant":
                    if before != "user":
                        return 0
                elif kind != "system" or before:
                    return 0
                before = kind
                count += len(turn)
        except _NOT_THIS:
            return 0
        return count if before == "assistant" and ("system" not in record or type(record["system"]) is str) else 0

    return check
