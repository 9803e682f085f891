"""Signals of single logged values: what is not a number, what is exactly zero, what the first value says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from advisor.model import NotMeasurable, Series
from advisor.signals.curve import Curve
from advisor.signals.registry import signal
from advisor.signals.stats import median, running_median


@dataclass(frozen=True)
class NonFinite:
    """Values that are no finite numbers: how many, the share, the index of the first, and the longest stretch of them."""

    count: int
    share: float
    first: int
    longest: int


def non_finite(values: np.ndarray[tuple[int], np.dtype[np.float64]]) -> NonFinite:
    """Count what is not a finite number in `values`."""
    bad = ~np.isfinite(values)
    return NonFinite(int(bad.sum()), float(bad.mean()) if len(bad) else 0.0, int(np.argmax(bad)), longest_true(bad))


def longest_true(flags: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> int:
    """Return the length of the longest stretch of true values."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]]).astype(np.int8)))
    return int(np.max(edges[1::2] - edges[::2], initial=0))


@signal
def train_non_finite(train_loss: Series) -> NonFinite:
    """NaN and infinity in the training loss."""
    return non_finite(train_loss.values)


@dataclass(frozen=True)
class Zeros:
    """Training losses of exactly zero, and what the gradient norm was at those points.

    share: of all points. first: index of the first. gradient: `none` (zero), `nan`, `finite`, or `unknown` where not logged.
    """

    count: int
    share: float
    first: int
    longest: int
    gradient: str


@signal
def train_zeros(train_loss: Series, grad_norm: Series | None) -> Zeros:
    """Exact zeros of the training loss and the gradient norm beside them."""
    zero = train_loss.values == 0
    count = int(zero.sum())
    gradient = "unknown"
    if grad_norm is not None and count:
        there = grad_norm.values[np.isin(grad_norm.x, train_loss.x[zero])]
        if len(there):
            gradient = (
                "nan" if np.mean(~np.isfinite(there)) > 0.5  # noqa: PLR2004  the majority
                else "none" if np.median(there) == 0
                else "finite"
            )  # fmt: skip
    return Zeros(count, count / max(len(zero), 1), int(np.argmax(zero)), longest_true(zero), gradient)


LATE = 3.0
"""A log whose first point stands more than so many intervals from zero shows a run from its middle on."""


def require_start(train_loss: Series) -> None:
    """Raise NotMeasurable where the log begins in the middle of the run, so that its first lines say nothing of the start.

    A log counted by row, or too short for an interval, is taken to begin where the run does.
    """
    gaps = np.diff(train_loss.finite.x)
    gaps = gaps[gaps > 0]
    if len(gaps) and float(train_loss.finite.x[0]) > LATE * float(np.median(gaps)):
        raise NotMeasurable("run_start")


class Beginning(NamedTuple):
    """What the training loss did in the first part of the run.

    first: the first value. low: the lowest that the loss had come to (first value, or a median of three) before its highest climb
    in the first quarter; peak: that climb relative to low; peak_index: its top; peak_z: in noise units. stall: the median of the
    first tenth relative to `first`. fall: from `first` to the end.
    """

    first: float
    low: float
    peak: float
    peak_index: int
    peak_z: float
    stall: float
    fall: float


BEGINNING_SHARE = 4
LEAST_FOR_BEGINNING = 20


@signal
def train_beginning(train_loss: Series, train_curve: Curve) -> Beginning:
    """The beginning of the training loss: does it fall from the start, stall, or climb first?"""
    values = train_loss.finite.values
    n = len(values)
    if n < LEAST_FOR_BEGINNING:
        raise NotMeasurable("train_loss", need=LEAST_FOR_BEGINNING, have=n)
    require_start(train_loss)
    first = float(values[0])
    smooth = running_median(values[: n // BEGINNING_SHARE], 1)
    lows = np.minimum.accumulate(np.concatenate([[first], smooth[1:]]))
    at = 1 + int(np.argmax(smooth[1:] - lows[1:]))
    low, rise = float(lows[at]), float(smooth[at] - lows[at])
    scale = abs(first) or 1.0
    tenth = values[1 : max(n // 10, 3) + 1]
    end = median(values[-max(1, n // 10) :])
    return Beginning(
        first=first,
        low=low,
        peak=rise / (abs(low) or 1.0),
        peak_index=at,
        peak_z=rise / train_curve.noise if train_curve.noise > 0 else float(np.inf) if rise > 0 else 0.0,
        stall=median(tenth) / first - 1 if first else 0.0,
        fall=(first - end) / scale,
    )
