"""Signals of the schedule and of the objective: learning rate, warm-up, method, what is being trained."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from advisor.model import Facts, FloatArray, NotMeasurable, Run, Series
from advisor.signals.registry import signal
from advisor.signals.start import require_start


class Schedule(NamedTuple):
    """The learning rate as logged.

    peak: the highest. last: the last. zero_share: share of logged points at exactly zero. warmup: share of points before the peak.
    """

    peak: float
    last: float
    zero_share: float
    warmup: float


@signal
def lr_schedule(learning_rate: Series) -> Schedule:
    """Peak, end, zeros and warm-up of the logged learning rate."""
    values = learning_rate.finite.values
    if not len(values):
        raise NotMeasurable("learning_rate", need=1, have=0)
    peak = float(np.max(values))
    return Schedule(peak, float(values[-1]), float(np.mean(values == 0)), float(np.argmax(values >= peak)) / len(values))


@signal
def peak_learning_rate(run: Run, config: Facts) -> float:
    """The learning rate of the run: configured where known, else the highest one logged."""
    configured = config.get("learning_rate")
    if isinstance(configured, int | float) and not isinstance(configured, bool) and configured > 0:
        return float(configured)
    logged = run.series.get("learning_rate")
    if logged is None or not len(logged.finite):
        raise NotMeasurable("learning_rate")
    values, x = logged.finite.values, logged.finite.x
    # A log that ends while the rate still climbs, or that begins after half of the run, does not show the peak.
    still_climbing = values[-1] >= np.max(values) and values[0] < values[-1]
    begins_late = run.axis != "row" and x[0] > x[-1] - x[0] and len(values) > 1
    if still_climbing or begins_late:
        raise NotMeasurable("learning_rate")
    return float(np.max(values))


COMPLETE = 0.98
"""Share of the planned steps or epochs after which a run counts as finished: the last log comes a little before the end."""

SAYS_ITS_END = ("advisor-log", "hf-console")
"""Readers of logs that close with an end mark; where it is missing, the run was cut off or is still going."""


@signal
def run_finished(run: Run, config: Facts) -> bool:
    """Whether the run reached its planned end: by the log's own end mark, else by the planned steps or epochs."""
    train = run.series.get("train_loss")
    if any(event.kind == "end" for event in run.events):
        return True
    plans = (("max_steps", train.x if train is not None and run.axis == "step" else None),
             ("num_train_epochs", train.epoch if train is not None else None))  # fmt: skip
    for name, places in plans:
        planned = config.get(name)
        if places is not None and isinstance(planned, int | float) and planned > 0 and np.any(np.isfinite(places)):
            return float(np.nanmax(places)) >= COMPLETE * planned
    if run.reader in SAYS_ITS_END:
        return False
    raise NotMeasurable("run_end")


OBJECTIVES = ("sft", "classification", "dpo", "kto", "orpo", "grpo", "rloo", "ppo", "reward", "boosting")
"""What can be trained: supervised (`sft`, `classification`), from preferences (`dpo` stands for all losses over pairs with a
reference), by reinforcement, a reward model, or trees by boosting: a round adds one, and a rate means something else there."""

BOOSTERS = frozenset({"boosting", "catboost"})
"""Formats of logs of boosted trees."""

REINFORCEMENT = ("grpo", "rloo", "ppo")
"""Objectives whose loss says nothing: what is trained for is the reward."""


@signal
def objective(run: Run, config: Facts) -> str:
    """What is trained, one of `OBJECTIVES`: as configured, else by the format of the log or the names of its metrics."""
    declared = str(config.get("objective", "")).lower()
    names = {name.removeprefix("eval_") for name in run.series}
    if declared in OBJECTIVES:
        return declared
    if run.reader in BOOSTERS:
        return "boosting"
    if "dpo_loss" in names:
        return "dpo"
    if "rewards/chosen" in names:
        paired = "rewards/accuracies" in names
        return "orpo" if "log_odds_ratio" in names else "kto" if "kl" in names and not paired else "dpo"
    if {"margin", "min_reward"} <= names or {"margin", "max_reward"} <= names:
        return "reward"
    if "frac_reward_zero_std" in names:
        return "grpo"
    if "reward" in names and names & {"kl", "entropy", "value_loss", "completions/mean_length", "clip_ratio", "reward_std"}:
        return "ppo" if "value_loss" in names else "grpo"
    if run.series.keys() & {"eval_accuracy", "eval_f1", "train_accuracy"} and "eval_mean_token_accuracy" not in run.series:
        return "classification"
    return "sft"


class Chance(NamedTuple):
    """The loss of a model that knows nothing: ln(vocabulary), ln(classes) or ln 2; `of` says which."""

    loss: float
    of: str


@signal
def chance_level(config: Facts, objective: str) -> Chance:
    """The loss of uniform guessing, from the vocabulary size or the number of labels."""
    labels, vocabulary = config.get("num_labels"), config.get("vocab_size")
    if objective in ("dpo", "reward"):
        return Chance(math.log(2), "ln 2")
    if objective == "classification" and isinstance(labels, int) and labels > 1:
        return Chance(math.log(labels), f"ln {labels}")
    if isinstance(vocabulary, int) and vocabulary > 1 and objective == "sft":
        return Chance(math.log(vocabulary), f"ln {vocabulary}")
    raise NotMeasurable("config:vocab_size")


@dataclass(frozen=True)
class RateLeap:
    """The sharpest rise of the logged learning rate after the first tenth: by which factor, and where."""

    factor: float
    index: int
    x: float


@signal
def rate_leap(learning_rate: Series) -> RateLeap:
    """The largest rise from one logged rate to the next after the first tenth of the run, where the rate had stopped rising.

    A rate that rises from its first logged value on is still warming up, however coarsely it was logged.
    """
    finite = learning_rate.finite
    values = finite.values
    begin = max(1, len(values) // 10)
    if len(values) < begin + 2:
        raise NotMeasurable("learning_rate", need=begin + 2, have=len(values))
    before, after = values[begin - 1 : -1], values[begin:]
    # A restart from zero has no factor; the peak that came before it does.
    base = np.maximum(before, 0.01 * float(np.max(values[:begin], initial=0.0)))
    with np.errstate(divide="ignore", invalid="ignore"):
        factor = np.where((base > 0) & ~_warming(values)[begin:], after / base, 1.0)
    at = int(np.argmax(factor))
    return RateLeap(float(factor[at]), begin + at, float(finite.x[begin + at]))


def _warming(values: FloatArray) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Tell of each value whether all those up to it rose."""
    return np.concatenate([[True], np.logical_and.accumulate(np.diff(values) > 0)])


@signal
def warmup_share(run: Run, config: Facts, lr_schedule: Schedule | None, train_loss: Series | None) -> float:
    """Share of the run that warms up: as configured, else as the logged rate shows from the beginning of the run on."""
    ratio = config.get("warmup_ratio")
    steps = config.get("warmup_steps")
    planned = config.get("max_steps")
    if isinstance(steps, int | float) and steps > 0 and isinstance(planned, int | float) and planned > 0:
        return float(steps) / float(planned)
    if isinstance(ratio, int | float) and not isinstance(ratio, bool):
        return float(ratio)
    if lr_schedule is None or run.axis == "row":
        raise NotMeasurable("learning_rate")
    if train_loss is not None:
        require_start(train_loss)
    return lr_schedule.warmup
