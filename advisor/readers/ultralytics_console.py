"""The console of Ultralytics YOLO, YOLOv5 and YOLOv7: a header, then a bar for each epoch with the means over the epoch so far.

As in `results.csv` there is a column for each part of the loss and none for their sum, which is judged in the place of a total
(YOLOv7's column `total` is just that).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from advisor.readers.base import Format, NewRun, Record, Row, Source
from advisor.readers.clean import number, strip_ansi
from advisor.readers.events import event_in

_HEADER = re.compile(r"^\s*Epoch\s+GPU_mem\s+(?:.*?loss\b|box\s+obj\s)", re.IGNORECASE)
_BARE_PARTS = frozenset({"box", "obj", "cls", "seg"})
"""Columns of parts of the loss in YOLOv5 before 7.0 and in YOLOv7, which leave the word out."""

_EPOCH = re.compile(r"^\s*(\d+)/(\d+)\s+[\d.]+[GM]?\s+[-\d.na]")
_SCORES = re.compile(r"^\s*Class\s+Images\s+(?:Instances|Labels)\s+(.*?)(?::|$)")
_NAME = re.compile(r"[\w.:-]+(?:\([A-Z])?")
_ALL = re.compile(r"^\s*all\s+\d+\s+\d+\s+([-\d.e na]+)")
_FIRST_CELLS = 2


def read(source: Source) -> Iterator[Record]:
    """Yield a row for each epoch and one for each validation, a new run where the epochs begin again, and the events."""
    columns: list[str] = []
    scores: list[str] = []
    held: Row | None = None
    epoch = 0.0
    for line, raw in source.lines():
        for piece in strip_ansi(raw).split("\r"):
            if _HEADER.match(piece):
                columns = piece.split()
            elif columns and (found := _EPOCH.match(piece)):
                if held and float(found[1]) != held.values["epoch"]:
                    yield held
                if float(found[1]) < epoch:
                    yield NewRun(line)
                epoch = float(found[1])
                held = Row(line, {"epoch": epoch, **_losses(columns, piece.partition(":")[0].split())})
            elif found := _SCORES.match(piece):
                scores = _NAME.findall(found[1])
            elif held and scores and (found := _ALL.match(piece)):
                yield held
                held = None
                if measured := _measured(scores, found[1].split()):
                    yield Row(line, {"epoch": epoch, **measured})
            elif (event := event_in(piece, line)) is not None:
                yield event
    if held:
        yield held


def _losses(columns: list[str], cells: list[str]) -> dict[str, float]:
    """Return the parts of the loss and their sum; the loss itself where it is one column."""
    named = [
        (f"{name}_loss" if name in _BARE_PARTS else name, number(cell))
        for name, cell in zip(columns[_FIRST_CELLS:], cells[_FIRST_CELLS:], strict=False)
    ]
    values = {name: value for name, value in named if name.endswith("loss") and value is not None}
    if values.keys() == {"loss"}:
        return {"train_loss": values["loss"]}
    return {"train_loss_sum": sum(values.values()), **{f"train_{name}": value for name, value in values.items()}}


def _measured(names: list[str], cells: list[str]) -> dict[str, float]:
    values = ((name.partition("(")[2] or name, number(cell)) for name, cell in zip(names, cells, strict=False))
    return {f"eval_{name}": value for name, value in values if value is not None}


FORMAT = Format(
    name="ultralytics-console",
    serves=("Ultralytics YOLO (console)",),
    title={"en": "Ultralytics YOLO console", "zh": "Ultralytics YOLO 控制台输出"},
    read=read,
    head=(r"^\s*Epoch\s+(?:GPU_mem|gpu_mem)\s+(?:[^\n]*?loss\b|box\s+obj\s)",),
    example="      Epoch    GPU_mem   box_loss   cls_loss   dfl_loss  Instances       Size\n"
    "        1/3      2.34G      1.165      3.127      1.277         28        640: 100%|██████████| 8/8 [00:03<00:00,  2.21it/s]\n"
    "                 Class     Images  Instances      Box(P          R      mAP50  mAP50-95): 100%|██████████| 4/4\n"
    "                   all        128        929      0.652      0.556      0.624      0.462",
)
