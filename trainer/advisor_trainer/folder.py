"""The run folder: what stands in it besides log and checkpoints, and whether a run may begin or go on in it."""

from __future__ import annotations

import json
import os
import platform
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from advisor.config_forms import token
from advisor.config_writer import save
from advisor.errors import AdvisorError, BadConfig
from advisor_trainer import checkpoints
from advisor_trainer.config import TrainConfig, configured, read

CONFIG, ENVIRONMENT, REPORT = "config.toml", "environment.json", "report.html"
LOG = "run.log"
PACKAGES = ("finetune-advisor", "torch", "transformers", "peft", "accelerate", "tokenizers", "safetensors", "numpy")

FIXED = (
    "model", "data", "method", "data_format", "chat_template", "train_on", "eval_data", "eval_split_ratio", "max_length", "packing",
    "per_device_train_batch_size", "gradient_accumulation_steps", "seed", "lora_r", "lora_alpha", "target_modules", "use_dora",
    "use_rslora", "optim",
)  # fmt: skip
"""Settings that a run which goes on must have as it began: the model, and which rows come when."""


class NoCheckpoint(AdvisorError):
    """There is nothing that a run could go on from."""


def begin(config: TrainConfig) -> None:
    """Raise BadConfig where the run folder holds a run already."""
    folder = Path(config.output_dir)
    if (folder / LOG).exists() or any(folder.glob("checkpoint-*")):
        raise BadConfig(f"{folder}: holds a run already; add --resume to go on with it, or give another output_dir")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadConfig(f"{folder}: cannot be made ({error.strerror}); give another output_dir") from error


def resumable(config: TrainConfig) -> Path | None:
    """Return the checkpoint to go on from; None where a run ended before its first one and begins anew.

    Raises NoCheckpoint where the folder holds no run, BadConfig where a setting has changed that the run depends on.
    """
    folder = Path(config.output_dir)
    if not (folder / CONFIG).is_file():
        raise NoCheckpoint(f"{folder}: holds no run to go on with; leave --resume out to begin one")
    before = configured(read(folder / CONFIG))
    for name in FIXED:
        old, new = getattr(before, name), getattr(config, name)
        if old != new:
            raise BadConfig(f"`{name}` was {old!r} when this run began and is {new!r} now; keep it, or give another output_dir")
    known = checkpoints.complete(folder)
    return known[-1] if known else None


def write_config(config: TrainConfig) -> None:
    """Write the configuration as it is used, defaults included."""
    lines = [f"{name} = {token(value, '', 'toml')}\n" for name, value in config.items()]
    save("".join(lines), Path(config.output_dir) / CONFIG)


def write_environment(config: TrainConfig, device: str, facts: dict[str, Any]) -> None:
    """Write down what the run runs on: versions, device, processes, and what was decided on its own."""
    import torch

    record = {
        "python": platform.python_version(), "platform": platform.platform(),
        "packages": {name: _version(name) for name in PACKAGES},
        "device": device, "device_name": torch.cuda.get_device_name() if device == "cuda" else platform.processor(),
        "cuda": torch.version.cuda, "threads": torch.get_num_threads(), "processors": os.cpu_count(),
        "seed": config.seed, "command": [Path(sys.argv[0]).name, *sys.argv[1:]], **facts,
    }  # fmt: skip
    (Path(config.output_dir) / ENVIRONMENT).write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def unusual(config: TrainConfig, facts: dict[str, Any], language: str) -> list[str]:
    """Return what the rule book says about the settings alone, one line each, with the rule's name."""
    from advisor.engine import judge
    from advisor.model import Hit, Run
    from advisor.render.words import Words
    from advisor.rulebook import load
    from advisor.signals import Measurements

    settings = {name: value for name, value in config.items() if value not in ("", -1)} | facts
    run = Run(source=LOG, reader="advisor-log", series={}, config=settings)
    measured, words = Measurements(run), Words(language)
    said = []
    for rule in load(subject="run"):
        if rule.family != "settings":
            continue
        hit = judge(rule, measured)
        if isinstance(hit, Hit):
            said.append(f"{rule.id} {words.fill(rule.words[language]['message'], hit.facts)}")
    return said


def write_report(run: Path, language: str) -> None:
    """Write the report of the run beside its log. Raises AdvisorError where the log holds no run yet."""
    from advisor.report import making

    making.write_report(run, run / REPORT, language=language)
