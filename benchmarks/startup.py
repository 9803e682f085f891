"""What starting costs: CPU time of `advisor` commands beside that of importing the libraries they cannot do without.

    python benchmarks/startup.py [--repeat 15]

Prints user + system seconds of a whole process (minimum and median over the repeats, taken in turns so that the load of the
machine meets both alike) and the ratio of the medians. All modules are there in bytecode, as pip leaves them. Holds where
`--help` costs at most 2.5 × `import click` and `analyze` of a 100 kB trainer state at most 2.5 × `import click, numpy,
rich.console`.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

LIMIT = 2.5


def trainer_state(size: int) -> str:
    """Return a trainer state of at least `size` bytes, as the Trainer indents it."""
    history: list[dict[str, float]] = []
    text = ""
    while len(text) < size:
        for _ in range(50):
            step = 10 * (len(history) + 1)
            history.append({"epoch": step / 500, "grad_norm": 1.5, "learning_rate": 2e-4, "loss": 2 + 100 / step, "step": step})
        text = json.dumps({"global_step": 10 * len(history), "log_history": history, "num_train_epochs": 3}, indent=2)
    return text


def cpu_seconds(command: list[str], environment: dict[str, str]) -> float:
    """Return user + system time of one run of `command`."""
    before = os.times()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=environment)
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system


def compare(name: str, command: list[str], baseline: list[str], repeat: int, environment: dict[str, str]) -> bool:
    """Print both figures and whether the limit holds."""
    for first in (command, baseline):
        cpu_seconds(first, environment)  # compiles what has no bytecode yet
    pairs = [(cpu_seconds(command, environment), cpu_seconds(baseline, environment)) for _ in range(repeat)]
    ours, theirs = ([pair[i] for pair in pairs] for i in (0, 1))
    ratio = statistics.median(ours) / statistics.median(theirs)
    shown = [f"{min(times):.3f} / {statistics.median(times):.3f} s" for times in (ours, theirs)]
    print(f"{name:8} {shown[0]}   baseline {shown[1]}   ratio {ratio:.2f} (limit {LIMIT})")
    return ratio <= LIMIT


def main() -> int:
    """Run both comparisons. Status 1 where a limit does not hold."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeat", type=int, default=15)
    repeat = parser.parse_args().repeat
    advisor = [sys.executable, "-m", "advisor"]
    with tempfile.TemporaryDirectory() as folder:
        state = Path(folder) / "trainer_state.json"
        state.write_text(trainer_state(100_000), encoding="utf-8")
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        environment["PYTHONPYCACHEPREFIX"] = str(Path(folder) / "bytecode")
        holds = [
            compare("--help", [*advisor, "--help"], [sys.executable, "-c", "import click"], repeat, environment),
            compare("analyze", [*advisor, "analyze", str(state), "--fail-on", "never"],
                    [sys.executable, "-c", "import click, numpy, rich.console"], repeat, environment),
        ]  # fmt: skip
    return int(not all(holds))


if __name__ == "__main__":
    sys.exit(main())
