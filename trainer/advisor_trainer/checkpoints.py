"""Checkpoints that are either whole or not there: written aside, named by one rename, and told from anything unfinished."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

STAGE = ".unfinished"
"""Folder in the run folder where a checkpoint is written before it gets its name."""

SEAL = "advisor_checkpoint.json"
"""Written last into a checkpoint: the size of every other file in it, and what the trainer needs to go on exactly."""

_NAME = re.compile(r"checkpoint-(\d+)")


def sealed(folder: Path, state: dict[str, Any]) -> None:
    """Write the seal of a finished checkpoint, with everything in it on the disk."""
    files = {str(path.relative_to(folder)): path.stat().st_size for path in sorted(folder.rglob("*")) if path.is_file()}
    for name in files:
        _sync(folder / name)
    (folder / SEAL).write_text(json.dumps({"files": files, "state": state}), encoding="utf-8")
    _sync(folder / SEAL)
    _sync(folder)


def named(folder: Path, final: Path) -> None:
    """Give a sealed checkpoint its name. One of that name is replaced."""
    old = final.with_name(f"{STAGE}-old")
    shutil.rmtree(old, ignore_errors=True)
    if final.exists():
        final.replace(old)
    folder.replace(final)
    _sync(final.parent)
    shutil.rmtree(old, ignore_errors=True)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError:  # some file systems cannot sync folders
        if path.is_file():
            raise
    finally:
        os.close(handle)


def state_of(checkpoint: Path) -> dict[str, Any] | None:
    """Return what the trainer left in the seal, or None where the checkpoint is not whole."""
    try:
        seal = json.loads((checkpoint / SEAL).read_text(encoding="utf-8"))
        whole = all((checkpoint / name).stat().st_size == size for name, size in seal["files"].items())
    except (OSError, ValueError, KeyError, AttributeError):
        return None
    return dict(seal["state"]) if whole else None


def complete(run: Path) -> list[Path]:
    """Return the whole checkpoints of a run folder, the oldest first."""
    return [path for _, path in sorted(_numbered(run)) if state_of(path) is not None]


def _numbered(run: Path) -> Iterator[tuple[int, Path]]:
    for path in run.glob("checkpoint-*"):
        if (found := _NAME.fullmatch(path.name)) and path.is_dir():
            yield int(found[1]), path


def thinned(run: Path, keep: int, best: str | None) -> None:
    """Delete the oldest checkpoints beyond `keep`; the newest and the best one stay, and unfinished ones go."""
    known = [path for _, path in sorted(_numbered(run))]
    protected = {known[-1].name, Path(best).name if best else ""} if known else set()
    surplus = [path for path in known if path.name not in protected]
    for path in surplus[: max(0, len(known) - max(keep, len(protected - {""})))]:
        shutil.rmtree(path, ignore_errors=True)
