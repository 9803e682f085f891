"""The folder in which tokenised data are kept: what was used last stays, what is too old or too much goes."""

from __future__ import annotations

import os
import re
import shutil
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

MOST_BYTES = 20_000_000_000
"""What the kept tokens may take together, beside those of the run that begins."""

MOST_DAYS = 30
"""After so many days without a use tokens go in any case."""

IN_USE = 86_400.0
"""Seconds after its last use in which another run may still read an entry: it stays, whatever the others take."""

_NAME = re.compile(r"[0-9a-f]{32}(\..*)?")
"""The name of an entry, or of what is left of one; anything else in the folder is somebody else's."""

MARK = "meta.json"
"""Its time of change is that of the last use of the entry."""


@dataclass(frozen=True, slots=True)
class _Kept:
    folder: Path
    age: float
    size: int


def cache_folder() -> Path:
    """Return the user's cache folder for tokenised data; `ADVISOR_CACHE` names another."""
    base = os.environ.get("ADVISOR_CACHE")
    if base:
        return Path(base)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "finetune-advisor" / "tokens"


def used(folder: Path) -> None:
    """Write down that an entry was used just now."""
    with suppress(OSError):  # a cache that is only read is one all the same
        os.utime(folder / MARK)


def pruned(cache: Path, stays: str = "") -> None:
    """Delete what is too old, and the longest unused beyond `MOST_BYTES`; the entry `stays` is not touched.

    An entry is renamed before it is deleted: another process finds it whole or not at all, and what it has mapped stays readable.
    """
    left = MOST_BYTES
    for entry in sorted(_kept(cache), key=lambda entry: entry.age):
        left -= entry.size
        if entry.folder.name == stays or entry.age < IN_USE:
            continue
        if left < 0 or entry.age > MOST_DAYS * 86_400:
            left += entry.size
            gone = entry.folder.with_name(f"{entry.folder.name.partition('.')[0]}.gone-{os.getpid()}")
            with suppress(OSError):  # another process was quicker
                entry.folder.replace(gone)
                shutil.rmtree(gone, ignore_errors=True)


def _kept(cache: Path) -> Iterator[_Kept]:
    """Yield what is in the cache, with what a killed process left of an entry or of its deletion."""
    now = time.time()
    for folder in cache.glob("*"):
        with suppress(OSError):
            mark = folder / MARK
            changed = (mark if mark.exists() else folder).stat().st_mtime
            if _NAME.fullmatch(folder.name) and folder.is_dir():
                yield _Kept(folder, now - changed, sum(path.stat().st_size for path in folder.iterdir()))
