"""How often a stated confidence is right: causes on runs with a planted fault.

    python benchmarks/confidence.py [--set FOLDER]

FOLDER holds `truth.tsv` (file, planted, accepted_causes separated by `;`, scored) and `logs/`; by default the set of planted faults
beside this checkout. Prints, for each confidence, how many causes were stated with it and how many of them are accepted, for first
causes and for all; status 1 where fewer than nine in ten of the first causes stated with high confidence are right.
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections import Counter
from pathlib import Path

from advisor.engine import diagnose
from advisor.readers import read_path
from advisor.rulebook import load

ROOT = Path(__file__).parent.parent
LEAST_RIGHT = 0.9


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--set", type=Path, default=ROOT.parent / "shared" / "faults")
    options = parser.parse_args()
    if not (options.set / "truth.tsv").is_file():
        print(f"{options.set}: no truth.tsv here; give the folder of a set of planted faults with --set", file=sys.stderr)
        return 2
    with (options.set / "truth.tsv").open(newline="") as stream:
        truth = list(csv.DictReader(stream, delimiter="\t"))
    rules = load()
    first: Counter[tuple[str, bool]] = Counter()
    every: Counter[tuple[str, bool]] = Counter()
    for row in truth:
        accepted = set(row["accepted_causes"].split(";"))
        for run in read_path(options.set / "logs" / row["file"]):
            causes = diagnose(run, rules).causes
            first.update((cause.confidence, cause.name in accepted) for cause in causes[:1])
            every.update((cause.confidence, cause.name in accepted) for cause in causes)
    print(f"{len(truth)} runs\n\n| confidence | first causes | right | all causes | right |\n|---|---|---|---|---|")
    for confidence in ("high", "medium", "low"):
        cells = [number for counts in (first, every) for number in (_total(counts, confidence), counts[confidence, True])]
        print(f"| {confidence} | {' | '.join(map(str, cells))} |")
    return int(first["high", True] < LEAST_RIGHT * _total(first, "high"))


def _total(counts: Counter[tuple[str, bool]], confidence: str) -> int:
    return counts[confidence, True] + counts[confidence, False]


if __name__ == "__main__":
    sys.exit(main())
