"""Hugging Face `trainer_state.json`: every version since 2020, whole or cut off."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from advisor.readers.base import Format, Record, Settings, Source, Unread
from advisor.readers.objects import objects_of_array, row, scalars

_HISTORY = re.compile(r'"log_history"\s*:\s*\[')
_SETTINGS = {
    "max_steps": "max_steps",
    "num_train_epochs": "num_train_epochs",
    "train_batch_size": "per_device_train_batch_size",
    "logging_steps": "logging_steps",
    "eval_steps": "eval_steps",
    "save_steps": "save_steps",
    "best_metric": "best_metric",
    "best_global_step": "best_global_step",
    "best_model_checkpoint": "best_model_checkpoint",
}
"""Fields of the state that are settings, under the names TrainingArguments gives them."""


def read(source: Source) -> Iterator[Record]:
    """Yield the settings, then a row for each entry of `log_history`. A file cut in the middle gives what it still holds."""
    text = source.text()
    found = _HISTORY.search(text)
    if not found or _is_one_of_many(text[: found.start()]):
        return
    end = found.end()
    rows: list[Record] = []
    for line, entry, position in objects_of_array(text, found.end(), 1 + text.count("\n", 0, found.end())):
        end = position
        if entry is None:
            rows.append(Unread(line))
        elif (measured := row(entry, line)) is not None:
            rows.append(measured)
    yield Settings(_settings(text[: found.end()], text[end:]))
    yield from rows


def _is_one_of_many(before: str) -> bool:
    """Tell whether whole JSON lines come first: ms-swift's logging.jsonl closes with the state of its run."""
    first, newline, _ = before.lstrip().partition("\n")
    return bool(newline) and first.startswith("{") and first.rstrip().endswith("}")


def _settings(head: str, tail: str) -> dict[str, bool | int | float | str]:
    """Return the settings around the log history; the part before it counts even where the part after it is cut off."""
    for candidate in (head + tail, head + "]}"):
        try:
            state = json.loads(candidate)
        except (ValueError, RecursionError):
            continue
        if isinstance(state, dict):
            plain = scalars({k: v for k, v in state.items() if k in _SETTINGS})
            return {_SETTINGS[key]: value for key, value in plain.items()}
    return {}


FORMAT = Format(
    name="hf-trainer-state",
    title={"en": "Hugging Face trainer state", "zh": "Hugging Face 训练状态文件"},
    read=read,
    head=(_HISTORY.pattern,),
    example='{"log_history": [{"epoch": 0.5, "loss": 2.31, "step": 10}, {"epoch": 1.0, "eval_loss": 2.18, "step": 20}]}',
)
