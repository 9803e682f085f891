"""Recipes for evaluating, choosing and keeping checkpoints."""

from __future__ import annotations

import numpy as np

from advisor.recipes.base import Context, Edit, known, recipe
from advisor.signals.checkpoints import PATIENCE

EVALUATIONS = 10
"""Evaluations over a run that allow a judgement on overfitting, with room for noise."""


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
    return (known(old), new) if old is None or new < old else None


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
    return (known(old), PATIENCE) if old is None or old > PATIENCE else None


@recipe
def save_at_evaluations(context: Context) -> Edit | None:
    """Save as often as is evaluated, so that the best evaluation has a checkpoint."""
    evals = context.measured["eval_loss"].finite
    between = int(np.median(np.diff(evals.x))) if len(evals) > 1 else 0
    old = context.number("save_steps")
    return (known(old), between) if between > 0 and (old is None or between < old) else None
