"""The run's log: a line at a time in the schema `advisor.log/1`."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from transformers import TrainerCallback

NAME = "run.log"


def log_callback(folder: Path, facts: Mapping[str, Any], config: Any) -> TrainerCallback:
    """Return the callback that writes the log of a run into its folder. facts: what the training arguments do not say."""
    return _Log(folder / NAME, facts)


class _Log(TrainerCallback):
    def __init__(self, path: Path, facts: Mapping[str, Any]) -> None:
        self._path, self._facts = path, facts
        self._began = time.time()

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        if not state.is_world_process_zero:
            return
        kept: list[str] = []
        if state.global_step and self._path.exists():
            for line in self._path.read_text(encoding="utf-8").splitlines():
                try:
                    entry = json.loads(line)
                except ValueError:
                    continue
                if entry.get("event") not in ("end", "error") and entry.get("step", 0) <= state.global_step:
                    kept.append(line)
        if not kept:
            kept.append(json.dumps({"event": "run", "schema": "advisor.log/1", "config": dict(self._facts)}))
        self._path.write_text("".join(line + "\n" for line in kept), encoding="utf-8")

    def _write(self, state: Any, entry: dict[str, Any]) -> None:
        if state.is_world_process_zero:
            with self._path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(entry) + "\n")

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:
        if logs and "train_runtime" not in logs:
            numbers = {k: v for k, v in logs.items() if isinstance(v, int | float)}
            self._write(state, {"step": state.global_step, **numbers, "time": round(time.time() - self._began, 3)})

    def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self._write(state, {"event": "checkpoint", "step": state.global_step, "path": f"checkpoint-{state.global_step}"})

    def on_train_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        if state.global_step >= state.max_steps:
            self._write(state, {"event": "end", "step": state.global_step})


def failed(folder: Path, step: int, message: str) -> None:
    """Write the error that ended a run into its log, where there is room for it."""
    try:
        with (folder / NAME).open("a", encoding="utf-8") as file:
            file.write(json.dumps({"event": "error", "step": step, "message": message[:2000]}) + "\n")
    except OSError:
        pass
