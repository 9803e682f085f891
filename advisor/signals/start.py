"""Signals of single logged values: what is not a number, what is exactly zero, what the first value says."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from advisor.model import Series
from advisor.signals.registry import signal


@dataclass(frozen=True, slots=True)
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


@dataclass(frozen=True, slots=True)
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
