"""Recipes of preference optimisation and reinforcement learning, under the names TRL gives the parameters."""

from __future__ import annotations

import math

import numpy as np

from advisor.recipes.base import RANGES, Context, Edit, epochs, known, recipe, scaled_rate, whole

BETA = 0.1
"""Usual weight of the reference in DPO."""

LARGEST_BETA = 0.5

KL_WEIGHT = 0.04
"""Weight of the divergence in the GRPO paper."""

LARGEST_GROUP = 16
"""Completions a prompt beyond which a doubling hardly helps: at a pass rate of 0.2 no more than 3 % of groups are dead."""

CLIP_HIGH = 0.28
"""Upper clipping range of DAPO, which leaves rare words room to grow."""


@recipe
def learning_rate_half(context: Context) -> Edit | None:
    """Half the learning rate."""
    return scaled_rate(context, 1 / 2)


@recipe
def learning_rate_third(context: Context) -> Edit | None:
    """A third of the learning rate."""
    return scaled_rate(context, 1 / 3)


@recipe
def learning_rate_fifth(context: Context) -> Edit | None:
    """A fifth of the learning rate."""
    return scaled_rate(context, 1 / 5)


@recipe
def learning_rate_tripled(context: Context) -> Edit | None:
    """Three times the learning rate."""
    return scaled_rate(context, 3.0)


@recipe
def one_epoch(context: Context) -> Edit | None:
    """A single pass over the data."""
    old = epochs(context)
    return (whole(old), 1) if old is not None and old > 1 else None


@recipe
def beta_usual(context: Context) -> Edit | None:
    """The usual weight of the reference, where it is set to zero."""
    return (0.0, BETA) if context.number("beta") == 0 else None


@recipe
def beta_tripled(context: Context) -> Edit | None:
    """Three times the weight of the reference, up to 0.5."""
    old = context.number("beta")
    new = min(round(3 * old, 3), LARGEST_BETA) if old else 0.0
    return (old, new) if old is not None and new > old else None


@recipe
def supervised_term(context: Context) -> Edit | None:
    """Add the supervised loss on the chosen answers."""
    old = context.number("rpo_alpha")
    return (known(old), 1.0) if not old else None


@recipe
def epochs_at_best_accuracy(context: Context) -> Edit | None:
    """Stop after the epoch in which the best evaluation accuracy fell."""
    old, best = epochs(context), context.measured["accuracy_fall"].best_epoch
    if old is None or math.isnan(best):
        return None
    new = max(1, math.ceil(best - 1e-6))
    return (whole(old), new) if new < old and new <= RANGES["num_train_epochs"][1] else None


@recipe
def steps_at_best_accuracy(context: Context) -> Edit | None:
    """Stop at the step of the best evaluation accuracy, where whole epochs are too coarse."""
    if epochs_at_best_accuracy(context) is not None or context.measured.run.axis != "step":
        return None
    planned = context.number("max_steps")
    last = planned if planned and planned > 0 else float(context.measured["rewards_accuracies"].x[-1])
    new = int(context.measured["accuracy_fall"].best_x)
    return (int(last), new) if 0 < new < last else None


@recipe
def group_doubled(context: Context) -> Edit | None:
    """Twice the completions for each prompt, up to 16."""
    old = context.number("num_generations")
    new = LARGEST_GROUP if old is None else min(int(2 * old), LARGEST_GROUP)
    return (known(old), new) if old is None or new > old else None


@recipe
def temperature_one(context: Context) -> Edit | None:
    """Sample at temperature 1, where it is lower."""
    old = context.number("temperature")
    return (old, 1.0) if old is not None and old < 1 else None


@recipe
def clip_higher(context: Context) -> Edit | None:
    """A wider clipping range upwards than downwards."""
    old = context.number("epsilon_high")
    return (known(old), CLIP_HIGH) if old is None or old < CLIP_HIGH else None


@recipe
def kl_weight(context: Context) -> Edit | None:
    """Hold the policy to its reference, where it is not or hardly."""
    old = context.number("beta")
    return (known(old), KL_WEIGHT) if old is None or old < KL_WEIGHT else None


@recipe
def completion_length_doubled(context: Context) -> Edit | None:
    """Twice the length limit; where it is not known, the longest completion logged is it."""
    old = context.number("max_completion_length")
    longest = context.measured.run.series.get("completions/max_length")
    if old is None and longest is not None and len(longest.finite):
        old = float(np.max(longest.finite.values))
    return (int(old), int(old) * 2) if old else None


@recipe
def iterations_one(context: Context) -> Edit | None:
    """One update for each batch of completions, where it was more."""
    old = context.number("num_iterations")
    return (int(old), 1) if old is not None and old > 1 else None
