"""Noise of a metric: resampling of its rows, the same rows for both models, and exact tests of shares. numpy alone, seeded."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import numpy as np

from advisor.evaluation.model import Estimate

Array = np.ndarray[tuple[int, ...], np.dtype[np.float64]]

RESAMPLES, SEED = 1000, 0
BLOCK = 4_000_000
"""Numbers of a block of weights: 32 MB."""

INTERVAL = (2.5, 97.5)


def weights(rows: int, resamples: int = RESAMPLES, seed: int = SEED) -> Iterator[Array]:
    """Yield, in blocks, how often each row is drawn in each resample. The same seed draws the same rows."""
    draw = np.random.default_rng(seed)
    left = resamples
    while left:
        size = min(left, max(1, BLOCK // max(rows, 1)))
        yield draw.multinomial(rows, np.full(rows, 1 / rows), size=size).astype(np.float64)
        left -= size


def resampled(stats: Array, of: Callable[[Array], Array], resamples: int = RESAMPLES, seed: int = SEED) -> Array:
    """Return the metric of every resample. stats: rows × numbers that add up; of: from sums (resamples × numbers) to the metric."""
    return np.concatenate([of(block @ stats) for block in weights(len(stats), resamples, seed)])


def estimate(value: float, drawn: Array) -> Estimate:
    """Return a value with the percentile interval of its resamples."""
    low, high = np.percentile(drawn, INTERVAL)
    return Estimate(value, float(low), float(high))


def sign_test(more: int, less: int, *, two_sided: bool = False) -> float:
    """Return the exact p of at least `more` of `more + less` fair coins (the sign test; ties are left out before)."""
    n = more + less
    if not n:
        return 1.0
    if two_sided:
        return min(1.0, 2 * _tail(max(more, less), n))
    return _tail(more, n)


def _tail(k: int, n: int) -> float:
    whole = math.lgamma(n + 1) - n * math.log(2)
    return math.fsum(math.exp(whole - math.lgamma(i + 1) - math.lgamma(n - i + 1)) for i in range(k, n + 1))


def difference(one: Array, other: Array, seed: int = SEED) -> Estimate:
    """Return the difference of the means of two unpaired samples, with its bootstrap interval."""
    drawn = [resampled(part[:, None], _first, seed=seed + number) / len(part) for number, part in enumerate((one, other))]
    return estimate(float(one.mean() - other.mean()), drawn[0] - drawn[1])


def _first(sums: Array) -> Array:
    return np.asarray(sums[:, 0])
