"""Writing our own log, schema `advisor.log/1`: a line at a time, and on resume exactly to the step that training goes on from."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from advisor.model import Value
from advisor.readers.advisor_log import SCHEMA
from advisor.readers.folder import OWN_LOG as NAME
from advisor.readers.objects import parse_object
from advisor.whole_file import write_whole

__all__ = ["NAME", "RunLog", "begun", "resumed"]

KEPT_AS = "run.log.before"
"""What the log of a former run in the same folder is kept as when a new one begins."""

LAST_WORDS = frozenset({"end", "stopped", "error"})
"""Events after which nothing follows: a run that goes on has not come to them."""


class RunLog:
    """A log that is being written. Every line is on its way to the disk when `point` or `event` returns."""

    def __init__(self, path: Path, began: float) -> None:
        self.path = path
        self.began = began
        self._file = path.open("a", encoding="utf-8")

    def point(self, step: int, values: Mapping[str, float]) -> None:
        """Write what was measured at this step, and the seconds since the run began."""
        self._write({"step": step, **values, "time": round(time.time() - self.began, 3)})

    def event(self, kind: str, step: int, **more: Value) -> None:
        """Write something that happened at this step."""
        self._write({"event": kind, "step": step, **more})

    def settings(self, step: int, config: Mapping[str, Value]) -> None:
        """Write settings that were not known when the run began."""
        self._write({"event": "settings", "step": step, "config": config})

    def close(self) -> None:
        """Write nothing more."""
        self._file.close()

    def _write(self, entry: Mapping[str, Value | Mapping[str, Value]]) -> None:
        self._file.write(json.dumps(entry) + "\n")
        self._file.flush()


def begun(path: Path, config: Mapping[str, Value]) -> RunLog:
    """Begin a log anew; one that is there is kept beside it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists():
        path.replace(path.with_name(KEPT_AS if path.name == NAME else f"{path.name}.before"))
    log = RunLog(path, time.time())
    log._write({"event": "run", "schema": SCHEMA, "config": config})
    return log


def resumed(path: Path, config: Mapping[str, Value], step: int, history: Iterable[Mapping[str, object]]) -> RunLog:
    """Go on with a log after `step`: what an interrupted run wrote beyond it is taken out.

    Where the log is not there, its points are those of `history`, the trainer's own memory of the run.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    kept = list(_until(path, step)) if path.exists() else []
    if not kept:
        lines = ({"event": "run", "schema": SCHEMA, "config": config}, *(dict(entry) for entry in history))
        kept = [json.dumps(line) for line in lines]
    write_whole("".join(line + "\n" for line in kept).encode("utf-8"), path)
    return RunLog(path, time.time() - _last_time(kept))


def _until(path: Path, step: int) -> Iterator[str]:
    """Yield the lines of a log that tell of the run up to `step`. A line that was cut off in the middle of a word is none."""
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        entry = parse_object(line)
        if entry is None or entry.get("event") in LAST_WORDS:
            continue
        at = entry.get("step", 0)
        if isinstance(at, int | float) and at <= step:
            yield line


def _last_time(lines: Iterable[str]) -> float:
    times = (entry.get("time") for line in lines if (entry := parse_object(line)) is not None)
    return max((float(t) for t in times if isinstance(t, int | float)), default=0.0)
