"""A plan as a configuration file: of `advisor train`, TRL, LLaMA-Factory and Axolotl, each under the names it uses."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from advisor.config_forms import alone, token
from advisor.data.schemas import BY_NAME
from advisor.errors import BadPlan
from advisor.model import Value
from advisor.plan.planned import Plan

Settings = Mapping[str, Any]


def _advisor(plan: Plan) -> Settings:
    return {
        "model": plan.model.name, "data": str(plan.data.path), "output_dir": "run",
        "method": "lora" if plan.method == "lora" else "full", **plan.config,
    }  # fmt: skip


COMMON = (
    "num_train_epochs", "per_device_train_batch_size", "gradient_accumulation_steps", "learning_rate", "weight_decay",
    "max_grad_norm", "eval_strategy", "eval_steps", "save_strategy", "save_steps", "load_best_model_at_end", "logging_steps",
    "gradient_checkpointing",
)  # fmt: skip
"""Settings that TrainingArguments and those built on it call the same."""


def _training_arguments(plan: Plan) -> dict[str, Any]:
    """Return the names of transformers' TrainingArguments. The share of warm-up became a number of steps in version 5."""
    config = plan.config
    return {
        "output_dir": "run",
        **{name: config[name] for name in COMMON},
        "lr_scheduler_type": "cosine_with_min_lr",
        "lr_scheduler_kwargs": {"min_lr_rate": config["learning_rate_decay_ratio"]},
        "warmup_steps": _warmup_steps(plan),
        **_precision(plan),
        "optim": "adamw_torch",
    }


def _precision(plan: Plan) -> dict[str, Any]:
    return {"bf16": True} if plan.gpu is None or plan.gpu.bf16 else {"bf16": False, "fp16": True}


def _warmup_steps(plan: Plan) -> int:
    return max(round(float(plan.config["warmup_ratio"]) * plan.updates), 1)


def _trl(plan: Plan) -> Settings:
    config = plan.config
    adapter = {
        "use_peft": True, "lora_r": config["lora_r"], "lora_alpha": config["lora_alpha"],
        "lora_target_modules": config["target_modules"],
    } if plan.method == "lora" else {}  # fmt: skip
    return {
        "model_name_or_path": plan.model.name, **_training_arguments(plan), "max_length": config["max_length"],
        "packing": config["packing"], **adapter,
    }  # fmt: skip


def _llama_factory(plan: Plan) -> Settings:
    config = plan.config
    adapter = {
        "lora_rank": config["lora_r"], "lora_alpha": config["lora_alpha"], "lora_target": "all",
    } if plan.method == "lora" else {}  # fmt: skip
    return {
        "model_name_or_path": plan.model.name, "stage": "pt" if plan.data.text else "sft", "do_train": True,
        "finetuning_type": "lora" if plan.method == "lora" else "full", **adapter, "dataset": plan.data.path.stem,
        "dataset_dir": str(plan.data.path.parent), "template": "default", "cutoff_len": config["max_length"],
        "packing": config["packing"], "val_size": round(1 / (1 + float(config["eval_split_ratio"])), 4),
        **_training_arguments(plan),
    }  # fmt: skip


def _axolotl(plan: Plan) -> Settings:
    config = plan.config
    adapter = {
        "adapter": "lora", "lora_r": config["lora_r"], "lora_alpha": config["lora_alpha"], "lora_target_linear": True,
    } if plan.method == "lora" else {}  # fmt: skip
    return {
        "base_model": plan.model.name, **adapter, "datasets": [_axolotl_dataset(plan)],
        "val_set_size": round(1 / (1 + float(config["eval_split_ratio"])), 4), "output_dir": "run",
        "sequence_len": config["max_length"], "sample_packing": config["packing"], "num_epochs": config["num_train_epochs"],
        "micro_batch_size": config["per_device_train_batch_size"],
        "gradient_accumulation_steps": config["gradient_accumulation_steps"], "learning_rate": config["learning_rate"],
        "lr_scheduler": "cosine", "cosine_min_lr_ratio": config["learning_rate_decay_ratio"], "warmup_steps": _warmup_steps(plan),
        "optimizer": "adamw_torch", "weight_decay": config["weight_decay"], "max_grad_norm": config["max_grad_norm"],
        "eval_steps": config["eval_steps"], "save_steps": config["save_steps"], "load_best_model_at_end": True,
        "logging_steps": config["logging_steps"], "gradient_checkpointing": config["gradient_checkpointing"], **_precision(plan),
        "train_on_inputs": False,
    }  # fmt: skip


def _axolotl_dataset(plan: Plan) -> Settings:
    """Return how Axolotl reads records of the data's schema. Raises BadPlan where it cannot."""
    schema = BY_NAME[plan.data.schema]
    place: dict[str, Any] = {"path": str(plan.data.path), "ds_type": "json"}
    kinds: Mapping[str, Settings] = {
        "pangu-text": {"type": "completion", "field": "text"},
        "alpaca": {"type": "alpaca"},
        "messages": {"type": "chat_template", "field_messages": "messages"},
        "sharegpt": {
            "type": "chat_template", "field_messages": "conversations",
            "message_property_mappings": {"role": "from", "content": "value"},
        },
    }  # fmt: skip
    if schema.name in kinds:
        return {**place, **kinds[schema.name]}
    if schema.shape != "flat":
        raise BadPlan(
            f"{plan.data.path}: Axolotl does not read {schema.name}; convert it first: "
            f"advisor data convert {plan.data.path} --to messages -o messages.jsonl"
        )
    question, answer = (next(key for key, holds in schema.keys.items() if holds == part) for part in ("user", "assistant"))
    form = {"field_instruction": question, "field_output": answer, "format": "{instruction}", "no_input_format": "{instruction}"}
    return {**place, "type": form}


TARGETS: Mapping[str, tuple[str, Callable[[Plan], Settings]]] = {
    "advisor": (".toml", _advisor),
    "trl": (".json", _trl),
    "llama-factory": (".yaml", _llama_factory),
    "axolotl": (".yaml", _axolotl),
}
"""Trainer → (suffix of its configurations, its settings for a plan)."""

FORMS = {".toml": "toml", ".json": "json", ".yaml": "yaml", ".yml": "yaml"}


def check_suffix(target: str, path: Path) -> None:
    """Raise BadPlan where a file's name ends otherwise than the trainer's configurations; our own may have any form."""
    suffix = TARGETS[target][0]
    good = tuple(FORMS) if target == "advisor" else (suffix, ".yml") if suffix == ".yaml" else (suffix,)
    if path.suffix.lower() not in good:
        raise BadPlan(f"{path}: a configuration of {target} ends in {' or '.join(good)}")


def written(plan: Plan, target: str, path: Path) -> str:
    """Return the text of the configuration of `target` that would stand in the file `path`."""
    settings = TARGETS[target][1](plan)
    form = FORMS[path.suffix.lower()]
    if form == "json":
        return json.dumps(settings, ensure_ascii=False, indent=2) + "\n"
    if form == "toml":
        return "".join(alone(name, _token(value, form), form) for name, value in settings.items())
    return "".join(_yaml(name, value, "") for name, value in settings.items())


def _token(value: Value, form: str) -> str:
    """Return a plain value as it is written; a text in quotes with what must not stand there escaped."""
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else token(value, "", form)


def _yaml(name: str, value: Any, indent: str) -> str:
    if isinstance(value, Mapping):
        return f"{indent}{name}:\n" + "".join(_yaml(key, inner, indent + "  ") for key, inner in value.items())
    if isinstance(value, list):
        items = ["".join(_yaml(key, inner, indent + "    ") for key, inner in item.items()) for item in value]
        return f"{indent}{name}:\n" + "".join(f"{indent}  - {item.lstrip()}" for item in items)
    return f"{indent}{name}: {_token(value, 'yaml')}\n"
