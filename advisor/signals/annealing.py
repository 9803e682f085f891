"""A learning curve with annealing: L(s) = L0 + A·S1^-α − C·S2 (Tissue, Wang and Wang, arXiv 2408.11029).

S1 is the sum of the learning rates to step s. S2 is the annealing area: S2 = Σ_i m_i with m_i = λ·m_{i-1} + (lr_{i-1} − lr_i).
For a fixed pair (α, λ) the form is linear in (L0, A, C), so that every pair of a grid is fitted at once and weighted by its
likelihood; predictions come from the weighted posterior over all pairs. Rates are shares of their peak, S2 is divided by the
memory 1/(1−λ): C is then what a slow decay to zero brings, in the unit of the loss.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from advisor.model import FloatArray
from advisor.signals.planned import PlannedRate
from advisor.signals.stats import robust_noise

Matrix = np.ndarray[tuple[int, int], np.dtype[np.float64]]

EXPONENTS = np.array([0.05, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0])
"""Grid of α. Pre-training has about 0.5; fine-tuning starts from a trained model and settles faster."""

MEMORIES = np.array([0.02, 0.05, 0.1])
"""Grid of 1/(1−λ), as shares of the planned run: λ = 0.999 and a little less in the 20,000 steps of the paper's runs."""

GAINS = np.array([0.01, 0.03, 0.1])
"""Prior scales of C as shares of the loss: what a decay to zero brings, in fine-tuning and in training from scratch."""

GRID = 400
"""Points at which the schedule is summed up."""

DRAWS = 128
"""Draws from the posterior of each pair."""

ROUNDS = 3
"""Rounds of reweighting for outliers."""

OUTLIER = 2.0
"""Residuals of more noise units than this count for less (Huber)."""

PARAMETERS = 4
"""L0, A, C and α: degrees of freedom that a fit takes."""


def areas(plan: PlannedRate, at: FloatArray, memories: FloatArray) -> tuple[FloatArray, Matrix]:
    """Return S1, and S2 for each memory (a length on the axis), at the positions `at`."""
    last = float(np.max(at))
    grid = np.linspace(0.0, last, GRID + 1)
    step = last / GRID
    rate = plan.at(grid)
    forward = np.concatenate([[0.0], np.cumsum((rate[1:] + rate[:-1]) / 2) * step])
    # Only a falling rate anneals; the rise of the warm-up does not. Σ m telescopes: each drop has brought 1 − e^(−age/memory).
    drop = np.maximum(-np.diff(rate, prepend=rate[0]), 0.0)
    age = grid / memories[:, None]
    area = np.cumsum(drop) - np.exp(-age) * np.cumsum(drop * np.exp(age), axis=1)
    return np.interp(at, grid, forward), np.stack([np.interp(at, grid, row) for row in area])


class Fit(NamedTuple):
    """Draws of (L0, A, C) for every pair (α, memory), with their weights.

    unit: S1 at the last fitted point, by which S1 is divided. sigma: spread of the fitted values around the best curve.
    now: the loss by the best pair at the last fitted point.
    """

    memories: FloatArray
    unit: float
    spread: FloatArray
    draws: np.ndarray[tuple[int, int, int], np.dtype[np.float64]]
    weights: Matrix
    sigma: float
    now: float

    def quantiles(self, plan: PlannedRate, at: float, shares: tuple[float, ...]) -> FloatArray:
        """Return quantiles of the loss at the position `at` under `plan`."""
        forward, area = areas(plan, np.array([at]), self.memories)
        power = np.repeat(((forward[0] / self.unit) ** -EXPONENTS - 1) / self.spread, len(self.memories) * len(GAINS))
        gain = np.tile(np.repeat(area[:, 0], len(GAINS)), len(EXPONENTS))
        values = self.draws[:, :, 0] + self.draws[:, :, 1] * power[:, None] - self.draws[:, :, 2] * gain[:, None]
        order = np.argsort(values, axis=None)
        mass = np.cumsum(self.weights.ravel()[order])
        found: FloatArray = np.interp(np.array(shares) * mass[-1], mass, values.ravel()[order])
        return found


def fit(x: FloatArray, loss: FloatArray, plan: PlannedRate) -> Fit:
    """Fit the curve to `loss` at the positions `x`, robustly, with A ≥ 0 and C ≥ 0."""
    memories = MEMORIES * plan.end
    forward, area = areas(plan, x, memories)
    unit = float(forward[-1])
    power = (forward / unit) ** -EXPONENTS[:, None]
    spread = np.maximum(np.std(power, axis=1), 1e-300)
    pairs = np.ones((len(EXPONENTS), len(memories), len(GAINS), len(x), 3))
    pairs[..., 1] = ((power - 1) / spread[:, None])[:, None, None, :]
    pairs[..., 2] = -area[None, :, None, :]
    design = pairs.reshape(-1, len(x), 3)
    scale = float(np.median(np.abs(loss)))
    gains = np.tile(GAINS * scale, len(EXPONENTS) * len(memories))
    sigma = least = max(robust_noise(loss), 1e-9 * scale, 1e-300)
    weight = np.ones(len(x))
    for _ in range(ROUNDS):
        weighted = np.swapaxes(design * weight[:, None], 1, 2)
        prior = (sigma / gains) ** 2
        normal = weighted @ design
        normal[:, 1, 1] += 1e-9
        normal[:, 2, 2] += prior
        means = _nonnegative(normal, weighted @ loss)
        residuals = loss - (design @ means[..., None])[..., 0]
        cost = residuals**2 @ weight + prior * means[:, 2] ** 2
        best = int(np.argmin(cost))
        sigma = max(math.sqrt(float(cost[best]) / max(len(x) - PARAMETERS, 1)), least * 1e-3)
        weight = np.minimum(1.0, OUTLIER * sigma / np.maximum(np.abs(residuals[best]), 1e-300))
    variance = sigma**2 * _correlation(residuals[best])
    evidence = (np.log(prior) - np.linalg.slogdet(normal)[1] - (cost - cost[best]) / variance) / 2
    likelihood = np.exp(evidence - np.max(evidence))
    root = np.linalg.cholesky(np.linalg.inv(normal) * variance)
    draws = means[:, None, :] + normal_nodes(DRAWS) @ np.swapaxes(root, 1, 2)
    allowed = (draws[..., 1] >= 0) & (draws[..., 2] >= 0)
    # A pair whose every draw is out of bounds keeps its mean, which is not.
    none = ~np.any(allowed, axis=1)
    draws[none], allowed[none] = means[none, None, :], True
    weights = likelihood[:, None] * allowed / np.sum(allowed, axis=1, keepdims=True)
    return Fit(memories, unit, spread, draws, weights, sigma, float(design[best, -1] @ means[best]))


def _nonnegative(normal: np.ndarray, right: Matrix) -> Matrix:
    """Return the solutions with A ≥ 0 and C ≥ 0: where one would be negative it is zero, and the others are fitted without it."""
    means: Matrix = np.linalg.solve(normal, right[..., None])[..., 0]
    for zero, kept in ((2, [0, 1]), (1, [0, 2])):
        bad = np.flatnonzero(means[:, zero] < 0)
        if len(bad):
            means[bad, zero] = 0.0
            part = normal[bad][:, kept][:, :, kept]
            means[bad[:, None], kept] = np.linalg.solve(part, right[bad][:, kept][..., None])[..., 0]
    means[:, 1:] = np.maximum(means[:, 1:], 0.0)
    return means


def _correlation(residuals: FloatArray) -> float:
    """Return by what neighbouring residuals that resemble each other multiply a variance: (1 + ρ) / (1 − ρ)."""
    power = float(residuals @ residuals)
    lag = float(residuals[1:] @ residuals[:-1]) / power if power > 0 else 0.0
    lag = min(max(lag, 0.0), 0.9)
    return (1 + lag) / (1 - lag)


def normal_nodes(count: int) -> Matrix:
    """Return `count` points spread like a standard normal distribution in three dimensions, always the same ones.

    A Kronecker sequence (powers of the root of t⁵ = t + 1, the golden ratio of four dimensions) through Box and Muller.
    """
    golden = 1.1673039782614187
    uniform = np.mod(0.5 + np.arange(1, count + 1)[:, None] * golden ** -np.arange(1.0, 5.0), 1.0)
    radius = np.sqrt(-2 * np.log(uniform[:, :2]))
    angle = 2 * math.pi * uniform[:, 2:]
    return np.concatenate([radius * np.cos(angle), radius[:, :1] * np.sin(angle[:, :1])], axis=1)
