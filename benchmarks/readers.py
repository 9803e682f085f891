"""How fast each format is read, beside the floor of reading the bytes and splitting the lines.

    python benchmarks/readers.py [--megabytes 5] [--json-lines 200] [--repeat 5]

Every format is written out of its own example, repeated with rising steps until the file is large enough. Prints MB/s of CPU time
for reading into Runs and for the floor, and how many points were read. For JSON lines also the ratio of the whole analysis to
parsing the same lines with the fastest parser at hand in the same process, taken in turns, and the peak memory; holds where the
median ratio is at most 3 and the peak at most 400 MB.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from growing import DOCUMENTS, FILE_NAMES, grow  # type: ignore[import-not-found]  # beside this script

LIMIT_RATIO = 3.0
LIMIT_MEGABYTES = 400.0


def write_json_lines(path: Path, size: int) -> None:
    """Write a log of at least `size` bytes as trainers write it: five numbers a line."""
    generator = random.Random(0)
    with path.open("w", encoding="utf-8") as stream:
        step = written = 0
        while written < size:
            step += 1
            noise = generator.gauss(0, 0.02)
            entry = {
                "step": step,
                "epoch": step / 200_000,
                "loss": 2 + 1 / step + noise,
                "grad_norm": 1 + noise,
                "learning_rate": 1e-4,
            }
            written += stream.write(json.dumps(entry) + "\n")


def timed(work: Callable[[], object]) -> float:
    """Return the CPU seconds that `work` takes."""
    began = time.process_time()
    work()
    return time.process_time() - began


def floor(path: Path) -> int:
    """Read the bytes and split the lines."""
    with path.open("rb") as stream:
        return sum(1 for _ in stream)


def every_format(folder: Path, megabytes: float) -> bool:
    """Print how fast each format is read. False where one could not be grown, or its log was read as another format."""
    from advisor.model import Run
    from advisor.readers import formats, read_path

    good = True
    print(f"{'format':18} {'MB':>6} {'MB/s':>8} {'floor':>8} {'points':>9}")
    for entry in formats():
        if not entry.example and entry.name not in DOCUMENTS:
            print(f"{entry.name:18} has no example and no function in growing.py")
            good = False
            continue
        path = folder / FILE_NAMES.get(entry.name, f"{entry.name}.log")
        grow(entry, path, int(megabytes * 1e6))
        size = path.stat().st_size / 1e6
        runs: list[Run] = []
        speed = size / timed(lambda path=path, runs=runs: runs.extend(read_path(path)))  # type: ignore[misc]
        points = sum(len(series) for run in runs for series in run.series.values())
        best = size / timed(lambda path=path: floor(path))  # type: ignore[misc]
        print(f"{entry.name:18} {size:6.1f} {speed:8.1f} {best:8.0f} {points:9,}")
        path.unlink()
        if {run.reader for run in runs} != {entry.name}:
            print(f"{'':18} was read as {', '.join(sorted({run.reader for run in runs}))}")
            good = False
    return good


def large(folder: Path, megabytes: float, repeat: int) -> bool:
    """Analyse a large file of JSON lines; print the ratio to bare parsing and the peak memory."""
    from advisor.engine import diagnose
    from advisor.readers import read_path
    from advisor.readers.blocks import loads
    from advisor.rulebook import load

    path, rules = folder / "large.jsonl", load()
    write_json_lines(path, int(megabytes * 1e6))

    def parse() -> None:
        with path.open("rb") as stream:
            for line in stream:
                loads(line)

    pairs = [(timed(parse), timed(lambda: [diagnose(run, rules) for run in read_path(path)])) for _ in range(repeat)]
    bare, ours = (statistics.median(pair[i] for pair in pairs) for i in (0, 1))
    ratios = sorted(mine / theirs for theirs, mine in pairs)
    ratio = statistics.median(ratios)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    print(
        f"{megabytes:.0f} MB of JSON lines: {ours:.2f} s, bare {loads.__module__} {bare:.2f} s, "
        f"ratio {ratio:.2f} (from {ratios[0]:.2f} to {ratios[-1]:.2f}, limit {LIMIT_RATIO}); "
        f"peak {peak:.0f} MB (limit {LIMIT_MEGABYTES:.0f})"
    )
    return ratio <= LIMIT_RATIO and peak <= LIMIT_MEGABYTES


def main() -> int:
    """Run both. Status 1 where a limit does not hold."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--megabytes", type=float, default=5.0, help="size of the file of each format")
    parser.add_argument("--json-lines", type=float, default=200.0, help="size of the large file, in megabytes")
    parser.add_argument("--repeat", type=int, default=5, help="times that the large file is analysed")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        holds = large(Path(folder), options.json_lines, options.repeat)
        holds &= every_format(Path(folder), options.megabytes)
    return int(not holds)


if __name__ == "__main__":
    sys.exit(main())
