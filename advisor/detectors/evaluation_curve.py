"""Detectors of what the evaluation loss says by itself: where its best lies, whether it moves at all, how it scatters."""

from __future__ import annotations

import numpy as np

from advisor.detectors.registry import detector
from advisor.model import Hit, NotMeasurable, Series
from advisor.signals.evaluation import Best, Rise


@detector
def evaluation_worsens_from_the_start(
    eval_loss: Series, eval_best: Best, eval_rise: Rise, *, best_within: float, min_rise: float, noise_factor: float
) -> Hit | None:
    """The best evaluation is among the first, and the end lies above it beyond the noise: training leads away from it."""
    if eval_best.index > best_within * (eval_rise.count - 1):
        return None
    return _end_above_best(eval_loss, eval_best, eval_rise, max(min_rise, noise_factor * eval_rise.noise))


@detector
def evaluation_turns(
    eval_loss: Series, eval_best: Best, eval_rise: Rise, *, best_after: float, min_rise: float, noise_factor: float
) -> Hit | None:
    """The evaluation loss falls for a good part of the run, then rises beyond the noise."""
    if eval_best.index <= best_after * (eval_rise.count - 1):
        return None
    return _end_above_best(eval_loss, eval_best, eval_rise, max(min_rise, noise_factor * eval_rise.noise))


def _end_above_best(eval_loss: Series, eval_best: Best, eval_rise: Rise, least: float) -> Hit | None:
    if eval_rise.relative < least:
        return None
    finite = eval_loss.finite
    facts = {"rise": eval_rise.relative, "best": eval_best.value, "last": float(finite.values[-1])}
    return Hit(facts, (finite.point(eval_best.index), finite.point(len(finite) - 1)))


@detector
def evaluation_best_at_end(eval_loss: Series, eval_best: Best, *, last_share: float, min_fall: float) -> Hit | None:
    """The best evaluation is one of the last, clearly below the first."""
    finite = eval_loss.finite
    if eval_best.index < (1 - last_share) * (len(finite) - 1) or len(finite) < 3:  # noqa: PLR2004  first, middle, last
        return None
    first = float(finite.values[0])
    fall = (first - eval_best.value) / first if first > 0 else 0.0
    if fall < min_fall:
        return None
    return Hit({"fall": fall, "best": eval_best.value}, (finite.point(eval_best.index),))


@detector
def evaluation_unmoved(eval_loss: Series, *, max_change: float) -> Hit | None:
    """Not one evaluation differs from the first by more than a hair: the weights did not change."""
    values = eval_loss.finite.values
    if len(values) < 2:  # noqa: PLR2004  one evaluation cannot move
        raise NotMeasurable("eval_loss", need=2, have=len(values))
    if float(np.ptp(values)) > max_change * abs(float(values[0])):
        return None
    return Hit({"value": float(values[0]), "count": len(values)}, (eval_loss.finite.point(0),))


@detector
def evaluation_noisy(eval_loss: Series, eval_noise: float, *, max_noise: float, target: float) -> Hit | None:
    """Evaluations scatter around their own curve by more than `max_noise` of their level; more rows would bring it to `target`."""
    finite = eval_loss.finite
    level = float(np.median(np.abs(finite.values)))
    if level <= 0 or eval_noise <= max_noise * level:
        return None
    noise = eval_noise / level
    return Hit({"noise": noise, "least": 2 * noise, "times": (noise / target) ** 2}, (finite.point(len(finite) - 1),))
