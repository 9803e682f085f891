"""The shapes of training records, as data: which keys hold what, and from a record to the neutral form.

To add a schema is to add a line to `SCHEMAS`. What each shape accepts stands in `shapes.py`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

Shape = Literal["flat", "pairs", "chat"]
Method = Literal["sft", "dpo", "ranking", "pretrain"]

CONVERSATION: Mapping[str, str] = {
    "system": "system", "developer": "system", "user": "user", "human": "user", "assistant": "assistant", "gpt": "assistant",
    "tool": "tool", "function": "tool", "ipython": "tool", "observation": "tool", "function_call": "assistant",
    "tool_call": "assistant", "function_response": "tool", "tool_response": "tool",
}  # fmt: skip
"""Names of speakers → what they are."""


@dataclass(frozen=True, slots=True)
class Schema:
    """One shape of records.

    keys: the keys a record must have → what they hold: `system`, `user`, `input`, `assistant`, `rejected`, `ranked` (the answers
    from best to worst), `text`, `turns`. optional: keys it may have. In a chat, `turn_keys` names the keys of a turn's speaker
    and text, and `speakers` the names that stand there. dialogue: the values may be lists of turns too. columns: the order of
    the columns in a table without a header. example: one record as it is written.
    """

    name: str
    shape: Shape
    method: Method
    keys: Mapping[str, str]
    optional: Mapping[str, str] = field(default_factory=dict)
    turn_keys: tuple[str, str] = ("", "")
    speakers: tuple[str, ...] = ()
    dialogue: bool = False
    columns: tuple[tuple[str, ...], ...] = ()
    example: str = ""

    def __contains__(self, key: str) -> bool:
        return key in self.keys or key in self.optional


SCHEMAS: tuple[Schema, ...] = (
    Schema(
        "pangu-text", "flat", "pretrain", {"text": "text"}, {"meta": "", "source": ""},
        example='{"text": "The tide turns twice a day."}',
    ),
    Schema(
        "pangu-sft", "flat", "sft", {"context": "user", "target": "assistant"}, {"system": "system"},
        columns=(("context", "target"), ("system", "context", "target")),
        example='{"system": "You are a guide.", "context": "When is high tide?", "target": "At 14:05."}',
    ),
    Schema(
        "pangu-multi", "pairs", "sft", {"context": "user", "target": "assistant"}, {"system": "system"},
        example='[{"context": "When is high tide?", "target": "At 14:05."}, {"context": "And low tide?", "target": "At 20:20."}]',
    ),
    Schema(
        "pangu-ranking", "flat", "ranking", {"context": "user", "targets": "ranked"}, {"system": "system"},
        example='{"context": "When is high tide?", "targets": ["At 14:05.", "Twice a day."]}',
    ),
    Schema(
        "alpaca", "flat", "sft", {"instruction": "user", "output": "assistant"},
        {"input": "input", "system": "system", "history": "history"},
        example='{"instruction": "Name the tide.", "input": "14:05, water high", "output": "High tide."}',
    ),
    Schema(
        "prompt-completion", "flat", "sft", {"prompt": "user", "completion": "assistant"}, {"system": "system"}, dialogue=True,
        example='{"prompt": "When is high tide?", "completion": "At 14:05."}',
    ),
    Schema(
        "messages", "chat", "sft", {"messages": "turns"}, {"tools": ""}, ("role", "content"),
        ("system", "developer", "user", "assistant", "tool", "function", "ipython"),
        example='{"messages": [{"role": "user", "content": "When is high tide?"}, {"role": "assistant", "content": "At 14:05."}]}',
    ),
    Schema(
        "sharegpt", "chat", "sft", {"conversations": "turns"}, {"system": "system", "tools": ""}, ("from", "value"),
        ("system", "human", "user", "gpt", "assistant", "function_call", "observation", "tool", "tool_call", "tool_response"),
        example='{"conversations": [{"from": "human", "value": "When is high tide?"}, {"from": "gpt", "value": "At 14:05."}]}',
    ),
    Schema(
        "dpo", "flat", "dpo", {"prompt": "user", "chosen": "assistant", "rejected": "rejected"}, {"system": "system"},
        dialogue=True, example='{"prompt": "When is high tide?", "chosen": "At 14:05.", "rejected": "Twice a day."}',
    ),
    Schema(
        "alpaca-dpo", "flat", "dpo", {"instruction": "user", "chosen": "assistant", "rejected": "rejected"},
        {"input": "input", "system": "system"},
        example='{"instruction": "Name the tide.", "input": "14:05", "chosen": "High tide.", "rejected": "A tide."}',
    ),
)  # fmt: skip

BY_NAME: Mapping[str, Schema] = {schema.name: schema for schema in SCHEMAS}

ALIASES: Mapping[str, tuple[str, ...]] = {
    "user": ("question", "query", "instruction", "input", "prompt", "context", "problem"),
    "assistant": ("answer", "response", "output", "completion", "target", "reply", "solution", "targets", "chosen"),
    "ranked": ("target", "answers", "responses", "outputs"),
    "rejected": ("reject", "lose", "worse"),
    "turns": ("messages", "conversations", "conversation", "dialog", "dialogue", "turns", "chat"),
    "text": ("content", "document", "body", "passage"),
}
"""Keys that other schemas use for the same thing: what is likely meant where a key is missing."""

ENOUGH_TO_TELL = 1000
"""Records at the beginning of a file by which its schema is told."""


def detect(records: Sequence[Any]) -> Schema | None:
    """Return the schema of most of `records`, or that whose keys they come nearest to, or None where no key is known."""
    votes: dict[str, float] = {}
    for (kind, keys), count in Counter(map(_keys, records)).items():
        record: Any = dict.fromkeys(keys) if kind is dict else [dict.fromkeys(keys)] if kind is list else None
        for schema in SCHEMAS:
            if score := likeness(schema, record):
                votes[schema.name] = votes.get(schema.name, 0) + score * count
    return BY_NAME[max(votes, key=lambda name: votes[name])] if votes else None


def _keys(record: Any) -> tuple[type, tuple[str, ...]]:
    """Return what the likeness of a record depends on."""
    if isinstance(record, list):
        return list, tuple(dict.fromkeys(key for pair in record if isinstance(pair, dict) for key in pair))
    return type(record), tuple(record) if isinstance(record, dict) else ()


_PARTLY = 0.1


def likeness(schema: Schema, record: Any) -> float:
    """Return 1 where `record` has the keys of `schema`, a little where it has some of them, 0 where none."""
    if schema.shape == "pairs":
        pairs = [pair for pair in record if isinstance(pair, dict)] if isinstance(record, list) else []
        return float(any(schema.keys.keys() & pair.keys() for pair in pairs))
    if not isinstance(record, dict):
        return 0.0
    present = sum(key in record for key in schema.keys)
    if present == len(schema.keys):
        # Of two schemas that fit, the one that explains more keys is meant.
        known = sum(key in schema for key in record)
        return 1.0 + _PARTLY * (present + known) / (1 + len(record))
    return _PARTLY * present / len(schema.keys)
