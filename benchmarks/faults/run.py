"""Train runs with planted faults and healthy twins: `python benchmarks/faults/run.py --out DIR` (needs the extras train and demo).

Leaves `logs/<task>-<fault>-<seed>.jsonl.gz` (schema `advisor.log/1`) and `truth.tsv`, which `benchmarks/faults/score.py` reads. A
run takes about ten seconds of one CPU core; each worker process trains on one thread. What is there already is not made again.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
import os
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

from advisor_trainer.demo.faults import FAULTS, HEALTHY, Fault
from advisor_trainer.demo.tasks import TASKS

HERE = Path(__file__).resolve().parent
COLUMNS = ("file", "planted", "accepted_causes", "scored", "task", "seed")
TIMES = ("time", "tokens_per_second")
"""What a machine that others use as well makes meaningless, and is left out."""

DIGITS = {"loss": 6, "eval_loss": 6, "learning_rate": 7, "grad_norm": 4, "epoch": 5}
"""Significant digits kept of each number: more than any measurement needs."""


@dataclass(frozen=True)
class Planned:
    """One run to be trained."""

    task: str
    fault: str
    seed: int

    @property
    def file(self) -> str:
        """The name of its log."""
        return f"{self.task}-{self.fault}-{self.seed}.jsonl.gz"


def fault_named(name: str) -> Fault:
    """Return the fault or the healthy twin of this name."""
    return FAULTS.get(name) or next(twin for twin in HEALTHY if twin.name == name)


def plan(per_fault: int, seeds: int, first_seed: int) -> list[Planned]:
    """Return the runs: every fault in `per_fault` tasks with one seed, every healthy twin in every task with `seeds` seeds."""
    planned = []
    for number, fault in enumerate(FAULTS.values()):
        # The tasks take turns, so that each is met by many faults.
        turned = [fault.tasks[(number + i) % len(fault.tasks)] for i in range(min(per_fault, len(fault.tasks)))]
        planned += [Planned(task, fault.name, first_seed) for task in turned]
    for twin in HEALTHY:
        planned += [Planned(task, twin.name, first_seed + seed) for task in twin.tasks for seed in range(seeds)]
    return planned


def main() -> int:
    """Train what is missing and write the truth. Status 1 where a run failed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=HERE, metavar="DIR")
    parser.add_argument("--tasks-per-fault", type=int, default=2, metavar="N")
    parser.add_argument("--seeds", type=int, default=2, metavar="N", help="of the healthy twins")
    parser.add_argument("--first-seed", type=int, default=0, metavar="N")
    parser.add_argument("--steps", type=int, default=0, metavar="N", help="steps of each run, as many as the task takes if 0")
    parser.add_argument("--only", nargs="*", default=[], metavar="FAULT")
    parser.add_argument("--jobs", type=int, default=2, metavar="N")
    options = parser.parse_args()
    planned = [
        p for p in plan(options.tasks_per_fault, options.seeds, options.first_seed) if p.fault in options.only or not options.only
    ]
    logs = options.out / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    missing = [p for p in planned if not (logs / p.file).exists()]
    random.Random(0).shuffle(missing)  # so that a part of them says something already
    failed = 0
    os.environ["OMP_NUM_THREADS"] = "1"
    began = time.monotonic()
    with ProcessPoolExecutor(options.jobs, get_context("spawn")) as pool:
        waiting = {pool.submit(trained, p, logs, options.steps): p for p in missing}
        for number, future in enumerate(as_completed(waiting), 1):
            done = waiting[future]
            error = future.exception()
            failed += error is not None
            said = f"failed: {error!r}" if error else f"{future.result():.1f} s of CPU"
            print(f"{number}/{len(missing)} {done.file} {said}", flush=True)
    print(f"{len(missing)} runs in {time.monotonic() - began:.0f} s")
    write_truth(options.out)
    return int(failed > 0)


def trained(planned: Planned, logs: Path, steps: int) -> float:
    """Train one run, keep its log, and return the seconds of CPU it took."""
    import torch
    from advisor_trainer.demo.runs import demonstrate

    torch.set_num_threads(1)
    began = time.process_time()
    with tempfile.TemporaryDirectory(prefix="advisor-faults-") as folder:
        demonstrate(TASKS[planned.task], fault_named(planned.fault), planned.seed, Path(folder), steps=steps)
        text = "".join(line + "\n" for line in shortened(Path(folder) / "run.log"))
    (logs / planned.file).write_bytes(gzip.compress(text.encode(), 9, mtime=0))
    return time.process_time() - began


def shortened(log: Path) -> Iterator[str]:
    """Yield the lines of a log, its numbers rounded to `DIGITS` and without the times and the paths of the machine."""
    for line in log.read_text(encoding="utf-8").splitlines():
        entry = json.loads(line)
        if isinstance(config := entry.get("config"), dict):
            config.pop("model_name_or_path", None)
        kept = {k: float(f"{v:.{DIGITS[k]}g}") if k in DIGITS else v for k, v in entry.items() if k not in TIMES}
        yield json.dumps(kept, separators=(",", ":"))


def write_truth(out: Path) -> None:
    """Write what is planted in each log that is there."""
    rows = []
    for log in sorted((out / "logs").glob("*.jsonl.gz")):
        task, _, rest = log.name.removesuffix(".jsonl.gz").partition("-")
        name, _, seed = rest.rpartition("-")
        fault = fault_named(name)
        planted = "none" if fault in HEALTHY else name
        rows.append(
            (
                log.name,
                planted,
                ";".join(fault.causes),
                "yes" if fault.scored and task not in fault.hidden_in else "hard",
                task,
                seed,
            )
        )
    with (out / "truth.tsv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, delimiter="\t", lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(rows)


if __name__ == "__main__":
    sys.exit(main())
