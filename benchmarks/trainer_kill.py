"""Kills a training run without warning at random moments, resumes it each time, and compares the end with an undisturbed run.

python benchmarks/trainer_kill.py [--kills 20] [--seed 1]

Prints one line a kill and, at the end, whether log and weights are those of the undisturbed run. Status 1 where they are not.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from trainer_tiny import tiny_model, write_sums

SETTINGS = {
    "method": "lora", "lora_dropout": 0.1, "max_length": 96, "per_device_train_batch_size": 4, "gradient_accumulation_steps": 2,
    "num_train_epochs": 4, "learning_rate": 3e-3, "logging_steps": 2, "save_steps": 3, "save_total_limit": 2,
    "eval_strategy": "steps", "eval_steps": 5, "use_cpu": True,
}  # fmt: skip
ROWS = 600


def main() -> int:
    """Run the comparison."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    draw = random.Random(options.seed)
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        tiny_model(work / "model")
        write_sums(work / "sums.jsonl", ROWS)
        whole = start(work, "whole")
        assert whole.wait() == 0
        steps = [point[0] for point in points(work / "whole")][-1]
        for number in range(1, options.kills + 1):
            # The kills are spread over the whole run, each at a random moment after a step was logged.
            target = steps * (number - draw.random()) / (options.kills + 1)
            program = start(work, "parts", resume=(work / "parts" / "config.toml").exists())
            while program.poll() is None and reached(work / "parts") < target:
                time.sleep(0.02)
            time.sleep(draw.uniform(0, 0.3))
            ended = program.poll() is not None
            program.kill()
            program.wait()
            print(f"kill {number}: {state(work / 'parts')}{' (had ended)' if ended else ''}", flush=True)
        last = start(work, "parts", resume=True).wait()
        good = last == 0 and same(work)
        print(f"{options.kills} kills of a run of {steps} steps: {'the same losses and weights' if good else 'DIFFERENT'}")
        return 0 if good else 1


def reached(run: Path) -> int:
    """Return the last step in the log."""
    return max((entry["step"] for entry in lines(run) if "loss" in entry), default=-1)


def start(work: Path, name: str, *, resume: bool = False) -> subprocess.Popen[bytes]:
    """Start the run `name`."""
    command = [sys.executable, "-m", "advisor", "train", "--model", str(work / "model"), "--data", str(work / "sums.jsonl")]
    for key, value in (SETTINGS | {"output_dir": str(work / name)}).items():
        flag = f"--{key.replace('_', '-')}"
        command += [flag] if value is True else [flag, str(value)]
    return subprocess.Popen([*command, *(["--resume"] if resume else [])], stderr=subprocess.DEVNULL)


def state(run: Path) -> str:
    """Return what a kill left behind."""
    steps = [entry["step"] for entry in lines(run) if "loss" in entry]
    whole = sorted(int(path.name.split("-")[1]) for path in run.glob("checkpoint-*"))
    half = " and one half written" if (run / ".unfinished").exists() else ""
    return f"at step {steps[-1] if steps else 0}, checkpoints {whole or 'none'}{half}"


def lines(run: Path) -> list[dict[str, Any]]:
    """Return the lines of a log that are whole."""
    found = []
    if (run / "run.log").exists():
        for line in (run / "run.log").read_text(encoding="utf-8").splitlines():
            try:
                found.append(json.loads(line))
            except ValueError:
                continue
    return found


def points(run: Path) -> list[tuple[Any, ...]]:
    """Return step, losses, norm and rate of every line of a log."""
    names = ("step", "loss", "eval_loss", "grad_norm", "learning_rate", "num_tokens")
    return [tuple(entry.get(name) for name in names) for entry in lines(run) if "event" not in entry]


def same(work: Path) -> bool:
    """Tell whether the disturbed run ended as the other one: every line of the log once, equal, and the same weights."""
    import torch
    from safetensors.torch import load_file

    if points(work / "whole") != points(work / "parts"):
        return False
    one, other = (load_file(work / name / "model" / "adapter_model.safetensors") for name in ("whole", "parts"))
    return all(torch.equal(one[name], other[name]) for name in one)


if __name__ == "__main__":
    sys.exit(main())
