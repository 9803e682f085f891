"""The shortest logs there are: `250 val 3.2866`, as build-nanogpt writes it, and `s:250 tel:3.2866` of llm.c.

The step, which data set, the loss. Scores of benchmarks (`hella`, `eval`) stand on lines of their own and are no losses.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from advisor.readers.base import Format, Record, Row, Source, Unread
from advisor.readers.bulk import NOTHING, Stateless, Told, read_lines
from advisor.readers.clean import NUMBER, number
from advisor.readers.events import event_in, may_be_event

_LINE = re.compile(rf"^s?:?(\d+) ((?:[a-z]+[ :](?:{NUMBER}) ?)+)$", re.IGNORECASE)
_PAIR = re.compile(rf"([a-z]+)[ :]({NUMBER})", re.IGNORECASE)
_QUANTITIES = {
    "train": "train_loss", "trl": "train_loss", "val": "eval_loss", "tel": "eval_loss", "lr": "learning_rate", "norm": "grad_norm",
    "hella": "eval_hellaswag", "eval": "eval_hellaswag",
}  # fmt: skip
_LOOKS_LIKE = re.compile(r"^(?:s:)?\d+ (?:train|val|trl|tel)\b")


def read(source: Source) -> Iterator[Record]:
    """Yield a row for each line that names a step and its quantities, and the events between them."""
    return read_lines(source, Stateless(_told, _records))


def _records(line: int, text: str) -> Iterator[Record]:
    if found := _LINE.match(text.strip()):
        values = {_QUANTITIES[key]: number(value) for key, value in _PAIR.findall(found[2]) if key in _QUANTITIES}
        measured = {name: value for name, value in values.items() if value is not None}
        if measured:
            yield Row(line, {"step": float(found[1]), **measured})
    elif _LOOKS_LIKE.match(text):
        yield Unread(line)
    elif (event := event_in(text, line)) is not None:
        yield event


def _told(shape: str) -> Told | None:
    """Return where the numbers stand in every line of this shape; None where each line must be looked at by itself."""
    if found := _LINE.match(shape):
        spans = [(_QUANTITIES[pair[1]], *pair.span(2)) for pair in _PAIR.finditer(shape, found.start(2)) if pair[1] in _QUANTITIES]
        twice = len({name for name, _, _ in spans}) < len(spans)
        return None if twice or not spans else Told((("step", *found.span(1)), *spans))
    return None if _LOOKS_LIKE.match(shape.strip()) or _LINE.match(shape.strip()) or may_be_event(shape) else NOTHING


FORMAT = Format(
    name="terse",
    title={"en": "terse lines: step, data set, loss", "zh": "极简日志：步数、数据集、损失"},
    read=read,
    serves=("build-nanogpt", "llm.c (main.log)"),
    head=(rf"^(?:\d+ (?:train|val) (?:{NUMBER})|s:\d+ (?:trl|tel):(?:{NUMBER})[^\n]*)\s*$",),
    example="0 val 10.9504\n0 train 10.955029\n1 train 10.390031",
)
