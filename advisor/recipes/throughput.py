"""Recipes that save time and memory."""

from __future__ import annotations

from advisor.recipes.base import Context, Edit, known, recipe

WORKERS = 4
MOST_WORKERS = 16
RARER = 4
PATIENCE = 3
EMPTY_CACHE = 50


@recipe
def workers_more(context: Context) -> Edit | None:
    """Four processes that prepare batches, or twice as many as there are."""
    old = context.number("dataloader_num_workers")
    new = min(int(2 * old), MOST_WORKERS) if old else WORKERS
    return (known(old), new) if old is None or new > old else None


def _rarer(context: Context, name: str) -> Edit | None:
    """Return four times the interval `name`, where the pauses come at it."""
    old, every = context.number(name), context.measured["pauses"].every
    if not old or old < 1 or every % old:
        return None
    return int(old), int(old) * RARER


@recipe
def saves_rarer(context: Context) -> Edit | None:
    """Save a quarter as often, where the pauses come with the checkpoints."""
    return _rarer(context, "save_steps")


@recipe
def evaluations_rarer(context: Context) -> Edit | None:
    """Evaluate a quarter as often, where the pauses come with the evaluations."""
    return _rarer(context, "eval_steps")


@recipe
def cache_emptied(context: Context) -> Edit | None:
    """Give unused memory back every fifty steps, where that is not done."""
    old = context.number("torch_empty_cache_steps")
    return (known(old), EMPTY_CACHE) if not old else None
