"""What in a folder can be read by itself: the folder where it is one run or a tracker's, else the run folders and logs in it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from advisor.readers.base import Format
from advisor.readers.streams import SUFFIXES

STATE = "trainer_state.json"
OWN_LOG = "run.log"
"""What our own log is called in a run folder; it says more than the trainer's state does."""

_OWN = re.compile(rb'^\s*\{.*"schema"\s*:\s*"advisor\.log/')
_HEAD_BYTES = 1 << 14
LOG_SUFFIXES = (".jsonl", ".log", ".csv", ".tsv", ".out", ".txt")
"""What logs are called, also with the suffix of a compression behind it."""


def units(folder: Path, formats: Iterable[Format]) -> Iterator[Path]:
    """Yield the run folders and the files in `folder`, at any depth, that may hold runs, sorted by path.

    A Trainer output folder is one run. A folder that a tracker keeps is read as a whole, except where it holds Trainer output
    folders, which say more. Hidden folders and links to folders are passed over.
    """
    trackers = [known for known in formats if known.read_folder is not None]
    holders = {parent for state in folder.rglob(STATE) for parent in state.parents}
    yield from _units(folder, trackers, holders)


def _units(folder: Path, trackers: Iterable[Format], holders: set[Path]) -> Iterator[Path]:
    if (
        newest_state(folder) is not None
        or own_log(folder) is not None
        or (folder not in holders and any(_keeps(tracker, folder) for tracker in trackers))
    ):
        yield folder
        return
    for path in _entries(folder):
        if path.is_file():
            if is_log_file(path):
                yield path
        elif not path.is_symlink() and path.is_dir():
            yield from _units(path, trackers, holders)


def _entries(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    except OSError:  # a folder that may not be entered hides no other
        return []


def _keeps(tracker: Format, folder: Path) -> bool:
    """Tell whether `folder` holds runs of this tracker."""
    assert tracker.read_folder is not None
    try:
        return next(iter(tracker.read_folder(folder)), None) is not None
    except OSError:
        return True  # so that reading it says what is wrong


def log_files(folder: Path) -> Iterator[Path]:
    """Yield the files directly in `folder` that are called as logs are."""
    yield from (path for path in _entries(folder) if path.is_file() and is_log_file(path))


def is_log_file(path: Path) -> bool:
    """Tell whether a file is called as logs are: `train.log`, `run.jsonl.gz`."""
    name = path.name.lower()
    for suffix in SUFFIXES:
        name = name.removesuffix(suffix)
    return name.endswith(LOG_SUFFIXES)


def own_log(folder: Path) -> Path | None:
    """Return our own log in a run folder, or None where none is there or `run.log` is somebody else's."""
    path = folder / OWN_LOG
    try:
        with path.open("rb") as log:
            return path if _OWN.search(log.read(_HEAD_BYTES).partition(b"\n")[0]) else None
    except OSError:
        return None


def newest_state(folder: Path) -> Path | None:
    """Return the newest `trainer_state.json` of a Trainer output folder, or None where it is none.

    A checkpoint's history is a prefix of the next one's, so the longest is the run.
    """
    states = [path for path in (folder / STATE, *folder.glob(f"checkpoint-*/{STATE}")) if path.is_file()]
    return max(states, key=lambda path: (_checkpoint_number(path), path.stat().st_size), default=None)


def _checkpoint_number(state: Path) -> float:
    name = state.parent.name.removeprefix("checkpoint-")
    return float(name) if name.isdigit() else float("inf")
