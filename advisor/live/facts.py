"""What a log says about its run in its first line: taken from the trainer's arguments, the model and the data.

None of them is loaded here: everything is looked up by its name, so that any Trainer and any version of it will do. What is not
there is left out.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from contextlib import suppress
from enum import Enum
from typing import Any

from advisor.model import Value

ARGUMENTS = (
    "learning_rate", "num_train_epochs", "max_steps", "per_device_train_batch_size", "per_device_eval_batch_size",
    "gradient_accumulation_steps", "world_size", "lr_scheduler_type", "weight_decay", "max_grad_norm", "optim", "adam_beta1",
    "adam_beta2", "adam_epsilon", "label_smoothing_factor", "neftune_noise_alpha", "fp16", "bf16", "gradient_checkpointing",
    "seed", "logging_steps", "logging_nan_inf_filter", "eval_strategy", "eval_steps", "save_strategy", "save_steps",
    "load_best_model_at_end", "metric_for_best_model",
    # of trl, and of trainers built on it
    "max_length", "max_seq_length", "packing", "assistant_only_loss", "completion_only_loss", "beta", "num_generations",
    "loss_type",
)  # fmt: skip
"""Arguments that are written down under their own names."""

OBJECTIVES = {
    "SFTConfig": "sft", "DPOConfig": "dpo", "KTOConfig": "kto", "ORPOConfig": "orpo", "CPOConfig": "dpo", "GRPOConfig": "grpo",
    "RLOOConfig": "rloo", "PPOConfig": "ppo", "RewardConfig": "reward",
}  # fmt: skip
"""What is trained, by the class of the arguments."""

ADAPTER = {
    "r": "lora_r", "lora_alpha": "lora_alpha", "lora_dropout": "lora_dropout", "use_rslora": "use_rslora", "use_dora": "use_dora",
    "target_modules": "target_modules",
}  # fmt: skip
"""Settings of a peft adapter, and what they are called in a log."""


def configuration(args: Any, model: Any, train_data: Any) -> dict[str, Value]:
    """Return the hyper-parameters of a run and what is known of its model and data, flat, under their transformers names."""
    facts = {name: getattr(args, name, None) for name in ARGUMENTS}
    # Where the steps are given, they count and not the epochs; -1 stands for what the epochs say.
    by_steps = isinstance(facts["max_steps"], int) and facts["max_steps"] > 0
    del facts["num_train_epochs" if by_steps else "max_steps"]
    warmup = getattr(args, "warmup_steps", 0) or getattr(args, "warmup_ratio", 0) or 0
    facts["warmup_ratio" if 0 < warmup < 1 else "warmup_steps"] = warmup
    facts |= getattr(args, "lr_scheduler_kwargs", None) or {}
    facts |= _of_model(model)
    facts |= {"train_rows": length(train_data), "objective": _objective(args, model)}
    return {name: plain for name, value in facts.items() if (plain := _plain(value)) is not None}


def _objective(args: Any, model: Any) -> str | None:
    for parent in type(args).__mro__:
        if parent.__name__ in OBJECTIVES:
            return OBJECTIVES[parent.__name__]
    return "classification" if type(_inner(model)).__name__.endswith("Classification") else None


def _inner(model: Any) -> Any:
    """Return the model inside an adapter's or an engine's wrapper."""
    base = getattr(model, "get_base_model", None)
    return base() if callable(base) else getattr(model, "module", model)


def _of_model(model: Any) -> dict[str, Any]:
    if model is None:
        return {}
    config: Any = getattr(model, "config", None)
    of_text = config.get_text_config() if hasattr(config, "get_text_config") else config
    whole, trainable = _sizes(model)
    facts = {
        "model_name_or_path": getattr(config, "_name_or_path", None) or None,
        "model_type": getattr(config, "model_type", None),
        "vocab_size": getattr(of_text, "vocab_size", None),
        "dtype": str(dtype).removeprefix("torch.") if (dtype := getattr(model, "dtype", None)) is not None else None,
        "num_parameters": whole,
        "trainable_parameters": trainable,
        "method": "full",
    }
    if type(_inner(model)).__name__.endswith("Classification"):
        facts["num_labels"] = getattr(config, "num_labels", None)
    adapters = getattr(model, "peft_config", None)
    if isinstance(adapters, Mapping) and adapters:
        adapter = next(iter(adapters.values()))
        facts |= {named: getattr(adapter, name, None) for name, named in ADAPTER.items()}
        facts["method"] = str(_plain(getattr(adapter, "peft_type", "lora"))).lower()
    return facts


def _sizes(model: Any) -> tuple[int | None, int | None]:
    """Return the weights of a model and those that are trained. DeepSpeed's sharded ones know their whole size."""
    with suppress(AttributeError, TypeError):
        sizes = [(int(getattr(p, "ds_numel", 0) or p.numel()), bool(p.requires_grad)) for p in model.parameters()]
        return sum(size for size, _ in sizes), sum(size for size, trained in sizes if trained)
    return None, None


def length(data: Any) -> int | None:
    """Return the number of rows of a data set; None where it has none, as a stream."""
    with suppress(TypeError, NotImplementedError, AttributeError):
        return len(data)
    return None


def _plain(value: Any) -> Value | None:
    """Return a value as the log holds it: a number, a text or a truth value; None where it is nothing of the kind."""
    if isinstance(value, Enum):
        value = value.value
    if isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Iterable) and not isinstance(value, Mapping):
        parts = list(value)
        return ",".join(sorted(parts)) if parts and all(isinstance(part, str) for part in parts) else None
    return None
