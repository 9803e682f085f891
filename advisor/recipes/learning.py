"""Recipes for how long and how fast to train: epochs, steps, learning rate, warm-up, batch, clipping."""

from __future__ import annotations

import math

from advisor.model import NotMeasurable
from advisor.recipes.base import (
    LARGEST_STEP,
    RANGES,
    WARMUP,
    Context,
    Edit,
    clip,
    epochs,
    known,
    recipe,
    rounded,
    scaled_rate,
    whole,
)

LEAST_STEPS = 100
"""Optimizer steps that a fine-tuning run should have at least (Tinker's documentation)."""

MODERATE = 3.0
"""The step where the rate already lies in its band: a rate three times off costs 0.8 % (low) or 1.3 % (high) of the loss."""


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
    old, best = epochs(context), context.measured["eval_best"]
    if old is None or math.isnan(best.epoch) or _metric_improves(context):
        return None
    new = max(1, math.ceil(best.epoch - 1e-6))
    return (whole(old), new) if new < old and new <= RANGES["num_train_epochs"][1] else None


@recipe
def steps_at_best(context: Context) -> Edit | None:
    """Stop at the step of the best evaluation, where whole epochs are too coarse."""
    if epochs_at_best(context) is not None or context.measured.run.axis != "step" or _metric_improves(context):
        return None
    loss = context.measured["train_loss"]
    old = context.number("max_steps")
    # Boosters number their rounds, and some begin at zero: the round of that number is one more than its number.
    before = 1 if context.measured["objective"] == "boosting" and loss.x[0] == 0 else 0
    last = old if old and old > 0 else float(loss.x[-1]) + before
    new = int(context.measured["eval_best"].x) + before
    return (int(last), new) if 0 < new < last else None


@recipe
def epochs_halved(context: Context) -> Edit | None:
    """Half the passes over the data."""
    old = epochs(context)
    new = int(clip("num_train_epochs", math.ceil((old or 0) / 2)))
    return (whole(old), new) if old is not None and new < old else None


@recipe
def epochs_doubled(context: Context) -> Edit | None:
    """Twice the passes over the data, at least one more."""
    old = epochs(context)
    new = int(clip("num_train_epochs", math.ceil((old or 0) * 2)))
    return (whole(old), new) if old is not None and new > old else None


@recipe
def steps_to_hundred(context: Context) -> Edit | None:
    """A hundred optimizer steps, where steps and not epochs were set."""
    old = context.number("max_steps")
    return (whole(old), LEAST_STEPS) if old and 0 < old < LEAST_STEPS else None


@recipe
def learning_rate_lower(context: Context) -> Edit | None:
    """To the middle of the plausible band where the rate lies above it, but by a tenth at most; else a third."""
    try:
        rate = float(context.measured["peak_learning_rate"])
    except NotMeasurable:
        return None
    band = context.measured["rate_band"]
    return scaled_rate(context, band.middle / rate if rate > band.high else 1 / MODERATE)


@recipe
def learning_rate_tenth(context: Context) -> Edit | None:
    """A tenth of the learning rate."""
    return scaled_rate(context, 1 / LARGEST_STEP)


@recipe
def learning_rate_higher(context: Context) -> Edit | None:
    """To the middle of the plausible band where the rate lies below it, but ten times at most; else three times."""
    try:
        rate = float(context.measured["peak_learning_rate"])
    except NotMeasurable:
        return None
    band = context.measured["rate_band"]
    return scaled_rate(context, band.middle / rate if 0 < rate < band.low else MODERATE)


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
    return known(old), WARMUP


@recipe
def clip_to_one(context: Context) -> Edit | None:
    """Clip the gradient norm at 1.0, where it was not. The Hugging Face Trainer does so unless it is told otherwise."""
    old = context.number("max_grad_norm")
    if old is None and context.measured.run.reader.startswith("hf-"):
        return None
    return (known(old), 1.0) if old is None or old > 1 or old <= 0 else None


@recipe
def clip_at_quantile(context: Context) -> Edit | None:
    """Clip at the 90th percentile of the run's own gradient norms."""
    old = context.number("max_grad_norm")
    new = rounded(context.measured["gradient"].p90)
    return (known(old), new) if old is not None and new > old else None


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
    return known(old), int((old or 1) * 2)
