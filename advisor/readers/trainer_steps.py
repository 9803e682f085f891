"""The steps of a run whose console names epochs only, as the Trainer's does.

Its bar tells them, where it is drawn again below each dictionary. Else they follow from the planned steps (of the bar, the
banner or the closing line) where whole steps at equal distances fit all epochs, and only one such row of steps does.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np

from advisor.model import Facts, FloatArray
from advisor.readers.base import Closing
from advisor.readers.columns import Bars, IntArray

BoolArray = np.ndarray[tuple[int], np.dtype[np.bool_]]

DRAWN_AGAIN = 0.8
"""Share of dictionaries with a bar below them, from which bars tell the steps; a console that is buffered parts the two."""

FADED = 0.1
"""A last learning rate below this share of the highest says that the run came to its planned end."""

MOST_SPACINGS = 1000
"""Possible distances between logged steps, above which the epochs are too coarse to tell them."""

ROUNDED = 1e-6
"""Error of floating-point numbers in multiples of the last printed digit."""

MOST_BARS = 20
"""Totals of bars that are tried."""

_Scale = tuple[float, float]
"""Least and most steps of an epoch."""


@dataclass(frozen=True)
class Told:
    """What a console says of a run. bars: `after` counts the rows of this run. faded: the learning rate ended near zero."""

    epoch: FloatArray
    train: BoolArray
    evals: BoolArray
    bars: Bars
    config: Facts
    closing: Closing | None
    faded: bool


@dataclass(frozen=True)
class _Plan:
    """Between which numbers the planned number of steps lies, and whether it was reached."""

    least: float
    most: float
    reached: bool

    @property
    def steps(self) -> int | None:
        """The number of steps, where there is only one between those."""
        return math.floor(self.most) if math.ceil(self.least) == math.floor(self.most) else None


@dataclass(frozen=True)
class Steps:
    """The step of every row, NaN where it is not told; the planned number; whether the bar says so or it was worked out."""

    step: FloatArray
    planned: int | None
    by_bar: bool


def steps_of(told: Told) -> Steps | None:
    """Return the steps, or None where the log does not tell them or does not agree with itself."""
    half = _half_of_last_digit(told.epoch)
    drawn, total = _drawn_below(told)
    if np.any(told.train) and np.mean(np.isfinite(drawn[told.train])) >= DRAWN_AGAIN:
        scale = _agreed(drawn, told, half)
        found = _completed(drawn, told, half, scale) if scale else None
        if found is not None:
            return Steps(found, total, by_bar=True)
    worked_out = []
    for plan in _plans(told):
        scale = _scale(told, plan)
        found = _placed(told, half, scale, plan) if scale else None
        if found is not None:
            worked_out.append(Steps(found, plan.steps, by_bar=False))
    # Of the bars, that of an evaluation may be taken for the training's: where it fits as well, nothing is told.
    return worked_out[0] if len(worked_out) == 1 else None


def _half_of_last_digit(epoch: FloatArray) -> FloatArray:
    """Return by how much each epoch may have been rounded: to two decimals until 2024, to four digits from 5.0, or not at all."""
    known = epoch[np.isfinite(epoch) & (epoch > 0)]
    if _whole(known * 100):
        return np.full(len(epoch), 0.005)
    with np.errstate(divide="ignore", invalid="ignore"):
        fourth = 10.0 ** (np.floor(np.log10(epoch)) - 3)
        if _whole(known / fourth[np.isfinite(epoch) & (epoch > 0)]):
            return np.where(epoch > 0, fourth / 2, 0.0)
    decimals = next((d for d in range(3, 7) if _whole(known * 10.0**d)), 9)
    return np.full(len(epoch), 10.0**-decimals / 2)


def _whole(values: FloatArray) -> bool:
    return bool(np.all(np.abs(values - np.round(values)) < ROUNDED * np.maximum(1, np.abs(values))))


def _drawn_below(told: Told) -> tuple[FloatArray, int | None]:
    """Return the count of the training's bar below each row, NaN where there is none, and its total."""
    drawn = np.full(len(told.epoch), np.nan)
    below = _first_after(told.bars.after, np.flatnonzero(told.train) + 1)
    if not len(below):
        return drawn, None
    totals, counts = np.unique(told.bars.total[below], return_counts=True)
    total = int(totals[np.argmax(counts)])
    ours = np.flatnonzero(told.bars.total == total)
    first = _first_after(told.bars.after[ours], np.arange(1, len(drawn) + 1))
    drawn[told.bars.after[ours[first]] - 1] = told.bars.done[ours[first]]
    return drawn, total


def _first_after(after: IntArray, rows: IntArray) -> IntArray:
    """Return which bars are the first below each of these rows, without rows that have none."""
    at = np.searchsorted(after, rows)
    inside = at < len(after)
    found: IntArray = at[inside][after[at[inside]] == rows[inside]]
    return found


def _agreed(drawn: FloatArray, told: Told, half: FloatArray) -> _Scale | None:
    """Return the steps of an epoch that bars and epochs agree on; None where they do not, as in a console that is buffered."""
    trained = drawn[told.train & np.isfinite(drawn)]
    apart = np.diff(trained)
    if np.any(apart < 0):
        return None
    inner = trained[1:-1]
    every = np.min(np.diff(inner)) if len(inner) > 1 else 0
    if every > 0 and np.any(inner % every):
        return None
    known = np.isfinite(drawn) & np.isfinite(told.epoch)
    with np.errstate(divide="ignore", invalid="ignore"):
        least = drawn[known] / (told.epoch + half)[known]
        # A last, smaller accumulation leaves an epoch up to one step behind the fraction of its batches.
        most = (drawn[known] + 1) / np.maximum((told.epoch - half)[known], 0)
    if not len(least):
        return None
    low, high = float(np.max(least)), float(np.min(most))
    return (low, high) if low <= high else None


def _completed(drawn: FloatArray, told: Told, half: FloatArray, scale: _Scale) -> FloatArray | None:
    """Return the steps of the bars with those of the rows that have no bar below them; None where a training row's stays open."""
    step = drawn.copy()
    every = int(np.gcd.reduce(drawn[told.train & np.isfinite(drawn)][:-1].astype(np.int64))) or 1
    for row in np.flatnonzero(told.train & np.isnan(drawn)):
        low, high = (told.epoch[row] - half[row]) * scale[0], (told.epoch[row] + half[row]) * scale[1]
        fits = list(_multiples(every, low, high))
        if len(fits) != 1:
            return None
        step[row] = fits[0]
    for row in np.flatnonzero(told.evals & np.isnan(drawn)):
        step[row] = _with_training(row, told, step)
    return step


def _with_training(row: int | np.integer[Any], told: Told, step: FloatArray) -> float:
    """Return the step of the training rows that print the same epoch as this evaluation; NaN where it is none or several."""
    same = np.unique(step[told.train & (told.epoch == told.epoch[row])])
    return float(same[0]) if len(same) == 1 else math.nan


def _plans(told: Told) -> Iterator[_Plan]:
    """Yield what the planned number of steps may be, by the banner, else the bars, else the closing line."""
    bars, closing = told.bars, told.closing
    if banner := int(told.config.get("max_steps") or 0):
        yield _Plan(banner, banner, reached=bool(np.any(bars.done[bars.total == banner] == banner)))
    elif len(bars.total):
        for total in np.unique(bars.total)[:MOST_BARS].tolist():
            if closing is None or closing.least_steps <= total <= closing.most_steps:
                yield _Plan(total, total, reached=bool(np.any(bars.done[bars.total == total] == total)))
    elif closing is not None:
        yield _Plan(closing.least_steps, closing.most_steps, reached=False)


def _scale(told: Told, plan: _Plan) -> _Scale | None:
    """Return the steps of an epoch: from where the run ended, if it ended as planned; else from the banner."""
    epochs = float(told.config.get("num_train_epochs") or math.nan)
    closing = told.closing
    if closing is not None and (plan.reached or told.faded or abs(closing.epoch - epochs) <= _half_at(closing.epoch)):
        half = _half_at(closing.epoch)
        return plan.least / (closing.epoch + half), plan.most / max(closing.epoch - half, ROUNDED)
    if every := float(told.config.get("steps_per_epoch") or 0):
        return every, every
    rows, batch = told.config.get("train_rows"), told.config.get("total_train_batch_size")
    if plan.steps is None or not epochs >= 1 or plan.steps % epochs or not rows or not batch:
        return None
    # A run of so many steps, and not of so many epochs, prints its epochs rounded up.
    whole = plan.steps / epochs
    return (whole, whole) if abs(whole - float(rows) / float(batch)) <= 1 else None


def _half_at(epoch: float) -> float:
    return float(_half_of_last_digit(np.array([epoch]))[0])


def _placed(told: Told, half: FloatArray, scale: _Scale, plan: _Plan) -> FloatArray | None:
    """Return the steps of rows at equal distances; None where those of training cannot be told."""
    step = np.full(len(told.epoch), np.nan)
    trained = np.flatnonzero(told.train)
    if len(trained):
        found = _equally_spaced(told.epoch[trained], half[trained], scale)
        if found is None:
            return None
        step[trained] = found
    rows = np.flatnonzero(told.evals & np.isfinite(told.epoch))
    if not len(rows):
        return step
    # Several sets that are evaluated at one step print a dictionary each.
    epochs, first, which = np.unique(told.epoch[rows], return_index=True, return_inverse=True)
    halves = half[rows[first]]
    found = _equally_spaced(epochs, halves, scale)
    if found is None and told.closing is not None and len(epochs) > 1 and epochs[-1] == told.closing.epoch:
        # An evaluation after the last step stands where the run ended.
        found = _equally_spaced(epochs[:-1], halves[:-1], scale)
        found = None if found is None or plan.steps is None else np.append(found, plan.steps)
    step[rows] = found[which] if found is not None else [_with_training(row, told, step) for row in rows]
    return step


def _equally_spaced(epoch: FloatArray, half: FloatArray, scale: _Scale) -> FloatArray | None:
    """Return the one row of steps, all of them multiples of their distance, that rounds to these epochs; None for none or several.

    Steps lie on the fraction of the epoch's batches, or up to one behind where its last accumulation is a smaller one.
    """
    if not np.all(np.isfinite(epoch)):
        return None
    for behind in (0.0, 1.0):
        low, high = (epoch - half) * scale[0] - behind - ROUNDED, (epoch + half) * scale[1] + ROUNDED
        found = list(islice(_rows_of_steps(low, high), 2))
        if not found and low[0] <= 1 <= high[0] and len(epoch) > 1:  # the first step is logged as well
            found = [np.append(1.0, rest) for rest in islice(_rows_of_steps(low[1:], high[1:]), 2)]
        if found:
            return found[0] if len(found) == 1 else None
    return None


def _rows_of_steps(low: FloatArray, high: FloatArray) -> Iterator[FloatArray]:
    """Yield the rows of equally distant steps, multiples of the distance, of which each lies between its bounds."""
    count = len(low)
    if count == 1:
        yield from (np.array([float(step)]) for step in _multiples(1, low[0], high[0]))
        return
    least, most = (low[-1] - high[0]) / (count - 1), (high[-1] - low[0]) / (count - 1)
    if most - least > MOST_SPACINGS:
        return
    for every in _multiples(1, max(least, 1), most):
        for first in _multiples(every, low[0], high[0]):
            steps = first + every * np.arange(float(count))
            if np.all((low <= steps) & (steps <= high)):
                yield steps


def _multiples(every: int, low: float, high: float) -> Iterator[int]:
    """Yield the multiples of `every` from `low` to `high`, from 1 on."""
    if math.isfinite(low) and math.isfinite(high):
        yield from range(max(math.ceil(low / every), 1) * every, math.floor(high) + 1, every)
