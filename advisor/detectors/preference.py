"""Detectors of preference optimisation: DPO, KTO, ORPO and their kin."""

from __future__ import annotations

import math

import numpy as np

from advisor.detectors.registry import detector
from advisor.model import At, Facts, Hit, Series, Term
from advisor.signals.moves import Move
from advisor.signals.preference import AccuracyFall, LateAccuracy


@detector
def margin_zero(rewards_margins: Series, train_loss: Series, config: Facts, *, max_margin: float, min_share: float) -> Hit | None:
    """The margin of rewards is within `max_margin` of zero in `min_share` of the log and at its end: the loss cannot leave ln 2."""
    finite = rewards_margins.finite
    small = np.abs(finite.values) <= max_margin
    if np.mean(small) < min_share or not small[-1]:
        return None
    losses = train_loss.finite
    beta = config.get("beta")
    facts: Facts = {
        "margin": float(np.median(finite.values)),
        "loss": float(np.median(losses.values)),
        "points": len(finite),
        "beta": f"{beta:g}" if isinstance(beta, int | float) else Term("not-logged"),
    }
    return Hit(facts, (losses.point(0), finite.point(len(finite) - 1)))


@detector
def chosen_falls(
    rewards_chosen: Series, chosen_move: Move, chosen_logps_move: Move, margins_move: Move,
    *, min_drop: float, noise_factor: float, max_p: float,
) -> Hit | None:  # fmt: skip
    """The chosen answers lose `min_drop` of their log-probability while the margin grows, both beyond the noise."""
    drop = -chosen_logps_move.change / (abs(chosen_logps_move.start) or 1.0)
    if drop < min_drop or -chosen_logps_move.change < noise_factor * chosen_logps_move.uncertainty:
        return None
    if chosen_move.change > -noise_factor * chosen_move.uncertainty or chosen_move.p > max_p or chosen_move.end >= 0:
        return None
    if margins_move.change < noise_factor * margins_move.uncertainty or margins_move.p > max_p:
        return None
    finite = rewards_chosen.finite
    facts = {
        "drop": drop,
        "logps_start": chosen_logps_move.start,
        "logps_end": chosen_logps_move.end,
        "reward": chosen_move.end,
        "margin": margins_move.end,
    }
    return Hit(facts, (finite.point(0), finite.point(len(finite) - 1)))


@detector
def preferences_saturated(
    rewards_accuracies: Series, rewards_margins: Series, margins_move: Move,
    *, min_accuracy: float, by_share: float, min_share: float, min_margin: float,
) -> Hit | None:  # fmt: skip
    """From `by_share` of the log on, `min_share` of the points have all pairs won, and the margin ends above `min_margin`."""
    finite = rewards_accuracies.finite
    after = finite.values[math.ceil(by_share * len(finite)) :]
    if not len(after) or np.mean(after >= min_accuracy) < min_share or margins_move.end < min_margin:
        return None
    won = int(np.argmax(finite.values >= min_accuracy))
    margins = rewards_margins.finite
    facts = {
        "accuracy": float(np.median(after)),
        "won_at": At(finite.x[won]),
        "margin": margins_move.end,
        "points": len(finite),
    }
    return Hit(facts, (finite.point(won), margins.point(len(margins) - 1)))


CHANCE = 0.5
"""Share of pairs that a policy without an opinion ranks as labelled."""


@detector
def accuracy_at_chance(
    rewards_accuracies: Series, late_accuracy: LateAccuracy, eval_rewards_accuracies: Series | None,
    *, noise_factor: float, max_distance: float, max_eval_distance: float,
) -> Hit | None:  # fmt: skip
    """The last third of the log ranks pairs no better than a coin, within its standard error; evaluations do not contradict."""
    distance = abs(late_accuracy.mean - CHANCE)
    if distance > min(noise_factor * late_accuracy.standard_error, max_distance):
        return None
    held_out = eval_rewards_accuracies.finite.values[-1:] if eval_rewards_accuracies is not None else np.array([])
    if np.any(np.abs(held_out - CHANCE) > max_eval_distance):
        return None
    finite = rewards_accuracies.finite
    facts = {"accuracy": late_accuracy.mean, "error": late_accuracy.standard_error, "points": late_accuracy.points}
    return Hit(facts, (finite.point(len(finite) - late_accuracy.points), finite.point(len(finite) - 1)))


@detector
def evaluation_accuracy_falls(
    eval_rewards_accuracies: Series, accuracy_fall: AccuracyFall, accuracy_rise_since_best: float,
    *, min_fall: float, noise_factor: float, late_share: float, min_train_rise: float,
) -> Hit | None:  # fmt: skip
    """The evaluation accuracy ends below its best while the accuracy on training pairs rises."""
    if accuracy_fall.after < max(1, math.floor(late_share * accuracy_fall.count)):
        return None
    if accuracy_fall.fall < max(min_fall, noise_factor * accuracy_fall.noise) or accuracy_rise_since_best < min_train_rise:
        return None
    finite = eval_rewards_accuracies.finite
    facts = {
        "best": accuracy_fall.best,
        "best_at": At(accuracy_fall.best_x),
        "end": accuracy_fall.end,
        "fall": accuracy_fall.fall,
        "train_rise": accuracy_rise_since_best,
        "count": accuracy_fall.count,
    }
    return Hit(facts, (finite.point(accuracy_fall.index), finite.point(len(finite) - 1)))
