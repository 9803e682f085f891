"""Mending one broken line: only faults whose repair is certain. What would be a guess is left to the user."""

from __future__ import annotations

import ast
from typing import Any

from advisor.data.malformed import BOM, FULL_WIDTH, QUOTES, Cause, cause_of
from advisor.data.parse import dumps, loads
from advisor.data.schemas import Schema
from advisor.data.shapes import flaws

MOST_STEPS = 200
"""Faults mended on one line; one with more is not worth it."""

_LITERALS = {"None": "null", "True": "true", "False": "false"}


def mended(line: bytes, schema: Schema | None) -> tuple[list[bytes], list[str]] | None:
    """Return the records that `line` becomes and the causes mended, or None where it cannot be mended for certain.

    A line that holds nothing (a comment, blanks) becomes no record.
    """
    steps: list[str] = []
    pending, done = [line.removeprefix(BOM)], []
    if pending[0] is not line:
        steps.append("byte-order-mark")
    while pending:
        text = pending.pop(0)
        if not text.strip():
            continue
        try:
            value = loads(text)
        except ValueError:
            if len(steps) >= MOST_STEPS:
                return None
            cause = cause_of(text)
            parts = _step(text, cause)
            if parts is None:
                return None
            steps.append(cause.name)
            pending = [*parts, *pending]
            continue
        if schema is not None:
            value, renamed = _renamed(schema, value)
            if renamed:
                steps.append("misspelt-key")
                text = dumps(value)
            if any(True for _ in flaws(schema, value)):
                return None
        done.append(text.strip())
    return done, steps


def _step(text: bytes, cause: Cause) -> list[bytes] | None:
    """Return what `text` becomes when this one fault is mended: mostly one text, several where it is split."""
    at = cause.at
    if cause.name == "other-encoding":
        return [text.decode(str(cause.facts["encoding"]), "replace").encode("utf-8")]
    if cause.name == "null-byte":
        return [text.replace(b"\0", b"")]
    if cause.name == "control-character":
        escaped = {b"\t": b"\\t", b"\n": b"\\n", b"\r": b"\\r"}.get(text[at : at + 1], b"")
        return [text[:at] + escaped + text[at + 1 :]]
    if cause.name == "bad-escape":
        return [text[:at] + b"\\" + text[at:]]
    if cause.name == "lone-surrogate":
        return [text[:at] + text[at + len(rb"\ud83d") :]]
    if cause.name in ("trailing-comma", "comma-after-record"):
        return [text[:at] + text[at + 1 :]]
    if cause.name == "several-records-on-a-line":
        return [text[:at].rstrip(b", "), text[at:].lstrip(b", ")]
    if cause.name in ("text-after-record", "comment") and _is_whole(text[:at]):
        return [text[:at]]
    if cause.name == "single-quotes" and cause.facts["readable"]:
        return _from_python(text)
    return _replaced(text, cause)


def _replaced(text: bytes, cause: Cause) -> list[bytes] | None:
    at, found = cause.at, str(cause.facts.get("found", ""))
    if cause.name == "python-literal":
        return [text[:at] + _LITERALS[found].encode() + text[at + len(found) :]]
    if cause.name == "typographic-punctuation":
        before, after = text[:at], text[at + len(found.encode()) :]
        if found in FULL_WIDTH:
            return [before + FULL_WIDTH[found].encode() + after]
        inside, closing, rest = _to_closing(after.decode("utf-8"))
        return [before + b'"' + inside.encode() + b'"' + rest.encode()] if closing else None
    if cause.name == "unquoted-key":
        end = at + len(found.encode())
        return [text[:at] + b'"' + text[at:end] + b'"' + text[end:]]
    return None


def _to_closing(text: str) -> tuple[str, str, str]:
    """Split `text` at the first typographic quotation mark."""
    at = next((index for index, char in enumerate(text) if char in QUOTES), len(text))
    return text[:at], text[at : at + 1], text[at + 1 :]


def _is_whole(text: bytes) -> bool:
    if not text.strip():
        return True
    try:
        loads(text)
    except ValueError:
        return False
    return True


def _from_python(text: bytes) -> list[bytes] | None:
    try:
        return [dumps(ast.literal_eval(text.decode("utf-8").strip()))]
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return None


def _renamed(schema: Schema, value: Any) -> tuple[Any, bool]:
    """Rename the keys of a record that differ from the right ones in case or by a slip, and not by their meaning."""
    if not isinstance(value, dict):
        return value, False
    renames: dict[str, str] = {}
    for flaw in flaws(schema, value):
        key, meant = str(flaw.facts.get("key", "")), str(flaw.facts.get("meant", ""))
        if flaw.cause == "misspelt-key" and key in schema and sorted(meant.strip().lower()) == sorted(key):
            renames[meant] = key
    return {renames.get(key, key): item for key, item in value.items()}, bool(renames)
