"""What a run took and what the next one takes: from the log's own clock, and silent without one."""

import json
import math

import pytest
from click.testing import CliRunner

from advisor.cli import main
from advisor.engine import diagnose
from advisor.readers import read_bytes
from advisor.rulebook import load

RULES = load(subject="run")
OVERFITS = (1.8, 1.5, 1.3, 1.25, 1.3, 1.38, 1.5, 1.6, 1.7, 1.8)


def log(*, evaluations=OVERFITS, clock=True, **config):
    """A run of 1,000 steps in four passes that logs every ten steps, a minute each."""
    lines = [{"event": "run", "schema": "advisor.log/1", "config": {"num_train_epochs": 4, **config}}]
    for i in range(1, 101):
        time = {"time": 60.0 * i} if clock else {}
        lines.append({"step": 10 * i, "epoch": 0.04 * i, "loss": 2.0 - 0.012 * i, **time})
        if i % 10 == 0:
            lines.append({"step": 10 * i, "epoch": 0.04 * i, "eval_loss": evaluations[i // 10 - 1], **time})
    return "\n".join(map(json.dumps, lines))


def cost(text):
    return diagnose(read_bytes(text.encode(), "run.log")[0], RULES).cost


def test_the_hours_of_all_devices_count():
    assert cost(log()).hours == pytest.approx(100 / 60)
    assert cost(log(world_size=4)).hours == pytest.approx(400 / 60)


def test_the_time_after_the_best_evaluation_is_told_apart():
    assert cost(log()).after_best == pytest.approx(1.0)


def test_the_next_run_is_as_long_as_its_epochs():
    assert cost(log()).next_try == pytest.approx(100 / 60 / 2)  # four passes become two


def test_a_run_that_stopped_halfway_is_planned_for_its_whole_length():
    improving = tuple(1.8 - 0.02 * i for i in range(10))
    whole = cost(log(evaluations=improving, num_train_epochs=8))
    assert whole.next_try == pytest.approx(2 * whole.hours)


def test_a_log_without_times_has_no_cost():
    assert cost(log(clock=False)) is None


def test_money_is_told_only_where_a_price_is_given(tmp_path, monkeypatch):
    (tmp_path / "run.log").write_text(log())
    monkeypatch.chdir(tmp_path)
    without = CliRunner().invoke(main, ["analyze", "run.log", "--format", "json"])
    assert json.loads(without.output)["runs"][0]["cost"]["price"] is None
    (tmp_path / "advisor.toml").write_text("[cost]\ngpu_hour_price = 3\n")
    told = json.loads(CliRunner().invoke(main, ["analyze", "run.log", "--format", "json"]).output)["runs"][0]["cost"]
    assert told["price"] == 3.0
    assert "(5.00)" in told["text"]


@pytest.mark.parametrize("section", ["[cost]\ngpu_hour_prce = 3\n", "[cost]\ngpu_hour_price = 0\n", "cost = 3\n"])
def test_a_price_that_is_none_is_an_error(tmp_path, monkeypatch, section):
    (tmp_path / "run.log").write_text(log())
    (tmp_path / "advisor.toml").write_text(section)
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(main, ["analyze", "run.log"])
    assert result.exit_code == 2
    assert "gpu_hour_price = 2.5" in result.stderr


def test_hours_that_are_not_known_are_no_number():
    assert math.isnan(cost(log()).price)
