"""Weights & Biases: the `.wandb` file of a run (also of an offline one), run folders, and the CSV files that charts export."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from advisor.model import Event, Value
from advisor.readers.base import Format, NewRun, Record, Row, Settings, Source, Unread
from advisor.readers.clean import number
from advisor.readers.console import printed
from advisor.readers.leveldb import records
from advisor.readers.names import AXES, canonical, canonical_keys, is_loss_like
from advisor.readers.objects import scalars
from advisor.readers.points import LARGEST_STEP, Points
from advisor.readers.streams import BROKEN_ARCHIVE
from advisor.readers.table import cells_of
from advisor.readers.wire import BrokenMessage, fields, floating, raw, signed, text

_HISTORY, _CONFIG, _OUTPUT, _RUN = 2, 5, 13, 17
_OUTPUT_LINE = 3
_ITEM, _STEP = 1, 2
_KEY, _NESTED_KEY, _INTEGER, _NUMBER, _JSON = 1, 2, 5, 6, 16
_RUN_CONFIG, _RUN_NAME = 4, 8
_TIMES = ("_timestamp", "_runtime")
_SPECIAL = ("NaN", "Infinity", "-Infinity")
_BOUNDS = ("__MIN", "__MAX")
_CHART_AXES = (["Step"], ["Relative Time (Process)"], ["Relative Time (Wall)"], ["Wall Time"], ["train/global_step"])


def read(source: Source) -> Iterator[Record]:
    """Yield the configuration and the history. A file cut in the middle gives what it still holds; a summary is no point.

    The console output that the file keeps is read for errors, and for the curve where none was logged.
    """
    points, settings, console, broken = Points(), dict[str, Value](), list[str](), 0
    with source.open() as stream, suppress(*BROKEN_ARCHIVE):
        for record in records(stream):
            try:
                for part, value in fields(record):
                    if part == _HISTORY:
                        _history(raw(value), points)
                    elif part == _OUTPUT:
                        console += (text(line) for key, line in fields(raw(value)) if key == _OUTPUT_LINE)
                    elif part == _CONFIG:
                        settings |= _config(raw(value))
                    elif part == _RUN:
                        settings |= _run(raw(value))
            except BrokenMessage:
                broken += 1
    if settings:
        yield Settings(settings)
    rows = list(points.rows())
    yield from rows
    for line in printed("".join(console)):
        # What was printed repeats what was logged; where nothing was, it is all there is.
        if isinstance(line, Event) or (isinstance(line, Row) and not rows):
            yield replace(line, line=0)
    for _ in range(broken):
        yield Unread(0)


def _history(message: bytes, points: Points) -> None:
    """Add one step of the history. `_step` counts calls of `wandb.log`; a step that the run itself names is the better one."""
    found: dict[str, float] = {}
    step = 0.0
    for part, value in fields(message):
        if part == _ITEM:
            key, content = _item(raw(value))
            if (measured := _as_float(content)) is not None:
                found[key] = measured
        elif part == _STEP:
            step = float(signed(dict(fields(raw(value))).get(1, 0)))
    step = found.pop("_step", step)
    times = [found.pop(key) for key in _TIMES if key in found]
    for key, name in canonical_keys(tuple(found)):
        if name == "step":
            step = found.pop(key)
    for key, measured in found.items():
        points.add(key, int(step) if abs(step) < LARGEST_STEP else 0, measured, times[0] if times else 0.0)


def _as_float(content: object) -> float | None:
    """Return a number as it was logged; NaN and the infinities are written as texts."""
    if isinstance(content, str):
        return float(content) if content in _SPECIAL else None
    if isinstance(content, int | float) and not isinstance(content, bool):
        try:
            return float(content)
        except OverflowError:
            return None
    return None


def _item(message: bytes) -> tuple[str, object]:
    """Return key and value of an item; the value is JSON, or since 2026 also a typed number."""
    keys: list[str] = []
    content: object = None
    for part, value in fields(message):
        if part in (_KEY, _NESTED_KEY):
            keys.append(text(value))
        elif part == _JSON:
            try:
                content = json.loads(raw(value))
            except (ValueError, RecursionError):
                content = None
        elif part == _INTEGER:
            zigzag = signed(value)
            content = (zigzag >> 1) ^ -(zigzag & 1)
        elif part == _NUMBER:
            content = floating(value)
    return "/".join(k for k in keys if k), content


def _config(message: bytes) -> dict[str, Value]:
    items = (_item(raw(value)) for part, value in fields(message) if part == 1)
    return scalars({key: content for key, content in items if not key.startswith("_")})


def _run(message: bytes) -> dict[str, Value]:
    found: dict[str, Value] = {}
    for part, value in fields(message):
        if part == _RUN_CONFIG:
            found |= _config(raw(value))
        elif part == _RUN_NAME:
            found["run_name"] = text(value)
    return found


def read_folder(folder: Path) -> Iterator[tuple[Path, Iterator[Record]]]:
    """Yield the runs of a run folder (`run-<id>.wandb` in it), or of the `wandb` folder that holds those."""
    for pattern in ("*.wandb", "*run-*/*.wandb", "wandb/*run-*/*.wandb"):
        # `latest-run` is a link to one of the others.
        files = [path for path in sorted(folder.glob(pattern)) if path.is_file() and not path.parent.is_symlink()]
        for path in files or ():
            source = Source(str(path), path=path)
            if FORMAT.recognises(source):
                yield path, read(source)
        if files:
            return


def _header(head: str) -> tuple[list[str], dict[int, tuple[str, str]]] | None:
    """Return the columns of an exported chart, and run and quantity by column: `calm-sun-3 - train/loss`; None for other files."""
    first = head.partition("\n")[0].removeprefix("\ufeff")
    if " - " not in first:
        return None
    columns = cells_of(first, ",")
    meant: dict[int, tuple[str, str]] = {}
    for index, column in enumerate(columns):
        run, dash, metric = column.rpartition(" - ")
        name = canonical(metric)
        if dash and name is not None and not metric.startswith("_"):
            meant[index] = (run, name)
    chart = columns[:1] in _CHART_AXES or any(c.endswith(_BOUNDS) for c in columns)
    return (columns, meant) if chart and is_loss_like(name for _, name in meant.values()) else None


def read_chart(source: Source) -> Iterator[Record]:
    """Yield the runs of an exported chart, one after the other; the smoothed bounds `__MIN` and `__MAX` are none of theirs."""
    found = _header(source.head)
    if found is None:
        return
    columns, meant = found
    axis = canonical(columns[0])
    rows: defaultdict[str, list[Row]] = defaultdict(list)
    unread: list[Record] = []
    for line, content in source.lines():
        cells = cells_of(content, ",")
        if line == 1 or not content.strip():
            continue
        if len(cells) != len(columns):
            unread.append(Unread(line))
            continue
        values: defaultdict[str, dict[str, float]] = defaultdict(dict)
        for index, (run, name) in meant.items():
            if (measured := number(cells[index])) is not None:
                values[run][name] = measured
        place = number(cells[0]) if axis in AXES else None
        for run, measured_here in values.items():
            rows[run].append(Row(line, measured_here if place is None else {str(axis): place, **measured_here}))
    for run, measured_rows in rows.items():
        yield NewRun(measured_rows[0].line)
        yield Settings({"run_name": run})
        yield from measured_rows
    yield from unread


class _Chart(Format):
    """A chart's table is recognised by its header, which no single pattern describes."""

    def recognises(self, source: Source) -> bool:
        return _header(source.head) is not None


FORMAT = Format(
    name="wandb",
    title={"en": "W&B run file or folder", "zh": "W&B 运行文件或目录"},
    read=read,
    magic=(rb":W&B",),
    example="wandb/offline-run-20260301_100000-calm7sun/run-calm7sun.wandb",
    read_folder=read_folder,
)
CHART = _Chart(
    name="wandb-chart",
    title={"en": "CSV exported from a W&B chart", "zh": "W&B 图表导出的 CSV"},
    read=read_chart,
    example='"Step","calm-sun-3 - train/loss","calm-sun-3 - train/loss__MIN","calm-sun-3 - train/loss__MAX"\n'
    '"10","2.31","2.31","2.31"\n"20","2.05","2.05","2.05"',
)
