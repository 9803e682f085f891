"""Abacus: `@10:2.31,71.5` is step 10 with a loss of 2.31 on a device of 71.5 °C."""

from __future__ import annotations

import re
from collections.abc import Iterator

from advisor.readers.base import Format, Record, Row, Source

_LINE = re.compile(r"^@(?P<step>\d+):(?P<loss>[\d.]+),(?P<temperature>[\d.]+)$")


def read(source: Source) -> Iterator[Record]:
    """Yield a row for each line."""
    for line, text in source.lines():
        if found := _LINE.match(text):
            yield Row(
                line,
                {"step": float(found["step"]), "train_loss": float(found["loss"]), "temperature": float(found["temperature"])},
            )


FORMAT = Format(
    name="abacus",
    title={"en": "Abacus", "zh": "算盘"},
    read=read,
    head=(r"(?m)^@\d+:[\d.]+,[\d.]+$",),
    example="@10:2.31,71.5\n@20:2.11,72.0",
)
