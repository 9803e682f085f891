"""What looks on while a run trains: interrupts, losses that are no numbers, early stopping, and the console."""

from __future__ import annotations

import json
import math
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from transformers import TrainerCallback

from advisor.locale import strings
from advisor_trainer.arena import Arena, Pieces
from advisor_trainer.trainer import PackedTrainer

NONFINITE = "nonfinite.json"

SHOWN = (
    ("loss", "loss", ".4f"), ("eval_loss", "eval_loss", ".4f"), ("learning_rate", "learning_rate", ".2e"),
    ("grad_norm", "grad_norm", ".2f"), ("tokens_per_second", "tokens/s", ",.0f"),
)  # fmt: skip
"""What a line on the console says: key of the log, its name there, its form."""

BESIDE_THE_BAR = ("loss", "tokens_per_second")
"""What of it fits beside a bar."""


def anybody(here: Sequence[bool], device: Any) -> list[bool]:
    """Return for each question whether any of the processes says yes."""
    import torch
    import torch.distributed as dist

    said = torch.tensor([float(yes) for yes in here], device=device)
    dist.all_reduce(said)
    return [bool(yes) for yes in said.tolist()]


class Interrupts(TrainerCallback):
    """Ends a run at the next step after Ctrl-C or a request to end, with a checkpoint. received: the signal, 0 for none."""

    def __init__(self) -> None:
        self.received = 0

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Take the signals over; a second one ends the program at once."""
        before = {}
        for number in (signal.SIGINT, signal.SIGTERM):
            with suppress(ValueError):  # not the main thread
                before[number] = signal.signal(number, self._received)
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _received(self, number: int, _frame: Any) -> None:
        if self.received:
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
        self.received = number

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> Any:
        """Ask for a checkpoint and for the end. The first of several processes that hears of it speaks for all."""
        stop = bool(self.received)
        if args.world_size > 1:
            # Asking the others waits for the device: only where logging waits for it anyway.
            asks = control.should_log or control.should_save or control.should_evaluate
            (stop,) = anybody([stop], args.device) if asks else (False,)
            self.received = self.received or (signal.SIGTERM if stop else 0)
        if stop and state.global_step < state.max_steps:
            control.should_save = args.save_strategy != "no"
            control.should_training_stop = True
        return control


class NonFinite(TrainerCallback):
    """Stops a run after so many steps in a row whose loss is no finite number, and writes down the rows they were made of.

    Losses are looked at when they are logged: not before are they on this side of the device.
    """

    def __init__(self, arena: Arena, pieces: Pieces, patience: int, folder: Path) -> None:
        self._arena, self._pieces, self._patience, self._file = arena, pieces, patience, folder / NONFINITE
        self._row, self._seen = 0, 0
        self.trainer: PackedTrainer | None = None
        self.steps: dict[int, list[str]] = {}
        self.stopped = False

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> Any:  # noqa: ARG002
        """Look at the steps since the last time."""
        if not logs or "loss" not in logs or self.trainer is None:
            return control
        if math.isfinite(logs["loss"]):
            self._row = 0
            self.trainer.recent.clear()
            return control
        by_step: dict[int, list[Any]] = {}
        for step, micro, loss in self.trainer.recent:
            by_step.setdefault(step, []).append((micro, float(loss)))
        self.trainer.recent.clear()
        # Where another process had the rows of a bad step, they stand in that one's file.
        here = [not all(math.isfinite(loss) for _, loss in by_step[step]) for step in sorted(by_step)]
        bad_anywhere = anybody(here, args.device) if args.world_size > 1 else here
        anywhere = {step for step, wrong in zip(sorted(by_step), bad_anywhere, strict=True) if wrong}
        for step, micros in sorted(by_step.items()):
            bad = [micro for micro, loss in micros if not math.isfinite(loss)]
            if step not in anywhere:
                self._row = 0
                continue
            self._row += 1
            rows = [self._arena.place(int(self._pieces.row[piece])) for micro in bad for piece in micro.pieces]
            self.steps[step] = sorted(set(rows))
        self._write(args.process_index)
        if self._row >= self._patience:
            control.should_training_stop = True
            self.stopped = True
        return control

    def _write(self, process: int) -> None:
        path = self._file if not process else self._file.with_stem(f"{self._file.stem}-{process}")
        path.write_text(json.dumps({"steps": self.steps}, indent=1), encoding="utf-8")


class Patience(TrainerCallback):
    """Stops a run when the evaluation loss has not improved for so many evaluations, 0 for never.

    What it goes by is the history that checkpoints keep.
    """

    def __init__(self, patience: int) -> None:
        self._patience = patience
        self.stopped = False

    def on_evaluate(self, args: Any, state: Any, control: Any, metrics: Any = None, **_: Any) -> Any:  # noqa: ARG002
        """Count the evaluations since the best one."""
        losses = [entry["eval_loss"] for entry in state.log_history if "eval_loss" in entry]
        best = losses.index(min(losses)) if losses else 0
        if self._patience and len(losses) - 1 - best >= self._patience:
            control.should_training_stop = self.stopped = True
        return control


class Restore(TrainerCallback):
    """Puts the trainer back into the log interval of the checkpoint that it resumed from."""

    def __init__(self, checkpoint: Path) -> None:
        self._checkpoint = checkpoint
        self.trainer: PackedTrainer | None = None

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> Any:  # noqa: ARG002
        """Do so once."""
        if self.trainer is not None:
            self.trainer.restore(self._checkpoint)
        return control


class Console(TrainerCallback):
    """Tells how the run goes: a bar with loss, speed and time left on a terminal, else one line a log step."""

    def __init__(self, say: Callable[[str], None], language: str = "en", *, terminal: bool | None = None) -> None:
        self._say = say
        self._words = strings(language, "train")
        self._terminal = sys.stderr.isatty() if terminal is None else terminal
        self._progress: Any = None
        self._task: Any = None
        self._began, self._first = 0.0, 0

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:  # noqa: ARG002
        """Begin the bar."""
        self._began, self._first = time.monotonic(), state.global_step
        if not state.is_world_process_zero or not self._terminal:
            return
        from rich.console import Console as Rich
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        left = TextColumn(self._words["say.left"].format(time="").strip())
        self._progress = Progress(
            BarColumn(bar_width=None), MofNCompleteColumn(), TextColumn("{task.description}"), left,
            TimeRemainingColumn(compact=True), console=Rich(stderr=True), transient=False,
        )  # fmt: skip
        self._task = self._progress.add_task("", total=state.max_steps, completed=state.global_step)
        self._progress.start()

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:  # noqa: ARG002
        """Move the bar."""
        if self._progress is not None:
            self._progress.update(self._task, completed=state.global_step)

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:  # noqa: ARG002
        """Say what was logged."""
        if not state.is_world_process_zero or not logs:
            return
        if self._progress is not None and "loss" in logs:
            self._progress.update(self._task, description="  ".join(_parts(logs, BESIDE_THE_BAR)))
        elif line := self.line(state, logs):
            self.say(line)

    def say(self, text: str) -> None:
        """Print a text, above the bar where there is one."""
        if self._progress is None:
            self._say(text)
        else:
            self._progress.console.print(text, highlight=False, markup=False)

    def line(self, state: Any, logs: dict[str, float]) -> str:
        """Return what was logged as one line, empty for the closing summary."""
        parts = _parts(logs)
        if not parts:
            return ""
        done = state.global_step - self._first
        if done and "loss" in logs:
            left = (time.monotonic() - self._began) / done * (state.max_steps - state.global_step)
            parts.append(self._words["say.left"].format(time=_clock(left)))
        return self._words["say.step"].format(step=state.global_step, steps=state.max_steps) + "  " + "  ".join(parts)

    def on_train_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:  # noqa: ARG002
        """End the bar."""
        self.close()

    def close(self) -> None:
        """End the bar, whatever ended the run."""
        if self._progress is not None:
            self._progress.stop()
            self._progress = None


def _parts(logs: dict[str, float], names: Sequence[str] = ()) -> list[str]:
    return [f"{shown} {logs[name]:{form}}" for name, shown, form in SHOWN if name in logs and (not names or name in names)]


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
