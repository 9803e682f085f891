"""How fast training data are validated, beside the bare parse that nobody can go below.

    python benchmarks/data.py [FILE.jsonl] [--rows 200000] [--repeat 5]

Without a file it writes one of about 1.1 kB a row, a quarter of it Chinese. Prints CPU seconds (minimum over the repeats, in turns)
and MB/s of: `orjson.loads` of every line and nothing else; validation (every line parsed, checked against its schema, its place
known); and the whole check without the search for nearly equal rows. Holds where validation runs at 0.45 of the bare parse or more.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import orjson

from advisor.data.reading import Reading
from advisor.data.sources import files_of
from advisor.data.survey import survey

LIMIT = 0.45
WORDS = (
    "the",
    "tide",
    "rises",
    "along",
    "quay",
    "where",
    "old",
    "boats",
    "wait",
    "for",
    "rope",
    "lamp",
    "oil",
    "bread",
    "and",
    "crew",
)
HAN = "潮水沿着码头慢慢上涨旧船在等缆绳灯油面包和一班知道风的名字的人"


def write(path: Path, rows: int) -> None:
    """Write `rows` questions and answers, the same ones every time."""
    chance = random.Random(1)
    with path.open("w", encoding="utf-8") as stream:
        for number in range(rows):
            text = " ".join(chance.choices(WORDS, k=190)) if number % 4 else "".join(chance.choices(HAN, k=330))
            row = {"context": f"{number}: {text[:120]}?", "target": text[120:] + "."}
            stream.write(json.dumps(row, ensure_ascii=False) + "\n")


def bare(path: Path) -> None:
    """Parse every line, and nothing else."""
    with path.open("rb") as stream:
        for line in stream:
            try:
                orjson.loads(line)
            except orjson.JSONDecodeError:
                continue


def validate(path: Path) -> None:
    """Read every record as the checks and the trainer do."""
    (file,) = files_of([path])
    for _ in Reading(file, lambda _problem: None):
        pass


def check(path: Path) -> None:
    """Look at everything but nearly equal rows."""
    survey([path])


def main() -> int:
    """Measure and print; status 1 where the limit does not hold."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", nargs="?", type=Path)
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--repeat", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = options.file or Path(folder) / "rows.jsonl"
        if options.file is None:
            write(path, options.rows)
        tasks: dict[str, Callable[[Path], None]] = {"bare parse": bare, "validation": validate}
        best = dict.fromkeys(tasks, float("inf"))
        for _ in range(options.repeat):
            for name, task in tasks.items():
                best[name] = min(best[name], seconds(task, path))
        best["whole check"] = seconds(check, path)
        size = path.stat().st_size / 1e6
        for name, time_taken in best.items():
            print(f"{name:12} {time_taken:7.2f} s CPU  {size / time_taken:7.0f} MB/s")
        ratio = best["bare parse"] / best["validation"]
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"validation runs at {ratio:.2f} of the bare parse (limit {LIMIT}); {size:.0f} MB, peak memory {peak:.0f} MB")
    return int(ratio < LIMIT)


def seconds(task: Callable[[Path], None], path: Path) -> float:
    """Return the CPU time of one run."""
    start = time.process_time()
    task(path)
    return time.process_time() - start


if __name__ == "__main__":
    sys.exit(main())
