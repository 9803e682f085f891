"""What stands in a report about its own making: the name of the log, its hash, its title, and the command that makes it again."""

from __future__ import annotations

import hashlib
import json
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from advisor.errors import BadConfig
from advisor.model import Run
from advisor.readers.folder import newest_state
from advisor.readers.streams import SUFFIXES
from advisor.report.dates import date_of
from advisor.report.material import Order
from advisor.settings import config_text, read_config

_CHECKPOINT = re.compile(r"^checkpoint-\d+$")
PIECE = 1 << 20
PATHS = frozenset({"--data", "--config", "--compare-to", "--rules"})
"""Options whose values are paths."""
UNTELLING = frozenset(
    {"trainer_state", "trainer_log", "run", "log", "logs", "train", "training", "console", "metrics", "output", "history", "stdout"}
)
"""Names of logs that say nothing; the folder they lie in does."""


@dataclass(frozen=True, slots=True)
class Request:
    """What the user asked for, once for all runs of a call. options: of the command, as they shall be repeated."""

    title: str = ""
    date: str = ""
    rules: int = 0
    options: tuple[str, ...] = ()
    given: tuple[str, str, str] | None = None


def order_for(run: Run, request: Request, environment: Mapping[str, str], number: int = 0) -> Order:
    """Return what the report of one run says about its making. number: of the run in its file, 0 for the only one.

    Raises BadReport where the date is none.
    """
    path = Path(run.source)
    log = newest_state(path) if path.is_dir() else path if path.is_file() else None
    date, kind = date_of(run, log, request.date, environment)
    own = _own_folder(log.parent if log is not None else path)
    name = shown_name(run.source)
    options = [*request.options, *(("--date", date) if date else ())]
    return Order(
        title=request.title or title_of(path) + (f" #{number}" if number else ""), date=date, date_kind=kind, log=name,
        log_sha256=sha256_of(log) if log else "", command=shlex.join(["advisor", "report", name, *options]), rules=request.rules,
        given=request.given or own.given, versions=own.versions, device=own.device,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Own:
    """What our own trainer writes beside a log: its configuration, the versions of the libraries and the device."""

    given: tuple[str, str, str] | None = None
    versions: Mapping[str, str] = field(default_factory=dict)
    device: str = ""


def _own_folder(folder: Path) -> _Own:
    """Return what stands in the run folder of `advisor train`; nothing in any other folder, or where a file is damaged."""
    config, facts = folder / "config.toml", folder / "environment.json"
    try:
        if not config.is_file() or facts.stat().st_size > PIECE:
            return _Own()
        known = json.loads(facts.read_text(encoding="utf-8"))
        packages = {str(name): str(version) for name, version in known["packages"].items() if version}
        read_config(config)
        return _Own(("toml", config_text(config), config.name), packages, str(known["device_name"] or known["device"]))
    except (OSError, ValueError, LookupError, AttributeError, TypeError, RecursionError, BadConfig):
        return _Own()


def shown_name(source: str) -> str:
    """Return a path as it may stand in a report: as seen from here where it lies below, else its last two parts."""
    path = Path(source)
    if path.is_absolute() or ".." in path.parts:
        try:
            path = path.resolve().relative_to(Path.cwd())
        except ValueError:
            path = Path(*path.resolve().parts[-2:])
    return path.as_posix()


def title_of(path: Path) -> str:
    """Return a name for a run: that of its log, or of the first folder above it that says something."""
    name = path.name
    for suffix in SUFFIXES:
        name = name.removesuffix(suffix)
    stem = Path(name).stem if not path.is_dir() else name
    names = [stem, *(parent.name for parent in path.resolve().parents)] if path.exists() else [stem]
    return next((name for name in names if name and name.lower() not in UNTELLING and not _CHECKPOINT.match(name)), stem)


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file, as hexadecimal digits."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while piece := stream.read(PIECE):
            digest.update(piece)
    return digest.hexdigest()


def repeated(options: Sequence[tuple[str, str | bool]]) -> tuple[str, ...]:
    """Return options as they stand in a command, paths as seen from here; those that are not set are left out."""
    given: list[str] = []
    for name, value in options:
        if value is True:
            given.append(name)
        elif value:
            given += [name, shown_name(value) if name in PATHS else value]
    return tuple(given)
