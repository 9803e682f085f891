"""One demonstration run: a task, a fault by name, a seed; what is left is a run folder with its log and its diagnosis."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import TrainerCallback, set_seed

from advisor.live import AdvisorCallback
from advisor.model import Value
from advisor_trainer import run as trainer
from advisor_trainer.arena import IntArray
from advisor_trainer.config import TrainConfig
from advisor_trainer.demo.faults import Fault
from advisor_trainer.demo.hooks import Forgets, PlantedTrainer
from advisor_trainer.demo.tasks import TASKS, Record, Task, data_of
from advisor_trainer.model import model_of, set_attention

BASE = Path(__file__).parent.parent / "base_model"
LENGTH = 256
LORA_RANK = 8
OTHER = {"chat": "sums", "sums": "chat", "manual": "chat", "sources": "chat"}
"""Where rows of another kind come from."""


@dataclass(frozen=True)
class Pace:
    """How often a run is evaluated. first: also at the first and at the last step."""

    every: int = 10
    first: bool = True


class Evaluates(TrainerCallback):
    """Asks for an evaluation at the first and at the last step."""

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Ask."""
        if state.global_step in (1, state.max_steps):
            control.should_evaluate = True


@dataclass(frozen=True)
class InOrder:
    """Rows as they stand in the file, in place of a packing pattern."""

    count: int

    def __len__(self) -> int:
        return self.count

    def order(self, *_: Any, **__: Any) -> list[IntArray]:
        """Return the rows one after the other."""
        return [np.array([row]) for row in range(self.count)]


def demonstrate(
    task: Task, fault: Fault, seed: int, folder: Path, *, pace: Pace | None = None, say: Callable[[str], None] | None = None,
    share: float = 0.001, steps: int = 0, callbacks: Sequence[TrainerCallback] = (), base: Path = BASE,
) -> AdvisorCallback:  # fmt: skip
    """Train `task` with `fault` in it in `folder`, and return the callback that watched it, which has the diagnosis.

    share: of the time that judging may take while the run goes on. steps: how many, as many as the task takes if 0.
    """
    pace = pace or Pace()
    folder.mkdir(parents=True, exist_ok=True)
    trainer.quiet_libraries()
    set_seed(seed)
    settings = dict(fault.settings)
    rows, held_out = _rows_of(task, fault, settings.pop("rows", task.rows), seed)
    for name, records in (("train", rows), ("held-out", held_out)):
        text = "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records)
        (folder / f"{name}.jsonl").write_text(text, encoding="utf-8")
    config = _config(task, settings, seed, folder, pace, base, steps)
    ready = trainer.prepare(config, "en")
    if fault.order:
        ready.plan.pattern = InOrder(len(ready.data.pieces))  # type: ignore[assignment]
    model = model_of(config, ready.device, ready.tokenizer)
    backend = set_attention(model, config.attention, ready.device, compiled=False)
    facts: dict[str, Value] = {"model": "Llama 1.05M", "objective": task.objective, "max_length": config.max_length}
    watching = AdvisorCallback(folder / "run.log", facts=facts, say=say or (lambda _: None), share=share)
    further: list[TrainerCallback] = [Evaluates()] if pace.first else []
    further += [Forgets()] if fault.optimizer == "forgets" else []
    kind = partial(PlantedTrainer, fault=fault, seed=seed)
    planted = trainer.trainer_of(ready, model, backend, [watching, *further, *callbacks], kind=kind)
    planted.train()
    planted.save_state()
    return watching


def _config(task: Task, settings: dict[str, Any], seed: int, folder: Path, pace: Pace, base: Path, steps: int) -> TrainConfig:
    adapter = settings.get("method") == "lora"
    rate = (task.lora_rate if adapter else task.rate) * settings.pop("rate", 1.0)
    given = {
        "model": str(base), "data": str(folder / "train.jsonl"), "eval_data": str(folder / "held-out.jsonl"),
        "output_dir": str(folder), "method": "full", "max_length": LENGTH, "packing": False,
        "per_device_train_batch_size": settings.pop("batch", task.batch), "max_steps": steps or task.steps, "learning_rate": rate,
        "learning_rate_decay_ratio": 0.0, "warmup_ratio": 0.05, "weight_decay": 0.01, "logging_steps": 1, "eval_strategy": "steps",
        "eval_steps": pace.every, "save_strategy": "no", "seed": seed, "lora_r": LORA_RANK, "lora_alpha": 2 * LORA_RANK,
        "use_cpu": not torch.cuda.is_available(), "precision": "fp32", "nonfinite_patience": 1 << 20,
    }  # fmt: skip
    return TrainConfig(**(given | settings))


def _rows_of(task: Task, fault: Fault, count: int, seed: int) -> tuple[list[Record], list[Record]]:
    """Return the rows to train on and those to evaluate on, as the fault has them."""
    rows, held_out = data_of(task, count, seed)
    generator = random.Random(seed)
    other = TASKS[OTHER[task.name]]
    if fault.order == "by_topic":
        half = len(rows) // 2
        rows = _alike(rows[:half], task) + _alike(data_of(other, half, seed)[0], task)
        held_out = _alike(held_out, task)
    if fault.rows is not None:
        rows = fault.rows(rows, generator)
    if fault.held_out == "from_training":
        held_out = rows[: task.held_out]
    elif fault.held_out == "of_another_task":
        held_out = data_of(other, 1, seed)[1]
    return rows, held_out


def _alike(rows: list[Record], task: Task) -> list[Record]:
    """Return rows of any task in one form, so that they can stand in one file."""
    if task.objective == "self-supervised":
        return [{"text": _text(row)} for row in rows]
    return [row if "messages" in row else {"messages": _turns(row)} for row in rows]


def _turns(row: Record) -> list[dict[str, Any]]:
    return [{"role": "user", "content": row["context"]}, {"role": "assistant", "content": row["target"]}]


def _text(row: Record) -> str:
    if "text" in row:
        return str(row["text"])
    return "\n".join(str(turn["content"]) for turn in (row["messages"] if "messages" in row else _turns(row)))
