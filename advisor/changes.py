"""From a finding to concrete edits of the configuration: recipes by name, documented ranges, one change for each parameter."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from advisor.effects import effect_of
from advisor.model import Change, Conflict, Finding, Hit, NotMeasurable, Value
from advisor.signals import Measurements
from advisor.signals.checkpoints import PATIENCE

if TYPE_CHECKING:
    from advisor.rulebook import Rule

RANGES: Mapping[str, tuple[float, float]] = {
    "num_train_epochs": (1, 50),
    "learning_rate": (1e-6, 5e-4),
    "per_device_train_batch_size": (1, math.inf),
    "warmup_ratio": (0, 1),
    "learning_rate_decay_ratio": (0.01, 0.1),
}
"""Documented ranges (Pangu, "How do I adjust training parameters"); no advice leaves them."""

LEAST_STEPS = 100
"""Optimizer steps that a fine-tuning run should have at least (Tinker's documentation)."""

LARGEST_STEP = 10.0
"""No advice changes a learning rate by more than this factor at once."""

WARMUP = 0.05
"""Share of the run for warm-up where there was too little: 3–5 % by the tuning playbook, 5–10 % by Unsloth's guide."""

TRAINER_EVAL_BATCH = 8
"""The evaluation batch of the Hugging Face Trainer where none is set."""

LEAST_LENGTH = 256
"""Rows are not cut shorter than half of this to save memory: too little of them would be left."""

EVALUATIONS = 10
"""Evaluations over a run that allow a judgement on overfitting, with room for noise."""


@dataclass(frozen=True, slots=True)
class Context:
    """What a recipe may look at."""

    measured: Measurements
    hit: Hit

    @property
    def config(self) -> Mapping[str, Value]:
        """The settings of the run."""
        return self.measured.run.config

    def number(self, name: str) -> float | None:
        """Return a numeric setting, or None where it is not known."""
        value = self.config.get(name)
        return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


Edit = tuple["Value | None", Value]
Recipe = Callable[[Context], "Edit | None"]
RECIPES: dict[str, Recipe] = {}


def recipe(function: Recipe) -> Recipe:
    """Register `function` as the recipe of its own name. It returns (old, new), or None where it has no number to give."""
    RECIPES[function.__name__] = function
    return function


def _epochs(context: Context) -> float | None:
    planned = context.number("num_train_epochs")
    if planned is not None and planned > 0:
        return planned
    try:
        return float(math.ceil(context.measured["train_epochs"].total - 1e-6))
    except NotMeasurable:
        return None


def _clip(parameter: str, value: float) -> float:
    low, high = RANGES[parameter]
    return min(max(value, low), high)


def _round(value: float) -> float:
    """Two significant digits: more would pretend to a precision that no advice has."""
    return float(f"{value:.1e}")


def _metric_improves(context: Context) -> bool:
    """Whether a task metric is better after the best loss: then the loss is no reason to stop."""
    try:
        metric, best = context.measured["task_metric"], context.measured["eval_best"]
    except NotMeasurable:
        return False
    return bool(metric.series.x[metric.best] > best.x)


@recipe
def epochs_at_best(context: Context) -> Edit | None:
    """Stop after the epoch in which the best evaluation fell, unless a task metric went on improving."""
    old, best = _epochs(context), context.measured["eval_best"]
    if old is None or math.isnan(best.epoch) or _metric_improves(context):
        return None
    new = max(1, math.ceil(best.epoch - 1e-6))
    return (_whole(old), new) if new < old and new <= RANGES["num_train_epochs"][1] else None


@recipe
def steps_at_best(context: Context) -> Edit | None:
    """Stop at the step of the best evaluation, where whole epochs are too coarse."""
    if epochs_at_best(context) is not None or context.measured.run.axis != "step" or _metric_improves(context):
        return None
    loss = context.measured["train_loss"]
    old = context.number("max_steps")
    last = old if old and old > 0 else float(loss.x[-1])
    new = int(context.measured["eval_best"].x)
    return (int(last), new) if 0 < new < last else None


@recipe
def epochs_halved(context: Context) -> Edit | None:
    """Half the passes over the data."""
    old = _epochs(context)
    new = int(_clip("num_train_epochs", math.ceil((old or 0) / 2)))
    return (_whole(old), new) if old is not None and new < old else None


@recipe
def epochs_doubled(context: Context) -> Edit | None:
    """Twice the passes over the data, at least one more."""
    old = _epochs(context)
    new = int(_clip("num_train_epochs", math.ceil((old or 0) * 2)))
    return (_whole(old), new) if old is not None and new > old else None


@recipe
def steps_to_hundred(context: Context) -> Edit | None:
    """A hundred optimizer steps, where steps and not epochs were set."""
    old = context.number("max_steps")
    return (_whole(old), LEAST_STEPS) if old and 0 < old < LEAST_STEPS else None


def _whole(value: float) -> Value:
    return int(value) if value == int(value) else round(value, 2)


def _rate(context: Context, factor: float) -> Edit | None:
    """Scale the learning rate: never by more than `LARGEST_STEP`, inside the range, never against the intended direction."""
    try:
        old = float(context.measured["peak_learning_rate"])
    except NotMeasurable:
        return None
    low, high = RANGES["learning_rate"]
    band = context.measured["rate_band"]
    if band.size_known:
        # The documented range is that of large models; "small model: larger rate" is documented as well.
        high = max(high, band.high)
    factor = min(max(factor, 1 / LARGEST_STEP), LARGEST_STEP)
    new = _round(min(max(old * factor, low), high))
    return (old, new) if old > 0 and (new - old) * (factor - 1) > 0 else None


MODERATE = 3.0
"""The step where the rate already lies in its band: a rate three times off costs 0.8 % (low) or 1.3 % (high) of the loss."""


@recipe
def learning_rate_lower(context: Context) -> Edit | None:
    """To the middle of the plausible band where the rate lies above it, but by a tenth at most; else a third."""
    try:
        rate = float(context.measured["peak_learning_rate"])
    except NotMeasurable:
        return None
    band = context.measured["rate_band"]
    return _rate(context, band.middle / rate if rate > band.high else 1 / MODERATE)


@recipe
def learning_rate_tenth(context: Context) -> Edit | None:
    """A tenth of the learning rate."""
    return _rate(context, 1 / LARGEST_STEP)


@recipe
def learning_rate_higher(context: Context) -> Edit | None:
    """To the middle of the plausible band where the rate lies below it, but ten times at most; else three times."""
    try:
        rate = float(context.measured["peak_learning_rate"])
    except NotMeasurable:
        return None
    band = context.measured["rate_band"]
    return _rate(context, band.middle / rate if 0 < rate < band.low else MODERATE)


@recipe
def learning_rate_default(_context: Context) -> Edit | None:
    """A usual rate where none is set: 1e-4 is the documented default of full and of LoRA fine-tuning."""
    return 0.0, 1e-4


@recipe
def warmup_longer(context: Context) -> Edit | None:
    """Warm up over the first 5 % of the run, where it was less."""
    old = context.number("warmup_ratio")
    if context.number("warmup_steps") or (old is not None and old >= WARMUP):
        return None
    return _known(old), WARMUP


def _known(value: float | None) -> Value | None:
    return None if value is None else _whole(value) if value == int(value) else value


@recipe
def clip_to_one(context: Context) -> Edit | None:
    """Clip the gradient norm at 1.0, where it was not. The Hugging Face Trainer does so unless it is told otherwise."""
    old = context.number("max_grad_norm")
    if old is None and context.measured.run.reader.startswith("hf-"):
        return None
    return (_known(old), 1.0) if old is None or old > 1 or old <= 0 else None


@recipe
def batch_doubled(context: Context) -> Edit | None:
    """Twice the batch size, where it is known."""
    old = context.number("per_device_train_batch_size") or context.number("batch_size")
    return (int(old), int(old) * 2) if old else None


@recipe
def accumulation_doubled(context: Context) -> Edit | None:
    """Twice the gradient accumulation, where the batch size is not known."""
    if batch_doubled(context) is not None:
        return None
    old = context.number("gradient_accumulation_steps")
    return _known(old), int((old or 1) * 2)


@recipe
def batch_halved(context: Context) -> Edit | None:
    """Half the batch size, where it is known and above one."""
    old = context.number("per_device_train_batch_size")
    return (int(old), int(old) // 2) if old is not None and old > 1 else None


@recipe
def accumulation_for_halved_batch(context: Context) -> Edit | None:
    """As much more gradient accumulation as the halved batch needs to keep the effective batch."""
    batch = batch_halved(context)
    if batch is None:
        return None
    old = context.number("gradient_accumulation_steps")
    before, after = context.number("per_device_train_batch_size") or 1, float(batch[1])
    return _known(old), math.ceil((old or 1) * before / after)


@recipe
def max_length_halved(context: Context) -> Edit | None:
    """Half the length of the rows, where the batch cannot be halved any more."""
    if batch_halved(context) is not None or not context.number("per_device_train_batch_size"):
        return None
    old = context.number("max_length")
    return (int(old), int(old) // 2) if old is not None and old >= LEAST_LENGTH else None


@recipe
def eval_batch_halved(context: Context) -> Edit | None:
    """Half the batch of evaluation, which is 8 in the Hugging Face Trainer unless it is set."""
    known = context.number("per_device_eval_batch_size")
    old = known if known is not None else TRAINER_EVAL_BATCH if context.measured.run.reader.startswith("hf-") else None
    return (_known(known), int(old) // 2) if old is not None and old > 1 else None


@recipe
def eval_accumulation(context: Context) -> Edit | None:
    """Move the predictions to the CPU every 8 steps, where they pile up on the device."""
    old = context.number("eval_accumulation_steps")
    return (None, 8) if old is None else None


@recipe
def evaluate_by_steps(context: Context) -> Edit | None:
    """Evaluate every so many steps."""
    old = context.config.get("eval_strategy")
    if old is None and context.measured["run_without_evaluation"]:
        old = "no"
    return (old, "steps") if old != "steps" else None


@recipe
def evaluation_interval(context: Context) -> Edit | None:
    """Ten evaluations over the run."""
    run = context.measured.run
    if run.axis != "step" or "train_loss" not in run.series:
        return None
    planned = context.number("max_steps")
    steps = planned if planned and planned > 0 else float(run.series["train_loss"].x[-1])
    new = max(1, int(steps // EVALUATIONS))
    old = context.number("eval_steps") if "eval_loss" in run.series else None
    return (_known(old), new) if old is None or new < old else None


@recipe
def best_metric(context: Context) -> Edit | None:
    """Choose checkpoints by the task metric that went on improving."""
    name = context.measured["task_metric"].series.name
    old = context.config.get("metric_for_best_model")
    return (old, name) if old != name else None


@recipe
def early_stopping(context: Context) -> Edit | None:
    """Stop after three evaluations without improvement."""
    old = context.number("early_stopping_patience")
    return (_known(old), PATIENCE) if old is None or old > PATIENCE else None


@recipe
def save_at_evaluations(context: Context) -> Edit | None:
    """Save as often as is evaluated, so that the best evaluation has a checkpoint."""
    evals = context.measured["eval_loss"].finite
    between = int(np.median(np.diff(evals.x))) if len(evals) > 1 else 0
    old = context.number("save_steps")
    return (_known(old), between) if between > 0 and (old is None or between < old) else None


@recipe
def clip_at_quantile(context: Context) -> Edit | None:
    """Clip at the 90th percentile of the run's own gradient norms."""
    old = context.number("max_grad_norm")
    new = _round(context.measured["gradient"].p90)
    return (_known(old), new) if old is not None and new > old else None


def _switch(name: str, new: Value) -> Recipe:
    def switch(context: Context) -> Edit | None:
        old = context.config.get(name)
        return (old, new) if old != new else None

    return switch


RECIPES["checkpointing_on"] = _switch("gradient_checkpointing", True)
RECIPES["find_unused_on"] = _switch("ddp_find_unused_parameters", True)
RECIPES["find_unused_off"] = _switch("ddp_find_unused_parameters", False)
RECIPES["fp16_off"] = _switch("fp16", False)
RECIPES["fp16_on"] = _switch("fp16", True)
RECIPES["bf16_off"] = _switch("bf16", False)
RECIPES["expandable_segments"] = _switch("PYTORCH_CUDA_ALLOC_CONF", "expandable_segments:True")
RECIPES["target_all_linear"] = _switch("target_modules", "all-linear")
RECIPES["data_workers_zero"] = _switch("dataloader_num_workers", 0)
RECIPES["bf16_on"] = _switch("bf16", True)
RECIPES["nan_filter_off"] = _switch("logging_nan_inf_filter", False)
RECIPES["best_model_at_end"] = _switch("load_best_model_at_end", True)


def propose(rule: Rule, hit: Hit, measured: Measurements) -> tuple[Change, ...]:
    """Return the changes of `rule` that have a number on this run."""
    context = Context(measured, hit)
    found = []
    for proposal in rule.changes:
        try:
            edit = RECIPES[proposal.to](context)
        except NotMeasurable:
            continue
        if edit is not None:
            effect = effect_of(proposal.parameter, *edit, proposal.to, measured)
            found.append(Change(proposal.parameter, *edit, proposal.trust, rule.id, proposal.reason, effect))  # type: ignore[arg-type]
    return tuple(found)


def merge(findings: Sequence[Finding], explained: Sequence[Sequence[str]] = ()) -> tuple[list[Change], list[Conflict]]:
    """Return at most one change for each parameter, and the changes that contradict a chosen one.

    explained: the findings behind each cause, the likeliest cause first. A change that mends a likelier cause comes first; among
    equals the graver finding decides. Two changes contradict each other where one raises what the other lowers.
    """
    rank = {rule: i for i, rules in reversed(list(enumerate(explained))) for rule in rules}
    ordered = sorted(findings, key=lambda finding: rank.get(finding.rule.id, len(explained)))
    chosen: dict[str, Change] = {}
    conflicts = []
    for finding in ordered:
        for change in finding.changes:
            first = chosen.setdefault(change.parameter, change)
            if _direction(first) * _direction(change) < 0:
                conflicts.append(Conflict(first, change))
    return list(chosen.values()), conflicts


def _direction(change: Change) -> int:
    """Return 1 where a change raises its parameter, -1 where it lowers it, 0 where neither can be said."""
    old, new = change.old, change.new
    if isinstance(old, bool) or not isinstance(old, int | float) or not isinstance(new, int | float):
        return 0
    return (new > old) - (new < old)
