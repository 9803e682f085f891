"""From our configuration to the arguments of `transformers.Trainer`."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import torch
from transformers import TrainingArguments

from advisor.errors import BadConfig
from advisor_trainer.config import TrainConfig
from advisor_trainer.model import precision_of

STABLE_SHARE = 0.8
"""Share of the steps after the warm-up that a warm-up, stable, decay schedule spends at the full rate."""


def arguments_of(config: TrainConfig, device: torch.device) -> TrainingArguments:
    """Return the arguments; where several processes run, they meet here. Raises BadConfig in the Trainer's own words."""
    precision = precision_of(config, device)
    known = {f.name for f in dataclasses.fields(TrainingArguments)}
    recompute = "activation_checkpointing" if "activation_checkpointing" in known else "gradient_checkpointing"
    given: dict[str, Any] = {
        "output_dir": config.output_dir,
        "num_train_epochs": config.num_train_epochs, "max_steps": config.max_steps if config.max_steps > 0 else -1,
        "per_device_train_batch_size": config.per_device_train_batch_size,
        "per_device_eval_batch_size": config.per_device_eval_batch_size,
        "gradient_accumulation_steps": config.gradient_accumulation_steps,
        "learning_rate": config.learning_rate, "weight_decay": config.weight_decay, "max_grad_norm": config.max_grad_norm,
        "warmup_steps": config.warmup_steps or _below_one(config.warmup_ratio),
        "optim": _optimizer(config.optim, device), **_schedule(config),
        "seed": config.seed, "data_seed": config.seed, "full_determinism": config.full_determinism,
        "logging_steps": config.logging_steps, "logging_strategy": "steps", "logging_nan_inf_filter": False,
        "eval_strategy": config.eval_strategy, "eval_steps": config.eval_steps if config.eval_strategy == "steps" else None,
        "save_strategy": config.save_strategy, "save_steps": config.save_steps, "save_total_limit": config.save_total_limit,
        "load_best_model_at_end": config.load_best_model_at_end,
        "metric_for_best_model": "eval_loss" if config.eval_strategy != "no" else None, "greater_is_better": False,
        "bf16": precision == "bf16", "fp16": precision == "fp16", "use_cpu": config.use_cpu,
        recompute: config.gradient_checkpointing,
        f"{recompute}_kwargs": {"use_reentrant": False} if config.gradient_checkpointing else None,
        "torch_compile": config.torch_compile, "use_liger_kernel": config.use_liger_kernel,
        "report_to": "none", "disable_tqdm": True, "remove_unused_columns": False, "average_tokens_across_devices": True,
        "ddp_find_unused_parameters": False, "log_level": "error",
    }  # fmt: skip
    if config.deepspeed:
        given["deepspeed"] = config.deepspeed
    if config.fsdp:
        given |= {"fsdp": config.fsdp, "fsdp_config": _fsdp(config.fsdp_config)}
    try:
        args = TrainingArguments(**given)
    except (ValueError, ImportError) as error:
        raise BadConfig(" ".join(str(error).split())) from error
    if args.n_gpu > 1:
        # Several devices under one process would be copied to and from at every step: start one process each with torchrun.
        args._n_gpu = 1
    if args.device.type == "cpu":
        # One of several processes has "cpu:0", onto which torch loads no checkpoint; transformers tries to before 5.24.
        args.__dict__["_setup_devices"] = torch.device("cpu")
    return args


def _below_one(ratio: float) -> float:
    """Return a ratio as `warmup_steps` takes it, where 1 would be a step."""
    return min(ratio, 1 - 1e-9)


def _optimizer(name: str, device: torch.device) -> str:
    if name != "adamw":
        return name
    return "adamw_torch_fused" if device.type in ("cpu", "cuda") else "adamw_torch"


def _schedule(config: TrainConfig) -> dict[str, Any]:
    """Return the schedule whose lowest rate is the rate times the decay ratio."""
    kind, ratio = config.lr_scheduler_type, config.learning_rate_decay_ratio
    warm = bool(config.warmup_steps or config.warmup_ratio)
    if kind.startswith("constant") or ratio >= 1 or config.learning_rate == 0:
        return {"lr_scheduler_type": "constant_with_warmup" if warm and kind != "constant" else "constant"}
    if kind == "linear":
        if not ratio:
            return {"lr_scheduler_type": "linear"}
        return {"lr_scheduler_type": "polynomial", "lr_scheduler_kwargs": {"lr_end": config.learning_rate * ratio, "power": 1.0}}
    if kind == "warmup_stable_decay":
        return {"lr_scheduler_type": kind, "lr_scheduler_kwargs": {"min_lr_ratio": ratio}}
    return {"lr_scheduler_type": "cosine_with_min_lr", "lr_scheduler_kwargs": {"min_lr_rate": ratio}}


def decay_steps(args: TrainingArguments, steps: int) -> None:
    """Tell a warm-up, stable, decay schedule how many steps it decays for, which is known once the number of steps is."""
    if str(args.lr_scheduler_type).endswith("warmup_stable_decay") and isinstance(args.lr_scheduler_kwargs, dict):
        after = steps - args.get_warmup_steps(steps)
        args.lr_scheduler_kwargs["num_decay_steps"] = max(1, round(after * (1 - STABLE_SHARE)))


def _fsdp(path: str) -> dict[str, Any]:
    if not path:
        return {"version": 2}
    try:
        return dict(json.loads(Path(path).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise BadConfig(f"`fsdp_config` is {path!r}; expected a JSON file ({error})") from error
