"""TensorBoard event files (`*.tfevents*`) and log folders, whoever wrote them: transformers, Lightning, Keras, PyTorch, TF 1.

A file is a row of TFRecords (length, its checksum, an Event message, its checksum). Read without TensorFlow or protobuf.
"""

from __future__ import annotations

import itertools
import re
import struct
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from advisor.model import Value
from advisor.readers.base import Format, Record, Settings, Source, Unread
from advisor.readers.names import canonical
from advisor.readers.objects import parse_object, scalars
from advisor.readers.points import Points
from advisor.readers.streams import BROKEN_ARCHIVE
from advisor.readers.wire import BrokenMessage, FieldValue, fields, floating, raw, signed, text

MAX_RECORD_BYTES = 1 << 28
_HEADER = struct.Struct("<QI")
_FOOTER_BYTES = 4
_EVENT_WALL_TIME, _EVENT_STEP, _EVENT_SUMMARY = 1, 2, 5
_VALUE_TAG, _VALUE_SIMPLE, _VALUE_TENSOR, _VALUE_METADATA = 1, 2, 8, 9
_TENSOR_TYPE, _TENSOR_CONTENT, _TENSOR_STRINGS = 1, 4, 8
_TENSOR_NUMBERS = {5: "f", 6: "d"}
_TENSOR_TYPES = {1: "<f", 2: "<d", 3: "<i", 9: "<q"}
_HPARAM_KINDS: dict[int, Callable[[FieldValue], Value]] = {2: floating, 3: text, 4: bool}
_ROLES = {
    "train": "train", "training": "train", "train_inner": "train-inner",
    "validation": "eval", "valid": "eval", "val": "eval", "eval": "eval", "evaluation": "eval", "dev": "eval", "test": "test",
}  # fmt: skip
"""Folders that hold one side of a run."""
_BETTER = {"test": "eval", "train": "train-inner"}
"""A side counts only where the better one is not there: fairseq's `train` repeats `train_inner` by epochs."""
_EVALUATED = {"train_loss": "eval_loss", "train_perplexity": "eval_perplexity", "train_accuracy": "eval_accuracy"}
_BY_EPOCH = "epoch_"
"""How Keras begins the tags that it writes at the end of an epoch, with the epoch as the step."""
_SIDES = ("train_loss", "eval_loss")
DEEPEST = 5
"""How many levels below the given folder event files are looked for."""


@dataclass
class _Log:
    """What the event files of one folder hold."""

    points: Points = field(default_factory=Points)
    settings: dict[str, Value] = field(default_factory=dict)
    broken: int = 0

    def read(self, source: Source) -> None:
        """Add the events of one file; a record that is cut off ends it, one that cannot be read is counted."""
        with source.open() as stream, suppress(*BROKEN_ARCHIVE):
            for record in _records(stream):
                try:
                    self._event(record)
                except (BrokenMessage, struct.error):
                    self.broken += 1

    def _event(self, record: bytes) -> None:
        time, step, summary = 0.0, 0, b""
        for number, value in fields(record):
            if number == _EVENT_WALL_TIME:
                time = floating(value)
            elif number == _EVENT_STEP:
                step = signed(value)
            elif number == _EVENT_SUMMARY:
                summary = raw(value)
        for number, value in fields(summary):
            if number == 1:
                self._value(raw(value), step, time)

    def _value(self, message: bytes, step: int, time: float) -> None:
        parts = dict(fields(message))
        tag = text(parts.get(_VALUE_TAG, b""))
        if _VALUE_SIMPLE in parts:
            self._point(tag, step, floating(parts[_VALUE_SIMPLE]), time)
        elif _VALUE_TENSOR in parts:
            tensor = dict(fields(raw(parts[_VALUE_TENSOR])))
            if (number := _scalar(tensor)) is not None:
                self._point(tag, step, number, time)
            elif tag.partition("/")[0] == "args" and _TENSOR_STRINGS in tensor:
                self.settings |= scalars(parse_object(text(tensor[_TENSOR_STRINGS])) or {})
        elif tag.startswith("_hparams_/session_start") and _VALUE_METADATA in parts:
            self.settings |= _hparams(raw(parts[_VALUE_METADATA]))

    def _point(self, tag: str, step: int, value: float, time: float) -> None:
        plain = tag.removeprefix(_BY_EPOCH)
        if plain != tag:
            self.points.by_epoch.add(plain)
        self.points.add(plain, step, value, time)

    def records(self) -> Iterator[Record]:
        """Yield the settings and the rows."""
        if self.settings:
            yield Settings(self.settings)
        yield from self.points.rows()
        yield from itertools.repeat(Unread(0), self.broken)


def _records(stream: BinaryIO) -> Iterator[bytes]:
    """Yield the payloads of the TFRecords that are there as a whole. Checksums are passed over: the messages tell."""
    while len(header := stream.read(_HEADER.size)) == _HEADER.size:
        length, _ = _HEADER.unpack(header)
        if not 0 < length <= MAX_RECORD_BYTES:
            return
        record = stream.read(length)
        if len(record) < length:
            return
        yield record
        stream.read(_FOOTER_BYTES)


def _scalar(tensor: dict[int, FieldValue]) -> float | None:
    """Return the number that a tensor of one element holds, else None."""
    kind = _TENSOR_TYPES.get(signed(tensor.get(_TENSOR_TYPE, 0)))
    if kind is None:
        return None
    content = raw(tensor.get(_TENSOR_CONTENT, b""))
    if len(content) == struct.calcsize(kind):
        return float(struct.unpack(kind, content)[0])
    for number, letter in _TENSOR_NUMBERS.items():
        if number in tensor and len(raw(tensor[number])) == struct.calcsize(letter):
            return floating(tensor[number])
    return None


def _hparams(metadata: bytes) -> dict[str, Value]:
    """Return the hyper-parameters of a session: SummaryMetadata → plugin data → session_start_info → a map of values."""
    found: dict[str, Value] = {}
    for message in _walk(metadata, (1, 2, 3, 1)):
        entry = dict(fields(message))
        for number, value in fields(raw(entry.get(2, b""))):
            if number in _HPARAM_KINDS:
                found[text(entry.get(1, b""))] = _HPARAM_KINDS[number](value)
    return found


def _walk(message: bytes, path: tuple[int, ...]) -> Iterator[bytes]:
    """Yield the messages that nest in `message` under these field numbers."""
    for number, value in fields(message):
        if number == path[0] and isinstance(value, bytes):
            yield from _walk(value, path[1:]) if len(path) > 1 else (value,)


def read(source: Source) -> Iterator[Record]:
    """Yield the settings and the rows of one event file."""
    log = _Log()
    log.read(source)
    side = _ROLES.get(source.path.parent.name.lower(), "") if source.path else ""
    yield from _together({side: log}).records()


def read_folder(folder: Path) -> Iterator[tuple[Path, Iterator[Record]]]:
    """Yield the runs of a log folder: each folder of event files is one, except that train and evaluation folders are together."""
    logs: defaultdict[Path, defaultdict[str, list[Path]]] = defaultdict(lambda: defaultdict(list))
    files = {path for depth in range(DEEPEST) for path in folder.glob("*/" * depth + "*tfevents*") if path.is_file()}
    # The names hold the time at which a file was begun.
    for path in sorted(files):
        where, part = _run_of(path.parent, folder)
        logs[where][part].append(path)
    for where, parts in sorted(logs.items()):
        yield where, _records_of(parts)


def _records_of(parts: Mapping[str, Iterable[Path]]) -> Iterator[Record]:
    """Yield what the event files of one run tell, given by the part of it that they hold."""
    logs: defaultdict[str, _Log] = defaultdict(_Log)
    for part, paths in parts.items():
        for path in paths:
            logs[part].read(Source(str(path), path=path))
    yield from _together(logs).records()


def _run_of(place: Path, top: Path) -> tuple[Path, str]:
    """Return the folder of the run that `place` belongs to, and which part of it `place` holds (empty: the run itself)."""
    if (role := _ROLES.get(place.name.lower())) is not None:
        return place.parent, role
    # SummaryWriter.add_scalars makes a folder of each curve (Loss_train, Loss_val), add_hparams one named by the time.
    if place != top and (canonical(place.name) in _SIDES or re.fullmatch(r"\d{10}(?:\.\d+)?", place.name)):
        return place.parent, place.name
    return place, ""


def _together(parts: dict[str, _Log]) -> _Log:
    """Return one log of a run whose sides were written to folders of their own."""
    whole = _Log()
    for part, log in parts.items():
        whole.settings |= log.settings
        whole.broken += log.broken
        if _BETTER.get(part) in parts:
            continue
        renamed = {tag: new for tag in log.points.tags if (new := _tag_in(part, tag)) is not None}
        whole.points.by_epoch |= {renamed[tag] for tag in log.points.by_epoch if tag in renamed}
        for tag, step, value, time in log.points:
            if tag in renamed:
                whole.points.add(renamed[tag], step, value, time)
    if len(parts) > 1:
        whole.points = whole.points.by_time()
    return whole


def _tag_in(part: str, tag: str) -> str | None:
    """Return the tag under which the run knows what `tag` says in one of its parts: in `validation`, `loss` is `eval_loss`."""
    if part in ("eval", "test"):
        name = canonical(tag) or ""
        if name in _EVALUATED and "train" not in tag.lower():
            return _EVALUATED[name]
        return tag if name else f"eval_{tag}"
    if not part or part in _ROLES.values():
        return tag
    return part if canonical(part) else None


FORMAT = Format(
    name="tensorboard",
    title={"en": "TensorBoard event file or log folder", "zh": "TensorBoard 事件文件或日志目录"},
    read=read,
    # The first record is short and begins with the time: a length below 256, its checksum, then field 1, a double.
    example="runs/Mar01_10-00-00_host/events.out.tfevents.1772359200.host.4711.0",
    magic=(rb"[\x09-\xff]\0{7}.{4}\t.{8}",),
    read_folder=read_folder,
)
