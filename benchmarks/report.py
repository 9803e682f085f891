"""What a report costs: CPU time of `advisor report` as a whole process, and the size of what it writes.

    python benchmarks/report.py [--repeat 5]

For a trainer state of 100 kB, a normal run, in every format and both languages of the PDF: user + system seconds (minimum and
median) and bytes. `first PDF` is one on a machine on which matplotlib has not listed the system's fonts yet. Then a log of a
million points. Holds where a normal run takes at most 3 s and its PDF at most 400 kB.
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
from pathlib import Path

MOST_SECONDS, MOST_BYTES = 3.0, 400_000
NORMAL, MILLION = 900, 1_000_000
"""Logged points of a normal run (100 kB as the Trainer writes it), and of a very long one."""


def trainer_state(points: int) -> str:
    """Return the state of a run that falls, is evaluated, and overfits at its end."""
    noise = random.Random(7)
    history: list[dict[str, float]] = []
    for i in range(1, points + 1):
        step = 10 * i
        loss = 1 + 2 / (1 + i / 60) + noise.gauss(0, 0.06)
        history.append(
            {"epoch": 3 * i / points, "step": step, "loss": loss, "grad_norm": 1 + abs(noise.gauss(0, 0.2)), "learning_rate": 2e-4}
        )
        if i % (points // 20) == 0:
            history.append({"epoch": 3 * i / points, "step": step, "eval_loss": 1.4 + 1 / (1 + i / 60) + max(0, i / points - 0.6)})
    return json.dumps({"global_step": 10 * points, "log_history": history, "num_train_epochs": 3}, indent=1)


def long_log(points: int) -> str:
    """Return JSON lines of very many points."""
    noise = random.Random(7)
    lines = (
        f'{{"step": {i}, "loss": {2 + 2 / (1 + i / 1e4) + noise.gauss(0, 0.2):.4f}, "learning_rate": 0.0002}}'
        for i in range(points)
    )
    return "\n".join(lines) + "\n"


def cpu_seconds(command: list[str], environment: dict[str, str]) -> float:
    """Return user + system time of one run of `command`."""
    before = os.times()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env={**os.environ, **environment})
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system


def measure(name: str, log: Path, target: Path, language: str, repeat: int, *, fresh: bool = False) -> tuple[float, int]:
    """Print and return the median time and the size of one report. fresh: with an empty cache of fonts each time."""
    times = []
    for _ in range(repeat):
        with tempfile.TemporaryDirectory() as cache:
            command = [sys.executable, "-m", "advisor", "report", str(log), "-o", str(target), "--lang", language]
            times.append(cpu_seconds(command, {"MPLCONFIGDIR": cache} if fresh else {}))
    size = target.stat().st_size
    median = statistics.median(times)
    print(f"{name:22} {min(times):6.2f} / {median:5.2f} s CPU   {size / 1000:6.0f} kB")
    return median, size


def main() -> int:
    """Measure. Status 1 where a limit does not hold."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeat", type=int, default=5)
    repeat = parser.parse_args().repeat
    with tempfile.TemporaryDirectory() as folder:
        normal, long = Path(folder, "trainer_state.json"), Path(folder, "long.jsonl")
        normal.write_text(trainer_state(NORMAL), encoding="utf-8")
        long.write_text(long_log(MILLION), encoding="utf-8")
        print(f"normal run: {NORMAL} points, {normal.stat().st_size / 1000:.0f} kB")
        pdfs = [measure(f"PDF {lang}", normal, Path(folder, "r.pdf"), lang, repeat) for lang in ("en", "zh")]
        pdfs.append(measure("first PDF en", normal, Path(folder, "r.pdf"), "en", repeat, fresh=True))
        for form in ("html", "md", "json"):
            measure(form, normal, Path(folder, f"r.{form}"), "en", repeat)
        print(f"very long run: {MILLION} points, {long.stat().st_size / 1e6:.0f} MB")
        measure("PDF en", long, Path(folder, "r.pdf"), "en", 1)
    holds = all(seconds <= MOST_SECONDS and size <= MOST_BYTES for seconds, size in pdfs)
    print("holds" if holds else f"does not hold: more than {MOST_SECONDS} s or {MOST_BYTES} bytes")
    return 0 if holds else 1


if __name__ == "__main__":
    sys.exit(main())
