"""A curve drawn with characters: training in Braille dots, evaluations as `o`, the best one as a star."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from advisor.model import Diagnosis, FloatArray, Series
from advisor.signals.schedule import REINFORCEMENT
from advisor.signals.stats import block_medians

_DOTS = ((0x01, 0x02, 0x04, 0x40), (0x08, 0x10, 0x20, 0x80))
"""Bits of the Braille dots: two columns of four rows in a character."""

EVAL_MARK, BEST_MARK, BEST_MARK_ASCII = "o", "★", "*"
_LABEL = 9
_CLIP = 99.5


@dataclass(frozen=True, slots=True)
class Drawing:
    """Lines of text, each a list of (text, style) pieces; styles are `train`, `eval`, `best`, `axis`."""

    lines: tuple[tuple[tuple[str, str], ...], ...]


@dataclass(frozen=True, slots=True)
class Shown:
    """What is drawn of a run, finite points only: the loss, or the reward where that is what was trained for.

    best: index of the best evaluation. quantity: `loss` or `reward`.
    """

    train: Series | None
    evals: Series | None
    best: int
    quantity: str

    @property
    def all(self) -> tuple[Series, ...]:
        """The series that are there."""
        return tuple(series for series in (self.train, self.evals) if series is not None)


def shown(diagnosis: Diagnosis) -> Shown:
    """Return what to draw of a run: one axis carries one unit, and where there are two the evaluations are what is judged."""
    series = {name: found.finite for name, found in diagnosis.run.series.items() if len(found.finite)}
    by_reward = diagnosis.objective in REINFORCEMENT and "reward" in series
    train, evals = (series.get(name) for name in (("reward", "eval_reward") if by_reward else ("train_loss", "eval_loss")))
    if train is not None and evals is not None and train.unit != evals.unit:
        train = None
    best = -1 if evals is None else int(np.argmax(evals.values) if by_reward else np.argmin(evals.values))
    return Shown(train, evals, best, "reward" if by_reward else "loss")


def draw(curves: Shown, width: int, height: int, *, unicode: bool = True) -> Drawing | None:
    """Return the curves in `width` × `height` characters, or None where there is nothing to draw."""
    train, evals = curves.train, curves.evals
    if max(map(len, curves.all), default=0) < 3:  # noqa: PLR2004  two points are a line that everybody can imagine
        return None
    columns = width - _LABEL
    every = np.concatenate([s.values for s in curves.all])
    low, high = float(np.min(every)), float(np.percentile(every, _CLIP))
    if evals is not None:
        high = max(high, float(np.max(evals.values)))
    high = high if high > low else low + (abs(low) or 1.0)
    left = min(float(s.x[0]) for s in curves.all)
    right = max(float(s.x[-1]) for s in curves.all)
    right = right if right > left else left + 1

    def place(x: FloatArray, y: FloatArray, across: int, down: int) -> tuple[FloatArray, FloatArray]:
        column = np.clip((x - left) / (right - left) * (across - 1), 0, across - 1).round()
        row = np.clip((high - np.clip(y, low, high)) / (high - low) * (down - 1), 0, down - 1).round()
        return column, row

    cells = [[(" ", "train") for _ in range(columns)] for _ in range(height)]
    if train is not None:
        dots = 2 * columns if unicode else columns
        x, y = block_medians(train.x, dots), block_medians(train.values, dots)
        if len(x) < dots:  # a line where the points are sparse
            grid = np.linspace(x[0], x[-1], dots)
            x, y = grid, np.interp(grid, x, y)
        if unicode:
            _braille(cells, *place(x, y, 2 * columns, 4 * height))
        else:
            for c, r in zip(*place(x, y, columns, height), strict=True):
                cells[int(r)][int(c)] = (".", "train")
    if evals is not None:
        best = curves.best
        across, down = place(evals.x, evals.values, columns, height)
        for i in [*(j for j in range(len(evals)) if j != best), best]:
            mark = (BEST_MARK if unicode else BEST_MARK_ASCII, "best") if i == best else (EVAL_MARK, "eval")
            cells[int(down[i])][int(across[i])] = mark
    lines = []
    for i, line in enumerate(cells):
        label = f"{high - (high - low) * i / max(height - 1, 1):.4g}" if i in (0, height // 2, height - 1) else ""
        lines.append(((f"{label:>{_LABEL - 2}} {'┤' if unicode else '|'}", "axis"), *line))
    ends = f"{left:g}", f"{right:g}"
    lines.append(((" " * _LABEL + ends[0] + ends[1].rjust(columns - len(ends[0])), "axis"),))
    return Drawing(tuple(lines))


def _braille(cells: list[list[tuple[str, str]]], across: FloatArray, down: FloatArray) -> None:
    bits = np.zeros((len(cells), len(cells[0])), dtype=int)
    for c, r in zip(across.astype(int), down.astype(int), strict=True):
        bits[r // 4, c // 2] |= _DOTS[c % 2][r % 4]
    for row, column in np.argwhere(bits):
        cells[row][column] = (chr(0x2800 + bits[row, column]), "train")
