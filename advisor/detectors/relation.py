"""Detectors of what training and evaluation loss say together: masks, multiples, mismatches, rows seen too often."""

from __future__ import annotations

import math

import numpy as np

from advisor.detectors.registry import detector
from advisor.model import At, Facts, Hit, NotMeasurable, Run, Series
from advisor.signals.curve import Epochs, Level
from advisor.signals.relation import Leap, TrainEval
from advisor.signals.schedule import Chance
from advisor.signals.settings import setting


def _pair(train_loss: Series, eval_loss: Series, train_eval: TrainEval, at_end: bool) -> Hit:
    train, evals = train_loss.finite, eval_loss.finite
    i, j = (len(train) - 1, len(evals) - 1) if at_end else (train_eval.begin, 0)
    facts: Facts = {
        "ratio": train_eval.last if at_end else train_eval.first,
        "train": float(train.values[i]),
        "eval": float(evals.values[j]),
        "typical": train_eval.typical,
    }
    return Hit(facts, (train.point(i), evals.point(j)))


@detector
def loss_multiple_of_evaluation(
    train_loss: Series, eval_loss: Series, train_eval: TrainEval, run: Run,
    *, least: float, tolerance: float, max_spread: float,
) -> Hit | None:  # fmt: skip
    """The training loss is the evaluation loss times the same whole number, all through the run."""
    factor = round(train_eval.typical)
    if train_eval.typical < least or abs(train_eval.typical / factor - 1) > tolerance or train_eval.spread > max_spread:
        return None
    shown = _pair(train_loss, eval_loss, train_eval, at_end=False)
    accumulated = setting(run.config, "gradient_accumulation_steps")
    return Hit({**shown.facts, "factor": factor, "accumulation": int(accumulated) if accumulated else 0}, shown.evidence)


@detector
def train_above_evaluation_at_start(
    train_loss: Series, eval_loss: Series, train_eval: TrainEval, *, min_ratio: float, max_typical: float
) -> Hit | None:
    """The first training loss lies far above the evaluation loss of the same untrained model, and the ratio does not last."""
    if not train_eval.first >= min_ratio or train_eval.typical > max_typical:
        return None
    return _pair(train_loss, eval_loss, train_eval, at_end=False)


@detector
def train_meets_evaluation(train_loss: Series, eval_loss: Series, train_eval: TrainEval, *, tolerance: float) -> Hit | None:
    """At the end training and evaluation loss agree."""
    if abs(train_eval.last - 1) > tolerance:
        return None
    return _pair(train_loss, eval_loss, train_eval, at_end=True)


@detector
def train_below_evaluation(
    train_loss: Series, eval_loss: Series, train_eval: TrainEval, train_epochs: Epochs,
    *, max_ratio: float, max_epochs: float, min_gap: float, min_first: float,
) -> Hit | None:  # fmt: skip
    """Within hardly more than one pass the training loss ends far below the evaluation loss, as only rows seen before do.

    min_gap: least distance of the two, as a share of the first loss: of a task that is learnt, both are close to nothing.
    min_first: where the training loss of the untrained model is below that already, the two count different tokens.
    """
    if train_epochs.total > max_epochs or train_eval.last > max_ratio or train_eval.first < min_first:
        return None
    evals = eval_loss.finite.values
    last = float(np.median(evals[-max(1, len(evals) // 3) :]))
    if (1 - train_eval.last) * last < min_gap * max(train_eval.first_train, train_eval.first_eval):
        return None
    shown = _pair(train_loss, eval_loss, train_eval, at_end=True)
    return Hit({**shown.facts, "epochs": train_epochs.total}, shown.evidence)


@detector
def below_evaluation_throughout(
    train_loss: Series, eval_loss: Series, train_eval: TrainEval, *, max_ratio: float, tolerance: float, least: int
) -> Hit | None:
    """From the untrained model on the training loss is the same share of the evaluation loss: the two count different tokens."""
    if train_eval.count < least or not train_eval.first <= max_ratio or train_eval.typical > max_ratio:
        return None
    if abs(train_eval.last - train_eval.typical) > tolerance * train_eval.typical:
        return None
    return _pair(train_loss, eval_loss, train_eval, at_end=False)


@detector
def training_stays_above_evaluation(
    train_loss: Series, eval_loss: Series, train_eval: TrainEval, train_level: Level,
    *, min_ratio: float, max_first: float, max_remaining: float, least: int,
) -> Hit | None:  # fmt: skip
    """A task is learnt, and the training loss comes to rest above the evaluation loss, though they began alike.

    Answers that are wrong at random cannot be learnt: they leave a floor under the training loss, and none under clean rows.
    """
    if train_eval.count < least or not train_eval.first <= max_first or train_eval.last < min_ratio:
        return None
    if max(train_level.end / train_eval.first_train, eval_loss.finite.values[-1] / train_eval.first_eval) > max_remaining:
        return None
    return _pair(train_loss, eval_loss, train_eval, at_end=True)


@detector
def training_changes_sides(
    train_loss: Series, eval_loss: Series, train_eval: TrainEval, *, min_first: float, max_last: float
) -> Hit | None:
    """Of the untrained model the training loss is far above the evaluation loss, at the end far below: the rows differ in kind."""
    if not train_eval.first >= min_first or train_eval.last > max_last:
        return None
    shown = _pair(train_loss, eval_loss, train_eval, at_end=False)
    return Hit({**shown.facts, "last": train_eval.last}, shown.evidence)


@detector
def level_leaps_alone(
    train_loss: Series, level_leap: Leap, train_epochs: Epochs,
    *, min_factor: float, noise_factor: float, max_evaluation: float, max_epochs: float, after_share: float,
) -> Hit | None:  # fmt: skip
    """In the midst of a pass the training loss leaps to another level and stays there, and the evaluation loss does not move."""
    size = abs(math.log(level_leap.factor))
    if size < max(math.log(min_factor), noise_factor * level_leap.noise) or abs(level_leap.evaluation) > max_evaluation:
        return None
    finite = train_loss.finite
    if level_leap.where < after_share * len(finite) or train_epochs.total > max_epochs:
        return None
    facts: Facts = {
        "at": At(finite.x[level_leap.where]), "before": level_leap.before, "after": level_leap.after,
        "evaluation": abs(level_leap.evaluation),
    }  # fmt: skip
    return Hit(facts, (finite.point(level_leap.where - 1), finite.point(level_leap.where)))


@detector
def gap_without_gain(
    train_loss: Series, eval_loss: Series, train_eval: TrainEval, train_epochs: Epochs,
    *, least_epochs: float, max_ratio: float, min_fall: float, max_share: float, max_rise: float, least: int,
) -> Hit | None:  # fmt: skip
    """Over the second half of several passes training goes on falling, and the evaluation, far above it, by next to nothing.

    max_share: of the relative fall of the training loss that the evaluation loss gains at most. max_rise: of the evaluation loss
    above its best; where it rises, that says more.
    """
    train, evals = train_loss.finite, eval_loss.finite
    if train_epochs.total < least_epochs or train_eval.last > max_ratio or len(evals) < least:
        return None
    middle = (float(train.x[0]) + float(train.x[-1])) / 2
    tenth = max(1, len(train) // 10)
    around = int(np.searchsorted(train.x, middle))
    before, after = float(np.median(train.values[max(0, around - tenth) : around + tenth])), float(np.median(train.values[-tenth:]))
    best = float(np.min(evals.values[evals.x <= middle], initial=np.inf))
    gain = (best - float(np.min(evals.values))) / best if math.isfinite(best) and best > 0 else math.inf
    fall = (before - after) / before if before > 0 else 0.0
    rise = float(evals.values[-1]) / float(np.min(evals.values)) - 1
    if fall < min_fall or gain > max_share * fall or rise > max_rise:
        return None
    shown = _pair(train_loss, eval_loss, train_eval, at_end=True)
    return Hit({**shown.facts, "epochs": train_epochs.total, "fall": fall, "gain": max(gain, 0.0)}, shown.evidence)


@detector
def nothing_left_to_learn(
    train_loss: Series, eval_loss: Series | None, train_level: Level, train_epochs: Epochs, rising_share: float,
    *, max_remaining: float, max_epochs: float, min_evaluation: float, max_rising: float,
) -> Hit | None:  # fmt: skip
    """Before one pass is over hardly anything is left of the training loss, and more than `min_evaluation` of the evaluation's.

    Where both have come to nothing, the task is learnt. max_rising: largest share of steps at which the loss rises: of the same
    batch again and again it only falls, of batches that differ it goes up and down.
    """
    if rising_share > max_rising:
        return None
    if train_level.first <= 0 or train_epochs.total > max_epochs or train_level.end > max_remaining * train_level.first:
        return None
    if eval_loss is not None and len(eval_loss.finite) and eval_loss.finite.values[-1] < min_evaluation * train_level.first:
        return None
    finite = train_loss.finite
    return Hit({"first": train_level.first, "end": train_level.end, "epochs": train_epochs.total}, (finite.point(len(finite) - 1),))


@detector
def both_losses_above_chance(
    train_loss: Series, eval_loss: Series, train_eval: TrainEval, chance_level: Chance, *, min_ratio: float
) -> Hit | None:
    """Training and evaluation both begin above the loss of guessing."""
    if math.isnan(train_eval.first) or min(train_eval.first_train, train_eval.first_eval) < min_ratio * chance_level.loss:
        return None
    shown = _pair(train_loss, eval_loss, train_eval, at_end=False)
    return Hit({**shown.facts, "chance": chance_level.loss, "of": chance_level.of}, shown.evidence)


@detector
def only_training_above_chance(
    train_loss: Series, eval_loss: Series, train_eval: TrainEval, chance_level: Chance, *, min_ratio: float
) -> Hit | None:
    """Training begins above the loss of guessing, evaluation of the same model below it."""
    if (
        math.isnan(train_eval.first)
        or train_eval.first_train < min_ratio * chance_level.loss
        or train_eval.first_eval > chance_level.loss
    ):
        return None
    shown = _pair(train_loss, eval_loss, train_eval, at_end=False)
    return Hit({**shown.facts, "chance": chance_level.loss, "of": chance_level.of}, shown.evidence)


@detector
def little_below_chance(train_loss: Series, train_level: Level, chance_level: Chance, *, min_share: float) -> Hit | None:
    """Training begins above the loss of guessing and ends little below it: how frequent tokens are is all that was learnt."""
    first = float(train_loss.finite.values[0])
    if first < chance_level.loss or train_level.end < min_share * chance_level.loss:
        return None
    facts: Facts = {"first": first, "end": train_level.end, "share": train_level.end / chance_level.loss, "of": chance_level.of}
    return Hit(facts, (train_loss.finite.point(0), train_loss.finite.point(len(train_loss.finite) - 1)))


@detector
def evaluation_follows_training(
    run: Run, train_loss: Series, eval_loss: Series, train_eval: TrainEval, train_level: Level, train_epochs: Epochs,
    *, most_rows: int, least_epochs: float, min_fall: float, min_ratio: float,
) -> Hit | None:  # fmt: skip
    """Over several passes over few rows the training loss falls far, and the evaluation loss with it, as only known rows do."""
    rows = setting(run.config, "train_rows")
    if rows is None:
        raise NotMeasurable("config:train_rows")
    if rows > most_rows:
        return None
    if train_epochs.total < least_epochs or train_level.end > (1 - min_fall) * train_level.first or train_eval.last < min_ratio:
        return None
    shown = _pair(train_loss, eval_loss, train_eval, at_end=True)
    return Hit({**shown.facts, "epochs": train_epochs.total}, shown.evidence)


@detector
def evaluation_apart(
    train_loss: Series, eval_loss: Series, train_level: Level, eval_noise: float,
    *, min_fall: float, max_change: float, noise_factor: float, first_within: float,
) -> Hit | None:  # fmt: skip
    """Training loss fell by `min_fall`, and no evaluation differs from the first by more than noise."""
    train, evals = train_loss.finite, eval_loss.finite
    if float(evals.x[0]) > first_within * float(train.x[-1]):
        raise NotMeasurable("eval_start")
    fall = (train_level.first - train_level.end) / (abs(train_level.first) or 1.0)
    first = float(evals.values[0])
    change = float(np.max(np.abs(evals.values - first)))
    if fall < min_fall or change > min(max_change * abs(first), noise_factor * eval_noise):
        return None
    return Hit({"fall": fall, "first": first, "last": float(evals.values[-1]), "count": len(evals)}, (evals.point(len(evals) - 1),))


@detector
def token_accuracy_spent(
    mean_token_accuracy: Series, train_epochs: Epochs, *, least: float, min_epochs: float, end_share: float
) -> Hit | None:
    """After `min_epochs` passes the accuracy on the tokens trained on lies at `least` or above: nothing is left to learn."""
    finite = mean_token_accuracy.finite
    tail = finite.values[-max(1, int(len(finite) * end_share)) :]
    level = float(np.median(tail))
    if train_epochs.total < min_epochs or level < least:
        return None
    reached = int(np.argmax(finite.values >= least))
    facts: Facts = {"accuracy": level, "epochs": train_epochs.total, "since": At(finite.x[reached])}
    return Hit(facts, (finite.point(reached), finite.point(len(finite) - 1)))


@detector
def loss_follows_length(loss_with_tokens: float, train_loss: Series, *, least: float) -> Hit | None:
    """The loss of a stretch goes with the number of its tokens."""
    if abs(loss_with_tokens) < least:
        return None
    finite = train_loss.finite
    return Hit({"correlation": loss_with_tokens}, (finite.point(len(finite) - 1),))
