"""Robust statistics of a logged curve, each defined once. Pure functions of numbers; no thresholds of judgement here."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from advisor.model import FloatArray

MAD_TO_SIGMA = 1.4826
"""Median absolute deviation of a normal distribution → its standard deviation."""

MOST_PAIRS = 400
"""Points kept for statistics over pairs, whose cost grows with the square; more are reduced to medians of blocks."""


def median(values: FloatArray) -> float:
    """Return the median: what `np.median` returns, in half of its time for a long series."""
    return float(_medians(values)) if len(values) else math.nan


def _medians(values: np.ndarray[Any, np.dtype[np.float64]]) -> FloatArray:
    """Return the medians along the last axis."""
    if np.isnan(values).any():
        result: FloatArray = np.median(values, axis=-1)
        return result
    n = values.shape[-1]
    middle = np.partition(values, ((n - 1) // 2, n // 2), axis=-1)[..., (n - 1) // 2 : n // 2 + 1]
    result = np.mean(middle, axis=-1)
    return result


def robust_noise(values: FloatArray) -> float:
    """Return the standard deviation of the noise of a series, in its own unit; 0.0 for fewer than three points.

    σ = 1.4826 · median|Δ − median Δ| / √2 with Δ the first difference, which a trend does not disturb.
    """
    if len(values) < 3:  # noqa: PLR2004  two differences are the least that can differ
        return 0.0
    steps = np.diff(values)
    steps -= median(steps)
    return MAD_TO_SIGMA * median(np.abs(steps)) / math.sqrt(2)


def curvature_noise(values: FloatArray) -> float:
    """Return the noise from second differences, which neither a slope nor a gentle bend disturbs; 0.0 below four points.

    σ = 1.4826 · median|Δ²| / √6. Used for evaluations, which are few and lie on a bend.
    """
    if len(values) < 4:  # noqa: PLR2004  two second differences
        return 0.0
    return float(MAD_TO_SIGMA * np.median(np.abs(np.diff(values, 2))) / math.sqrt(6))


def block_medians(values: FloatArray, blocks: int) -> FloatArray:
    """Return the medians of `blocks` nearly equal consecutive parts; the values themselves where there are no more of them."""
    if len(values) <= blocks:
        return values
    size, longer = divmod(len(values), blocks)
    cut = longer * (size + 1)
    parts = (values[:cut].reshape(longer, size + 1), values[cut:].reshape(blocks - longer, size))
    return np.concatenate([_medians(part) for part in parts if len(part)])


def running_median(values: FloatArray, half_width: int) -> FloatArray:
    """Return the centred running median; at the ends the window shrinks to what is there."""
    n = len(values)
    half = min(half_width, max((n - 1) // 2, 0))
    if half == 0:
        return values.copy()
    if half == 1:
        before, at, after = values[:-2], values[1:-1], values[2:]
        middle = np.maximum(np.minimum(before, at), np.minimum(np.maximum(before, at), after))
    else:
        middle = _medians(np.lib.stride_tricks.sliding_window_view(values, 2 * half + 1))
    left = [np.median(values[: i + half + 1]) for i in range(half)]
    right = [np.median(values[n - half - 1 - i :]) for i in range(half - 1, -1, -1)]
    return np.concatenate([left, middle, right])


def theil_sen(values: FloatArray) -> float:
    """Return the median slope per point over all pairs of points."""
    reduced = block_medians(values, MOST_PAIRS)
    if len(reduced) < 2:  # noqa: PLR2004  a pair
        return 0.0
    i, j = np.triu_indices(len(reduced), 1)
    slope = float(np.median((reduced[j] - reduced[i]) / (j - i)))
    return slope * len(reduced) / len(values)


def mann_kendall(values: FloatArray) -> float:
    """Return the two-sided p-value of "no monotone trend" (normal approximation); 1.0 below four points."""
    reduced = block_medians(values, MOST_PAIRS)
    n = len(reduced)
    if n < 4:  # noqa: PLR2004  three points cannot reject anything
        return 1.0
    i, j = np.triu_indices(n, 1)
    score = float(np.sum(np.sign(reduced[j] - reduced[i])))
    spread = math.sqrt(n * (n - 1) * (2 * n + 5) / 18)
    z = max(abs(score) - 1, 0) / spread
    return math.erfc(z / math.sqrt(2))
