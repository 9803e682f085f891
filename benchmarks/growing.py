"""Logs of any size in every format: each out of its own example, repeated with rising steps.

A text is repeated line by line. What is one document (JSON, a notebook, a database) or binary is written by a function of its own.
"""

from __future__ import annotations

import json
import random
import re
import sqlite3
import struct
from collections.abc import Callable, Iterator
from functools import partial
from itertools import count
from pathlib import Path

from advisor.readers.base import Format

HEAD_LINES = {"advisor-log": 1, "ultralytics": 1, "wandb-chart": 1}
"""Lines of an example that stand only once. Elsewhere these are the lines without a number."""

FILE_NAMES = {"mlflow": "loss"}
"""Formats whose files are known by their names."""

_AXIS = re.compile(
    r"((?:step|iter|epoch|num_updates|batch|checkpoint|Ep\.|Up\.)s?['\"]?\s?[:=\[(]?\s*\[?)(\d+(?:\.\d+)?)(?!\d*\w)", re.IGNORECASE
)
_PLACE_ELSEWHERE = {
    "mlflow": re.compile(r"()(\d+)$"),
    "espnet": re.compile(r"(INFO: |total_count=)(\d+)(?=epoch|,|$)"),
    "ultralytics-console": re.compile(r"^(\s+)(\d+)(?=/\d)"),
}
_FIRST_NUMBER = re.compile(r"^([^\d]*)(\d+(?:\.\d+)?)")
_FRACTION = re.compile(r"(?<!best: )\b\d\.\d+(?!\d*\w)")


def grow(entry: Format, path: Path, size: int) -> None:
    """Write a log of this format of at least `size` bytes."""
    if entry.name in DOCUMENTS:
        DOCUMENTS[entry.name](path, size)
        return
    with path.open("w", encoding="utf-8") as stream:
        written = 0
        for line in repeated(entry):
            written += stream.write(line + "\n")
            if written >= size:
                return


def repeated(entry: Format) -> Iterator[str]:
    """Yield the lines of the example again and again, its places on the axis moved on and its fractions shaken a little."""
    lines = entry.example.splitlines()
    head = HEAD_LINES.get(entry.name, next((i for i, line in enumerate(lines) if re.search(r"\d", line)), 0))
    yield from lines[:head]
    body, generator = lines[head:], random.Random(0)
    place = _PLACE_ELSEWHERE.get(entry.name) or (_AXIS if any(map(_AXIS.search, body)) else _FIRST_NUMBER)
    period = max(float(found[2]) for line in body for found in place.finditer(line)) or 1.0

    for times in count():
        for line in body:
            places = [found.span() for found in place.finditer(line)]
            shaken = _FRACTION.sub(partial(_shaken, places=places, generator=generator), line)
            yield place.sub(partial(_moved, by=times * period), shaken)


def _moved(found: re.Match[str], by: float) -> str:
    """Return a place on the axis, farther on."""
    return found[1] + (f"{float(found[2]) + by:.2f}" if "." in found[2] else f"{float(found[2]) + by:.0f}")


def _shaken(found: re.Match[str], places: list[tuple[int, int]], generator: random.Random) -> str:
    """Return the number with other decimals, as many as it had and no smaller; a place on the axis as it is."""
    if any(begin < found.end() and found.start() < end for begin, end in places):
        return found[0]
    whole, _, decimals = found[0].partition(".")
    return f"{whole}.{generator.randrange(int(decimals), 10 ** len(decimals)):0{len(decimals)}d}"


def _entries(size: int, bytes_each: int) -> Iterator[tuple[int, float]]:
    """Yield (step, loss) for as many entries of so many bytes as make `size`."""
    generator = random.Random(0)
    for step in range(1, size // bytes_each + 2):
        yield step, round(2 + 1 / step + generator.gauss(0, 0.02), 4)


def _trainer_state(path: Path, size: int) -> None:
    history = [
        {"epoch": s / 200, "grad_norm": 1.5, "learning_rate": 1e-4, "loss": loss, "step": s} for s, loss in _entries(size, 130)
    ]
    path.write_text(json.dumps({"global_step": len(history), "log_history": history}, indent=2), encoding="utf-8")


def _array(path: Path, size: int) -> None:
    path.write_text(json.dumps([{"step": step, "loss": loss} for step, loss in _entries(size, 29)]), encoding="utf-8")


def _columns(path: Path, size: int) -> None:
    losses = [loss for _, loss in _entries(size, 16)]
    path.write_text(json.dumps({"loss": losses, "val_loss": losses}), encoding="utf-8")


def _notebook(path: Path, size: int) -> None:
    rows = [f"<tr><td>{step}</td><td>{loss}</td></tr>\n" for step, loss in _entries(size, 44)]
    html = ["<table><tr><th>Step</th><th>Training Loss</th></tr>\n", *rows, "</table>"]
    cell = {"cell_type": "code", "outputs": [{"data": {"text/html": html}, "output_type": "display_data"}]}
    path.write_text(json.dumps({"cells": [cell], "nbformat": 4}), encoding="utf-8")


def _field(number: int, payload: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(payload)) + payload


def _varint(value: int) -> bytes:
    parts = []
    while value > 0x7F:
        parts.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*parts, value])


def _tensorboard(path: Path, size: int) -> None:
    with path.open("wb") as stream:
        for step, loss in _entries(size, 60):
            value = _field(1, b"train/loss") + b"\x15" + struct.pack("<f", loss)
            event = b"\x09" + struct.pack("<d", 1.7e9 + step) + b"\x10" + _varint(step) + _field(5, _field(1, value))
            stream.write(struct.pack("<QI", len(event), 0) + event + bytes(4))


def _wandb(path: Path, size: int) -> None:
    def record(step: int, loss: float) -> bytes:
        items = ((b"train/loss", repr(loss)), (b"train/global_step", str(step)))
        return _field(2, b"".join(_field(1, _field(1, key) + _field(16, value.encode())) for key, value in items))

    _leveldb(path, b":W&B\xe1\xbe\0", (record(*entry) for entry in _entries(size, 62)))


def _swanlab(path: Path, size: int) -> None:
    def record(step: int, loss: float) -> bytes:
        number = _field(5, b"\x09" + struct.pack("<d", loss))
        return _field(13, _field(1, b"train/loss") + b"\x10" + _varint(step) + number)

    _leveldb(path, b":SWL\xd6\xe1\x02", (record(*entry) for entry in _entries(size, 38)))


def _leveldb(path: Path, header: bytes, records: Iterator[bytes]) -> None:
    """Write chunks that end with their block of 32 kB, so that none is cut in two."""
    block, chunk_header = 1 << 15, 7
    with path.open("wb") as stream:
        room = block - stream.write(header)
        for record in records:
            chunk = bytes(4) + len(record).to_bytes(2, "little") + b"\x01" + record
            if len(chunk) > room - chunk_header:
                stream.write(bytes(room))
                room = block
            room -= stream.write(chunk)


def _mlflow_database(path: Path, size: int) -> None:
    sample = Path(__file__).parent.parent / "sample_logs/formats/mlflow/mlflow.db"
    path.write_bytes(sample.read_bytes())
    with sqlite3.connect(path) as database:
        run, last = database.execute("SELECT run_uuid, max(step) FROM metrics WHERE key = 'loss'").fetchone()
        database.executemany(
            "INSERT INTO metrics (key, value, timestamp, run_uuid, step, is_nan) VALUES ('loss', ?, ?, ?, ?, 0)",
            ((loss, 1_800_000_000_000 + step, run, last + step) for step, loss in _entries(size, 130)),
        )
    database.close()


def _trackio(path: Path, size: int) -> None:
    sample = Path(__file__).parent.parent / "sample_logs/formats/trackio/formats.db"
    path.write_bytes(sample.read_bytes())
    with sqlite3.connect(path) as database:
        *run, last = database.execute("SELECT run_id, run_name, max(step) FROM metrics").fetchone()
        database.executemany(
            "INSERT INTO metrics (timestamp, run_id, run_name, step, metrics) VALUES ('2026-01-01T00:00:00', ?, ?, ?, ?)",
            ((*run, last + step, json.dumps({"loss": loss})) for step, loss in _entries(size, 130)),
        )
    database.close()


DOCUMENTS: dict[str, Callable[[Path, int], None]] = {
    "hf-trainer-state": _trainer_state,
    "json-array": _array,
    "json-document": _columns,
    "notebook": _notebook,
    "tensorboard": _tensorboard,
    "wandb": _wandb,
    "swanlab": _swanlab,
    "mlflow-database": _mlflow_database,
    "trackio": _trackio,
}
