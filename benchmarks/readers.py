"""How fast each format is read, beside the floor of reading the bytes and splitting the lines.

    python benchmarks/readers.py [--megabytes 20] [--json-lines 200]

Every format is written out of its own example, repeated with rising steps until the file is large enough. Prints MB/s for reading
into Runs and for the floor. For JSON lines also the ratio to parsing the same lines with the fastest parser at hand in the same
process, and the peak memory of the whole analysis; holds where the ratio is at most 3 and the peak at most 400 MB.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

LIMIT_RATIO = 3.0
LIMIT_MEGABYTES = 400.0


def json_line(step: int, noise: float) -> str:
    """Return one JSON line of a run."""
    return json.dumps(
        {"step": step, "epoch": step / 200_000, "loss": 2 + 1 / step + noise, "grad_norm": 1 + noise, "learning_rate": 1e-4}
    )


WRITERS: dict[str, Callable[[int, float], str]] = {
    "json-lines": json_line,
    "hf-console": lambda s, n: (
        f"{{'loss': {2 + n:.4f}, 'grad_norm': {1 + n:.4f}, 'learning_rate': 0.0001, 'epoch': {s / 2e5:.5f}}}"
    ),
    "csv": lambda s, n: f"{s / 2e5:.5f},{s},{2 + n:.5f},,0.0001",
    "text": lambda s, n: f"step {s} | loss {2 + n:.4f} | lr 1.00e-04 | grad norm {1 + n:.3f} | 12,345 tok/s",
    "hf-trainer-state": lambda s, n: f'  {{"epoch": {s / 2e5:.5f}, "loss": {2 + n:.4f}, "learning_rate": 0.0001, "step": {s}}},',
}
HEADS = {"csv": "epoch,step,train_loss,val_loss,lr\n", "hf-trainer-state": '{"log_history": [\n'}


def write(path: Path, name: str, size: int) -> None:
    """Write a log of at least `size` bytes."""
    generator = random.Random(0)
    with path.open("w", encoding="utf-8") as stream:
        stream.write(HEADS.get(name, ""))
        step = written = 0
        while written < size:
            step += 1
            written += stream.write(WRITERS[name](step, generator.gauss(0, 0.02)) + "\n")


def timed(work: Callable[[], object]) -> float:
    """Return the CPU seconds that `work` takes."""
    began = time.process_time()
    work()
    return time.process_time() - began


def floor(path: Path) -> int:
    """Read the bytes and split the lines."""
    with path.open("rb") as stream:
        return sum(1 for _ in stream)


def formats(folder: Path, megabytes: float) -> Iterator[tuple[str, float, float]]:
    """Yield (format, MB/s read, MB/s floor)."""
    from advisor.readers import read_path

    for name in WRITERS:
        path = folder / f"{name}.log"
        write(path, name, int(megabytes * 1e6))
        size = path.stat().st_size / 1e6
        runs: list[object] = []
        read = timed(lambda path=path, runs=runs: runs.extend(read_path(path)))  # type: ignore[misc]
        yield name, size / read, size / timed(lambda path=path: floor(path))  # type: ignore[misc]


def large(folder: Path, megabytes: float) -> bool:
    """Analyse a large file of JSON lines; print the ratio to bare parsing and the peak memory."""
    from advisor.engine import diagnose
    from advisor.readers import read_path
    from advisor.readers.blocks import loads
    from advisor.rulebook import load

    path, rules = folder / "large.jsonl", load()
    write(path, "json-lines", int(megabytes * 1e6))

    def parse() -> None:
        with path.open("rb") as stream:
            for line in stream:
                loads(line)

    bare = timed(parse)
    ours = timed(lambda: [diagnose(run, rules) for run in read_path(path)])
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    print(f"{megabytes:.0f} MB of JSON lines: {ours:.2f} s, bare {loads.__module__} {bare:.2f} s, ratio {ours / bare:.2f} "
          f"(limit {LIMIT_RATIO}); peak {peak:.0f} MB (limit {LIMIT_MEGABYTES:.0f})")  # fmt: skip
    return ours / bare <= LIMIT_RATIO and peak <= LIMIT_MEGABYTES


def main() -> int:
    """Run both. Status 1 where a limit does not hold."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--megabytes", type=float, default=20.0, help="size of the file of each format")
    parser.add_argument("--json-lines", type=float, default=200.0, help="size of the large file, in megabytes")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        holds = large(Path(folder), options.json_lines)
        print(f"{'format':18} {'MB/s':>8} {'floor':>8}")
        for name, speed, best in formats(Path(folder), options.megabytes):
            print(f"{name:18} {speed:8.1f} {best:8.0f}")
    return int(not holds)


if __name__ == "__main__":
    sys.exit(main())
