"""Recipes for settings that lie outside what is documented."""

from __future__ import annotations

import math

from advisor.recipes.base import LARGEST_STEP, RANGES, WARMUP, Context, Edit, clip, epochs, known, recipe, scaled_rate, whole

LARGEST_RECOMMENDED_EPOCHS = 10
"""The documented recommendation is 2, 4, 8 or 10 epochs."""


@recipe
def epochs_recommended(context: Context) -> Edit | None:
    """The largest recommended number of epochs, where there are more."""
    old = epochs(context)
    return (whole(old), LARGEST_RECOMMENDED_EPOCHS) if old is not None and old > LARGEST_RECOMMENDED_EPOCHS else None


@recipe
def learning_rate_in_band(context: Context) -> Edit | None:
    """Down to the documented range where the rate is above it, else up towards the usual band, by a factor of ten at most."""
    rate = float(context.measured["peak_learning_rate"])
    if rate > RANGES["learning_rate"][1]:
        return rate, RANGES["learning_rate"][1]
    usual = float(context.measured["rate_band"].low)
    return scaled_rate(context, min(LARGEST_STEP, usual / rate)) if 0 < rate < usual else scaled_rate(context, 1 / LARGEST_STEP)


RECOMMENDED_BATCH = 8
"""The documented recommendation is 4 or 8 rows an update."""

ENOUGH_UPDATES = 100
"""The fewest updates at which a fine-tuning is expected to have learned (Tinker's guide: 100, better 1000)."""


@recipe
def accumulation_to_recommended(context: Context) -> Edit | None:
    """As much accumulation as makes the recommended batch."""
    old = context.number("gradient_accumulation_steps") or 1.0
    rows = float(context.measured["rows_per_update"])
    new = math.ceil(old * RECOMMENDED_BATCH / rows)
    return (known(context.number("gradient_accumulation_steps")), new) if new > old else None


@recipe
def accumulation_halved(context: Context) -> Edit | None:
    """Half the accumulation, where there is any."""
    old = context.number("gradient_accumulation_steps")
    return (int(old), int(old) // 2) if old and old > 1 else None


@recipe
def batch_halved_after_accumulation(context: Context) -> Edit | None:
    """Half the batch, where there is no accumulation to halve."""
    old = context.number("per_device_train_batch_size") or context.number("batch_size")
    return (int(old), int(old) // 2) if old and old > 1 and accumulation_halved(context) is None else None


@recipe
def epochs_for_updates(context: Context) -> Edit | None:
    """As many epochs as make enough updates, inside the documented range; not where max_steps overrules them."""
    old = context.number("num_train_epochs")
    if not old or (context.number("max_steps") or 0) > 0:
        return None
    needed = math.ceil(old * ENOUGH_UPDATES / float(context.measured["planned_updates"]))
    new = int(clip("num_train_epochs", needed))
    return (whole(old), new) if new > old else None


@recipe
def steps_for_updates(context: Context) -> Edit | None:
    """Enough updates, where max_steps sets their number."""
    old = context.number("max_steps")
    return (int(old), ENOUGH_UPDATES) if old and 0 < old < ENOUGH_UPDATES else None


@recipe
def decay_ratio_in_range(context: Context) -> Edit | None:
    """The nearest end of the documented range."""
    old = context.number("learning_rate_decay_ratio")
    new = None if old is None else clip("learning_rate_decay_ratio", old)
    return (old, new) if old is not None and new is not None and new != old else None


@recipe
def warmup_ratio_shorter(context: Context) -> Edit | None:
    """Warm up over 5 % of the run, where the share is set and is more."""
    old = context.number("warmup_ratio")
    return (old, WARMUP) if old and old > WARMUP and not context.number("warmup_steps") else None


@recipe
def warmup_steps_shorter(context: Context) -> Edit | None:
    """Warm up over 5 % of the run, where the steps are set and are more."""
    old = context.number("warmup_steps")
    new = max(1, round(WARMUP * float(context.measured["planned_updates"])))
    return (int(old), new) if old and old > new else None


LORA_RANKS = (8, 64)
"""Smallest and largest rank that the platform offers for LoRA (8, 16, 32, 64)."""


@recipe
def lora_rank_in_range(context: Context) -> Edit | None:
    """The nearest documented rank."""
    old = context.number("lora_r")
    new = None if old is None else int(min(max(old, LORA_RANKS[0]), LORA_RANKS[1]))
    return (int(old), new) if old is not None and new is not None and new != old else None


@recipe
def lora_alpha_usual(context: Context) -> Edit | None:
    """Alpha as large as the rank where it was smaller, twice the rank where it was larger: the two usual choices."""
    rank, old = context.number("lora_r"), context.number("lora_alpha")
    if not rank or not old:
        return None
    new = int(rank if old < rank else 2 * rank)
    return (whole(old), new) if new != old else None


@recipe
def save_strategy_as_evaluation(context: Context) -> Edit | None:
    """Write a checkpoint whenever there is an evaluation, without which the best one cannot be kept."""
    evaluates = str(context.config.get("eval_strategy", "")).lower()
    old = context.config.get("save_strategy")
    if evaluates not in ("steps", "epoch") or old in (evaluates, "best") or (old is None and evaluates == "steps"):
        return None
    return old, evaluates


@recipe
def save_steps_as_evaluation(context: Context) -> Edit | None:
    """Write a checkpoint at every evaluation, where both go by steps and do not meet."""
    saved, every = context.number("save_steps"), context.number("eval_steps")
    if context.config.get("eval_strategy") != "steps" or context.config.get("save_strategy", "steps") not in ("steps", "epoch"):
        return None
    if not every or every < 1 or (saved and saved % every == 0):
        return None
    return known(saved), int(every)


@recipe
def fp16_off(context: Context) -> Edit | None:
    """No fp16, where it is on: trainers refuse fp16 and bf16 at once."""
    return (True, False) if context.config.get("fp16") is True else None
