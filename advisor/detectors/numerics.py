"""Detectors of numbers that are none, and of zeros."""

from __future__ import annotations

import numpy as np

from advisor.detectors.registry import detector
from advisor.model import At, Hit, Series
from advisor.signals.curve import Level
from advisor.signals.start import NonFinite, Zeros, longest_true


@detector
def non_finite_loss(train_loss: Series, train_non_finite: NonFinite, *, min_count: int) -> Hit | None:
    """The training loss is NaN or infinite at least `min_count` times."""
    if train_non_finite.count < min_count:
        return None
    first = train_non_finite.first
    facts = {
        "count": train_non_finite.count,
        "share": train_non_finite.share,
        "first_at": At(train_loss.x[first]),
        "points": len(train_loss),
    }
    before = (train_loss.point(first - 1),) if first else ()
    return Hit(facts, (*before, train_loss.point(first)))


@detector
def non_finite_evaluation(eval_loss: Series, *, min_count: int) -> Hit | None:
    """The evaluation loss is NaN or infinite at least `min_count` times."""
    bad = np.flatnonzero(~np.isfinite(eval_loss.values))
    if len(bad) < min_count:
        return None
    first = int(bad[0])
    facts = {"count": len(bad), "points": len(eval_loss), "first_at": At(eval_loss.x[first])}
    return Hit(facts, (eval_loss.point(first),))


@detector
def hidden_nan(train_loss: Series, grad_norm: Series, *, min_repeats: int, min_zeros: int) -> Hit | None:
    """The gradient norm is not finite while the loss is frozen `min_repeats` times running, or exactly zero `min_zeros` times."""
    bad = ~np.isfinite(grad_norm.values)
    if longest_true(bad) < min_zeros:
        return None
    at = train_loss.x
    there = np.isin(at, grad_norm.x[bad])
    values = train_loss.values
    frozen = (values == 0) | np.concatenate([[False], np.diff(values) == 0])
    both = there & frozen & np.isfinite(values)
    if longest_true(both) < min_repeats and longest_true(there & (values == 0)) < min_zeros:
        return None
    first = int(np.argmax(there))
    facts = {"count": int(both.sum()), "first_at": At(at[first]), "value": float(values[int(np.argmax(both))])}
    grad = int(np.argmax(bad))
    return Hit(facts, (train_loss.point(int(np.argmax(both))), grad_norm.point(grad)))


@detector
def zero_loss(train_loss: Series, train_zeros: Zeros, *, min_share: float, gradient: str) -> Hit | None:
    """At least `min_share` of the training losses are exactly zero, with the gradient that the rule is about (`none`, `finite`)."""
    if train_zeros.share < min_share or train_zeros.count == 0 or train_zeros.gradient != gradient:
        return None
    facts = {
        "share": train_zeros.share,
        "count": train_zeros.count,
        "first_at": At(train_loss.x[train_zeros.first]),
    }
    return Hit(facts, (train_loss.point(train_zeros.first),))


@detector
def zero_without_descent(train_loss: Series, train_zeros: Zeros, *, min_share: float, least: int, min_before: float) -> Hit | None:
    """The loss is exactly zero from some point to the end, and did not come down to it; no gradient norm was logged.

    min_share: of the log. least: zeros running. min_before: the loss before the first zero, as a share of the first loss.
    """
    values = train_loss.values
    ended = train_zeros.count >= least and bool(np.all(values[train_zeros.first :] == 0))
    if train_zeros.gradient != "unknown" or not ended or train_zeros.share < min_share:
        return None
    if train_zeros.first and not values[train_zeros.first - 1] >= min_before * values[0] > 0:
        return None
    facts = {"count": train_zeros.count, "points": len(values), "first_at": At(train_loss.x[train_zeros.first])}
    before = (train_loss.point(train_zeros.first - 1),) if train_zeros.first else ()
    return Hit(facts, (*before, train_loss.point(train_zeros.first)))


@detector
def gradient_zero(
    train_loss: Series, grad_norm: Series, train_level: Level, *, min_share: float, noise_factor: float
) -> Hit | None:
    """The gradient norm is exactly zero in at least `min_share` of the log while the loss is not zero.

    A loss that moves beyond its noise has a gradient: the norm was just not computed (some engines print 0 then).
    """
    zero = grad_norm.values == 0
    if np.mean(zero) < min_share or np.mean(train_loss.values == 0) >= min_share:
        return None
    if abs(train_level.first - train_level.end) > noise_factor * train_level.fall_uncertainty:
        return None
    facts = {"share": float(np.mean(zero)), "points": len(grad_norm)}
    return Hit(facts, (grad_norm.point(int(np.argmax(zero))),))
