"""What differs between the settings of two runs, and which differences make their losses incomparable."""

from __future__ import annotations

import re
from collections.abc import Mapping

from advisor.model import Value

SEEDS = ("seed", "data_seed")
MODEL = ("model", "model_name", "model_name_or_path", "base_model", "base_model_name_or_path")
OF_NO_EFFECT = frozenset((
    "output_dir", "logging_dir", "run_name", "logging_steps", "logging_strategy", "logging_first_step", "report_to", "save_steps",
    "save_strategy", "save_total_limit", "disable_tqdm", "overwrite_output_dir", "push_to_hub", "hub_model_id", "deepspeed", "name",
    "dataloader_num_workers", "local_rank", "log_level", "project", "run_id", "job_id", "wandb_project", "eval_on_start",
    "eval_strategy", "eval_steps", "trainable_parameters",
))  # fmt: skip
"""Settings that change neither what is learnt nor what is measured."""

EVALUATION = (
    "eval_dataset", "eval_file", "validation_file", "val_file", "eval_rows", "val_size", "val_set_size", "eval_split",
    "validation_split", "eval_dataset_rows", "eval_samples",
)  # fmt: skip
"""Settings that say what is evaluated on."""

OF_THE_LOSS = (
    "label_smoothing_factor", "label_smoothing", "completion_only_loss", "assistant_only_loss", "train_on_inputs",
    "train_on_prompt", "mask_prompt", "loss_type", "loss", "beta",
)  # fmt: skip
"""Settings that say which tokens are counted, and how: under another one the loss is another quantity."""

DATA = ("dataset", "dataset_name", "train_file", "dataset_rows", "train_rows", "data", "train_dataset")
SIZE = re.compile(
    r"[-_. ]?\d+(?:\.\d+)?\s?[bBmM](?=$|[-_. ])|(?<=[-_])(?:tiny|mini|small|base|medium|large|xl|xxl)(?=$|[-_])", re.IGNORECASE
)
"""The size in a model's name: `Qwen2.5-0.5B` and `Qwen2.5-7B` are one family with one tokenizer."""


def different(one: Mapping[str, Value], other: Mapping[str, Value]) -> dict[str, tuple[Value | None, Value | None]]:
    """Return the settings that differ, the seed and what has no effect left out. Silence of one side is a difference."""
    names = [name for name in dict.fromkeys((*one, *other)) if name not in OF_NO_EFFECT and name not in SEEDS]
    found = {name: (one.get(name), other.get(name)) for name in names}
    return {name: pair for name, pair in found.items() if not _equal(*pair)}


def _equal(one: Value | None, other: Value | None) -> bool:
    if isinstance(one, int | float) and isinstance(other, int | float):
        return abs(one - other) <= CLOSE * max(abs(one), abs(other))
    return one == other


CLOSE = 1e-9


def clash(names: tuple[str, ...], one: Mapping[str, Value], other: Mapping[str, Value]) -> str:
    """Return the first of these settings that both runs state, and differently, or nothing."""
    return next((n for n in names if n in one and n in other and not _equal(one[n], other[n])), "")


BATCHES = (
    "per_device_train_batch_size", "batch_size", "gradient_accumulation_steps", "max_length", "max_seq_length", "packing",
    "group_by_length", "world_size", *DATA,
)  # fmt: skip
"""Settings that say which rows stand in which batch, beside the seed."""


def same_batches(one: Mapping[str, Value], other: Mapping[str, Value]) -> bool:
    """Tell whether both runs state the same seed, and nothing that puts other rows into the batches."""
    seeded = any(name in one and name in other for name in SEEDS) and not clash(SEEDS, one, other)
    return seeded and not any(name in BATCHES for name in different(one, other))


def models(one: Mapping[str, Value], other: Mapping[str, Value]) -> tuple[str, str]:
    """Return the names of both base models, empty where unknown."""
    first, second = (next((str(config[name]) for name in MODEL if name in config), "") for config in (one, other))
    return first, second


def tokenizers(one: Mapping[str, Value], other: Mapping[str, Value]) -> str:
    """Return `same`, `other` or `unknown`: whether both runs count their losses over the same tokens."""
    if "vocab_size" in one and "vocab_size" in other:
        return "same" if one["vocab_size"] == other["vocab_size"] else "other"
    first, second = models(one, other)
    if not first or not second or family(first) == family(second):
        return "same"
    return "unknown"


def family(name: str) -> str:
    """Return a model's name without its folder and its size."""
    return SIZE.sub("", name.rstrip("/").rsplit("/", 1)[-1]).casefold()
