"""What each shape of record must be, and everything for which a record is not that."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from advisor.data.schemas import ALIASES, CONVERSATION, SCHEMAS, Schema, likeness
from advisor.model import Facts, Term

FEWEST_RANKED, MOST_RANKED = 2, 6
"""Answers of a ranking (documented: two to six, best first)."""


@dataclass(frozen=True, slots=True)
class Flaw:
    """Why a record that is JSON does not fit its schema. key, nth: the occurrence of a key where it shows, -1 for the end."""

    cause: str
    key: str = ""
    nth: int = 0
    facts: Facts = field(default_factory=dict)


def flaws(schema: Schema, record: Any) -> Iterator[Flaw]:
    """Yield everything for which `record` is not one of `schema`."""
    if schema.shape == "pairs":
        yield from _flaws_of_pairs(schema, record)
        return
    if not isinstance(record, dict):
        if isinstance(record, list) and any(likeness(other, record) >= 1 for other in SCHEMAS if other.shape == "pairs"):
            yield Flaw("mixed-schemas", facts={"found": "pangu-multi", "expected": schema.name})
        else:
            yield Flaw("not-an-object", facts={"found": type_of(record), "expected": Term("type-object")})
        return
    missing = [key for key in schema.keys if key not in record]
    if missing and (other := _fitting(record)) and other is not schema:
        yield Flaw("mixed-schemas", facts={"found": other.name, "expected": schema.name})
        return
    for key in missing:
        yield _missing(key, schema.keys[key], record, schema)
    for key, holds in (*schema.keys.items(), *schema.optional.items()):
        if key in record and (key in schema.keys or record[key] is not None):
            yield from _flaws_of_value(schema, key, holds, record[key], record)


def _fitting(record: Mapping[str, Any]) -> Schema | None:
    fitting = [schema for schema in SCHEMAS if likeness(schema, record) >= 1]
    return max(fitting, key=lambda schema: likeness(schema, record), default=None)


def _missing(key: str, holds: str, record: Mapping[str, Any], schema: Schema, *, nth: int = -1, path: str = "") -> Flaw:
    """Return the flaw of a missing key, with the key that was likely meant."""
    others = [other for other in record if other not in schema and other not in schema.turn_keys]
    facts: dict[str, Any] = {"key": path + key, "meant": "", "found": ", ".join(map(str, record))[:80]}
    same = [other for other in others if other.strip().lower() == key]
    near = difflib.get_close_matches(key, others, n=1, cutoff=0.6)
    alias = [other for other in others if other.lower() in ALIASES.get(holds, ())]
    for found in (same, near, alias):
        if found:
            facts["meant"] = found[0]
            return Flaw("misspelt-key", found[0], max(nth, 0), facts)
    return Flaw("missing-key", nth=-1, facts=facts)


def _flaws_of_value(schema: Schema, key: str, holds: str, value: Any, record: Mapping[str, Any]) -> Iterator[Flaw]:
    if holds == "":
        return
    if holds == "history":
        if not (isinstance(value, list) and all(map(_is_round, value))):
            yield Flaw("wrong-type", key, facts={"key": key, "found": type_of(value), "expected": Term("type-pairs")})
        return
    if holds == "turns" or (schema.dialogue and isinstance(value, list)):
        turn_keys = schema.turn_keys if schema.turn_keys[0] else ("role", "content")
        yield from _flaws_of_turns(schema, turn_keys, key, value, whole=holds == "turns", answer=holds in ("assistant", "rejected"))
    elif holds == "ranked":
        yield from _flaws_of_ranking(key, value)
    elif holds == "user" and key == "context" and isinstance(value, list):
        # Documented for multi-turn questions: [Q1, A1, …, Qn]; one question alone may stand in a list too.
        if not value or len(value) % 2 == 0 or not all(isinstance(part, str) for part in value):
            yield Flaw("wrong-type", key, facts={"key": key, "found": type_of(value), "expected": Term("type-text")})
    elif holds == "assistant" and (value is None or (isinstance(value, str) and not value.strip())):
        yield Flaw(
            "empty-answer", key, facts={"key": key, "found": "null" if value is None else f'"{value[:8]}"'.replace("\n", "\\n")}
        )
    elif not isinstance(value, str):
        yield Flaw("wrong-type", key, facts={"key": key, "found": type_of(value), "expected": Term("type-text")})
    elif holds in ("user", "text", "rejected") and not value.strip() and not str(record.get("input") or "").strip():
        yield Flaw("empty-prompt", key, facts={"key": key})


def _is_round(value: Any) -> bool:
    """Tell whether a value is one earlier question and its answer."""
    return isinstance(value, list) and len(value) == len(("question", "answer")) and all(isinstance(text, str) for text in value)


def _flaws_of_ranking(key: str, value: Any) -> Iterator[Flaw]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        yield Flaw("wrong-type", key, facts={"key": key, "found": type_of(value), "expected": Term("type-texts")})
    elif not FEWEST_RANKED <= len(value) <= MOST_RANKED:
        yield Flaw("ranking-size", key, facts={"found": len(value), "least": FEWEST_RANKED, "most": MOST_RANKED})
    elif not all(item.strip() for item in value):
        yield Flaw("empty-answer", key, facts={"key": key, "found": '""'})


def _flaws_of_turns(
    schema: Schema, turn_keys: tuple[str, str], key: str, turns: Any, *, whole: bool, answer: bool = False
) -> Iterator[Flaw]:
    """Judge a list of turns. whole: it is all of the conversation, not the prompt or the answer alone."""
    if not isinstance(turns, list) or not turns:
        yield Flaw("wrong-type", key, facts={"key": key, "found": type_of(turns), "expected": Term("type-turns")})
        return
    speaker_key, text_key = turn_keys
    kinds: list[str] = []
    for index, turn in enumerate(turns):
        path = f"{key}[{index}]."
        if not isinstance(turn, dict):
            yield Flaw("wrong-type", key, facts={"key": f"{key}[{index}]", "found": type_of(turn), "expected": Term("type-object")})
            return
        if speaker_key not in turn:
            yield _missing(speaker_key, "", turn, schema, nth=index, path=path)
            return
        name = turn[speaker_key]
        kind = CONVERSATION.get(name, "") if isinstance(name, str) and name in (schema.speakers or CONVERSATION) else ""
        if not kind:
            known = ", ".join(schema.speakers or ("system", "user", "assistant"))
            yield Flaw(
                "role-order",
                speaker_key,
                index,
                {"role": str(name)[:24], "turn": index + 1, "why": Term("order-unknown"), "known": known},
            )
            return
        kinds.append(kind)
        calls = turn.get("tool_calls") or turn.get("function_call")
        if text_key not in turn and not calls:
            yield _missing(text_key, "", turn, schema, nth=index, path=path)
            return
        yield from _flaws_of_text(turn.get(text_key), kind, text_key, index, path, calls=bool(calls))
    if whole:
        yield from _flaws_of_order(kinds, speaker_key)
    elif answer and kinds[-1] != "assistant":
        yield _order("end", len(kinds), kinds[-1], speaker_key)


def _flaws_of_text(text: Any, kind: str, key: str, index: int, path: str, *, calls: bool) -> Iterator[Flaw]:
    if calls and not text:
        return
    if isinstance(text, list):
        if not all(isinstance(part, dict) and "type" in part for part in text):
            yield Flaw("wrong-type", key, index, {"key": path + key, "found": type_of(text), "expected": Term("type-text")})
        return
    empty = text is None or (isinstance(text, str) and not text.strip())
    if empty and kind in ("assistant", "text"):
        shown = "null" if text is None else f'"{text[:8]}"'.replace("\n", "\\n")
        yield Flaw("empty-answer", key, index, {"key": path + key, "found": shown})
    elif empty and kind == "user":
        yield Flaw("empty-prompt", key, index, {"key": path + key})
    elif text is not None and not isinstance(text, str):
        yield Flaw("wrong-type", key, index, {"key": path + key, "found": type_of(text), "expected": Term("type-text")})


def _flaws_of_order(kinds: list[str], key: str) -> Iterator[Flaw]:
    """Yield the first break of the order: an optional system turn, then user and assistant in turn, ending on the assistant."""
    before = ""
    for index, kind in enumerate(kinds):
        if kind == "system" and before not in ("", "system"):
            yield _order("late-system", index + 1, kind, key)
            return
        if kind == "assistant" and before in ("", "system"):
            yield _order("start", index + 1, kind, key)
            return
        if kind == before and kind == "user":
            yield _order("repeated", index + 1, kind, key)
            return
        if kind == before and kind == "assistant":
            yield _order("repeated", index + 1, kind, key)
            return
        before = kind
    if "assistant" not in kinds:
        yield _order("no-answer", len(kinds), before, key)
    elif before != "assistant":
        yield _order("end", len(kinds), before, key)


def _order(why: str, turn: int, role: str, key: str) -> Flaw:
    return Flaw(
        "role-order", key, turn - 1, {"role": role, "turn": turn, "why": Term(f"order-{why}"), "known": "system, user, assistant"}
    )


def _flaws_of_pairs(schema: Schema, record: Any) -> Iterator[Flaw]:
    if not isinstance(record, list):
        other = _fitting(record) if isinstance(record, dict) else None
        if other:
            yield Flaw("mixed-schemas", facts={"found": other.name, "expected": schema.name})
        elif isinstance(record, dict):
            yield Flaw("wrong-type", facts={"key": "record", "found": type_of(record), "expected": Term("type-pairs")})
        else:
            yield Flaw("not-an-object", facts={"found": type_of(record), "expected": Term("type-pairs")})
        return
    if not record:
        yield Flaw("empty-answer", facts={"key": "record", "found": "[]"})
        return
    if all(isinstance(pair, dict) and pair.keys() == {"system"} for pair in record):
        yield _order("no-answer", len(record), "system", "system")
    for index, pair in enumerate(record):
        if not isinstance(pair, dict):
            yield Flaw("wrong-type", facts={"key": f"[{index}]", "found": type_of(pair), "expected": Term("type-object")})
            return
        if pair.keys() == {"system"}:
            if index:
                yield _order("late-system", index + 1, "system", "system")
            continue
        missing = [key for key in schema.keys if key not in pair]
        for key in missing:
            yield _missing(key, schema.keys[key], pair, schema, nth=index, path=f"[{index}].")
        if missing:
            # In pairs a missing key is a turn without its answer, or an answer without its question.
            why = "start" if "context" in missing else "end" if index == len(record) - 1 else "repeated"
            yield _order(why, index + 1, "assistant" if "context" in missing else "user", next(iter(pair), ""))
        for key, kind in (("context", "user"), ("target", "assistant")):
            if key in pair:
                yield from _flaws_of_text(pair[key], kind, key, index, f"[{index}].", calls=False)


def type_of(value: Any) -> Term:
    """Return the name of a value's type."""
    names = {dict: "object", list: "list", str: "text", int: "number", float: "number", bool: "boolean", type(None): "null"}
    return Term(f"type-{names.get(type(value), 'other')}")
