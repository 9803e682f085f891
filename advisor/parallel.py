"""From paths to diagnoses: in this process, or where there is much to read, in worker processes. The order is that of the paths."""

from __future__ import annotations

import io
import os
import pickle
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from advisor.engine import diagnose
from advisor.errors import AdvisorError, NotALog, UnreadableLog
from advisor.model import Diagnosis, Run, Value
from advisor.readers import read_path, read_stream, units
from advisor.readers.folder import newest_state
from advisor.rulebook import Rule
from advisor.thin import thin

if TYPE_CHECKING:
    from concurrent.futures import Future

STDIN = Path("-")
"""The path that stands for standard input."""

KEPT_WHOLE = 3
"""Up to so many inputs keep all their points; of more, only what is printed is kept."""

SECONDS_FOR_RUN = 0.02
BYTES_FOR_SECOND = 15e6
"""What reading and judging take, roughly: for each run, and for its bytes."""

WORTH_WORKERS = 2.0
"""Seconds of work below which workers, which take half a second to start, are not worth it."""


@dataclass(frozen=True, slots=True)
class Input:
    """Something to read. given: the argument it comes from, which is the path itself or a folder that holds it."""

    path: Path
    given: Path
    size: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of an input: diagnoses, or an error. passed_over: it is a file of a folder, and no log."""

    input: Input
    diagnoses: tuple[Diagnosis, ...] = ()
    error: str = ""
    passed_over: bool = False


class Progress(Protocol):
    """Somebody who watches how far the work is."""

    def read(self, one: Input, count: int) -> None:
        """So many more bytes of this input have been read."""

    def finished(self, one: Input) -> None:
        """This input is read and judged."""


@dataclass(frozen=True, slots=True)
class Judge:
    """How runs are judged: by which rules, and with which settings beside those of the log.

    settings: they count more than what the log says. facts: of the training data, where the log does not say them.
    """

    rules: tuple[Rule, ...]
    settings: Mapping[str, Value]
    facts: Mapping[str, Value] = field(default_factory=dict)

    def judge(self, runs: Iterable[Run]) -> Iterator[Diagnosis]:
        """Yield the diagnosis of each run."""
        for run in runs:
            yield diagnose(replace(run, config={**self.facts, **run.config, **self.settings}), self.rules)


def inputs(paths: Iterable[Path]) -> list[Input]:
    """Return what is to be read: each path, a folder of runs as the runs in it. An empty folder stands for itself."""
    return [Input(path, given, _size(path)) for given in paths for path in (list(units(given)) or [given])]


def _size(path: Path) -> int:
    """Return the bytes to read, 0 where that is not known before."""
    try:
        file = newest_state(path) if path.is_dir() else path
        return file.stat().st_size if file else 0
    except OSError:
        return 0


def seconds(one: Input) -> float:
    """Return a rough guess of the time that reading and judging take."""
    return SECONDS_FOR_RUN + one.size / BYTES_FOR_SECOND


def worth_workers(todo: Sequence[Input]) -> int:
    """Return the number of worker processes that `todo` is worth; 0 where it is read in this process."""
    workers = min(_processors(), len(todo))
    return workers if sum(map(seconds, todo)) > WORTH_WORKERS and workers > 1 else 0


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def analyse(todo: Sequence[Input], judge: Judge, workers: int, progress: Progress | None = None) -> list[Outcome]:
    """Return the outcome of every input, in their order; `workers` processes do it, 0 is this one.

    Raises AdvisorError where a worker process dies, as one does that the system stops for its memory.
    """
    if workers:
        return _in_workers(todo, judge, workers, progress)
    outcomes = []
    for one in todo:
        outcomes.append(analyse_one(one, judge, progress, keep=len(todo) <= KEPT_WHOLE))
        if progress:
            progress.finished(one)
    return outcomes


def analyse_one(one: Input, judge: Judge, progress: Progress | None = None, *, keep: bool = False) -> Outcome:
    """Read and judge one input; what cannot be read is an outcome too. keep: all points, not only those that are drawn."""
    try:
        if one.path == STDIN:
            runs = read_stream(sys.stdin.buffer, "standard input")
        else:
            runs = read_path(one.path, partial(progress.read, one) if progress else None)
        return Outcome(one, tuple(diagnosis if keep else thin(diagnosis) for diagnosis in judge.judge(runs)))
    except UnreadableLog as error:
        beside_logs = isinstance(error, NotALog) and one.path != one.given and not one.path.is_dir()
        return Outcome(one, error=str(error), passed_over=beside_logs)


def _in_workers(todo: Sequence[Input], judge: Judge, workers: int, progress: Progress | None) -> list[Outcome]:
    # Imported where it is needed: most logs are read in this process, and start sooner.
    from concurrent.futures import ProcessPoolExecutor
    from concurrent.futures.process import BrokenProcessPool
    from multiprocessing import get_context

    known = {rule.id: rule for rule in judge.rules}
    # Spawned processes work on every system, and beside threads.
    with ProcessPoolExecutor(workers, get_context("spawn"), _begin, (judge,)) as pool:
        try:
            futures = [None if one.path == STDIN else pool.submit(_packed, one) for one in todo]
            for one, future in zip(todo, futures, strict=True):
                if progress and future:
                    future.add_done_callback(partial(_tell, progress, one))
            return [
                _unpacked(future, known) if future else analyse_one(one, judge) for one, future in zip(todo, futures, strict=True)
            ]
        except BrokenProcessPool as error:
            raise AdvisorError(
                "a worker process ended before its work was done, perhaps for lack of memory; try again with `--jobs 1`"
            ) from error
        finally:
            pool.shutdown(cancel_futures=True)


def _tell(progress: Progress, one: Input, future: Future[bytes]) -> None:
    if not future.cancelled():
        progress.finished(one)


_judge: Judge | None = None
"""In a worker: how runs are judged."""


def _begin(judge: Judge) -> None:
    import signal

    global _judge
    _judge = judge
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the process that was asked to stop ends its workers


class _Pickler(pickle.Pickler):
    """Pickles outcomes without the rules, which both sides have: they are far larger than all the rest."""

    def persistent_id(self, obj: Any) -> str | None:
        return obj.id if isinstance(obj, Rule) else None


class _Unpickler(pickle.Unpickler):
    def __init__(self, file: io.BytesIO, known: Mapping[str, Rule]) -> None:
        super().__init__(file)
        self._known = known

    def persistent_load(self, pid: str) -> Rule:
        return self._known[pid]


def _packed(one: Input) -> bytes:
    assert _judge is not None
    stream = io.BytesIO()
    _Pickler(stream, pickle.HIGHEST_PROTOCOL).dump(analyse_one(one, _judge))
    return stream.getvalue()


def _unpacked(future: Future[bytes], known: Mapping[str, Rule]) -> Outcome:
    outcome = _Unpickler(io.BytesIO(future.result()), known).load()
    assert isinstance(outcome, Outcome)
    return outcome
