"""MLflow: a metric's file, a run folder, a whole `mlruns`, and the database `mlflow.db`."""

from __future__ import annotations

import re
import sqlite3
import statistics
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing
from itertools import groupby
from pathlib import Path

from advisor.errors import UnreadableLog
from advisor.model import Value
from advisor.readers.base import Format, NewRun, Record, Row, Settings, Source, Unread
from advisor.readers.names import canonical, normalise
from advisor.readers.points import Points
from advisor.readers.streams import BROKEN_ARCHIVE, SUFFIXES

_LINE = re.compile(r"(\d{10,16}) (\S+) (-?\d{1,18})(?: .*)?")
_RUN_NAME = re.compile(r"^run_name: *['\"]?(.*?)['\"]?$", re.MULTILINE)
_MAX_PARAMETER = 500
_NAMED = frozenset(
    {
        "acc", "accuracy", "f1", "auc", "precision", "recall", "bleu", "rouge", "reward", "score", "epoch", "step",
        "rate", "lr", "norm", "time", "runtime", "second", "seconds", "flos", "memory", "gpu", "cpu", "loss",
        "perplexity", "ppl", "kl", "entropy", "error", "mse", "mae", "rmse", "wer", "cer",
    }
)  # fmt: skip
"""Words that say what a metric is: a lone file with one of them in its name is not taken for something else."""
SMALLEST_LOSS = 0.01
"""A series that never leaves the numbers below it looks like a learning rate."""
FALLS_BY = 0.02
"""A lone metric without a name is taken for a loss only where its last third lies this share below its first."""
MILLISECONDS = 1000.0
"""MLflow stamps points in milliseconds."""
_RUNS = "SELECT run_uuid, name FROM runs WHERE lifecycle_stage IS NOT 'deleted' ORDER BY start_time, run_uuid"
_METRICS = "SELECT run_uuid, key, value, timestamp, step, is_nan FROM metrics ORDER BY run_uuid, timestamp, step"
_PARAMETERS = "SELECT run_uuid, key, value FROM params"


def read(source: Source) -> Iterator[Record]:
    """Yield the rows of one metric's file. Its name is the metric's: the path below `metrics/`, else the file's own name."""
    points, unread = Points(), list[Record]()
    named = _name(source.path) if source.path else ""
    lines: list[int] = []
    for line, content in source.lines():
        if not content.strip():
            continue
        if _add(points, named, content):
            lines.append(line)
        else:
            unread.append(Unread(line))
    name = (canonical(named) or named) if named else _guess(points)
    for line, (_, step, value, _) in zip(lines, points, strict=True):
        if name != "epoch":
            yield Row(line, {"step": float(step), name: value})
    yield from unread


def _name(path: Path) -> str:
    """Return the metric's name, empty where the file name does not say it."""
    parts = path.parts
    if "metrics" in parts[:-1]:
        return "/".join(parts[len(parts) - parts[::-1].index("metrics") :])
    stem = path.name.removesuffix(".txt")
    return stem if canonical(stem) or not _NAMED.isdisjoint(normalise(stem).split("_")) else ""


def _guess(points: Points) -> str:
    """Return what the values of a lone, nameless metric are taken for: `train_loss`, unless they look like anything else."""
    values, steps = list(points.value), list(points.step)
    third = max(1, len(values) // 3)
    first, last = statistics.median(values[:third] or [0.0]), statistics.median(values[-third:] or [0.0])
    if not last < first * (1 - FALLS_BY) or min(steps) == max(steps):
        return "unknown"
    return "train_loss" if max(values) > SMALLEST_LOSS else "learning_rate"


def _add(points: Points, name: str, line: str) -> bool:
    """Add the point of a line `<timestamp> <value> <step>`; tell whether it is one."""
    found = _LINE.fullmatch(line.strip())
    try:
        value = float(found[2]) if found else None
    except ValueError:
        value = None
    if found is None or value is None:
        return False
    points.add(name, int(found[3]), value, float(found[1]) / MILLISECONDS)
    return True


def read_folder(folder: Path) -> Iterator[tuple[Path, Iterator[Record]]]:
    """Yield the runs of a run folder, an experiment's folder, `mlruns`, or a project that holds it or `mlflow.db`."""
    if folder.name == "metrics":
        folder = folder.parent
    for depth in ("metrics", "*/metrics", "*/*/metrics", "mlruns/*/*/metrics"):
        runs = [m.parent for m in sorted(folder.glob(depth)) if m.is_dir() and not _hidden(m.relative_to(folder))]
        found = [run for run in runs if any(_is_metric(path) for path in (run / "metrics").rglob("*"))]
        yield from ((run, _run(run)) for run in found)
        if found:
            return
    database = folder / "mlflow.db"
    if database.is_file():
        source = Source(str(database), path=database)
        if DATABASE.recognises(source):
            yield database, read_database(source)


def _hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)


def _is_metric(path: Path) -> bool:
    return path.is_file() and FORMAT.recognises(Source(str(path), path=path))


def _run(run: Path) -> Iterator[Record]:
    """Yield the parameters and the rows of a run folder."""
    points, unread = Points(), 0
    for path in sorted((run / "metrics").rglob("*")):
        if _is_metric(path):
            for _, line in Source(str(path), path=path).lines():
                unread += not _add(points, _name(path), line)
    settings: dict[str, Value] = {}
    for path in sorted((run / "params").glob("*")):
        if path.is_file() and path.stat().st_size <= _MAX_PARAMETER:
            settings |= _parameter(path.name, path.read_text(encoding="utf-8", errors="replace"))
    meta = run / "meta.yaml"
    if meta.is_file() and (named := _RUN_NAME.search(meta.read_text(encoding="utf-8", errors="replace"))):
        settings["run_name"] = named[1]
    yield Settings(settings)
    yield from points.by_time().rows()
    for _ in range(unread):
        yield Unread(0)


def _parameter(name: str, value: str) -> Mapping[str, Value]:
    """Return a parameter, which MLflow keeps as text, as the number, the truth value or the text it was."""
    value = value.strip()
    if value in ("", "None"):
        return {}
    if value in ("True", "False"):
        return {name: value == "True"}
    for kind in (int, float):
        try:
            return {name: kind(value)}
        except ValueError:
            continue
    return {name: value}


def read_database(source: Source) -> Iterator[Record]:
    """Yield the runs of the database that hold a loss. Raises UnreadableLog where the file is damaged or no MLflow database."""
    try:
        with closing(open_database(source)) as database:
            kinds = dict(database.execute("SELECT name, sql FROM sqlite_master WHERE type = 'table'"))
            if not all(str(kinds.get(table, "")).startswith("CREATE TABLE") for table in ("runs", "metrics", "params")):
                raise UnreadableLog(f"{source.name}: an SQLite database, but not MLflow's; give `mlflow.db` or a log file")
            yield from _database(database)
    except (sqlite3.Error, OverflowError, ValueError, *BROKEN_ARCHIVE) as error:
        raise UnreadableLog(f"{source.name}: a database that cannot be read ({error}); is it whole?") from error


def open_database(source: Source) -> sqlite3.Connection:
    """Return the database, open for reading only; whatever its schema says, nothing of it is run."""
    if source.path is None or source.path.name.endswith(SUFFIXES):
        database = sqlite3.connect(":memory:")
        with source.open() as stream:
            database.deserialize(stream.read())
    else:
        # Without a writer's journal beside it nothing changes the file; told so, SQLite writes none to read it.
        place = source.path.resolve()
        mode = "mode=ro" if place.with_name(f"{place.name}-wal").exists() else "immutable=1"
        database = sqlite3.connect(f"{place.as_uri()}?{mode}", uri=True)
    database.text_factory = lambda data: data.decode("utf-8", errors="replace")
    database.execute("PRAGMA trusted_schema = OFF")
    return database


def _database(database: sqlite3.Connection) -> Iterator[Record]:
    points: dict[str, Points] = {}
    for run, rows in groupby(database.execute(_METRICS), key=lambda row: str(row[0])):
        points[run] = Points()
        for _, key, value, time, step, is_nan in rows:
            if isinstance(value, int | float) and isinstance(step, int) and isinstance(time, int):
                points[run].add(str(key), step, float("nan") if is_nan else _unbounded(float(value)), time / MILLISECONDS)
    settings: dict[str, dict[str, Value]] = {}
    for run, key, value in database.execute(_PARAMETERS):
        settings.setdefault(str(run), {}).update(_parameter(str(key), str(value)))
    for run, name in database.execute(_RUNS):
        rows_of_run = list(points[run].rows()) if run in points else []
        if rows_of_run:
            yield NewRun(0)
            yield Settings({**settings.get(run, {}), "run_name": str(name or run)})
            yield from rows_of_run


def _unbounded(value: float) -> float:
    """Return infinity for the largest number, which stands for it in the database."""
    return value if abs(value) < sys.float_info.max else float("inf") * (1 if value > 0 else -1)


FORMAT = Format(
    name="mlflow",
    title={"en": "MLflow metric file or run folder", "zh": "MLflow 指标文件或运行目录"},
    read=read,
    read_folder=read_folder,
    head=(r"\A\d{10,16} [-+\d.eEnaifNAIFy]+ -?\d+\s*$",),
    example="1719146596978 1.2654 500\n1719147058080 1.1697 1000\n1719147288767 0.9913 1500",
)
DATABASE = Format(
    name="mlflow-database",
    title={"en": "MLflow database", "zh": "MLflow 数据库"},
    read=read_database,
    magic=(rb"SQLite format 3\0",),
    example="mlflow.db",
)
