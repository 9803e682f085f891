"""The kept logs of benchmarks/faults: the planted cause is named, and nothing is said of healthy twins."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent / "benchmarks" / "faults"))

import score

ROOT = Path(__file__).parent.parent
KEPT = list(score.judged(ROOT / "benchmarks" / "faults"))


@pytest.mark.parametrize("run", [run for run in KEPT if run.healthy], ids=lambda run: run.file)
def test_nothing_is_said_of_a_healthy_twin(run):
    assert run.good, f"{run.causes} {run.warnings}"


def test_the_planted_cause_comes_first_in_nineteen_of_twenty_runs_whose_curve_can_show_it():
    figures = score.score(KEPT)
    assert figures.scored >= 35
    assert figures.first >= 0.95 * figures.scored, figures


def test_where_the_curve_can_hardly_show_the_fault_nothing_wrong_is_said_with_high_confidence():
    figures = score.score(KEPT)
    assert figures.hard >= 10
    assert figures.overconfident == 0, figures


def test_settings_that_a_script_does_not_log_are_not_what_the_answers_hang_on():
    figures = score.score(score.judged(ROOT / "benchmarks" / "faults", bare=True))
    assert figures.first >= 0.9 * figures.scored, figures
    assert figures.alarms == 0


@pytest.mark.parametrize("floor", ["--min-first=1.01", "--max-alarms=-1"])
def test_the_scorer_fails_where_a_floor_does_not_hold(floor, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["score.py", floor])
    assert score.main() == 1
    assert "planted cause first" in capsys.readouterr().out
