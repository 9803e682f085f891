"""Detectors of curves that rise, blow up, spike or jitter."""

from __future__ import annotations

import math

import numpy as np

from advisor.detectors.registry import detector
from advisor.model import At, Hit, Series
from advisor.signals.curve import Curve, Level, Spikes, Trend
from advisor.signals.evaluation import Best, Bump, Rise
from advisor.signals.start import NonFinite


@detector
def loss_rise(
    train_loss: Series, train_curve: Curve, train_level: Level, *, min_rise: float, noise_factor: float, patience: int
) -> Hit | None:
    """The training loss ends above its lowest level by more than `min_rise`, beyond the noise, for `patience` points at least."""
    rise = train_level.end - train_level.lowest
    scale = abs(train_level.lowest) or train_curve.scale
    if rise < max(min_rise * scale, noise_factor * train_level.rise_uncertainty):
        return None
    line = train_level.lowest + rise / 2
    above = train_curve.values[-patience:] > line
    if len(above) < patience or not bool(np.all(above)):
        return None
    finite = train_loss.finite
    facts = {
        "rise": rise / scale,
        "lowest": train_level.lowest,
        "lowest_at": At(train_level.lowest_x),
        "end": train_level.end,
        "first": train_level.first,
    }
    lowest = int(np.argmin(np.abs(finite.x - train_level.lowest_x)))
    return Hit(facts, (finite.point(lowest), finite.point(len(finite) - 1)))


@detector
def loss_explosion(
    train_loss: Series, train_level: Level, *, min_ratio: float, noise_factor: float, few: int, min_ratio_few: float
) -> Hit | None:
    """The training loss ends above where it began, by the factor `min_ratio` and beyond the noise.

    Fewer than `few` points have no noise to speak of: there both of the last two must lie `min_ratio_few` above the first two.
    """
    finite = train_loss.finite
    # Many runs fall steeply within the first logs, so the very first value counts too.
    first, end = max(train_level.first, float(finite.values[0])), train_level.end
    if len(finite) < few:
        first, end = float(np.max(finite.values[:2])), float(np.min(finite.values[-2:]))
    if first <= 0 or end < (min_ratio_few if len(finite) < few else min_ratio) * first:
        return None
    if len(finite) >= few and end - first < noise_factor * train_level.fall_uncertainty:
        return None
    facts = {
        "ratio": end / first,
        "first": first,
        "end": end,
        "highest": float(np.max(finite.values)),
    }
    return Hit(facts, (finite.point(0), finite.point(len(finite) - 1)))


@detector
def losses_rise_together(
    eval_loss: Series, eval_best: Best, eval_rise: Rise, train_fall_since_best: float,
    *, min_rise: float, min_train_rise: float, noise_factor: float, late_share: float,
) -> Hit | None:  # fmt: skip
    """Evaluation and training loss both rise after the best evaluation: not memorising, but losing what was learnt."""
    if eval_rise.after < max(1, math.floor(late_share * eval_rise.count)):
        return None
    if eval_rise.relative < max(min_rise, noise_factor * eval_rise.noise) or -train_fall_since_best < min_train_rise:
        return None
    finite = eval_loss.finite
    facts = {
        "rise": eval_rise.relative,
        "train_rise": -train_fall_since_best,
        "best": eval_best.value,
        "best_at": At(eval_best.x),
        "last": float(finite.values[-1]),
    }
    return Hit(facts, (finite.point(eval_best.index), finite.point(len(finite) - 1)))


@detector
def loss_jitter(
    train_loss: Series, train_curve: Curve, train_jitter: float, train_trend: Trend,
    *, min_jitter: float, min_jitter_without_trend: float, min_p: float,
) -> Hit | None:  # fmt: skip
    """Neighbouring values differ by more than `min_jitter` of the level; less suffices where no trend is left (p ≥ `min_p`)."""
    drowned = train_trend.p >= min_p and train_jitter >= min_jitter_without_trend
    if train_jitter < min_jitter and not drowned:
        return None
    finite = train_loss.finite
    late = len(finite) // 2 + int(np.argmax(np.abs(np.diff(finite.values[len(finite) // 2 :]))))
    facts = {"jitter": train_jitter, "noise": train_curve.noise, "level": train_curve.scale, "points": len(finite)}
    return Hit(facts, (finite.point(late), finite.point(min(late + 1, len(finite) - 1))))


def _high(spikes: Spikes, min_height: float, min_z: float) -> list[int]:
    return [i for i, (height, z) in enumerate(zip(spikes.height, spikes.z, strict=True)) if height >= min_height and z >= min_z]


@detector
def isolated_spikes(train_loss: Series, train_spikes: Spikes, *, min_height: float, min_z: float, below_count: int) -> Hit | None:
    """One spike or a few (fewer than `below_count`) that come back."""
    high = _high(train_spikes, min_height, min_z)
    if not 0 < len(high) < below_count:
        return None
    return _spikes(train_loss, train_spikes, high)


@detector
def repeated_spikes(
    train_loss: Series, train_spikes: Spikes, *, min_height: float, min_z: float, min_count: int, min_share: float
) -> Hit | None:
    """Spikes that keep coming: at least `min_count`, and `min_share` of all points."""
    high = _high(train_spikes, min_height, min_z)
    if len(high) < max(min_count, min_share * train_spikes.count):
        return None
    return _spikes(train_loss, train_spikes, high)


def _spikes(train_loss: Series, spikes: Spikes, high: list[int]) -> Hit:
    finite = train_loss.finite
    tallest = sorted(high, key=lambda i: -spikes.height[i])[:3]
    top = spikes.at[tallest[0]]
    facts = {
        "count": len(high),
        "points": len(finite),
        "height": spikes.height[tallest[0]],
        "highest": float(finite.values[top]),
        "highest_at": At(finite.x[top]),
    }
    return Hit(facts, tuple(finite.point(spikes.at[i]) for i in sorted(tallest)))


@detector
def evaluation_bump(eval_loss: Series, eval_bump: Bump | None, *, min_height: float, min_z: float, least: int) -> Hit | None:
    """The evaluation loss leaves its level for several evaluations, beyond the noise, and comes back."""
    if eval_bump is None or eval_bump.height < min_height or eval_bump.z < min_z or eval_bump.end - eval_bump.begin < least:
        return None
    finite = eval_loss.finite
    facts = {
        "height": eval_bump.height,
        "from": At(finite.x[eval_bump.begin]),
        "to": At(finite.x[eval_bump.end]),
        "top": float(finite.values[eval_bump.top]),
        "top_at": At(finite.x[eval_bump.top]),
    }
    return Hit(facts, (finite.point(eval_bump.begin), finite.point(eval_bump.top), finite.point(eval_bump.end)))


@detector
def climb_before_nan(train_loss: Series, train_non_finite: NonFinite, *, min_ratio: float, within: int, least: int) -> Hit | None:
    """Before it stopped being a number the loss climbed: by `min_ratio` over at most `within` logged values."""
    first = train_non_finite.first
    if train_non_finite.count == 0 or first < least:
        return None
    before = train_loss.values[max(0, first - within) : first]
    low = int(np.argmin(before))
    if len(before) - low < least or before[low] <= 0 or before[-1] < min_ratio * before[low]:
        return None
    begin = max(0, first - within) + low
    facts = {
        "low": float(before[low]),
        "last": float(before[-1]),
        "ratio": float(before[-1] / before[low]),
        "at": At(train_loss.x[first]),
    }
    return Hit(facts, (train_loss.point(begin), train_loss.point(first - 1), train_loss.point(first)))
