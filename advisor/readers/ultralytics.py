"""`results.csv` of Ultralytics YOLO: the parts of a detector's loss in columns of their own, and no total.

The parts are weighted as they are trained on, so their sum is the loss. It is judged in the place of a total, and said to be.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator

from advisor.readers.base import Format, Record, Row, Source, Unread
from advisor.readers.clean import number

_PARTS = {"train_loss_sum": "train/", "eval_loss_sum": "val/"}
_RATES = ("lr/pg1", "x/lr1", "lr/pg0", "x/lr0")
"""Of the groups' rates the second: the first group is the biases', whose rate warms up from above, from 0.1 where unset."""
_SCORES = "metrics/"


def _cells(line: str) -> list[str]:
    try:
        return [cell.strip() for cell in next(csv.reader([line]), [])]
    except csv.Error:
        return []


def read(source: Source) -> Iterator[Record]:
    """Yield a row for each epoch: the sums of the parts, each part, the scores and the learning rate."""
    columns: list[str] = []
    for line, text in source.lines():
        cells = _cells(text)
        if not any(cells):
            continue
        if not columns or cells == columns:
            columns = cells
            continue
        if len(cells) != len(columns):
            yield Unread(line)
            continue
        converted = ((column, number(cell)) for column, cell in zip(columns, cells, strict=True))
        values = {column: value for column, value in converted if value is not None}
        if measured := _quantities(columns, values):
            yield Row(line, measured)


def _quantities(columns: list[str], values: dict[str, float]) -> dict[str, float]:
    measured = {"epoch": values["epoch"]} if "epoch" in values else {}
    for name, prefix in _PARTS.items():
        parts = [c for c in columns if c.startswith(prefix) and c.endswith("loss")]
        # Epochs that were not validated (`val=False`) have zeros in these columns.
        if parts and all(part in values for part in parts) and any(values[part] for part in parts):
            measured[name] = sum(values[part] for part in parts)
            measured |= {f"{name[: name.index('_')]}_{part.removeprefix(prefix)}": values[part] for part in parts}
    if "eval_loss_sum" in measured or not any(c.startswith(_PARTS["eval_loss_sum"]) for c in columns):
        measured |= {f"eval_{c.removeprefix(_SCORES)}": value for c, value in values.items() if c.startswith(_SCORES)}
    rates = [values[column] for column in _RATES if column in values]
    return measured | ({"learning_rate": rates[0]} if rates else {})


FORMAT = Format(
    name="ultralytics",
    title={"en": "Ultralytics results.csv", "zh": "Ultralytics results.csv"},
    read=read,
    head=(r"\A\s*epoch\s*,[^\n]*?train/\w+_loss\s*,\s*train/\w+_loss",),
    example="epoch,time,train/box_loss,train/cls_loss,train/dfl_loss,metrics/mAP50(B),val/box_loss,val/cls_loss,val/dfl_loss,lr/pg0\n"
    "1,12.3,1.21,2.80,1.25,0.31,1.30,2.41,1.33,0.0003\n2,24.1,1.10,2.21,1.19,0.42,1.22,2.02,1.27,0.0006",
)
