"""A callback that writes the run as one JSON object a line: the log schema `advisor.log/1`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

SCHEMA = "advisor.log/1"
SERIES = ("loss", "eval_loss", "learning_rate", "grad_norm")
ARGUMENTS = (
    "learning_rate",
    "num_train_epochs",
    "per_device_train_batch_size",
    "gradient_accumulation_steps",
    "lr_scheduler_type",
    "weight_decay",
    "max_grad_norm",
    "max_steps",
    "seed",
)


class AdvisorLog(TrainerCallback):
    """Write what the trainer logs, non-finite numbers as NaN and Infinity."""

    def __init__(self, path: Path, facts: dict[str, Any]) -> None:
        """Keep the path and the facts that the training arguments do not know."""
        self.path = path
        self.facts = facts

    def on_train_begin(
        self, args: TrainingArguments, _state: TrainerState, _control: TrainerControl, **_: Any
    ) -> None:
        """Write the configuration."""
        config = {name: getattr(args, name) for name in ARGUMENTS}
        config["lr_scheduler_type"] = str(args.lr_scheduler_type.value)
        warmup = "warmup_ratio" if 0 < args.warmup_steps < 1 else "warmup_steps"
        config[warmup] = args.warmup_steps
        self._write({"event": "run", "schema": SCHEMA, "config": config | self.facts})

    def on_log(
        self,
        _args: TrainingArguments,
        state: TrainerState,
        _control: TrainerControl,
        logs: dict[str, float],
        **_: Any,
    ) -> None:
        """Write one point, leaving out the summary at the end of the run."""
        point = {name: logs[name] for name in SERIES if name in logs}
        if point:
            self._write({"step": state.global_step, "epoch": round(state.epoch or 0, 4), **point})

    def on_save(
        self, _args: TrainingArguments, state: TrainerState, _control: TrainerControl, **_: Any
    ) -> None:
        """Write that a checkpoint exists."""
        self._write({"event": "checkpoint", "step": state.global_step})

    def on_train_end(
        self, _args: TrainingArguments, state: TrainerState, _control: TrainerControl, **_: Any
    ) -> None:
        """Write the end."""
        self._write({"event": "end", "step": state.global_step})

    def _write(self, line: dict[str, Any]) -> None:
        with self.path.open("a", encoding="utf-8") as log:
            log.write(json.dumps(line) + "\n")
