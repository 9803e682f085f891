"""From a record of any schema to the neutral form, and back: what the checks look at, and what conversion goes through."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from advisor.data.model import Example, Turn
from advisor.data.schemas import CONVERSATION, SCHEMAS, Schema
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
    lost: list[str] = []
    for pair in record:
        if pair.get("system"):
            turns.append(("system", pair["system"]))
        if "context" in pair:
            turns += [("user", pair["context"]), ("assistant", pair["target"])]
        lost += [f"`{key}` of a pair" for key in pair if key not in ("system", "context", "target")]
    return Example(turns, lost=tuple(lost))


def _from_chat(record: Mapping[str, Any], key: str, schema: Schema) -> Example:
    turns: list[Turn] = []
    if "system" in schema.optional and record.get("system"):
        turns.append(("system", record["system"]))
    lost: list[str] = []
    turns += [_turn(turn, schema.turn_keys, lost) for turn in record[key]]
    extra = {
        name: value for name, value in record.items() if name != key and schema.optional.get(name) != "system" and value is not None
    }
    return Example(turns, extra=extra, lost=tuple(lost))


CALLS = frozenset({"function_call", "tool_call"})
"""Speakers whose text is a call of a tool: no answer, though the model says it."""


def _turn(turn: Mapping[str, Any], keys: tuple[str, str], lost: list[str]) -> Turn:
    """Return the speaker and the text of a turn; `lost` hears of what else it holds."""
    speaker, text = keys
    lost += [f"`{name}` of a turn" for name, value in turn.items() if name not in keys and value is not None]
    if turn[speaker] in CALLS:
        lost.append(f"that a turn is a `{turn[speaker]}`")
    said = turn.get(text)
    if isinstance(said, list):
        lost += [f"a part of the type `{kind}`" for part in said if (kind := part.get("type")) != "text"]
    return CONVERSATION[turn[speaker]], text_of(said)  # type: ignore[return-value]


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
    lost: list[str] = []
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
        elif holds == "ranked":
            turns.append(("assistant", value[0]))
            others = tuple(value[1:])
        else:
            said: list[Turn] = (
                [("assistant", value)] if isinstance(value, str) else [_turn(turn, ("role", "content"), lost) for turn in value]
            )
            if holds != "rejected":
                turns += said
            else:
                others = (said[-1][1],)
                lost += ["turns before the last one of the worse answer"] * (len(said) > 1)
    if "input" in schema.optional:
        known.add("input")
    extra = {key: value for key, value in record.items() if key not in known and value is not None}
    return Example(turns, others, extra, tuple(lost))


def write(example: Example, schema: Schema, *, keep_extra: bool = True) -> Any:
    """Return the record of `schema` that says the same as `example`. Raises Lossy, which says what would be lost."""
    if keep_extra and example.lost:
        raise Lossy(f"{', '.join(dict.fromkeys(example.lost))} would be lost; `--drop-extra` leaves it out")
    if schema.shape != "flat" and example.turns[0][0] == "text":
        raise Lossy(f"a plain text has no question and answer, which {schema.name} needs; `--rule` makes them")
    if schema.shape == "flat":
        record = _to_flat(example, schema)
    elif schema.shape == "pairs":
        return _to_pairs(example, schema)
    else:
        _only_best(example, schema)
        role, text = schema.turn_keys
        names = _speakers(schema)
        (key,) = schema.keys
        record = {key: [{role: names[kind], text: said} for kind, said in example.turns]}
    if keep_extra:
        record |= {key: value for key, value in example.extra.items() if key not in record}
    elif example.extra:
        raise _no_place_for(example.extra, schema)
    return record


def _speakers(schema: Schema) -> dict[str, str]:
    names: dict[str, str] = {}
    for name in schema.speakers:
        names.setdefault(CONVERSATION[name], name)
    return names


def _only_best(example: Example, schema: Schema) -> None:
    if example.others:
        raise Lossy(f"{schema.name} has one answer; {_worse(len(example.others))}")


def _no_place_for(extra: Mapping[str, Any], schema: Schema) -> Lossy:
    names = ", ".join(f"`{key}`" for key in extra)
    return Lossy(f"{schema.name} has no place for {names}; `--drop-extra` leaves out what stands beside the texts")


def _holding(*what: str) -> str:
    """Name the schemas that hold one of these."""
    held = {schema.name: {schema.shape, *schema.keys.values(), *schema.optional.values()} for schema in SCHEMAS}
    return ", ".join(name for name, holds in held.items() if holds.intersection(what))


def _worse(count: int) -> str:
    if count == 1:
        return f"the worse one would be lost (it has a place in {_holding('ranked', 'rejected')})"
    return f"the {count} worse ones would be lost (they have a place in {_holding('ranked')})"


def _to_pairs(example: Example, schema: Schema) -> list[dict[str, str]]:
    _only_best(example, schema)
    if example.extra:
        raise _no_place_for(example.extra, schema)
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
        lost = f"the {len(before)} turns before them would be lost (they have a place in {_holding('turns', 'pairs', 'history')})"
        raise Lossy(f"{schema.name} has one question and one answer; {lost}")
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
            more = f"{len(example.others) - 1} more would be lost (they have a place in {_holding('ranked')})"
            raise Lossy(f"{schema.name} has one worse answer; {more}")
        worse = example.others[0]
        record[holds["rejected"]] = [{"role": "assistant", "content": worse}] if before else worse
    else:
        _only_best(example, schema)
    return record
