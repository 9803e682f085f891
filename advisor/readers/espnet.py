"""ESPnet 2: a line for some batches of an epoch, and one line that holds the means of the epoch's training and validation.

Its loss is a weighted sum of those of its parts, of an utterance or a token as the task has it: its unit is not known.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from advisor.readers.base import Format, Record, Row, Source, Unread
from advisor.readers.clean import NUMBER, number
from advisor.readers.events import event_in
from advisor.readers.names import canonical

_BATCHES = re.compile(r"\b(\d+)epoch:train:\d+-(\d+)batch: (.*)")
_RESULTS = re.compile(r"\b(\d+)epoch results: (.*)")
_PART = re.compile(r"\[(\w+)\] ([^\[]*)")
_PAIR = re.compile(rf"\b(\w+)=({NUMBER})(?=,|\s|$)", re.IGNORECASE)
_JUDGED = re.compile(r"loss|acc|cer|wer")
_OTHERS = {"grad_norm": "grad_norm", "loss_scale": "loss_scale", "optim0_lr0": "learning_rate", "acc": "train_accuracy"}


def read(source: Source) -> Iterator[Record]:
    """Yield a row for each line about batches and one for each half of an epoch's results, and the events between them.

    Batches are counted on through the epochs: `total_count` says how many there have been.
    """
    before, batch = 0.0, 0.0
    for line, text in source.lines():
        if found := _BATCHES.search(text):
            batch = float(found[2])
            values = _numbers(found[3])
            if "loss" in values:
                others = {name: values[key] for key, name in _OTHERS.items() if key in values}
                yield Row(line, {"epoch": float(found[1]), "step": before + batch, "train_error": values["loss"], **others})
        elif found := _RESULTS.search(text):
            halves = {part: _numbers(rest) for part, rest in _PART.findall(found[2])}
            before, batch = halves.get("train", {}).get("total_count", before + batch), 0.0
            place = {"epoch": float(found[1]), "step": before}
            if "loss" in halves.get("train", {}):
                yield Row(line, place | {"train_mean_error": halves["train"]["loss"]})
            validation = {_eval_name(key): value for key, value in halves.get("valid", {}).items() if _JUDGED.match(key)}
            if validation:
                yield Row(line, place | validation)
        elif "epoch:train:" in text and "loss" in text:
            yield Unread(line)
        elif (event := event_in(text, line)) is not None:
            yield event


def _eval_name(key: str) -> str:
    return "eval_error" if key == "loss" else canonical(f"eval_{key}") or f"eval_{key}"


def _numbers(text: str) -> dict[str, float]:
    pairs = ((key, number(value)) for key, value in _PAIR.findall(text))
    return {key: value for key, value in pairs if value is not None}


FORMAT = Format(
    name="espnet",
    title={"en": "ESPnet log", "zh": "ESPnet 日志"},
    read=read,
    head=(r"epoch:train:\d+-\d+batch: ", r"epoch results: \[\w+\] "),
    example="2024-01-01 10:00:00,000 (trainer:732) INFO: 1epoch:train:1-100batch: iter_time=0.5, loss_ctc=200.1, loss=102.4, "
    "grad_norm=55.1, optim0_lr0=2.0e-06\n"
    "2024-01-01 10:10:00,000 (trainer:338) INFO: 1epoch results: [train] loss=95.4, total_count=200, "
    "[valid] loss=80.5, total_count=50",
)
