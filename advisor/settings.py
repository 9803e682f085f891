"""Configurations that a user gives: the training configuration of `--config`, and the project's `advisor.toml`."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from advisor.cost import PRICE
from advisor.errors import BadConfig, BadRule
from advisor.model import Value
from advisor.readers.objects import scalars
from advisor.rulebook import COST

ALIASES: Mapping[str, str] = {
    "epochs": "num_train_epochs", "epoch": "num_train_epochs", "num_epochs": "num_train_epochs", "n_epochs": "num_train_epochs",
    "lr": "learning_rate", "micro_batch_size": "per_device_train_batch_size", "batch_size": "per_device_train_batch_size",
    "gradient_clipping": "max_grad_norm", "warmup": "warmup_ratio", "lora_rank": "lora_r", "r": "lora_r",
    "evaluation_strategy": "eval_strategy", "finetuning_type": "method", "adapter": "method",
    "lora_target": "target_modules", "lora_target_modules": "target_modules",
}  # fmt: skip
"""Names that LLaMA-Factory, Axolotl, OpenAI and Pangu give to what transformers calls otherwise."""


def read_config(path: Path) -> dict[str, Value]:
    """Return the settings in a JSON, TOML or YAML file, under their transformers names.

    Raises BadConfig, whose message names the file, the place and what was expected. YAML tags are not executed.
    """
    text = config_text(path)
    try:
        data = parse_config(form_of(path), text.removeprefix("\ufeff"))
    except (ValueError, RecursionError) as error:
        raise BadConfig(f"{path}: {' '.join(str(error).split())}; expected a JSON, TOML or YAML configuration") from error
    if not isinstance(data, dict):
        raise BadConfig(f"{path}: holds no settings; expected names and values, such as `learning_rate: 2e-4`")
    return {ALIASES.get(name, name): _number(value) for name, value in scalars({str(k): v for k, v in data.items()}).items()}


def read_inference(path: Path) -> dict[str, Value]:
    """Return the inference parameters in a JSON, TOML or YAML file, each under one name. Raises BadConfig."""
    from advisor.evaluation.parameters import BY_NAME, NAMES

    found: dict[str, Value] = {}
    for key, value in read_config(path).items():
        name = BY_NAME.get(key.lower())
        if name is None:
            continue
        if isinstance(value, str):
            raise BadConfig(f"{path}: `{key}` is {value!r}; expected a number")
        found[name] = value
    if not found:
        names = ", ".join(NAMES)
        raise BadConfig(f"{path}: holds no inference parameter; expected some of {names}, or what your program calls them")
    return found


def config_text(path: Path) -> str:
    """Return the text of a configuration as it is, line ends and byte-order mark included. Raises BadConfig."""
    try:
        return path.read_bytes().decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadConfig(f"{path}: cannot be read as UTF-8 text ({error}); give a JSON, TOML or YAML configuration") from error


def form_of(path: Path) -> str:
    """Return the form of a configuration by the suffix of its name: `toml`, `yaml`, else `json`."""
    return {".toml": "toml", ".yaml": "yaml", ".yml": "yaml"}.get(path.suffix.lower(), "json")


def parse_config(form: str, text: str) -> Any:
    """Return what a text of this form holds. Raises ValueError. YAML tags are not executed."""
    if form == "toml":
        return tomllib.loads(text)
    if form == "yaml":
        from ruamel.yaml import YAML
        from ruamel.yaml.error import YAMLError

        try:
            return YAML(typ="safe", pure=True).load(text)
        except YAMLError as error:
            raise ValueError(str(error)) from error
    return json.loads(text)


def _number(value: Value) -> Value:
    """Return `2e-4`, which YAML takes for a text, as the number it is."""
    if isinstance(value, str):
        try:
            return float(value)
        except ValueError:
            return value
    return value


def price(project: Mapping[str, Any]) -> dict[str, Value]:
    """Return the price of one device-hour as a setting, where `[cost]` of an `advisor.toml` gives it. Raises BadConfig."""
    section = project.get(COST)
    if section is None:
        return {}
    given = section.get(PRICE) if isinstance(section, dict) and len(section) == 1 else None
    if not isinstance(given, int | float) or isinstance(given, bool) or given <= 0:
        raise BadConfig(f"advisor.toml: [{COST}] is {section!r}; expected {PRICE} = 2.5, the price of one device-hour")
    return {PRICE: float(given)}


def read_project(folder: Path) -> Mapping[str, Any]:
    """Return the overrides in `advisor.toml` of `folder`, or `[tool.advisor]` of its `pyproject.toml`, or nothing.

    Raises BadRule where `advisor.toml` is no TOML; what is wrong with a `pyproject.toml` is other tools' business.
    """
    own, shared = folder / "advisor.toml", folder / "pyproject.toml"
    for path in (own, shared):
        if not path.is_file():
            continue
        try:
            data = tomllib.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            if path == shared:
                continue
            raise BadRule(f"{path}: {error}; expected [thresholds.RULE-ID] and [ignore]") from error
        if path == own:
            return data
        tools = data.get("tool")
        section = tools.get("advisor") if isinstance(tools, dict) else None
        if isinstance(section, dict):
            return section
    return {}
