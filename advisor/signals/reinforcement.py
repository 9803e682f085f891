"""Signals of reinforcement learning: reward, entropy, divergence from the reference, lengths, and groups without a spread."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from advisor.model import Facts, NotMeasurable, Series
from advisor.signals.moves import Move, move_of, paired, spearman
from advisor.signals.registry import signal
from advisor.signals.stats import theil_sen


@signal
def reward_move(reward: Series) -> Move:
    """The course of the mean reward."""
    return move_of(reward)


@signal
def eval_reward_move(eval_reward: Series) -> Move:
    """The course of the mean reward on held-out prompts."""
    return move_of(eval_reward)


@signal
def entropy_move(entropy: Series) -> Move:
    """The course of the entropy of the policy, in nats per token."""
    return move_of(entropy)


@signal
def kl_move(kl: Series) -> Move:
    """The course of the divergence from the reference policy."""
    return move_of(kl)


@signal
def length_move(completions_mean_length: Series) -> Move:
    """The course of the mean length of the completions, in tokens."""
    return move_of(completions_mean_length)


@signal
def length_reward_correlation(completions_mean_length: Series, reward: Series) -> float:
    """Rank correlation of mean length and mean reward over the log."""
    return spearman(*paired(completions_mean_length, reward))


@signal
def cut_off_move(completions_clipped_ratio: Series) -> Move:
    """The course of the share of completions that were cut off at the length limit."""
    return move_of(completions_clipped_ratio)


@signal
def clip_move(clip_ratio: Series) -> Move:
    """The course of the share of tokens whose update was clipped."""
    return move_of(clip_ratio)


@signal
def sampler_gap_move(sampling_logp_difference: Series) -> Move:
    """The course of the mean difference between the sampler's and the trainer's log-probabilities, in nats per token."""
    return move_of(sampling_logp_difference)


@signal
def gradient_move(grad_norm: Series) -> Move:
    """The course of the gradient norm, before clipping."""
    return move_of(grad_norm)


DEFAULT_GROUP = 8
"""TRL's default of num_generations, assumed where the configuration is not known."""


class DeadGroups(NamedTuple):
    """Groups of completions that all got the same reward, and so teach nothing.

    share: median over the log; start: over its first third. group: completions a prompt. pass_low, pass_high: the two pass rates p
    at which a reward of right or wrong leaves that share, from p^g + (1−p)^g = share.
    """

    share: float
    start: float
    group: int
    pass_low: float
    pass_high: float
    points: int


@signal
def dead_groups(frac_reward_zero_std: Series, config: Facts) -> DeadGroups:
    """Share of groups without a spread of rewards, and the pass rate that it implies."""
    values = frac_reward_zero_std.finite.values
    if not len(values):
        raise NotMeasurable("frac_reward_zero_std", need=1, have=0)
    given = config.get("num_generations")
    group = int(given) if isinstance(given, int | float) and given > 1 else DEFAULT_GROUP
    # The mean, not the median: the share of a log of two groups is 0, 0.5 or 1.
    share = float(np.mean(values))
    low = pass_rate(share, group)
    return DeadGroups(share, float(np.mean(values[: max(len(values) // 3, 1)])), group, low, 1 - low, len(values))


BISECTIONS = 60


def pass_rate(share: float, group: int) -> float:
    """Return the pass rate p ≤ ½ at which a share of p^g + (1−p)^g of groups of g is all right or all wrong; found by bisection."""
    low, high = 0.0, 0.5
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        low, high = (middle, high) if middle**group + (1 - middle) ** group > share else (low, middle)
    return low


class Arrival(NamedTuple):
    """The fall of the entropy a step, and the planned end of the run.

    slope: the flatter of those over the last third and the last two thirds (Theil–Sen), since entropy falls ever more slowly.
    left: steps to the planned end.
    """

    slope: float
    planned: float
    left: float


@signal
def entropy_ahead(entropy: Series, config: Facts) -> Arrival:
    """How fast the entropy falls, and for how many steps it will go on."""
    finite = entropy.finite
    planned = config.get("max_steps")
    if not isinstance(planned, int | float) or planned <= 0:
        raise NotMeasurable("run_end")
    third = len(finite) // 3
    if third < 3:  # noqa: PLR2004  a slope
        raise NotMeasurable("entropy", need=9, have=len(finite))
    slopes = []
    for part in (finite.take(slice(-third, None)), finite.take(slice(-2 * third, None))):
        length = float(part.x[-1] - part.x[0])
        slopes.append(theil_sen(part.values) * (len(part) - 1) / length if length > 0 else 0.0)
    return Arrival(max(slopes), float(planned), max(float(planned) - float(finite.x[-1]), 0.0))


@signal
def reward_gap(reward_move: Move, eval_reward_move: Move) -> float:
    """How much more the reward gained in training than on held-out prompts, in units of the noise of one training log."""
    gap = reward_move.change - eval_reward_move.change
    if reward_move.noise <= 0:
        return math.inf if gap > 0 else 0.0
    return gap / reward_move.noise
