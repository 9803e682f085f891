"""Make the runs that benchmarks/forecast.py and benchmarks/aa.py measure on: `python benchmarks/runs/make.py [NAME…] --work DIR`.

The tasks, models and arguments are those of sample_logs/make, the environment is that of its requirements.txt; a run takes
2 to 10 seconds of one CPU core. Each is kept as `<name>-<seed>.jsonl.gz` beside this file, in the schema `advisor.log/1`.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "sample_logs" / "make"))

import torch  # noqa: E402
import train as samples  # noqa: E402
from advisor_log import AdvisorLog  # noqa: E402
from model import BASES, train_base  # noqa: E402
from plan import PLAN, Entry  # noqa: E402
from recipes import Recipe, arguments  # noqa: E402
from transformers import Trainer, TrainingArguments, set_seed  # noqa: E402

LOG_EVERY = 2
EVAL_ROWS = 128
EVALUATIONS = 20
DIGITS = {"loss": 6, "eval_loss": 6, "learning_rate": 9, "grad_norm": 3}
"""Significant digits kept of each number: enough for every measurement, and a third of the size."""


def main() -> None:
    """Train the named entries of the plan, or all that are not there yet."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--work", type=Path, required=True, metavar="DIR", help="a folder for base models and for what is not kept")
    parser.add_argument("--share", default="0/1", metavar="I/N", help="only every N-th run, from the I-th on")
    options = parser.parse_args()
    torch.set_num_threads(1)
    part, parts = map(int, options.share.split("/"))
    wanted = [(e, seed) for e in PLAN if not options.names or e.name in options.names for seed in e.seeds]
    for entry, seed in wanted[part::parts]:
        target = HERE / f"{entry.name}-{seed}.jsonl.gz"
        if target.exists() and not options.names:
            continue
        began = time.process_time()
        make(entry, seed, options.work.resolve(), target)
        print(f"{target.name} {time.process_time() - began:.1f} s", flush=True)


def make(entry: Entry, seed: int, work: Path, target: Path) -> None:
    """Train one entry with one seed in a folder below `work` and keep its log."""
    folder = work / f"{entry.name}-{seed}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    os.chdir(folder)
    if entry.base and not (work / f"base-{entry.base}.pt").exists():
        assert entry.base in BASES
        train_base(entry.base)
    recipe = recipe_of(entry)
    set_seed(seed)
    rows = samples.rows_of(recipe, seed)
    model = samples.model_of(recipe, rows.vocab_size)
    facts = samples.facts_of(recipe, rows) | entry.scheduler | {"objective": entry.objective}
    settings = TrainingArguments(
        "run", seed=seed, use_cpu=True, save_strategy="no", report_to=[], disable_tqdm=True, **recipe.arguments
    )
    log = AdvisorLog(folder / "run.jsonl", facts)
    Trainer(model, settings, train_dataset=rows, eval_dataset=samples.eval_rows_of(recipe, seed), callbacks=[log]).train()
    text = "\n".join(shortened(folder / "run.jsonl")) + "\n"
    target.write_bytes(gzip.compress(text.encode(), 9, mtime=0))


def recipe_of(entry: Entry) -> Recipe:
    """Return the entry as a recipe of sample_logs/make."""
    steps = round(entry.rows * entry.epochs / entry.batch)
    every = max(1, steps // EVALUATIONS) if entry.evaluated else 0
    more: dict[str, Any] = {"lr_scheduler_kwargs": entry.scheduler} if entry.scheduler else {}
    warmup = max(2, round(steps * 0.05))
    return Recipe(
        entry.name, "", entry.task, entry.rows, (),
        arguments(entry.epochs, entry.rate, entry.batch, LOG_EVERY, every, entry.schedule, warmup, **more),
        eval_rows=EVAL_ROWS if entry.evaluated else 0, eval_task=entry.eval_task, base=entry.base, lora_rank=entry.lora_rank,
    )  # fmt: skip


def shortened(log: Path) -> Iterator[str]:
    """Yield the lines of a log, its numbers rounded to `DIGITS`."""
    for line in log.read_text(encoding="utf-8").splitlines():
        entry = json.loads(line)
        yield json.dumps({k: float(f"{v:.{DIGITS[k]}g}") if k in DIGITS else v for k, v in entry.items()}, separators=(",", ":"))


if __name__ == "__main__":
    main()
