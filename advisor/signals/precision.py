"""Signals of half precision: when the loss scale was cut."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from advisor.model import Event, Run, Series
from advisor.signals.registry import signal

_SCALES = re.compile(r"(?:attempted loss scale: ?([\d.e+]*\d),? )?reducing (?:loss scale )?to ([\d.e+]*\d)", re.IGNORECASE)


class Cut(NamedTuple):
    """The loss scale fell to `scale` at step `x`; `halvings` says by how many factors of two."""

    x: float
    scale: float
    halvings: int
    line: int


class LossScale(NamedTuple):
    """How the loss scale fell: its cuts in the order of the steps, the first logged step, and the steps between two logged ones.

    A cut that a line reports lies somewhere in the `spacing` steps after its x.
    """

    cuts: tuple[Cut, ...]
    begin: float
    spacing: float


@signal
def loss_scale_cuts(events: Sequence[Event], loss_scale: Series | None, run: Run) -> LossScale | None:
    """The cuts of the loss scale: from the lines that report an overflow, else from the logged scale; None where there is none.

    Eight ranks that report the same cut report one. What the log does not place at a step is no cut here.
    """
    cuts = _reported(events) or (_logged(loss_scale.finite) if loss_scale is not None else ())
    train = run.series.get("train_loss")
    if not cuts or run.axis != "step" or train is None:
        return None
    return LossScale(cuts, float(train.x[0]), float(np.median(np.diff(train.x))) if len(train) > 1 else math.inf)


def _reported(events: Sequence[Event]) -> tuple[Cut, ...]:
    """Return the cuts that overflow lines report. A scale that stays (hysteresis) is no cut."""
    cuts: dict[tuple[float, float], Cut] = {}
    for event in events:
        found = _SCALES.search(event.text) if event.kind == "loss-scale-overflow" and not math.isnan(event.x) else None
        if found is None:
            continue
        scale, before = float(found[2]), float(found[1] or "inf")
        if scale < before:
            # A line counted many times over stands for as many cuts.
            cuts.setdefault((event.x, scale), Cut(event.x, scale, event.count, event.line))
    return tuple(sorted(cuts.values(), key=lambda cut: (cut.x, -cut.scale)))


def _logged(scale: Series) -> tuple[Cut, ...]:
    """Return the cuts between logged scales."""
    cuts = []
    for i in range(1, len(scale)):
        before, now = float(scale.values[i - 1]), float(scale.values[i])
        if 0 < now < before:
            cuts.append(Cut(float(scale.x[i]), now, max(1, round(math.log2(before / now))), int(scale.line[i])))
    return tuple(cuts)
