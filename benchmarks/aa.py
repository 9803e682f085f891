"""A/A: two seeds of one configuration never get different verdicts, and a healthy one gets no warning.

    python benchmarks/aa.py [--all]

Judges every seed of the healthy configurations in benchmarks/runs/plan.py (with --all, of every configuration), whole and as it
stood after a quarter, a half and three quarters, and prints a line for each. Status 1 where the seeds of one disagree or a
healthy one is warned of. A run of which too little is there to judge disagrees with nobody.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

from advisor.engine import diagnose
from advisor.readers import read_path
from advisor.rulebook import Rule, load
from advisor.signals import Measurements

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.forecast import RUNS, cut  # noqa: E402
from benchmarks.runs.plan import PLAN, Entry  # noqa: E402

SHARES = (0.25, 0.5, 0.75, 1.0)
Judgement = tuple[str, tuple[str, ...]]
"""A verdict, and the rules at warning or above, gravest first."""


@cache
def rule_book() -> list[Rule]:
    """Return the rule book, read once."""
    return list(load())


def judgements(entries: Iterable[Entry]) -> Iterator[tuple[Entry, float, dict[int, Judgement]]]:
    """Yield each configuration with what is said of each of its seeds after each of `SHARES`."""
    rules = rule_book()
    for entry in entries:
        runs = {seed: read_path(RUNS / f"{entry.name}-{seed}.jsonl.gz")[0] for seed in entry.seeds}
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
    for entry, share, said in judgements(e for e in PLAN if everything or e.healthy):
        mark = "DISAGREE" if disagree(said) else "ALARM" if alarmed(entry, said) else "ok"
        wrong += mark != "ok"
        judged += len(said)
        shown = "; ".join(f"{seed}: {verdict} {' '.join(warnings)}".rstrip() for seed, (verdict, warnings) in said.items())
        print(f"{mark:9}{entry.name:32}{share:5.0%}  {shown}")
    print(f"{judged} judgements, {wrong} rows wrong")
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
