"""Following a log while somebody else writes it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from advisor.errors import UnreadableLog
from advisor.live.judge import LiveJudge, News
from advisor.live.log import LAST_WORDS
from advisor.model import NotMeasurable, Run
from advisor.readers import folder, read_path
from advisor.readers.objects import parse_object
from advisor.signals import Measurements

AT_MOST = 20
"""A look is followed by a rest of so many times as long as it took: watching takes at most a twentieth of a processor."""

_TAIL_BYTES = 1 << 12


@dataclass(frozen=True)
class Look:
    """What a look at a growing log showed. step: the last one logged. ended: nothing more will come."""

    news: News
    step: float
    ended: bool


def follow(path: Path, judge: LiveJudge, interval: float, rest: Callable[[float], None] = time.sleep) -> Iterator[Look | None]:
    """Yield a look whenever the log has grown, and None where there is nothing to judge yet; end with the look that saw the end.

    path: a log, or a folder in which one is or will be. interval: least seconds between two looks.
    Raises UnreadableLog where a file that is not empty is no log.
    """
    seen: tuple[Path, int, int] | None = None
    while True:
        began = time.perf_counter()
        found = _log_in(path)
        now = (found, found.stat().st_size, found.stat().st_mtime_ns) if found else None
        if now is None or not now[1]:
            yield None
        elif now != seen:
            seen = now
            look = _look(now[0], judge, whole=path.is_file())
            yield look
            if look is not None and look.ended:
                return
        rest(max(interval, AT_MOST * (time.perf_counter() - began)))


def _look(log: Path, judge: LiveJudge, *, whole: bool) -> Look | None:
    try:
        run = read_path(log)[-1]
    except UnreadableLog:
        # Our own log begins with its settings; a file of a folder may be something else until a log is there.
        if whole and folder.own_log(log.parent) != log and not _says_settings(log):
            raise
        return None
    loss = run.series.get("train_loss") or run.series.get("eval_loss")
    step = float(loss.x[-1]) if loss is not None and len(loss) else 0.0
    return Look(judge.look(run, int(step)), step, _ended(run, log))


def _log_in(path: Path) -> Path | None:
    """Return the file to follow: the path itself, or in a folder our own log, the trainer's newest state, or the newest log."""
    if not path.is_dir():
        return path
    if (known := folder.own_log(path) or folder.newest_state(path)) is not None:
        return known
    return max(folder.log_files(path), key=lambda log: log.stat().st_mtime_ns, default=None)


def _says_settings(log: Path) -> bool:
    with log.open("rb") as stream:
        return b'"schema"' in stream.readline(_TAIL_BYTES)


def _ended(run: Run, log: Path) -> bool:
    """Tell whether the run is over: by the last words of our own log, else by the planned steps or epochs."""
    if run.reader == "advisor-log":
        with log.open("rb") as stream:
            stream.seek(max(0, log.stat().st_size - _TAIL_BYTES))
            last = stream.read().decode(errors="replace").rstrip("\n").rpartition("\n")[2]
        return (parse_object(last) or {}).get("event") in LAST_WORDS
    with suppress(NotMeasurable):
        return bool(Measurements(run)["run_finished"])
    return False
