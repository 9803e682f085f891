"""Label tokens per CPU second: `advisor train` beside TRL's SFTTrainer, padded and packed, on the same model and rows.

python benchmarks/trainer_speed.py [--rows 640] [--repeats 3] [--vocabulary 2048]

Each trainer runs one epoch in a process of its own with one thread; the repeats take turns. Printed are the medians with their
spread, and how many times as quick this trainer was in each turn. CPU time is that of the training loop alone. The loss of the
last steps stands beside the speed: a trainer that learns nothing is no competitor. Needs trl and datasets. The lengths of rows
are those of real chats: median 100 tokens, a tenth above 250.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from trainer_tiny import tiny_model

ROW, BATCH_PACKED, BATCH_PADDED = 512, 3, 8
RATE = 1e-3
KINDS = ("advisor", "advisor unpacked", "trl padded", "trl packed")


def main() -> None:
    """Measure, or be one of the processes that are measured."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=640)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--vocabulary", type=int, default=2048)
    parser.add_argument("--hidden", type=int, default=128)
    parser.add_argument("--layers", type=int, default=4)
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=KINDS)
    parser.add_argument("--one", nargs=2, metavar=("KIND", "FOLDER"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(measured(options.one[0], Path(options.one[1]))))
        return
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        tiny_model(work / "model", vocabulary=options.vocabulary, hidden=options.hidden, layers=options.layers)
        labels = write_chats(work, options.rows)
        results: dict[str, list[dict[str, float]]] = {kind: [] for kind in options.kinds}
        for _ in range(options.repeats):
            for kind in results:
                command = [sys.executable, __file__, "--one", kind, str(work)]
                environment = os.environ | {
                    "OMP_NUM_THREADS": "1",
                    "TOKENIZERS_PARALLELISM": "false",
                    "ADVISOR_CACHE": str(work / "cache"),
                }
                done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
                if done.returncode:
                    print(f"{kind}: {done.stderr[-2000:]}", file=sys.stderr)
                    sys.exit(1)
                results[kind].append(json.loads(done.stdout.splitlines()[-1]))
        report(results, labels)


def report(results: dict[str, list[dict[str, float]]], labels: int) -> None:
    """Print the table."""
    speeds = {kind: [labels / run["cpu"] for run in runs] for kind, runs in results.items()}
    repeats = len(next(iter(speeds.values())))
    print(f"{labels} label tokens; label tokens per CPU second, median of {repeats} (least to most)")
    for kind, runs in results.items():
        print(
            f"{kind:18} {statistics.median(speeds[kind]):8.0f}  ({min(speeds[kind]):.0f} to {max(speeds[kind]):.0f})  "
            f"loss {runs[-1]['first']:.3f} -> {runs[-1]['loss']:.3f} in {runs[-1]['steps']:.0f} steps"
        )
    for kind in speeds:
        if kind.startswith("trl") and "advisor" in speeds:
            ratios = sorted(ours / theirs for ours, theirs in zip(speeds["advisor"], speeds[kind], strict=True))
            turns = ", ".join(f"{ratio:.2f}" for ratio in ratios)
            print(f"advisor is {statistics.median(ratios):.2f} x {kind} (by turns: {turns})")


def write_chats(work: Path, count: int) -> int:
    """Write rows whose lengths are those of real chats, two fifths of them answers; return the label tokens in them."""
    from pydoc_data import topics

    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(work / "model")
    draw = random.Random(7)
    ids = tokenizer(" ".join(topics.topics.values()))["input_ids"]
    labels = 0
    with (work / "chats.jsonl").open("w", encoding="utf-8") as file:
        for _ in range(count):
            length = min(480, max(12, round(draw.lognormvariate(4.6, 0.72))))
            start = draw.randrange(len(ids) - length)
            cut = start + round(0.6 * length)
            record = {"prompt": tokenizer.decode(ids[start:cut]), "completion": tokenizer.decode(ids[cut : start + length])}
            labels += len(tokenizer(record["completion"])["input_ids"]) + 1
            file.write(json.dumps(record) + "\n")
    return labels


def measured(kind: str, work: Path) -> dict[str, float]:
    """Train one epoch and return the CPU seconds of the loop and the losses."""
    import torch

    torch.set_num_threads(1)
    return (_advisor if kind.startswith("advisor") else _trl)(kind, work)


def _watch() -> Any:
    from transformers import TrainerCallback

    class Watch(TrainerCallback):
        """Takes the CPU time of the loop."""

        def on_train_begin(self, *_: Any, **__: Any) -> None:
            self.began = time.process_time()

        def on_train_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:  # noqa: ARG002  the Trainer's interface
            losses = [entry["loss"] for entry in state.log_history if "loss" in entry]
            tail = losses[-3:]
            self.result = {
                "cpu": time.process_time() - self.began, "first": losses[0], "loss": sum(tail) / len(tail),
                "steps": state.global_step,
            }  # fmt: skip

    return Watch()


def _advisor(kind: str, work: Path) -> dict[str, float]:
    from advisor_trainer import train
    from advisor_trainer.config import configured

    watch = _watch()
    packing = kind == "advisor"
    train(
        configured({
            "model": str(work / "model"), "data": str(work / "chats.jsonl"), "output_dir": tempfile.mkdtemp(dir=work) + "/run",
            "method": "full", "max_length": ROW, "packing": packing,
            "per_device_train_batch_size": BATCH_PACKED if packing else BATCH_PADDED, "num_train_epochs": 1, "learning_rate": RATE,
            "logging_steps": 10, "eval_strategy": "no", "save_strategy": "no", "use_cpu": True,
        }),
        callbacks=[watch],
    )  # fmt: skip
    result: dict[str, float] = watch.result
    return result


def _trl(kind: str, work: Path) -> dict[str, float]:
    from datasets import Dataset
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from trl import SFTConfig, SFTTrainer

    watch = _watch()
    packing = kind == "trl packed"
    rows = [json.loads(line) for line in (work / "chats.jsonl").read_text(encoding="utf-8").splitlines()]
    args = SFTConfig(
        str(work / "trl"), max_length=ROW, packing=packing, per_device_train_batch_size=BATCH_PACKED if packing else BATCH_PADDED,
        num_train_epochs=1, learning_rate=RATE, logging_steps=10, save_strategy="no", report_to="none", use_cpu=True, bf16=False,
        lr_scheduler_type="cosine", warmup_steps=0.05, weight_decay=0.01, gradient_checkpointing=False, disable_tqdm=True,
    )  # fmt: skip
    trainer = SFTTrainer(
        AutoModelForCausalLM.from_pretrained(work / "model"), args, train_dataset=Dataset.from_list(rows), callbacks=[watch],
        processing_class=AutoTokenizer.from_pretrained(work / "model"),
    )  # fmt: skip
    trainer.train()
    result: dict[str, float] = watch.result
    return result


if __name__ == "__main__":
    main()
