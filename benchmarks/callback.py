"""What the live callback costs: a log call, a look at the run, and both as a share of training. `python benchmarks/callback.py`.

Calls the callback as a Trainer does, `--steps` times with one log a step and an evaluation every fiftieth, with nothing else going
on: what is timed is the callback alone. The share is that of a run whose steps take `--step-ms` each. Needs the train extra.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from pathlib import Path

from transformers import TrainerControl, TrainerState, TrainingArguments

from advisor.live import AdvisorCallback
from advisor.live import callback as live


class Clock:
    """A clock that moves on by the length of a step, so that a long run is gone through in seconds."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        """Return the seconds since the run began."""
        return self.now


def measure(steps: int, step_seconds: float, folder: Path) -> dict[str, float]:
    """Return seconds: of the beginning, of all log calls without looks, of all looks, of the end; and how many looks there were."""
    generator, clock = random.Random(0), Clock()
    callback = AdvisorCallback(say=lambda _: None)
    args = TrainingArguments(str(folder), use_cpu=True, max_steps=steps, logging_steps=1, report_to=[])
    state = TrainerState(max_steps=steps, is_world_process_zero=True)
    control, looks = TrainerControl(), []
    began = time.process_time()
    callback.on_train_begin(args, state, control)
    begin = time.process_time() - began
    callback._budget.began = 0.0
    callback._budget.clock = clock
    look = callback._look

    def timed(*given: object, **named: object) -> None:
        at = time.process_time()
        look(*given, **named)  # type: ignore[arg-type]
        looks.append(time.process_time() - at)

    callback._look = timed  # type: ignore[method-assign]
    began = time.process_time()
    for step in range(1, steps + 1):
        clock.now += step_seconds
        state.global_step, state.epoch = step, step / 1000
        loss = 2 + 3 / step**0.3 + generator.gauss(0, 0.02)
        callback.on_log(args, state, control, {"loss": loss, "grad_norm": 1.2, "learning_rate": 1e-4, "epoch": state.epoch})
        if step % 50 == 0:
            callback.on_log(args, state, control, {"eval_loss": loss + 0.05, "eval_runtime": 1.0, "epoch": state.epoch})
            callback.on_evaluate(args, state, control)
    whole = time.process_time() - began
    began = time.process_time()
    callback.on_train_end(args, state, control)
    return {
        "begin": begin,
        "logs": whole - sum(looks),
        "looks": sum(looks),
        "count": len(looks),
        "end": time.process_time() - began,
    }


def main() -> int:
    """Print the figures. Status 1 where log calls and looks take more than 0.1 % beside what looks may take at once."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=20_000)
    parser.add_argument("--step-ms", type=float, nargs="*", default=[50.0, 200.0])
    options = parser.parse_args()
    worst = 0.0
    for step_ms in options.step_ms:
        with tempfile.TemporaryDirectory() as folder:
            took = measure(options.steps, step_ms / 1000, Path(folder))
        trained = options.steps * step_ms / 1000
        share = (took["logs"] + max(0.0, took["looks"] - live.AT_ONCE)) / trained
        worst = max(worst, share)
        print(
            f"{options.steps} steps of {step_ms:g} ms: a log call {took['logs'] / options.steps * 1e6:.1f} µs, "
            f"{took['count']:.0f} looks of {took['looks'] / max(1, took['count']) * 1e3:.0f} ms, {share:.3%} of the training time; "
            f"once: begin {took['begin'] * 1e3:.0f} ms, end {took['end'] * 1e3:.0f} ms"
        )
    return int(worst > 0.001)


if __name__ == "__main__":
    sys.exit(main())
