"""A/A: two seeds of one configuration never get different verdicts, and a healthy one gets no warning.

    python benchmarks/aa.py [--all]

Judges every seed of the healthy configurations in benchmarks/runs/plan.py (with --all, of every configuration) and of the healthy
twins in benchmarks/faults, whole and as it stood after a quarter, a half and three quarters, and prints a line for each. Status 1
where the seeds of one disagree or a healthy one is warned of. A run of which too little is there to judge disagrees with nobody.
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from advisor.engine import diagnose
from advisor.readers import read_path
from advisor.rulebook import Rule, load
from advisor.signals import Measurements

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.forecast import RUNS, cut  # noqa: E402
from benchmarks.runs.plan import PLAN  # noqa: E402

FAULTS = ROOT / "benchmarks" / "faults"
SHARES = (0.25, 0.5, 0.75, 1.0)
Judgement = tuple[str, tuple[str, ...]]
"""A verdict, and the rules at warning or above, gravest first."""


@cache
def rule_book() -> list[Rule]:
    """Return the rule book, read once."""
    return list(load())


@dataclass(frozen=True)
class Entry:
    """One configuration, and the log of each of its seeds. healthy: no seed of it may get a warning."""

    name: str
    healthy: bool
    logs: Mapping[int, Path]


def entries() -> list[Entry]:
    """Return the configurations of benchmarks/runs, and of the healthy twins of the planted faults."""
    planned = [Entry(e.name, e.healthy, {seed: RUNS / f"{e.name}-{seed}.jsonl.gz" for seed in e.seeds}) for e in PLAN]
    twins: dict[str, dict[int, Path]] = {}
    with (FAULTS / "truth.tsv").open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            if row["planted"] == "none":
                name = row["file"].removesuffix(f"-{row['seed']}.jsonl.gz")
                twins.setdefault(name, {})[int(row["seed"])] = FAULTS / "logs" / row["file"]
    return planned + [Entry(name, True, logs) for name, logs in sorted(twins.items())]


def judgements(chosen: Iterable[Entry]) -> Iterator[tuple[Entry, float, dict[int, Judgement]]]:
    """Yield each configuration with what is said of each of its seeds after each of `SHARES`."""
    rules = rule_book()
    for entry in chosen:
        runs = {seed: read_path(log)[0] for seed, log in entry.logs.items()}
        for share in SHARES:
            said = {}
            for seed, run in runs.items():
                part = run if share == 1 else cut(run, share * Measurements(run)["planned_end"])
                diagnosis = diagnose(part, rules)
                warnings = tuple(f.rule.id for f in diagnosis.findings if f.rule.severity != "info")
                said[seed] = diagnosis.verdict, warnings
            yield entry, share, said


def disagree(said: dict[int, Judgement]) -> bool:
    """Tell whether two seeds that can be judged got different verdicts."""
    return len({judgement for judgement in said.values() if judgement[0] != "unjudgeable"}) > 1


def alarmed(entry: Entry, said: dict[int, Judgement]) -> bool:
    """Tell whether a healthy configuration got a warning."""
    return entry.healthy and any(warnings for _, warnings in said.values())


def main() -> int:
    """Print the table. Status 1 where two seeds disagree or a healthy run is warned of."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--all", action="store_true", help="the configurations that are not meant to be healthy as well")
    everything = parser.parse_args().all
    wrong = judged = 0
    for entry, share, said in judgements(e for e in entries() if everything or e.healthy):
        mark = "DISAGREE" if disagree(said) else "ALARM" if alarmed(entry, said) else "ok"
        wrong += mark != "ok"
        judged += len(said)
        shown = "; ".join(f"{seed}: {verdict} {' '.join(warnings)}".rstrip() for seed, (verdict, warnings) in said.items())
        print(f"{mark:9}{entry.name:32}{share:5.0%}  {shown}")
    print(f"{judged} judgements, {wrong} rows wrong")
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
