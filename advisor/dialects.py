"""What training tools other than transformers call a setting, so that advice can be followed in the tool that wrote the log.

By the tools' own documentation and `--help`. Only settings whose value means the same stand here: a warm-up in steps is no ratio,
and boosters stop early after a number of rounds, not of evaluations.
"""

from __future__ import annotations

from collections.abc import Mapping

ABSENT = ""
"""The tool has no such setting, or always does what it would switch on: nothing to advise."""

ONLY_TRANSFORMERS = frozenset({
    "load_best_model_at_end", "metric_for_best_model", "eval_strategy", "save_strategy", "eval_accumulation_steps",
    "logging_nan_inf_filter", "torch_empty_cache_steps", "ddp_find_unused_parameters",
})  # fmt: skip
"""Settings that exist in transformers' Trainer alone, unless a dialect names them."""

_ULTRALYTICS = {
    "num_train_epochs": "epochs", "learning_rate": ABSENT, "early_stopping_patience": "patience",
    "per_device_train_batch_size": "batch", "dataloader_num_workers": "workers",
}  # fmt: skip
"""Its `lr0` is that of SGD on images; the numbers that rules give for a rate are those of language models."""

DIALECTS: Mapping[str, Mapping[str, str]] = {
    "boosting": {"max_steps": "num_boost_round", "early_stopping_patience": ABSENT},
    "catboost": {
        "max_steps": "iterations", "early_stopping_patience": ABSENT, "load_best_model_at_end": "use_best_model",
    },
    "keras-console": {
        "num_train_epochs": "epochs", "per_device_train_batch_size": "batch_size", "max_grad_norm": "global_clipnorm",
        "early_stopping_patience": "EarlyStopping(patience)", "load_best_model_at_end": "EarlyStopping(restore_best_weights)",
    },
    "fairseq": {
        "num_train_epochs": "--max-epoch", "max_steps": "--max-update", "learning_rate": "--lr", "warmup_steps": "--warmup-updates",
        "max_grad_norm": "--clip-norm", "gradient_accumulation_steps": "--update-freq", "early_stopping_patience": "--patience",
        "weight_decay": "--weight-decay", "eval_steps": "--validate-interval-updates", "save_steps": "--save-interval-updates",
        "logging_steps": "--log-interval", "dataloader_num_workers": "--num-workers", "fp16": "--fp16", "bf16": "--bf16",
    },
    "ultralytics": _ULTRALYTICS,
    "ultralytics-console": _ULTRALYTICS,
    "marian": {
        "num_train_epochs": "--after-epochs", "max_steps": "--after-batches", "learning_rate": "--learn-rate",
        "warmup_steps": "--lr-warmup", "max_grad_norm": "--clip-norm", "gradient_accumulation_steps": "--optimizer-delay",
        "early_stopping_patience": "--early-stopping", "load_best_model_at_end": "--keep-best", "eval_steps": "--valid-freq",
        "save_steps": "--save-freq", "logging_steps": "--disp-freq", "fp16": "--fp16",
    },
    "espnet": {
        "num_train_epochs": "max_epoch", "learning_rate": "optim_conf.lr", "warmup_steps": "scheduler_conf.warmup_steps",
        "max_grad_norm": "grad_clip", "gradient_accumulation_steps": "accum_grad", "early_stopping_patience": "patience",
        "metric_for_best_model": "best_model_criterion", "logging_steps": "log_interval", "dataloader_num_workers": "num_workers",
    },
    "sockeye": {
        "num_train_epochs": "--max-num-epochs", "max_steps": "--max-updates", "learning_rate": "--initial-learning-rate",
        "warmup_steps": "--learning-rate-warmup", "max_grad_norm": "--gradient-clipping-threshold",
        "gradient_accumulation_steps": "--update-interval", "early_stopping_patience": "--max-num-checkpoint-not-improved",
        "weight_decay": "--weight-decay", "eval_steps": "--checkpoint-interval",
    },
    "litgpt": {
        "num_train_epochs": "--train.epochs", "max_steps": "--train.max_steps", "warmup_steps": "--train.lr_warmup_steps",
        "per_device_train_batch_size": "--train.micro_batch_size", "max_grad_norm": "--train.max_norm",
        "eval_steps": "--eval.interval", "save_steps": "--train.save_interval", "logging_steps": "--train.log_interval",
    },
    "mlx-console": {
        "max_steps": "--iters", "learning_rate": "--learning-rate", "per_device_train_batch_size": "--batch-size",
        "gradient_accumulation_steps": "--grad-accumulation-steps", "eval_steps": "--steps-per-eval", "save_steps": "--save-every",
        "logging_steps": "--steps-per-report", "gradient_checkpointing": "--grad-checkpoint", "max_length": "--max-seq-length",
    },
}  # fmt: skip
"""Format of the log → the tool's name of a setting."""


def name_in(reader: str, parameter: str) -> str:
    """Return what the tool behind the format `reader` calls `parameter`: its transformers name where nothing else is known, or
    `ABSENT`.
    """
    dialect = DIALECTS.get(reader)
    if dialect is None:
        return parameter
    return dialect.get(parameter, ABSENT if parameter in ONLY_TRANSFORMERS else parameter)
