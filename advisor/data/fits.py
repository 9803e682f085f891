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
    return _fits_flat(keys, len(schema.keys), frozenset(schema.optional)) if len(keys) == len(schema.keys) else _never


def _never(_record: Any) -> int:
    return 0


def _fits_flat(keys: tuple[str, ...], count: int, optional: frozenset[str]) -> Fits:
    first, last = keys[0], keys[-1]
    between = keys[1:-1]

    def check(record: Any) -> int:
        if type(record) is not dict:
            return 0
        # The first and the last key are looked at without a loop: most schemas have no others.
        value = record.get(last)
        if type(value) is not str or not value or value.isspace():
            return 0
        value = record.get(first)
        if type(value) is not str or not value or value.isspace():
            return 0
        length = len(record)
        if length > count or between:
            for key in between:
                value = record.get(key)
                if type(value) is not str or not value or value.isspace():
                    return 0
            for key in optional:
                value = record.get(key, "")
                if type(value) is not str:
                    return 0
        return length

    return check


def _fits_pairs(record: Any) -> int:
    if type(record) is not list:
        return 0
    for pair in record:
        if type(pair) is not dict or len(pair) != 2:  # noqa: PLR2004  context and target
            return 0
        question, answer = pair.get("context"), pair.get("target")
        if type(question) is not str or type(answer) is not str or not question or not answer:
            return 0
        if question.isspace() or answer.isspace():
            return 0
    return 2 * len(record)


def _fits_chat(schema: Schema) -> Fits:
    (key,) = schema.keys
    speaker_key, text_key = schema.turn_keys
    kinds = {name: CONVERSATION[name] for name in schema.speakers}

    def check(record: Any) -> int:
        if type(record) is not dict:
            return 0
        turns = record.get(key)
        if type(turns) is not list:
            return 0
        before = ""
        count = len(record)
        for turn in turns:
            if type(turn) is not dict:
                return 0
            text = turn.get(text_key)
            if type(text) is not str or not text or text.isspace():
                return 0
            kind = kinds.get(turn.get(speaker_key))  # type: ignore[arg-type]
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
        return count if before == "assistant" else 0

    return check
