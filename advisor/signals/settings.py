"""Signals of the settings: what the configuration says about the model, the rows and the updates, before any curve is looked at."""

from __future__ import annotations

import math
import re
from typing import NamedTuple

import numpy as np

from advisor.model import Facts, NotMeasurable, Series
from advisor.signals.registry import signal


def setting(config: Facts, *names: str) -> float | None:
    """Return the first of these settings that is a finite number, or None."""
    for name in names:
        value = config.get(name)
        if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
            return float(value)
    return None


DEVICES = ("world_size", "num_devices", "n_gpu")
"""Settings that say on how many devices a run was trained."""


def number(config: Facts, *names: str) -> float:
    """Return the first of these settings that is a number. Raises NotMeasurable: a setting is missing."""
    value = setting(config, *names)
    if value is None:
        raise NotMeasurable("config", *names[:1])
    return value


def number_or(config: Facts, default: float, *names: str) -> float:
    """Return the first of these settings that is a number, or `default`, which is what trainers take where none is set."""
    value = setting(config, *names)
    return default if value is None else value


def text(config: Facts, *names: str) -> str:
    """Return the first of these settings that is set, as lower-case text; empty where none is."""
    return next((str(config[name]).lower() for name in names if config.get(name) not in (None, "")), "")


MODEL_NAMES = (
    "model_name_or_path", "base_model", "_name_or_path", "model_name", "pretrained_model_name_or_path", "model_id", "model",
)  # fmt: skip
PARAMETER_COUNTS = ("num_parameters", "total_parameters", "n_parameters", "model_parameters")
_SIZE = re.compile(r"(?<![\d.a-z])(?:\d+x)?(\d+(?:\.\d+)?)\s?([bm])(?![a-z0-9])", re.IGNORECASE)
_UNITS = {"b": 1e9, "m": 1e6}


@signal
def model_parameters(config: Facts) -> float:
    """Number of weights of the model: as counted where the configuration says, else by its name (`Qwen2.5-7B` → 7e9)."""
    for name in PARAMETER_COUNTS:
        if (count := number_or(config, 0, name)) > 0:
            return count
    for name in MODEL_NAMES:
        if found := _SIZE.search(re.sub(r"[_/]", " ", str(config.get(name, "")))):
            return float(found[1]) * _UNITS[found[2].lower()]
    raise NotMeasurable("config", "model_name_or_path")


@signal
def uses_lora(config: Facts) -> bool:
    """Whether a low-rank adapter is trained instead of all weights. Raises NotMeasurable where the method is not known."""
    method = text(config, "method")
    if "lora" in method or "lora_r" in config:
        return True
    if method in ("full", "freeze", "none", "null"):
        return False
    raise NotMeasurable("config", "method")


_KINDS = {
    "sft": "sft", "dpo": "dpo", "grpo": "grpo", "rft": "rft", "rm": "reward", "reward": "reward", "kto": "kto", "ppo": "ppo",
    "classification": "classification", "pt": "self-supervised", "pretrain": "self-supervised", "pretraining": "self-supervised",
    "cpt": "self-supervised", "self-supervised": "self-supervised", "orpo": "orpo",
}  # fmt: skip


@signal
def training_kind(config: Facts, objective: str) -> str:
    """What is trained, where the settings say so: `sft`, `dpo`, `grpo`, `rft`, `self-supervised` and others.

    The metrics of a log alone tell preference and reinforcement learning apart; what looks like `sft` may be anything.
    """
    for name in ("objective", "stage", "rl", "training_type"):
        if kind := _KINDS.get(text(config, name)):
            return kind
    if objective not in ("sft", "classification"):
        return objective
    if text(config, "method") or "lora_r" in config:
        return "sft"
    raise NotMeasurable("config", "objective")


ROWS = ("train_rows", "num_train_samples", "train_samples", "num_train_rows", "dataset_rows")
"""Names of the rows that are trained on, as a log or a configuration gives them; the last as counted in the data themselves."""


@signal
def training_rows(config: Facts) -> float:
    """Rows of the training set."""
    return number(config, *ROWS)


@signal
def rows_per_update(config: Facts) -> float:
    """Rows that one optimizer step sees: the global batch, or batch × accumulation × devices, each 1 where it is not set."""
    whole = number_or(config, 0, "global_batch_size", "total_train_batch_size")
    if whole > 0:
        return whole
    batch = number(config, "per_device_train_batch_size", "batch_size")
    accumulated = number_or(config, 1, "gradient_accumulation_steps", "grad_accum")
    devices = number_or(config, 1, "world_size", "num_devices", "num_processes")
    if min(batch, accumulated, devices) <= 0:
        raise NotMeasurable("config", "per_device_train_batch_size")
    return batch * accumulated * devices


@signal
def planned_updates(config: Facts) -> float:
    """Optimizer steps of the whole run: max_steps where it is set, else epochs × rows / rows per update."""
    steps = number_or(config, 0, "max_steps")
    if steps > 0:
        return steps
    epochs = number(config, "num_train_epochs")
    update = rows_per_update(config)
    return max(1.0, math.ceil(epochs * training_rows(config) / update - 1e-9))


@signal
def planned_epochs(config: Facts) -> float:
    """Passes over the rows: the epochs that are set, unless max_steps overrules them and can be counted."""
    if number_or(config, 0, "max_steps") > 0:
        return planned_updates(config) * rows_per_update(config) / training_rows(config)
    return number(config, "num_train_epochs")


@signal
def declared_warmup(config: Facts, planned_updates: float) -> float:
    """Steps of warm-up that are declared; 0 where the configuration sets none."""
    steps = number_or(config, 0, "warmup_steps")
    if 0 < steps < 1:  # newer trainers take a share here
        return steps * planned_updates
    if steps >= 1:
        return steps
    if "warmup_ratio" not in config and "warmup_steps" not in config:
        raise NotMeasurable("config", "warmup_ratio")
    return number_or(config, 0, "warmup_ratio") * planned_updates


class AdapterRate(NamedTuple):
    """The learning rate of a run, and what it amounts to for an adapter whose update is scaled by alpha / 32.

    equivalent: rate × α / 32, and × √r for rank-stabilised adapters, since the step of B·A grows with α × rate. For full
    fine-tuning it is the rate itself.
    """

    rate: float
    equivalent: float
    lora: bool


@signal
def adapter_rate(config: Facts, peak_learning_rate: float, uses_lora: bool) -> AdapterRate:
    """The learning rate, made comparable between adapters."""
    if not uses_lora:
        return AdapterRate(peak_learning_rate, peak_learning_rate, lora=False)
    alpha = number(config, "lora_alpha")
    rank = number_or(config, 1, "lora_r") if config.get("use_rslora") is True else 1
    return AdapterRate(peak_learning_rate, peak_learning_rate * alpha / 32 * math.sqrt(rank), lora=True)


@signal
def adapted_modules(config: Facts) -> frozenset[str]:
    """The layers that adapters are put on, by their last name (`q_proj`); a pattern or `all-linear` has none."""
    named = text(config, "target_modules", "lora_target", "lora_target_modules")
    if not named:
        raise NotMeasurable("config", "target_modules")
    return frozenset(part.strip().split(".")[-1] for part in named.split(","))


@signal
def longest_row(config: Facts) -> float:
    """Tokens at which a row is cut."""
    return number(config, "max_length", "max_seq_length", "max_seq_len", "cutoff_len", "sequence_len", "block_size")


@signal
def tokens_per_update(num_tokens: Series) -> float:
    """Tokens that one optimizer step consumed, by the logged count of tokens: the median over the log."""
    seen = num_tokens.finite
    steps, tokens = np.diff(seen.x), np.diff(seen.values)
    grows = (steps > 0) & (tokens > 0)
    if np.count_nonzero(grows) < 2:  # noqa: PLR2004  one difference is no rate
        raise NotMeasurable("num_tokens", need=3, have=len(seen))
    return float(np.median(tokens[grows] / steps[grows]))
