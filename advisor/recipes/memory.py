"""Recipes for runs that do not fit into memory."""

from __future__ import annotations

import math

from advisor.recipes.base import Context, Edit, known, recipe

TRAINER_EVAL_BATCH = 8
"""The evaluation batch of the Hugging Face Trainer where none is set."""

LEAST_LENGTH = 256
"""Rows are not cut shorter than half of this to save memory: too little of them would be left."""


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
    return known(old), math.ceil((old or 1) * before / after)


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
    given = context.number("per_device_eval_batch_size")
    old = given if given is not None else TRAINER_EVAL_BATCH if context.measured.run.reader.startswith("hf-") else None
    return (known(given), int(old) // 2) if old is not None and old > 1 else None


@recipe
def eval_accumulation(context: Context) -> Edit | None:
    """Move the predictions to the CPU every 8 steps, where they pile up on the device."""
    old = context.number("eval_accumulation_steps")
    return (None, 8) if old is None else None
