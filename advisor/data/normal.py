"""From a record of any schema to the neutral form, and back: what the checks look at, and what conversion goes through."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from advisor.data.model import Example, Turn
from advisor.data.schemas import CONVERSATION, Schema
from advisor.errors import AdvisorError

INPUT = "\n"
"""What joins an instruction and its input; the same that LLaMA-Factory puts between them."""


class Lossy(AdvisorError):
    """A record cannot be written in another schema without loss; the message says what would be lost."""


def reader(schema: Schema) -> Callable[[Any], Example]:
    """Return the function that brings a good record of `schema` into the neutral form."""
    if schema.shape == "pairs":
        return _from_pairs
    if schema.shape == "chat":
        (key,) = schema.keys
        return lambda record: _from_chat(record, key, schema)
    return lambda record: _from_flat(record, schema)


def _from_pairs(record: Any) -> Example:
    turns: list[Turn] = []
    extra: dict[str, Any] = {}
    for pair in record:
        if pair.get("system"):
            turns.append(("system", pair["system"]))
        if "context" in pair:
            turns += [("user", pair["context"]), ("assistant", pair["target"])]
        extra |= {key: value for key, value in pair.items() if key not in ("system", "context", "target")}
    return Example(turns, extra=extra)


def _from_chat(record: Mapping[str, Any], key: str, schema: Schema) -> Example:
    turns: list[Turn] = []
    if "system" in schema.optional and record.get("system"):
        turns.append(("system", record["system"]))
    extra: dict[str, Any] = {}
    for turn in record[key]:
        turns.append(_turn(turn, schema.turn_keys))
        for name, value in turn.items():
            if name not in schema.turn_keys and value is not None:
                extra.setdefault(name, value)
    extra |= {
        name: value for name, value in record.items() if name != key and schema.optional.get(name) != "system" and value is not None
    }
    return Example(turns, extra=extra)


def _turn(turn: Mapping[str, Any], keys: tuple[str, str]) -> Turn:
    return CONVERSATION[turn[keys[0]]], text_of(turn.get(keys[1]))  # type: ignore[return-value]


def text_of(value: Any) -> str:
    """Return the text of a message, whose content may be a list of parts."""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return "\n".join(str(part.get("text", "")) for part in value if isinstance(part, dict) and part.get("type") == "text")
    return ""


def _from_flat(record: Mapping[str, Any], schema: Schema) -> Example:
    turns: list[Turn] = []
    others: tuple[str, ...] = ()
    if "system" in schema.optional and (system := record.get("system")):
        turns.append(("system", system))
    if "history" in schema.optional:
        for question, answer in record.get("history") or ():
            turns += [("user", question), ("assistant", answer)]
    known = {"system", "history"} & schema.optional.keys()
    for key, holds in schema.keys.items():
        known.add(key)
        value = record[key]
        if holds == "text":
            turns.append(("text", value))
        elif holds == "user" and isinstance(value, str):
            more = record.get("input") if "input" in schema.optional else ""
            turns.append(("user", f"{value}{INPUT}{more}" if more and value else more or value))
        elif holds == "user" and key == "context":
            turns += [("assistant" if index % 2 else "user", text) for index, text in enumerate(value)]
        elif holds == "user":
            turns += [_turn(turn, ("role", "content")) for turn in value]
        elif holds == "ranked":
            turns.append(("assistant", value[0]))
            others = tuple(value[1:])
        else:
            text = value if isinstance(value, str) else _turn(value[-1], ("role", "content"))[1]
            if holds == "rejected":
                others = (text,)
            else:
                turns.append(("assistant", text))
    if "input" in schema.optional:
        known.add("input")
    return Example(turns, others, {key: value for key, value in record.items() if key not in known and value is not None})


def write(example: Example, schema: Schema, *, keep_extra: bool = True) -> Any:
    """Return the record of `schema` that says the same as `example`. Raises Lossy, which says what would be lost."""
    if schema.shape == "flat":
        record = _to_flat(example, schema)
    elif schema.shape == "pairs":
        return _to_pairs(example, schema)
    else:
        _only_best(example, schema)
        if example.turns[0][0] == "text":
            raise Lossy(f"a plain text has no question and answer, which {schema.name} needs; `--rule` makes them")
        role, text = schema.turn_keys
        names = _speakers(schema)
        (key,) = schema.keys
        record = {key: [{role: names[kind], text: said} for kind, said in example.turns]}
    if keep_extra:
        record |= {key: value for key, value in example.extra.items() if key not in record}
    elif example.extra:
        raise Lossy(f"{schema.name} has no place for {', '.join(f'`{key}`' for key in example.extra)}")
    return record


def _speakers(schema: Schema) -> dict[str, str]:
    names: dict[str, str] = {}
    for name in schema.speakers:
        names.setdefault(CONVERSATION[name], name)
    return names


def _only_best(example: Example, schema: Schema) -> None:
    if example.others:
        raise Lossy(f"{schema.name} has one answer; the {len(example.others)} worse ones would be lost")


def _to_pairs(example: Example, schema: Schema) -> list[dict[str, str]]:
    _only_best(example, schema)
    if example.extra:
        raise Lossy(f"{schema.name} has no place for {', '.join(f'`{key}`' for key in example.extra)}")
    system, turns = _without_system(example)
    if any(kind not in ("user", "assistant") for kind, _ in turns) or len(turns) % 2:
        raise Lossy(f"{schema.name} has questions and answers in turn; a {turns[0][0] if turns else 'system'} turn has no place")
    pairs = []
    for (asks, question), (answers, answer) in zip(turns[::2], turns[1::2], strict=True):
        if (asks, answers) != ("user", "assistant"):
            raise Lossy(f"{schema.name} has questions and answers in turn; here {asks} is followed by {answers}")
        pairs.append({"context": question, "target": answer})
    if system:
        pairs[0] = {"system": system, **pairs[0]}
    return pairs


def _without_system(example: Example) -> tuple[str, list[Turn]]:
    turns = list(example.turns)
    system = turns.pop(0)[1] if turns and turns[0][0] == "system" else ""
    return system, turns


def _to_flat(example: Example, schema: Schema) -> dict[str, Any]:
    holds = {what: key for key, what in (*schema.optional.items(), *schema.keys.items())}
    system, turns = _without_system(example)
    if "text" in holds:
        if turns[0][0] != "text":
            raise Lossy(f"{schema.name} is one text; who says what would be lost")
        return {holds["text"]: turns[0][1]}
    if turns[0][0] == "text":
        raise Lossy(f"a plain text has no question and answer, which {schema.name} needs; `--rule` makes them")
    record: dict[str, Any] = {}
    if system:
        if "system" not in holds:
            raise Lossy(f"{schema.name} has no place for a system turn")
        record[holds["system"]] = system
    if any(kind == "tool" for kind, _ in turns):
        raise Lossy(f"{schema.name} has no place for a tool turn")
    *before, question, answer = turns if len(turns) > 1 else [*turns, ("", "")]
    if (question[0], answer[0]) != ("user", "assistant"):
        raise Lossy(f"{schema.name} ends on a question and its answer; here {question[0]} is followed by {answer[0] or 'nothing'}")
    if before and "history" in holds:
        if len(before) % 2:
            raise Lossy(f"{schema.name} has earlier turns in pairs; here they are {len(before)}")
        record[holds["history"]] = [[q, a] for (_, q), (_, a) in zip(before[::2], before[1::2], strict=True)]
    elif before and schema.dialogue:
        record[holds["user"]] = [{"role": kind, "content": text} for kind, text in (*before, question)]
        record[holds["assistant"]] = [{"role": "assistant", "content": answer[1]}]
    elif before:
        raise Lossy(f"{schema.name} has one question and one answer; the {len(before)} turns before them would be lost")
    record.setdefault(holds["user"], question[1])
    if "ranked" in holds:
        if not example.others:
            raise Lossy(f"{schema.name} ranks two answers or more; here is one")
        record[holds["ranked"]] = [answer[1], *example.others]
        return record
    record.setdefault(holds["assistant"], answer[1])
    if "rejected" in holds:
        if not example.others:
            raise Lossy(f"{schema.name} needs a worse answer beside the better one; here is none")
        if len(example.others) > 1:
            raise Lossy(f"{schema.name} has one worse answer; {len(example.others) - 1} more would be lost")
        worse = example.others[0]
        record[holds["rejected"]] = [{"role": "assistant", "content": worse}] if before else worse
    else:
        _only_best(example, schema)
    return record
