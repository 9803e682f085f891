"""Rows read from a file of JSON lines only when the trainer asks for them, with one line spoilt."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import torch
from torch.utils.data import Dataset

from tasks import BYTES, IGNORED, REPORT_LENGTH, weather_records

LOG = logging.getLogger("data")
PATH = Path("data/train.jsonl")
BROKEN_LINE = 361


class JsonLines(Dataset[dict[str, torch.Tensor]]):
    """A file of `{"context": …, "target": …}` lines, parsed one by one."""

    vocab_size = BYTES

    def __init__(self, path: Path) -> None:
        """Read the lines without parsing them."""
        self.path = path
        self.lines = path.read_text(encoding="utf-8").splitlines()

    def __len__(self) -> int:
        """Return the number of lines."""
        return len(self.lines)

    def __getitem__(self, index: int) -> dict[str, torch.Tensor]:
        """Parse one line, or say which one could not be."""
        try:
            record = json.loads(self.lines[index])
            context, target = record["context"].encode(), record["target"].encode()
        except (json.JSONDecodeError, KeyError) as error:
            message = f"read example failed: {self.path}:{index + 1}: {error}"
            LOG.error(message)  # noqa: TRY400 - the traceback is printed anyway
            raise ValueError(message) from error
        end = len(context) + len(target)
        ids = torch.zeros(REPORT_LENGTH, dtype=torch.long)
        ids[:end] = torch.tensor(list(context + target))
        labels = ids.clone()
        labels[: len(context)] = labels[end:] = IGNORED
        return {"input_ids": ids, "labels": labels}


def json_lines(rows: int, seed: int) -> JsonLines:
    """Write reports to a file, leave a quotation mark open in one line, and return the rows."""
    lines = [
        json.dumps({"context": context, "target": target})
        for context, target in weather_records(rows, seed)
    ]
    lines[BROKEN_LINE - 1] = lines[BROKEN_LINE - 1].replace('", "target"', ', "target"')
    PATH.parent.mkdir()
    PATH.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return JsonLines(PATH)
