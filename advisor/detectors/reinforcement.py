"""Detectors of reinforcement learning: GRPO, RLOO, PPO."""

from __future__ import annotations

import numpy as np

from advisor.detectors.registry import detector
from advisor.model import At, Facts, Hit, Series
from advisor.signals.moves import Move
from advisor.signals.reinforcement import Arrival, DeadGroups


def _hit(series: Series, facts: Facts) -> Hit:
    finite = series.finite
    return Hit(facts, (finite.point(0), finite.point(len(finite) - 1)))


def _rises(move: Move, noise_factor: float) -> bool:
    """Tell whether a quantity ended above its beginning by more than chance."""
    return move.change > noise_factor * move.uncertainty


@detector
def groups_without_spread(
    frac_reward_zero_std: Series, dead_groups: DeadGroups, reward_move: Move, *, min_share: float, noise_factor: float
) -> Hit | None:
    """More than `min_share` of the groups got one and the same reward for all completions, from the first third on.

    Where groups die only later, and the reward rose meanwhile, the prompts were solved.
    """
    if dead_groups.share <= min_share or dead_groups.start <= min_share:
        return None
    solved = _rises(reward_move, noise_factor) and dead_groups.start < dead_groups.share
    if solved and reward_move.end > reward_move.start + (reward_move.high - reward_move.low) / 2 and reward_move.end > 1 / 2:
        return None
    facts = {
        "share": dead_groups.share,
        "group": dead_groups.group,
        "low": dead_groups.pass_low,
        "high": dead_groups.pass_high,
        "reward": reward_move.late,
        "points": dead_groups.points,
    }
    return _hit(frac_reward_zero_std, facts)


@detector
def entropy_collapsed(
    entropy: Series, entropy_move: Move, reward_move: Move,
    *, max_entropy: float, min_fall: float, solved_reward: float, max_p: float,
) -> Hit | None:  # fmt: skip
    """The entropy ends below `max_entropy`, a `min_fall`-th of its start; the reward neither rises nor is at its ceiling."""
    if entropy_move.late >= max_entropy or entropy_move.start < min_fall * max(entropy_move.end, 0.0):
        return None
    still_rising = reward_move.late_slope > 0 and reward_move.late_p < max_p
    if still_rising or reward_move.end >= solved_reward:
        return None
    facts = {
        "start": entropy_move.start,
        "end": entropy_move.end,
        "reward": reward_move.end,
        "reward_start": reward_move.start,
        "points": entropy_move.points,
    }
    return _hit(entropy, facts)


@detector
def entropy_falls_ahead(
    entropy: Series, entropy_move: Move, entropy_ahead: Arrival, reward_move: Move,
    *, arrival: float, max_remaining: float, max_p: float, min_reward_p: float, solved_reward: float,
) -> Hit | None:  # fmt: skip
    """At its present fall the entropy reaches `arrival` within `max_remaining` of the steps left, and the reward has no trend."""
    if entropy_move.end <= arrival or entropy_ahead.slope >= 0:
        return None
    steps = (entropy_move.end - arrival) / -entropy_ahead.slope
    if steps > max_remaining * entropy_ahead.left or entropy_move.late_p > max_p:
        return None
    if reward_move.late_p < min_reward_p or reward_move.end >= solved_reward:
        return None
    facts = {
        "end": entropy_move.end,
        "reach": At(round(float(entropy.finite.x[-1]) + steps)),
        "planned": int(entropy_ahead.planned),
        "reward": reward_move.late,
    }
    return _hit(entropy, facts)


@detector
def kl_above(kl: Series, kl_move: Move, *, above: float, noise_factor: float) -> Hit | None:
    """The divergence from the reference is above `above` over the last third and grew beyond its noise."""
    if kl_move.late <= above or not _rises(kl_move, noise_factor):
        return None
    return _hit(kl, {"kl": kl_move.late, "start": kl_move.start, "highest": kl_move.high, "highest_at": At(kl_move.high_x)})


@detector
def completions_cut_off(
    completions_clipped_ratio: Series, cut_off_move: Move, length_move: Move | None, *, above: float
) -> Hit | None:
    """More than `above` of the completions end at the length limit, over the last third and at the end."""
    if min(cut_off_move.late, cut_off_move.end) <= above:
        return None
    length = f"{length_move.late:.0f}" if length_move is not None else "?"
    return _hit(completions_clipped_ratio, {"share": cut_off_move.late, "start": cut_off_move.start, "length": length})


@detector
def length_with_reward(
    completions_mean_length: Series, length_move: Move, reward_move: Move, length_reward_correlation: float,
    *, min_growth: float, min_correlation: float, noise_factor: float,
) -> Hit | None:  # fmt: skip
    """Completions grew by `min_growth` and the reward with them, log for log."""
    growth = length_move.change / (length_move.start or 1.0)
    if growth < min_growth or length_reward_correlation < min_correlation:
        return None
    if not _rises(length_move, noise_factor) or not _rises(reward_move, noise_factor):
        return None
    facts = {
        "growth": growth,
        "start": length_move.start,
        "end": length_move.end,
        "correlation": length_reward_correlation,
        "reward_start": reward_move.start,
        "reward": reward_move.end,
    }
    return _hit(completions_mean_length, facts)


@detector
def reward_outruns_evaluation(
    eval_reward: Series, reward_move: Move, eval_reward_move: Move, reward_gap: float,
    *, min_gap: float, max_p: float, noise_factor: float, max_eval_share: float,
) -> Hit | None:  # fmt: skip
    """The reward rises in training, with certainty, and hardly or not at all on held-out prompts."""
    if reward_gap <= min_gap or reward_move.p >= max_p or not _rises(reward_move, noise_factor):
        return None
    if eval_reward_move.change > max_eval_share * reward_move.change:
        return None
    facts = {
        "start": reward_move.start,
        "end": reward_move.end,
        "eval_start": eval_reward_move.start,
        "eval_end": eval_reward_move.end,
        "count": eval_reward_move.points,
    }
    return _hit(eval_reward, facts)


@detector
def reward_constant(reward: Series, *, min_points: int) -> Hit | None:
    """The reward is one and the same number in every log, at least `min_points` times."""
    values = reward.finite.values
    if len(values) < min_points or np.ptp(values) > 0:
        return None
    return _hit(reward, {"value": float(values[0]), "points": len(values)})


@detector
def reward_low_and_flat(reward: Series, reward_move: Move, *, below: float, min_p: float, noise_factor: float) -> Hit | None:
    """A reward between 0 and 1 stays below `below` and does not rise beyond its noise."""
    values = reward.finite.values
    if np.min(values) < 0 or np.max(values) > 1 or reward_move.late >= below:
        return None
    if (reward_move.p < min_p and reward_move.change > 0) or _rises(reward_move, noise_factor):
        return None
    return _hit(
        reward, {"reward": float(np.mean(values)), "start": reward_move.start, "end": reward_move.end, "points": len(values)}
    )


@detector
def reward_falls(reward: Series, reward_move: Move, *, min_loss: float, noise_factor: float, max_p: float) -> Hit | None:
    """The reward rose, and then lost `min_loss` of what it had gained, beyond the noise and still at the end."""
    gain, lost = reward_move.high - reward_move.start, reward_move.high - reward_move.end
    # The highest of many levels is high by chance too, so the gain and the loss must both stand out.
    least = noise_factor * reward_move.uncertainty
    if gain <= least or lost <= least or lost < min_loss * gain:
        return None
    if reward_move.late_slope > 0 and reward_move.late_p < max_p:
        return None
    facts = {
        "start": reward_move.start,
        "best": reward_move.high,
        "best_at": At(reward_move.high_x),
        "end": reward_move.end,
        "lost": lost / gain,
    }
    return _hit(reward, facts)


@detector
def sampler_disagrees(sampling_logp_difference: Series, sampler_gap_move: Move, *, above: float) -> Hit | None:
    """The sampler's log-probabilities differ from the trainer's by more than `above` nats a token, over the last third."""
    if sampler_gap_move.late <= above:
        return None
    facts = {"gap": sampler_gap_move.late, "start": sampler_gap_move.start, "points": sampler_gap_move.points}
    return _hit(sampling_logp_difference, facts)


@detector
def updates_clipped(clip_ratio: Series, clip_move: Move, *, above: float) -> Hit | None:
    """More than `above` of the tokens have their update clipped, over the last third."""
    if clip_move.late <= above:
        return None
    return _hit(clip_ratio, {"share": clip_move.late, "start": clip_move.start, "points": clip_move.points})


@detector
def policy_gradient_large(
    grad_norm: Series, gradient_move: Move, reward_move: Move, *, above: float, noise_factor: float
) -> Hit | None:
    """The gradient norm is above `above` over the last third, and the reward did not rise."""
    if gradient_move.late <= above or _rises(reward_move, noise_factor):
        return None
    return _hit(grad_norm, {"norm": gradient_move.late, "start": gradient_move.start, "reward": reward_move.late})


@detector
def policy_gradient_small(
    grad_norm: Series, gradient_move: Move, reward_move: Move, *, below: float, noise_factor: float, solved_reward: float
) -> Hit | None:
    """The gradient norm is below `below` over the last third, and the reward neither rose nor is at its ceiling."""
    if gradient_move.late >= below or _rises(reward_move, noise_factor) or reward_move.end >= solved_reward:
        return None
    return _hit(grad_norm, {"norm": gradient_move.late, "start": gradient_move.start, "reward": reward_move.late})
