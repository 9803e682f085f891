"""Evaluations of several runs in one drawing: a letter for each run, at each of its evaluations."""

from __future__ import annotations

from collections.abc import Sequence
from string import ascii_uppercase

import numpy as np

from advisor.model import Run, Series
from advisor.signals.stats import block_medians

LABEL = 9
_CLIP = 97.0
_FIRST_EVALUATIONS = 3
STYLES = ("cyan", "magenta", "yellow", "green", "blue", "red")


def letter(number: int) -> str:
    """Return the letter of a run: A, B … Z, then again."""
    return ascii_uppercase[number % len(ascii_uppercase)]


def style(number: int) -> str:
    """Return the colour of a run."""
    return STYLES[number % len(STYLES)]


Line = list[tuple[str, str]]


def overlay(runs: Sequence[Run], width: int, height: int) -> tuple[str, list[Line]] | None:
    """Return (what is drawn, lines of (text, style) pieces), or None where no quantity is in two runs with one unit."""
    name, shown = _shown(runs)
    if len(shown) < 2:  # noqa: PLR2004  one curve is drawn by `analyze`
        return None
    columns = width - LABEL
    every = np.concatenate([series.values for series in shown.values()])
    low, high = float(np.min(every)), float(np.percentile(every, _CLIP))
    high = high if high > low else low + (abs(low) or 1.0)
    left, right = (end(float(s.x[i]) for s in shown.values()) for end, i in ((min, 0), (max, -1)))
    right = right if right > left else left + 1
    cells: list[Line] = [[(" ", "")] * columns for _ in range(height)]
    held: dict[tuple[int, int], list[int]] = {}
    for number, series in shown.items():
        x, y = block_medians(series.x, columns), block_medians(series.values, columns)
        across = np.clip((x - left) / (right - left) * (columns - 1), 0, columns - 1).round().astype(int)
        down = np.clip((high - np.clip(y, low, high)) / (high - low) * (height - 1), 0, height - 1).round().astype(int)
        for column, row in zip(across.tolist(), down.tolist(), strict=True):
            held.setdefault((column, row), []).append(number)
    # Where curves lie on each other, their letters take turns.
    for turn, ((column, row), numbers) in enumerate(sorted(held.items())):
        number = numbers[turn % len(numbers)]
        cells[row][column] = (letter(number), style(number))
    lines: list[Line] = []
    for row, line in enumerate(cells):
        value = high - (high - low) * row / max(height - 1, 1)
        label = f"{value:.4g}" if row in (0, height // 2, height - 1) else ""
        lines.append([(f"{label:>{LABEL - 2}} |", "dim"), *line])
    ends = f"{left:g}", f"{right:g}"
    lines.append([(" " * LABEL + ends[0] + ends[1].rjust(columns - len(ends[0])), "dim")])
    return name, lines


def _shown(runs: Sequence[Run]) -> tuple[str, dict[int, Series]]:
    """Return the quantity that most runs have, evaluations first, and the runs' series of it in the unit of the first."""
    for name in ("eval_loss", "train_loss"):
        found = {n: run.series[name].finite for n, run in enumerate(runs) if name in run.series}
        found = {n: series for n, series in found.items() if len(series) >= _FIRST_EVALUATIONS}
        first = next(iter(found.values()), None)
        same = {n: s for n, s in found.items() if first is not None and s.unit == first.unit}
        if len(same) > 1:
            return name, same
    return "", {}
