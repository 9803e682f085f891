"""SwanLab: the `.swanlab` file of a run, which it writes whether the run goes to a cloud or not, and run folders.

Its records are messages of Protocol Buffers, or until 2025 JSON.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from advisor.model import Event, Value
from advisor.readers.base import Format, Record, Settings, Source, Unread
from advisor.readers.clean import number
from advisor.readers.console import printed
from advisor.readers.leveldb import records
from advisor.readers.objects import parse_object, scalars
from advisor.readers.points import LARGEST_STEP, Points
from advisor.readers.streams import BROKEN_ARCHIVE
from advisor.readers.wire import BrokenMessage, FieldValue, fields, floating, raw, signed, text

_OF_THE_MACHINE = "__swanlab__"
_START, _SCALAR, _LOG = 10, 13, 16
_NAME, _LINE = 4, 1
_KEY, _STEP, _TIME, _VALUE = 1, 2, 4, 5
_NUMBER, _SECONDS, _NANOSECONDS = 1, 1, 2


def read(source: Source) -> Iterator[Record]:
    """Yield the configuration and the numbers of a run. A file cut in the middle gives what it still holds.

    The console output that the file keeps is read for errors.
    """
    points, settings, console, broken = Points(), _config(source.path), list[str](), 0
    with source.open() as stream, suppress(*BROKEN_ARCHIVE):
        for record in records(stream):
            try:
                if record.startswith(b"{"):
                    _json(record, points, settings, console)
                    continue
                for part, value in fields(record):
                    if part == _SCALAR:
                        _scalar(dict(fields(raw(value))), points)
                    elif part == _LOG:
                        console += (text(line) for key, line in fields(raw(value)) if key == _LINE)
                    elif part == _START and _NAME in (start := dict(fields(raw(value)))):
                        settings["run_name"] = text(start[_NAME])
            except BrokenMessage:
                broken += 1
    if settings:
        yield Settings(settings)
    yield from points.rows()
    for line in printed("\n".join(console)):
        if isinstance(line, Event):
            yield replace(line, line=0)
    for _ in range(broken):
        yield Unread(0)


def _json(record: bytes, points: Points, settings: dict[str, Value], console: list[str]) -> None:
    """Take a record of the earlier form. Raises BrokenMessage where it is none."""
    entry = parse_object(record.decode("utf-8", errors="replace"))
    data = entry.get("data") if entry else None
    if entry is None or not isinstance(data, dict):
        raise BrokenMessage("an object was expected")
    kind = entry.get("model_type")
    if kind == "Scalar" and isinstance(metric := data.get("metric"), dict):
        key, step, value = data.get("key"), data.get("step"), metric.get("data")
        if isinstance(key, str) and isinstance(step, int) and (measured := number(str(value))) is not None:
            _add(points, key, step, measured, 0.0)
    elif kind == "Experiment" and isinstance(name := data.get("name"), str):
        settings["run_name"] = name
    elif kind == "Log":
        console.append(str(data.get("message", "")))


def _scalar(record: Mapping[int, FieldValue], points: Points) -> None:
    """Add a number; a field that holds zero is not written."""
    value = dict(fields(raw(record.get(_VALUE, b""))))
    time = dict(fields(raw(record.get(_TIME, b""))))
    seconds = signed(time.get(_SECONDS, 0)) + signed(time.get(_NANOSECONDS, 0)) / 1e9
    measured = floating(value[_NUMBER]) if _NUMBER in value else 0.0
    _add(points, text(record.get(_KEY, b"")), signed(record.get(_STEP, 0)), measured, seconds)


def _add(points: Points, key: str, step: int, value: float, time: float) -> None:
    if not key.startswith(_OF_THE_MACHINE) and abs(step) < LARGEST_STEP:
        points.add(key, step, value, time)


def _config(path: Path | None) -> dict[str, Value]:
    """Return the settings that SwanLab keeps beside the run, each as `{desc, sort, value}`."""
    if path is None:
        return {}
    try:
        found = YAML(typ="safe", pure=True).load((path.parent / "files" / "config.yaml").read_text(encoding="utf-8"))
    except (OSError, ValueError, YAMLError, RecursionError):
        return {}
    entries = found.items() if isinstance(found, dict) else ()
    return scalars({str(key): entry["value"] for key, entry in entries if isinstance(entry, dict) and "value" in entry})


def read_folder(folder: Path) -> Iterator[tuple[Path, Iterator[Record]]]:
    """Yield the runs of a run folder, or of the `swanlog` folder that holds those."""
    for pattern in ("*.swanlab", "run-*/*.swanlab", "swanlog/run-*/*.swanlab"):
        files = [path for path in sorted(folder.glob(pattern)) if path.is_file()]
        for path in files:
            source = Source(str(path), path=path)
            if FORMAT.recognises(source):
                yield path, read(source)
        if files:
            return


FORMAT = Format(
    name="swanlab",
    title={"en": "SwanLab run file or folder", "zh": "SwanLab 运行文件或目录"},
    read=read,
    magic=(rb":SWL",),
    example="swanlog/run-20260301_100000-calm7sun/run-calm7sun.swanlab",
    read_folder=read_folder,
)
