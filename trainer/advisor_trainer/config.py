"""The configuration of a training run: one table of names, defaults and documented ranges. Nothing here imports torch."""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_type_hints

from advisor.errors import BadConfig
from advisor.settings import ALIASES as SHARED
from advisor.settings import config_text, form_of, parse_config

Plain = str | int | float | bool
INFINITY = float("inf")


@dataclass(frozen=True, slots=True)
class Option:
    """What is known of one setting beside its default. section: where it stands in a written configuration.

    low, high: the documented range, ends included; outside of it is an error. choices: the values that are allowed.
    documented: whether the range is one of the platform's documentation, which the error then says.
    """

    section: str
    low: float = -INFINITY
    high: float = INFINITY
    choices: tuple[str, ...] = ()
    documented: bool = False


def _option(default: Plain, section: str, **about: Any) -> Any:
    return field(default=default, metadata={"option": Option(section, **about)})


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainConfig:
    """All settings of a run under the names that transformers gives them; what each means stands in the locale `train`."""

    model: str = _option("", "what")
    data: str = _option("", "what")
    output_dir: str = _option("run", "what")
    method: str = _option("lora", "what", choices=("full", "lora", "qlora"))
    data_format: str = _option("auto", "data")
    chat_template: str = _option("auto", "data")
    train_on: str = _option("auto", "data", choices=("auto", "all", "last"))
    eval_data: str = _option("", "data")
    eval_split_ratio: float = _option(10.0, "data", low=0)
    max_length: int = _option(1024, "data", low=8)
    packing: bool = _option(True, "data")

    num_train_epochs: float = _option(2.0, "training", low=1, high=50, documented=True)
    max_steps: int = _option(-1, "training", low=-1)
    per_device_train_batch_size: int = _option(8, "training", low=1, documented=True)
    per_device_eval_batch_size: int = _option(8, "training", low=1)
    gradient_accumulation_steps: int = _option(1, "training", low=1)
    learning_rate: float = _option(1e-4, "training", low=0, high=1, documented=True)
    lr_scheduler_type: str = _option(
        "cosine", "training", choices=("cosine", "linear", "constant", "constant_with_warmup", "warmup_stable_decay")
    )
    learning_rate_decay_ratio: float = _option(0.1, "training", low=0, high=1, documented=True)
    warmup_ratio: float = _option(0.05, "training", low=0, high=1, documented=True)
    warmup_steps: int = _option(0, "training", low=0)
    weight_decay: float = _option(0.01, "training", low=0)
    optim: str = _option("adamw", "training")
    max_grad_norm: float = _option(1.0, "training", low=0)
    seed: int = _option(42, "training", low=0)

    lora_r: int = _option(16, "lora", low=1)
    lora_alpha: float = _option(32.0, "lora", low=0)
    lora_dropout: float = _option(0.0, "lora", low=0, high=0.9)
    target_modules: str = _option("all-linear", "lora")
    use_dora: bool = _option(False, "lora")
    use_rslora: bool = _option(False, "lora")

    logging_steps: int = _option(1, "watching", low=1)
    eval_strategy: str = _option("epoch", "watching", choices=("no", "steps", "epoch"))
    eval_steps: int = _option(100, "watching", low=1)
    save_strategy: str = _option("steps", "watching", choices=("no", "steps", "epoch"))
    save_steps: int = _option(1000, "watching", low=1)
    save_total_limit: int = _option(3, "watching", low=1)
    load_best_model_at_end: bool = _option(False, "watching")
    early_stopping_patience: int = _option(0, "watching", low=0)
    nonfinite_patience: int = _option(3, "watching", low=1)
    stop_on: str = _option("never", "watching", choices=("never", "error", "warning"))

    precision: str = _option("auto", "engine", choices=("auto", "fp32", "bf16", "fp16"))
    gradient_checkpointing: bool = _option(False, "engine")
    attention: str = _option("auto", "engine", choices=("auto", "segments", "varlen", "flash_attention_2", "mask"))
    torch_compile: bool = _option(False, "engine")
    use_liger_kernel: bool = _option(False, "engine")
    use_cpu: bool = _option(False, "engine")
    full_determinism: bool = _option(False, "engine")
    fsdp: str = _option("", "engine")
    fsdp_config: str = _option("", "engine")
    deepspeed: str = _option("", "engine")

    def __post_init__(self) -> None:
        """Check every value against its range. Raises BadConfig, which names the setting, its value and the range."""
        for name, option in OPTIONS.items():
            _check(name, getattr(self, name), option)
        if self.load_best_model_at_end and self.eval_strategy == "no":
            raise BadConfig("load_best_model_at_end needs evaluations; set eval_strategy to `steps` or `epoch`")
        if self.early_stopping_patience and self.eval_strategy == "no":
            raise BadConfig("early_stopping_patience needs evaluations; set eval_strategy to `steps` or `epoch`")

    @property
    def adapter(self) -> bool:
        """Whether a low-rank adapter is trained instead of all weights."""
        return self.method != "full"

    def items(self) -> Iterator[tuple[str, Plain]]:
        """Yield (name, value) of every setting, in the order of the table."""
        for name in OPTIONS:
            yield name, getattr(self, name)


OPTIONS: Mapping[str, Option] = {f.name: f.metadata["option"] for f in dataclasses.fields(TrainConfig)}
"""Name → what is known of the setting, in the order in which a configuration is written."""

TYPES: Mapping[str, type] = get_type_hints(TrainConfig)

ALIASES: Mapping[str, str] = {
    **{name: whole for name, whole in SHARED.items() if whole in OPTIONS},
    "model_name_or_path": "model", "base_model": "model", "train_file": "data", "dataset": "data", "train_data": "data",
    "validation_file": "eval_data", "eval_dataset": "eval_data", "max_seq_length": "max_length", "cutoff_len": "max_length",
    "sequence_len": "max_length", "sequence_length": "max_length", "max_seq_len": "max_length", "optimizer": "optim",
    "decay_ratio": "learning_rate_decay_ratio", "lr_decay_ratio": "learning_rate_decay_ratio", "alpha": "lora_alpha",
    "validation_split_ratio": "eval_split_ratio", "format": "data_format", "activation_checkpointing": "gradient_checkpointing",
    "output": "output_dir", "warmup": "warmup_ratio", "attn_implementation": "attention",
    "训练轮数": "num_train_epochs", "数据批量大小": "per_device_train_batch_size", "学习率": "learning_rate", "优化器": "optim",
    "学习率衰减比率": "learning_rate_decay_ratio", "热身比例": "warmup_ratio", "模型保存步数": "save_steps",
}  # fmt: skip
"""Names that the platform's documentation and other trainers give to the settings."""


def read(path: Path) -> dict[str, Plain]:
    """Return the settings in a TOML, JSON or YAML file under their own names, unchecked. Raises BadConfig."""
    try:
        values = parse_config(form_of(path), config_text(path).removeprefix("\ufeff"))
    except (ValueError, RecursionError) as error:
        raise BadConfig(f"{path}: {' '.join(str(error).split())}; expected a TOML, JSON or YAML configuration") from error
    if not isinstance(values, dict):
        raise BadConfig(f"{path}: holds no settings; expected names and values, such as `learning_rate = 1e-4`")
    flat: dict[str, Any] = {}
    for key, value in values.items():
        flat |= value if isinstance(value, dict) else {key: value}
    try:
        return named(flat)
    except BadConfig as error:
        raise BadConfig(f"{path}: {error}") from error


def named(values: Mapping[str, Any]) -> dict[str, Plain]:
    """Return `values` under the table's own names and in its types. Raises BadConfig for a name or a value it does not know."""
    found: dict[str, Plain] = {}
    for key, value in values.items():
        name = ALIASES.get(key, key)
        if name not in OPTIONS:
            near = difflib.get_close_matches(key, [*OPTIONS, *ALIASES], n=1)
            hint = f"; did you mean `{near[0]}`?" if near else "; `advisor train --print-config` lists them"
            raise BadConfig(f"unknown setting `{key}`{hint}")
        converted = _converted(name, value)
        if name in found and found[name] != converted:
            raise BadConfig(f"`{name}` is set twice, to {found[name]} and as `{key}` to {converted}; keep one")
        found[name] = converted
    return found


def configured(values: Mapping[str, Any]) -> TrainConfig:
    """Return the configuration with these settings, all others at their defaults. Raises BadConfig."""
    return TrainConfig(**named(values))  # type: ignore[arg-type]


_WORDS = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}


def _converted(name: str, value: Any) -> Plain:
    kind = TYPES[name]
    if isinstance(value, list) and kind is str:
        return ",".join(map(str, value))
    try:
        if kind is bool:
            return value if isinstance(value, bool) else _WORDS[str(value).strip().lower()]
        if kind is int and not isinstance(value, bool):
            number = float(value)
            if number == int(number):
                return int(number)
        elif kind is float and not isinstance(value, bool):
            return float(value)
        elif kind is str and isinstance(value, str | int | float) and not isinstance(value, bool):
            return str(value)
    except (ValueError, KeyError, TypeError, OverflowError):
        pass
    expected = {bool: "true or false", int: "a whole number", float: "a number", str: "a text"}[kind]
    raise BadConfig(f"`{name}` is {value!r}; expected {expected}")


def _check(name: str, value: Plain, option: Option) -> None:
    if option.choices and value not in option.choices:
        raise BadConfig(f"`{name}` is {value!r}; expected one of {', '.join(option.choices)}")
    if isinstance(value, str) or name == "max_steps":
        return
    if not option.low <= value <= option.high:
        range_ = f"{option.low:g} to {option.high:g}" if option.high < INFINITY else f"at least {option.low:g}"
        source = "the documented range is" if option.documented else "expected"
        raise BadConfig(f"`{name}` is {value:g}; {source} {range_}")
