"""Sockeye's training log: `Epoch[0] Batch [500] … perplexity-train=512.1`, then `Checkpoint [1] Validation-perplexity=…`.

Sockeye 3 is shorter: `E=0 B=500 s/sec=… tok/sec=… u/sec=…`, and after the last tab the losses by their names alone, `ppl=512.1`.

A batch is an update and counts on through the epochs; a checkpoint stands where its `Updates=` says, else at the last batch.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from advisor.readers.base import Format, Record, Row, Source
from advisor.readers.clean import NUMBER, number
from advisor.readers.events import event_in
from advisor.readers.names import canonical

_BATCH = re.compile(r"\bEpoch\[(\d+)\] Batch \[(\d+)\]|\bE=(\d+) B=(\d+)\t")
_CHECKPOINT = re.compile(r"\bCheckpoint \[\d+\]\s")
_UPDATES = re.compile(r"\bUpdates=(\d+)")
_TRAIN = re.compile(rf"\b([\w-]+)-train=({NUMBER})", re.IGNORECASE)
_CHECKED = re.compile(rf"\b(Train|Validation)-([\w-]+)=({NUMBER})", re.IGNORECASE)
_SHORT = re.compile(rf"([\w-]+)=({NUMBER})")
_SPEED = re.compile(r"([\d.]+) tokens/sec|\btok/sec=([\d.]+)")


def read(source: Source) -> Iterator[Record]:
    """Yield a row for each line with a training or validation metric, and the events between them."""
    step = 0.0
    for line, text in source.lines():
        if found := _BATCH.search(text):
            step = float(found[2] or found[4])
            losses = _TRAIN.findall(text) if found[1] else _SHORT.findall(text.rpartition("\t")[2])
            values = _named((f"train_{name}", value) for name, value in losses)
            if speed := _SPEED.search(text):
                values |= _named([("tokens_per_second", speed[1] or speed[2])])
            if values:
                yield Row(line, {"epoch": float(found[1] or found[3]), "step": step, **values})
        elif _CHECKPOINT.search(text):
            if updates := _UPDATES.search(text):
                step = float(updates[1])
            # What is said of training here are means since the last checkpoint, which the batches have told already.
            named = [(f"eval_{name}", value) for kind, name, value in _CHECKED.findall(text) if kind.lower() == "validation"]
            if values := _named(named):
                yield Row(line, {"step": step, **values})
        elif (event := event_in(text, line)) is not None:
            yield event


def _named(pairs: Iterator[tuple[str, str]] | list[tuple[str, str]]) -> dict[str, float]:
    values = ((canonical(name) or name, number(value)) for name, value in pairs)
    return {name: value for name, value in values if value is not None}


FORMAT = Format(
    name="sockeye",
    title={"en": "Sockeye log", "zh": "Sockeye 日志"},
    read=read,
    head=(r"Epoch\[\d+\] Batch \[\d+\]\s+Speed: ", r"E=\d+ B=\d+\ts/sec=", r"Checkpoint \[\d+\]\s+Validation-"),
    example="[INFO:sockeye.training] Epoch[0] Batch [500]\tSpeed: 623.01 samples/sec 12345.3 tokens/sec 1.50 updates/sec\t"
    "perplexity-train=512.1\n[INFO:sockeye.training] Checkpoint [1]\tValidation-perplexity=212.1",
)
