"""Print what the samples show: `python sample_logs/make/show_samples.py [FOLDER]`.

One line a log: train and eval points, first, last and lowest loss, jitter (mean difference of
neighbours over the mean), change over the last tenth, and how far the last evaluation is above the
best. Needs nothing but Python; the values of a console log have four digits.
"""

from __future__ import annotations

import ast
import csv
import json
import math
import re
import sys
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from statistics import fmean

Points = list[dict[str, float]]
CONSOLE_POINT = re.compile(r"\{'(?:eval_)?loss': .*?\}")


def main() -> None:
    """Print one line for every log below the folder."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parents[1]
    print(f"{'log':56} train eval   first    last     min jitter  tail eval-above-best")
    for path in sorted([*folder.glob("healthy/**/*"), *folder.glob("faulty/**/*")]):
        if read := READERS.get(path.name):
            name = path.relative_to(folder).as_posix()
            print(f"{name:56} {summary(read(path.read_text(encoding='utf-8')))}")


def of_trainer_state(text: str) -> Points:
    """Return the points of a trainer_state.json."""
    return json.loads(text)["log_history"]


def of_advisor_log(text: str) -> Points:
    """Return the points of an advisor log."""
    return [json.loads(line) for line in text.splitlines()]


def of_table(text: str) -> Points:
    """Return the points of a table."""
    rows = csv.DictReader(text.splitlines())
    return [{key: float(value) for key, value in row.items() if value} for row in rows]


def of_console(text: str) -> Points:
    """Return the points of a console log, whose numbers are printed as strings."""
    points = (ast.literal_eval(found) for found in CONSOLE_POINT.findall(text))
    return [{key: float(value) for key, value in point.items()} for point in points]


READERS: dict[str, Callable[[str], Points]] = {
    "trainer_state.json": of_trainer_state,
    "run.jsonl": of_advisor_log,
    "log.csv": of_table,
    "console.log": of_console,
}


def summary(points: Points) -> str:
    """Return the numbers of one log."""
    loss = [point["loss"] for point in points if "loss" in point]
    evals = [point["eval_loss"] for point in points if "eval_loss" in point]
    finite = [value for value in loss if math.isfinite(value)]
    mean = fmean(finite) or math.nan
    jitter = fmean(abs(after - before) for before, after in pairwise(finite)) / mean
    tenth = max(1, len(loss) // 10)
    tail = fmean(loss[-tenth:]) / (fmean(loss[-2 * tenth : -tenth]) or math.nan) - 1
    above = f"{evals[-1] / min(evals) - 1:10.2%}" if evals else "-"
    return (
        f"{len(loss):5} {len(evals):4} {loss[0]:7.3f} {loss[-1]:7.3f} {min(finite):7.3f}"
        f" {jitter:6.3f} {tail:+6.1%} {above}"
    )


if __name__ == "__main__":
    main()
