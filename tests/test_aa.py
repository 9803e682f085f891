"""A/A: nothing but the seed differs, so nothing but the numbers may differ in the answer."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent))

from benchmarks.aa import SHARES, alarmed, disagree, entries, judgements
from benchmarks.forecast import RUNS
from benchmarks.runs.plan import PLAN


@pytest.mark.parametrize("entry", entries(), ids=lambda e: e.name)
def test_two_seeds_of_one_configuration_never_get_different_verdicts(entry):
    rows = list(judgements([entry]))
    assert len(rows) == len(SHARES)
    for _, share, said in rows:
        assert not disagree(said), f"after {share:.0%}: {said}"
        assert not alarmed(entry, said), f"after {share:.0%}: {said}"


def test_healthy_configurations_are_many_and_each_has_three_seeds():
    healthy = [entry for entry in PLAN if entry.healthy]
    assert len(healthy) >= 8
    assert all(len(entry.seeds) >= 3 for entry in healthy)


def test_a_whole_healthy_run_can_be_judged():
    for entry, share, said in judgements(e for e in entries() if e.healthy):
        if share == SHARES[-1]:
            assert {verdict for verdict, _ in said.values()} == {"healthy"}, entry.name


def test_the_runs_beside_the_plan_are_those_of_the_plan():
    assert {p.name for p in RUNS.glob("*.gz")} == {f"{entry.name}-{seed}.jsonl.gz" for entry in PLAN for seed in entry.seeds}
