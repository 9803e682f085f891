"""From a finding to concrete edits of the configuration: recipes by name, documented ranges, one change for each parameter."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from advisor.model import Change, Finding, Hit, NotMeasurable, Value
from advisor.signals import Measurements

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

LARGEST_STEP = 10.0
"""No advice changes a learning rate by more than this factor at once."""

WARMUP = 0.05
"""Share of the run for warm-up where there was too little: 3–5 % by the tuning playbook, 5–10 % by Unsloth's guide."""

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


@recipe
def epochs_at_best(context: Context) -> Edit | None:
    """Stop after the epoch in which the best evaluation fell."""
    old, best = _epochs(context), context.measured["eval_best"]
    if old is None or math.isnan(best.epoch):
        return None
    new = max(1, math.ceil(best.epoch - 1e-6))
    return (_whole(old), new) if new < old and new <= RANGES["num_train_epochs"][1] else None


@recipe
def steps_at_best(context: Context) -> Edit | None:
    """Stop at the step of the best evaluation, where whole epochs are too coarse."""
    if epochs_at_best(context) is not None or context.measured.run.axis != "step":
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


def _whole(value: float) -> Value:
    return int(value) if value == int(value) else round(value, 2)


def _rate(context: Context, factor: float) -> Edit | None:
    """Scale the learning rate, inside the documented range and never against the intended direction."""
    try:
        old = float(context.measured["peak_learning_rate"])
    except NotMeasurable:
        return None
    new = _round(_clip("learning_rate", old * factor))
    return (old, new) if old > 0 and (new - old) * (factor - 1) > 0 else None


@recipe
def learning_rate_lower(context: Context) -> Edit | None:
    """A tenth where the rate lies above the documented range, else a third."""
    try:
        rate = float(context.measured["peak_learning_rate"])
    except NotMeasurable:
        return None
    return _rate(context, 1 / LARGEST_STEP if rate > RANGES["learning_rate"][1] else 1 / 3)


@recipe
def learning_rate_tenth(context: Context) -> Edit | None:
    """A tenth of the learning rate."""
    return _rate(context, 1 / LARGEST_STEP)


@recipe
def learning_rate_higher(context: Context) -> Edit | None:
    """Ten times where the rate lies far below the usual band, else three times."""
    try:
        rate = float(context.measured["peak_learning_rate"])
    except NotMeasurable:
        return None
    usual = float(context.measured["usual_learning_rate"])
    return _rate(context, LARGEST_STEP if rate * 3 < usual else 3.0)


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


def _switch(name: str, new: Value) -> Recipe:
    def switch(context: Context) -> Edit | None:
        old = context.config.get(name)
        return (old, new) if old != new else None

    return switch


RECIPES["bf16_on"] = _switch("bf16", True)
RECIPES["nan_filter_off"] = _switch("logging_nan_inf_filter", False)
RECIPES["cosine_schedule"] = _switch("lr_scheduler_type", "cosine")
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
            found.append(Change(proposal.parameter, *edit, proposal.trust, rule.id, proposal.reason))  # type: ignore[arg-type]
    return tuple(found)


def merge(findings: Sequence[Finding]) -> list[Change]:
    """Return at most one change for each parameter: that of the gravest finding. A contradicting lighter one is left out."""
    chosen: dict[str, Change] = {}
    for finding in findings:
        for change in finding.changes:
            chosen.setdefault(change.parameter, change)
    return list(chosen.values())
