"""The list of formats, in the order in which they are tried, and the way from a path to its runs."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO

from advisor.errors import NotALog, UnreadableLog
from advisor.model import Run, Value
from advisor.readers import folder
from advisor.readers.assemble import assemble
from advisor.readers.base import Format, Source
from advisor.readers.known import added, binary_formats, formats, text_formats
from advisor.readers.names import is_loss_like
from advisor.readers.objects import scalars
from advisor.readers.ranks import head_of_one_rank, of_one_rank
from advisor.readers.streams import Watch

MOST_IN_MEMORY = 1 << 23
"""Bytes of a stream that are kept in memory; what is longer goes to a temporary file."""

_WANDB_SUMMARY = re.compile(r'\{(?=[^\n]*"_wandb"\s*:)(?=[^\n]*"_runtime"\s*:)[^\n]*\}\s*\Z')
_WANDB_RUNS = re.compile(r'"?Name"?,(?:"?ID"?,)?"?State"?,.*"?Created"?,.*"?Runtime"?,')


def read_path(path: Path, watch: Watch | None = None) -> list[Run]:
    """Return the runs in a log file, in a run folder, or in a folder of those; `watch` is told of the bytes read from a file.

    Raises UnreadableLog, whose message names the path, what was expected and what to do.
    """
    if path.is_dir():
        return _read_folder(path)
    source = _opened(path, watch)
    runs = _read(source)
    beside = _config_beside(path.parent)
    return [_with_config(run, beside) for run in runs] if beside else runs


def read_bytes(data: bytes, name: str) -> list[Run]:
    """Return the runs in a log given as bytes, such as standard input. Raises UnreadableLog."""
    return _read(Source(name, data=data))


def read_stream(stream: BinaryIO, name: str) -> list[Run]:
    """Return the runs in a log that comes from a pipe; a long one waits in a temporary file. Raises UnreadableLog."""
    beginning = stream.read(MOST_IN_MEMORY)
    if len(beginning) < MOST_IN_MEMORY:
        return read_bytes(beginning, name)
    with TemporaryDirectory(prefix="advisor-") as folder:
        path = Path(folder) / "log"
        with path.open("wb") as file:
            file.write(beginning)
            shutil.copyfileobj(stream, file)
        return _read(Source(name, path=path))


def _opened(path: Path, watch: Watch | None) -> Source:
    if not path.exists():
        raise UnreadableLog(f"{path}: no such file or folder; give a training log or a run folder")
    try:
        return Source(str(path), path=path, watch=watch)
    except OSError as error:
        raise UnreadableLog(f"{path}: cannot be opened ({error.strerror}); check its permissions") from error


def _read(source: Source) -> list[Run]:
    """Return the runs in a log, and say of a line that was too long that it was read only in part."""
    runs = _runs(source)
    return [replace(run, notes=(*run.notes, "long-lines")) for run in runs] if source.shortened else runs


def _runs(source: Source) -> list[Run]:
    if source.is_empty:
        raise NotALog(f"{source.name}: empty; give a log that holds at least one logged loss")
    binary = (
        [f for f in binary_formats() if f.recognises(source)] if b"\0" in source.raw_head or any(f.magic for f in added()) else []
    )
    if not binary:
        if (what := _known_other(source)) is not None:
            raise NotALog(f"{source.name}: {what}")
        if runs := _read_one_rank(source):
            return runs
    # Most logs are read by the first format that recognises them; the others are not asked then.
    candidates = binary or _candidates(source)
    with_events: list[Run] = []
    for candidate in candidates:
        runs = assemble(candidate.read(source), source.name, candidate.name)
        if any(is_loss_like(run.series) for run in runs):
            return runs
        if not with_events and any(run.events for run in runs):
            with_events = runs
    if with_events:
        return with_events
    if binary:
        raise NotALog(
            f"{source.name}: a {binary[0].title['en']} without a training or evaluation loss; "
            "give the one that holds the loss values"
        )
    raise NotALog(
        f"{source.name}: no training log: no line names a loss beside a step or an epoch. Expected one of the formats that "
        "`advisor formats` lists; give the file that holds the loss values"
    )


def _candidates(source: Source) -> Iterator[Format]:
    """Yield the formats that recognise the text; before one that takes any text, those that recognise what stands further on."""
    for candidate in text_formats():
        if not candidate.recognises(source):
            continue
        if candidate.takes_any_text and (view := source.further_on()) is not None:
            yield from (f for f in text_formats() if not f.takes_any_text and f.recognises(view))
        yield candidate


def _read_one_rank(source: Source) -> list[Run]:
    """Return the runs of a log that a launcher put the ranks before, read without those marks and by one rank.

    Eight ranks' banners fill the beginning soon: what stands further on is asked as well.
    """
    if head_of_one_rank(source) is None:
        return []
    whole = None
    for view in (source, source.further_on()):
        head = None if view is None else head_of_one_rank(view)
        others = [f for f in text_formats() if not f.keeps_ranks_apart and f.recognises(head)] if head is not None else []
        for candidate in others:
            whole = whole or of_one_rank(source)
            runs = assemble(candidate.read(whole), source.name, candidate.name)
            if any(is_loss_like(run.series) for run in runs):
                return [replace(run, notes=("one-rank", *run.notes)) for run in runs]
    return []


def _may_be_binary(source: Source) -> bool:
    """Tell whether a binary format may fit: every file of our own has zero bytes near its beginning, those of plug-ins may not."""
    return b"\0" in source.raw_head or any(f.magic for f in added())


def _is_closing_summary(head: str) -> bool:
    from advisor.readers.json_document import is_closing_summary  # needed for few files, and slow to load

    return is_closing_summary(head)


def _known_other(source: Source) -> str | None:
    """Name what is no log at all, and what to do instead; None where it may be one."""
    head = source.head.lstrip("\ufeff \t\r\n")
    if head.startswith("version https://git-lfs.github.com/spec/"):
        return "a Git LFS pointer, not the log itself; fetch it with `git lfs pull`"
    if head[:200].lower().startswith(("<!doctype html", "<html")):
        return "an HTML page, not a log; download the raw file"
    if head.startswith("This is") and "TeX, Version" in head[:200]:
        return "a LaTeX log, not a training log"
    if head.startswith("{") and '"train_runtime"' in head and _is_closing_summary(head):
        return "the Trainer's closing values, which hold no curve; give `trainer_state.json` from the same folder"
    if _WANDB_SUMMARY.match(head):
        return "a W&B summary, which holds only the last value of each quantity; give the run's `.wandb` file"
    if _WANDB_RUNS.match(head):
        return "a W&B table of runs, one line a run; export a chart, or give a run's `.wandb` file"
    if source.is_binary:
        return "binary data, not a text log; give the log file or the run folder"
    return None


def units(path: Path) -> Iterator[Path]:
    """Yield what can be read by itself: the path, or where it is a folder of runs, the run folders and files in it."""
    if path.is_dir():
        yield from folder.units(path, formats())
    else:
        yield path


def _read_folder(path: Path) -> list[Run]:
    """Return the runs of a run folder (by our own log, else by the trainer's state), or of every log in a folder of runs.

    A format that keeps its runs in folders comes before single logs, which may tell of the same runs again.
    """
    if (own := folder.own_log(path)) is not None:
        return read_path(own)
    if (state := folder.newest_state(path)) is not None:
        runs, beside = read_path(state), _config_beside(path)
        return [_with_config(run, beside) for run in runs]
    parts = list(units(path))
    if parts == [path] and (runs := _tracked(path)):
        return runs
    if parts == [path]:
        parts = list(folder.log_files(path))
    runs = []
    for part in parts:
        with suppress(UnreadableLog):
            runs += read_path(part)
    if not runs:
        raise NotALog(
            f"{path}: no trainer_state.json (alone or in a checkpoint) and no log file in this folder; give the log file itself"
        )
    return runs


def _tracked(path: Path) -> list[Run]:
    """Return the runs of a folder that a tracker keeps (W&B, TensorBoard, MLflow); empty where it is none."""
    for candidate in formats():
        if candidate.read_folder is None:
            continue
        try:
            found = [assemble(records, str(where), candidate.name) for where, records in candidate.read_folder(path)]
        except OSError as error:
            raise UnreadableLog(f"{error.filename or path}: cannot be read ({error.strerror}); check its permissions") from error
        if runs := [run for group in found for run in group if is_loss_like(run.series)]:
            return runs
    return []


def _config_beside(folder: Path) -> dict[str, Value]:
    """Return what the JSON files that Trainer and peft save beside a log say: vocabulary size, LoRA rank and alpha."""
    wanted = {
        "config.json": {"vocab_size": "vocab_size", "model_type": "model_type"},
        "adapter_config.json": {
            "r": "lora_r",
            "lora_alpha": "lora_alpha",
            "use_rslora": "use_rslora",
            "target_modules": "target_modules",
        },
        "training_args.json": None,
    }
    found: dict[str, Value] = {}
    for file_name, names in wanted.items():
        path = folder / file_name
        if not path.is_file():
            continue
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError):
            continue
        if isinstance(content, dict):
            plain = scalars(content)
            found |= plain if names is None else {names[k]: v for k, v in plain.items() if k in names}
            if file_name == "adapter_config.json":
                found["method"] = "lora"
    return found


def _with_config(run: Run, extra: dict[str, Value]) -> Run:
    """Return `run` with settings it did not have; what the log itself says wins."""
    return replace(run, config={**extra, **run.config})
