"""A progress bar on standard error for what takes more than two seconds; none where standard error is no terminal."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING

from advisor.parallel import Input, seconds

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress

SHOWN_FROM = 2.0
"""Seconds that the whole work must be expected to take for a bar to be shown."""

LOOKED_AT_AFTER = 0.5
"""Seconds after which there is something to expect from."""


class Bar:
    """How far the work on `todo` is. A context manager; what it drew is gone afterwards."""

    def __init__(self, todo: Sequence[Input], label: str, console: Console | None = None) -> None:
        self._label = label
        self._console = console
        self._shown = console is not None or sys.stderr.isatty()
        self._whole = sum(map(seconds, todo))
        self._count = len(todo)
        self._done = self._within = 0.0
        self._finished = 0
        self._began = time.monotonic()
        self._bar: Progress | None = None

    def __enter__(self) -> Bar:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._shown = False
        if self._bar:
            self._bar.stop()

    def read(self, one: Input, count: int) -> None:
        """So many more bytes of this input have been read; it may be read more than once."""
        share = count / one.size if one.size else 0.0
        self._within = min(self._within + share * seconds(one), seconds(one))
        self._draw()

    def finished(self, one: Input) -> None:
        """This input is read and judged."""
        self._done += seconds(one)
        self._within = 0.0
        self._finished += 1
        self._draw()

    def _draw(self) -> None:
        done = self._done + self._within
        if self._bar is None and self._shown:
            passed = time.monotonic() - self._began
            if passed >= LOOKED_AT_AFTER and passed * self._whole / done > SHOWN_FROM:
                self._bar = self._begun()
        if self._bar is not None:
            count = f"{self._finished}/{self._count}" if self._count > 1 else ""
            self._bar.update(self._bar.task_ids[0], completed=min(done, self._whole), count=count)

    def _begun(self) -> Progress:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            TextColumn("{task.fields[count]}"),
            TimeRemainingColumn(),
        )
        bar = Progress(*columns, console=self._console or Console(stderr=True), transient=True)
        bar.add_task(self._label, total=self._whole, count="")
        bar.start()
        return bar
