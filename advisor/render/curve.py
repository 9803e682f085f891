"""A loss curve drawn with characters: training loss in Braille dots, evaluations as `o`, the best one as a star."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from advisor.model import FloatArray, Run
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


def draw(run: Run, width: int, height: int, *, unicode: bool = True) -> Drawing | None:
    """Return the curves of `run` in `width` × `height` characters, or None where there is nothing to draw."""
    shown = {n: run.series[n].finite for n in ("train_loss", "eval_loss") if n in run.series}
    shown = {n: s for n, s in shown.items() if len(s)}
    if len({s.unit for s in shown.values()}) > 1:
        shown.pop("train_loss")  # one axis for one unit; the evaluations are what is judged
    if max(map(len, shown.values()), default=0) < 3:  # noqa: PLR2004  two points are a line that everybody can imagine
        return None
    columns = width - _LABEL
    every = np.concatenate([s.values for s in shown.values()])
    low, high = float(np.min(every)), float(np.percentile(every, _CLIP))
    if "eval_loss" in shown:
        high = max(high, float(np.max(shown["eval_loss"].values)))
    high = high if high > low else low + (abs(low) or 1.0)
    left = min(float(s.x[0]) for s in shown.values())
    right = max(float(s.x[-1]) for s in shown.values())
    right = right if right > left else left + 1

    def place(x: FloatArray, y: FloatArray, across: int, down: int) -> tuple[FloatArray, FloatArray]:
        column = np.clip((x - left) / (right - left) * (across - 1), 0, across - 1).round()
        row = np.clip((high - np.clip(y, low, high)) / (high - low) * (down - 1), 0, down - 1).round()
        return column, row

    cells = [[(" ", "train") for _ in range(columns)] for _ in range(height)]
    if "train_loss" in shown:
        train = shown["train_loss"]
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
    if "eval_loss" in shown:
        evals = shown["eval_loss"]
        best = int(np.argmin(evals.values))
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
