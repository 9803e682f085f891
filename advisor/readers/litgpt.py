"""LitGPT: `Epoch 1 | iter 10 step 2 | loss train: 1.234, val: n/a | …`, several iterations a step.

The train loss is a mean over the iterations of a step, whole at the last of them. The validation loss is repeated until the
next evaluation, so only its changes are points; lines of its own (`iter 10: val loss 1.3453, …`) say it better.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from advisor.readers.base import Format, Record, Row, Source
from advisor.readers.clean import NUMBER, number, strip_ansi
from advisor.readers.events import event_in

_LINE = re.compile(
    rf"\bEpoch (?P<epoch>\d+) \| iter \d+ step (?P<step>\d+) \| loss train: (?P<train>{NUMBER}), val: (?P<val>{NUMBER}|n/a)",
    re.IGNORECASE,
)
_EVALUATION = re.compile(rf"(?:\biter \d+: val loss |\bFinal evaluation \| val loss: )({NUMBER})", re.IGNORECASE)


def read(source: Source) -> Iterator[Record]:
    """Yield a row for each optimizer step and each evaluation, and the events between them."""
    held: Row | None = None
    step, shown, told = 0.0, "n/a", False
    for line, raw in source.lines():
        text = strip_ansi(raw)
        if found := _LINE.search(text):
            if held and held.values["step"] != float(found["step"]):
                yield held
            step = float(found["step"])
            values = {"step": step, "train_loss": number(found["train"]), "epoch": float(found["epoch"])}
            held = Row(line, {name: value for name, value in values.items() if value is not None})
            if found["val"] != shown and not told and (value := number(found["val"])) is not None:
                yield Row(line, {"step": step, "eval_loss": value})
            shown = found["val"]
        elif (found := _EVALUATION.search(text)) and (value := number(found[1])) is not None:
            told = True
            yield Row(line, {"step": step, "eval_loss": value})
        elif (event := event_in(text, line)) is not None:
            if held:
                yield held
            held = None
            yield event
    if held:
        yield held


FORMAT = Format(
    name="litgpt",
    title={"en": "LitGPT console", "zh": "LitGPT 控制台输出"},
    read=read,
    head=(r"Epoch \d+ \| iter \d+ step \d+ \| loss train: ",),
    example="Epoch 1 | iter 16 step 1 | loss train: 2.234, val: n/a | iter time: 350.12 ms (step)\n"
    "Epoch 1 | iter 32 step 2 | loss train: 2.034, val: 2.115 | iter time: 348.10 ms (step)",
)
