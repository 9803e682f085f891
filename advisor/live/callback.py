"""A callback for transformers' Trainer, and for what is built on it: writes our log and says findings while the run goes on."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Literal

from tqdm.auto import tqdm
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments
from transformers.trainer_callback import ExportableState

from advisor.live.facts import configuration, length
from advisor.live.judge import Budget, LiveJudge, News, at_least, run_in
from advisor.live.log import NAME, RunLog, begun, resumed
from advisor.locale import default_language
from advisor.model import Diagnosis, Value
from advisor.render import json as as_json
from advisor.render.live import finding_lines, gone_line, stopped_line, summary_lines
from advisor.rulebook import load
from advisor.settings import read_project

SUMMARY = "total_flos"
"""A key of the trainer's closing line, which holds means of the whole run and is no point of it."""

BOOKKEEPING = ("_runtime", "_samples_per_second", "_steps_per_second", "_tokens_per_second", "_preparation_time")
"""Ends of keys that say how long an evaluation took, or how fast the whole run was on average: no points of a curve."""

NAMES = {"num_input_tokens_seen": "num_tokens"}
"""Names of the trainer that the log has another one for."""

DIAGNOSIS = "diagnosis.json"
GROWTH = 1.15
"""Beside evaluations and checkpoints, a look is due whenever the log has grown by this factor."""

LEAST_POINTS = 8
AT_ONCE = 0.25
"""Seconds that looks may take however short the run is."""

Excepthook = Callable[[type[BaseException], BaseException, TracebackType | None], Any]


class AdvisorCallback(TrainerCallback, ExportableState):
    """Writes `run.log` (schema `advisor.log/1`) into the output folder and prints each finding once, as it appears.

    `Trainer(..., callbacks=[AdvisorCallback()])` is all there is to do; only the first process writes. A resumed run continues
    its log without gaps or repeats. At the end the diagnosis lies beside the log as `diagnosis.json`.

    path: where the log is written, `run.log` in the output folder if not given.
    lang: `en` or `zh`, that of the environment if not given.
    stop_on: the severity of a finding at which training stops, `error` or `warning`; None never stops it.
    facts: what to write down beside what arguments, model and data say; it counts more than they do.
    show_nan: switch the trainer's `logging_nan_inf_filter` off, which would log 0.0 in place of NaN.
    share: how much of the training time judging may take, beside a quarter of a second.
    say: what prints a text, a line that keeps clear of progress bars on standard error if not given.
    """

    def __init__(
        self,
        path: str | Path | None = None,
        *,
        lang: str | None = None,
        stop_on: Literal["error", "warning"] | None = None,
        facts: Mapping[str, Value] | None = None,
        show_nan: bool = True,
        share: float = 0.001,
        say: Callable[[str], None] | None = None,
    ) -> None:
        if stop_on not in (None, "error", "warning"):
            raise ValueError(f"stop_on is {stop_on!r}; expected 'error', 'warning' or None")
        self.path = None if path is None else str(path)
        self.lang = lang
        self.stop_on: Literal["error", "warning"] | None = stop_on
        self.facts = dict(facts or {})
        self.show_nan = show_nan
        self.share = share
        self.said: dict[str, int] = {}
        self.diagnosis: Diagnosis | None = None
        self._say = say or _print
        self._log: RunLog | None = None
        self._judge: LiveJudge | None = None
        self._step = 0

    def state(self) -> dict[str, Any]:
        """Return what a checkpoint keeps: how the callback was made, and what it has said."""
        names = ("path", "lang", "stop_on", "facts", "show_nan", "share")
        return {"args": {name: getattr(self, name) for name in names}, "attributes": {"said": dict(self.said)}}

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, model: Any = None, **given: Any
    ) -> None:
        """Begin the log, or go on with it, and judge the settings."""
        if self.show_nan:
            args.logging_nan_inf_filter = False
        if not state.is_world_process_zero:
            return
        config = configuration(args, model, getattr(given.get("train_dataloader"), "dataset", None))
        self._config = {**config, **self.facts}
        path = Path(self.path or Path(args.output_dir or ".") / NAME)
        try:
            if state.global_step:
                self.said = self.said or _said_before(state)
                history = [e for entry in state.log_history if (e := _point(entry)) is not None]
                self._log = resumed(path, self._config, state.global_step, history)
                self._config = {**run_in(path, {}).config, **self._config}
            else:
                self.said = {}
                self._log = begun(path, self._config)
        except OSError as error:
            self._say(f"advisor: {path} cannot be written ({error.strerror}); training goes on without a log")
            return
        self._language = self.lang or default_language()
        self._step = state.global_step
        self._judge = LiveJudge(load(config=read_project(Path.cwd()), subject="run"), said=self.said)
        self._points, self._due, self._bad, self._bad_due = 0, LEAST_POINTS, 0, 1
        self._look(state, control)
        self._budget = Budget(self.share, AT_ONCE)
        self._hook_before: Excepthook = sys.excepthook
        sys.excepthook = self._hook = self._uncaught

    def on_log(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, logs: Mapping[str, Any] | None = None, **_: Any
    ) -> None:
        """Write one point; look at once where a number is none."""
        if self._log is None or (values := _point(logs or {})) is None:
            return
        values.setdefault("epoch", state.epoch or 0.0)
        values.pop("step", None)
        self._step = state.global_step
        self._write(lambda log: log.point(state.global_step, values))
        self._points += 1
        if not all(map(math.isfinite, values.values())):
            self._bad += 1
            if self._bad >= self._bad_due:  # after the first, the second, the fourth … bad number
                self._bad_due *= 2
                self._look(state, control, urgent=True)
        elif self._points >= self._due:
            self._look_if_afforded(state, control)

    def on_evaluate(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, eval_dataloader: Any = None, **_: Any
    ) -> None:
        """Look at the run after an evaluation; how many rows it has is known after the first."""
        rows = length(getattr(eval_dataloader, "dataset", None))
        if self._log is not None and rows is not None and "eval_rows" not in self._config:
            self._config["eval_rows"] = rows
            self._write(lambda log: log.settings(state.global_step, {"eval_rows": rows}))
        self._look_if_afforded(state, control)

    def on_save(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """Write that a checkpoint is complete, and look at the run."""
        self._write(lambda log: log.event("checkpoint", state.global_step, path=f"checkpoint-{state.global_step}"))
        self._look_if_afforded(state, control)

    def on_train_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """Write the end and the diagnosis of the whole run."""
        finished = state.global_step >= state.max_steps
        self._write(lambda log: log.event("end" if finished else "stopped", state.global_step))
        self._finish(state.global_step)

    def failed(self, error: BaseException) -> None:
        """Write that the run ended with this error, and the diagnosis. Called by itself for an error that nobody catches."""
        message = f"{type(error).__name__}: {error}"
        kind = "stopped" if isinstance(error, KeyboardInterrupt) else "error"
        self._write(lambda log: log.event(kind, self._step, message=message))
        self._finish(self._step)

    def _look_if_afforded(self, state: TrainerState, control: TrainerControl) -> None:
        if self._log is not None and self._points and self._budget.affords():
            began = time.perf_counter()
            self._look(state, control)
            self._due = max(LEAST_POINTS, int(self._points * GROWTH) + 1)
            self._budget.took(time.perf_counter() - began)

    def _look(self, state: TrainerState, control: TrainerControl, *, urgent: bool = False) -> None:
        """Judge the log as it stands, say what is new, and stop the training where that was asked for."""
        if self._judge is None or self._log is None:
            return
        run = run_in(self._log.path, self._config)
        news = (self._judge.look_for_urgent if urgent else self._judge.look)(run, state.global_step)
        self._tell(news, state.global_step)
        if self.stop_on and (grave := [f for f in news.new if at_least(f, self.stop_on)]):
            control.should_training_stop = True
            self._say(stopped_line(grave[0], state.global_step, self._language))

    def _tell(self, news: News, step: int) -> None:
        for finding in news.new:
            self._say(finding_lines(finding, news.diagnosis, step, self._language))
        if news.gone and self._judge is not None:
            self._say(gone_line(news.gone, step, self._language))
            self._judge.forget(news.gone)

    def _finish(self, step: int) -> None:
        if self._log is None or self._judge is None:
            return
        if sys.excepthook == self._hook:
            sys.excepthook = self._hook_before
        log, self._log = self._log, None
        log.close()
        news = self._judge.look(run_in(log.path, self._config), step)
        self._tell(news, step)
        self.diagnosis = news.diagnosis
        self._say(summary_lines(news.diagnosis, log.path, self._language))
        try:
            log.path.with_name(DIAGNOSIS).write_text(as_json.render([news.diagnosis], self._language) + "\n", encoding="utf-8")
        except OSError as error:
            self._say(f"advisor: {log.path.with_name(DIAGNOSIS)} cannot be written ({error.strerror})")

    def _write(self, write: Callable[[RunLog], None]) -> None:
        """Write to the log. A log that can no longer be written, as on a full disk, does not end the training."""
        if self._log is None:
            return
        try:
            write(self._log)
        except OSError as error:
            path, self._log = self._log.path, None
            self._say(f"advisor: {path} can no longer be written ({error.strerror}); training goes on without it")

    def _uncaught(self, kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        before = self._hook_before
        self.failed(error)
        before(kind, error, trace)


def _print(text: str) -> None:
    tqdm.write(text, file=sys.stderr)


def _point(logs: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the numbers of a log entry, or None where there is none beside its place, or it is the closing summary."""
    if SUMMARY in logs:
        return None
    values: dict[str, Any] = {}
    for name, value in logs.items():
        if not name.endswith(BOOKKEEPING):
            with suppress(TypeError, ValueError):
                values[NAMES.get(name, name)] = value if type(value) is int else float(value)
    return values if values.keys() - {"step", "epoch"} else None


def _said_before(state: TrainerState) -> dict[str, int]:
    """Return what the callback of an interrupted run had said by the checkpoint, where the trainer does not hand it back itself."""
    stored: Any = state.stateful_callbacks or {}
    kept = stored.get(AdvisorCallback.__name__)
    for one in kept if isinstance(kept, list) else [kept]:
        if isinstance(one, Mapping):
            return dict(one.get("attributes", {}).get("said", {}))
    return {}
