"""The table that mlx-lm prints from 2026 on: a line for each report of training, and one with `val` for each evaluation."""

from __future__ import annotations

import re
from collections.abc import Iterator

from advisor.readers.base import Format, Record, Row, Settings, Source
from advisor.readers.clean import NUMBER, number, pieces
from advisor.readers.events import event_in

_TRAINING = re.compile(rf"\s*(\d+)\s+({NUMBER}) [▼▲]\s+([\d,]+)\s", re.IGNORECASE)
_EVALUATION = re.compile(rf"\s*(\d+)\s+val\s+({NUMBER})\s+[\d.]+s", re.IGNORECASE)
_BATCH = re.compile(r"\bbatch · iters\s+(\d+) · (\d+)")
_RATE = re.compile(rf"\boptimizer\s+\w+ · lr ({NUMBER})")


def read(source: Source) -> Iterator[Record]:
    """Yield a row for each line of the table, the settings of the frame above it, and the events between them."""
    for line, raw in source.lines():
        for _, text in pieces(raw):
            if found := _TRAINING.match(text):
                values = zip(("step", "train_loss", "tokens_per_second"), found.groups(), strict=True)
                yield Row(line, {name: value for name, cell in values if (value := number(cell)) is not None})
            elif found := _EVALUATION.match(text):
                yield Row(line, {"step": float(found[1]), "eval_loss": float(found[2])})
            elif found := _BATCH.search(text):
                yield Settings({"per_device_train_batch_size": int(found[1]), "max_steps": int(found[2])})
            elif found := _RATE.search(text):
                yield Settings({"learning_rate": float(found[1])})
            elif (event := event_in(text, line)) is not None:
                yield event


FORMAT = Format(
    name="mlx-console",
    serves=("mlx-lm",),
    title={"en": "mlx-lm table", "zh": "mlx-lm 训练表格"},
    read=read,
    head=(r"^\s*iter\s+train_loss\s+tok/s\s+tokens\b", rf"^\s*\d+\s+(?:{NUMBER}) [▼▲]\s+[\d,]+\s+[\d.]+k"),
    example="  iter   train_loss     tok/s     tokens\n    20    2.359 ▼    3,175      0.7k\n    20    val 2.397    0.02s",
)
