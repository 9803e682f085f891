"""Console output of Keras `fit`, versions 1 to 3: an `Epoch 1/5` line, then bars that are written over one another.

The figures of a bar are means over the epoch so far, so the last of them is the point of the epoch.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from advisor.readers.base import Format, NewRun, Record, Row, Source
from advisor.readers.clean import NUMBER, number, strip_ansi
from advisor.readers.events import event_in
from advisor.readers.names import canonical_keys

LEAST_DONE = 0.5
"""Share of an epoch's batches that an interrupted epoch must have seen for its mean to be a point; the first one always is."""

_EPOCH = re.compile(r"^\s*Epoch (\d+)/(\d+)\s*$")
_OVERWRITTEN = re.compile(r"[\r\x08]+")
_PROGRESS = re.compile(r"^\s*(\d+)/(\d+|Unknown)\b")
_WITHOUT_BAR = re.compile(r"^\s*- \d+m?s ")
_METRIC = re.compile(rf"\s-\s+([A-Za-z_][\w./-]*): ({NUMBER})(?=\s|$)", re.IGNORECASE)


@dataclass
class _Epoch:
    """What has been printed of an epoch: its number, the last figures, and how far they had come."""

    number: int
    line: int = 0
    done: int = 0
    total: int | None = None
    values: dict[str, float] = field(default_factory=dict)

    @property
    def finished(self) -> bool:
        return self.total is not None and self.done == self.total

    def update(self, line: int, done: int, total: int | None, values: dict[str, float]) -> None:
        """Take the figures of a later bar, unless it is the bar of an evaluation after the epoch."""
        if self.finished and line != self.line and ("val_loss" not in values or "val_loss" in self.values):
            return
        if self.values and (total != self.total or done < self.done):
            return
        self.line, self.done, self.total, self.values = line, done, total, values


def read(source: Source) -> Iterator[Record]:
    """Yield a row for each epoch, a new run where the epochs begin again, and the events between them."""
    epoch: _Epoch | None = None
    for line, raw in source.lines():
        for piece in _OVERWRITTEN.split(strip_ansi(raw)):
            if header := _EPOCH.match(piece):
                yield from _row(epoch)
                number_, total = int(header[1]), int(header[2])
                if epoch is not None and number_ <= epoch.number:
                    # `fit(…, epochs=1)` in a loop trains on; other fits that begin again are other runs.
                    if total == 1:
                        number_ = epoch.number + 1
                    else:
                        yield NewRun(line)
                epoch = _Epoch(number_)
            elif epoch is not None and (values := _figures(piece)):
                found = _PROGRESS.match(piece)
                done, total_text = (int(found[1]), found[2]) if found else (0, "")
                epoch.update(line, done, int(total_text) if total_text.isdigit() else None, values)
            elif (event := event_in(piece, line)) is not None:
                yield from _row(epoch)
                yield event
    yield from _row(epoch)


def _figures(text: str) -> dict[str, float]:
    """Return the figures that a bar ends with; empty where the text is no bar with a loss."""
    if "loss: " not in text or not (_PROGRESS.match(text) or _WITHOUT_BAR.match(text)):
        return {}
    pairs = ((key, number(value)) for key, value in _METRIC.findall(text))
    return {key: value for key, value in pairs if value is not None}


def _row(epoch: _Epoch | None) -> Iterator[Row]:
    """Yield the point of an epoch, once."""
    if epoch is None or not epoch.values:
        return
    if epoch.number > 1 and epoch.total is not None and epoch.done < LEAST_DONE * epoch.total:
        return
    measured = {_name(key, name): epoch.values[key] for key, name in canonical_keys(tuple(epoch.values))}
    epoch.values = {}
    yield Row(epoch.line, {"epoch": float(epoch.number), **measured})


def _name(key: str, name: str) -> str:
    """Return the quantity; what the table does not know is told apart by Keras's own prefix."""
    return f"eval_{key.removeprefix('val_')}" if name == key and key.startswith("val_") else name


FORMAT = Format(
    name="keras-console",
    title={"en": "Keras console", "zh": "Keras 控制台输出"},
    read=read,
    head=(
        r"^\s*Epoch \d+/\d+[ \r]*\n(?:[^\n]*\n){0,20}?"
        r"[^\n]*?(?:\d+/(?:\d+|Unknown)\b[^\n]*?|^\s*- \d+m?s) ?-\s[^\n]*?\bloss: [-\dn]",
    ),
    example="Epoch 1/2\n1875/1875 ━━━━━━━━━━ 5s 3ms/step - accuracy: 0.91 - loss: 0.29 - val_accuracy: 0.95 - val_loss: 0.14\n"
    "Epoch 2/2\n1875/1875 ━━━━━━━━━━ 5s 3ms/step - accuracy: 0.96 - loss: 0.13 - val_accuracy: 0.97 - val_loss: 0.10",
)
