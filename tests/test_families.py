"""Preference, reinforcement and throughput runs: what is recognised, what is expected of them, and what is advised."""

import inspect
import json
import random
import re
from dataclasses import replace

import numpy as np
import pytest
from click.testing import CliRunner

from advisor.cli import main
from advisor.engine import diagnose
from advisor.model import NotMeasurable
from advisor.readers import read_bytes
from advisor.rulebook import load
from advisor.signals import Measurements
from advisor.signals.moves import spearman
from advisor.signals.reinforcement import pass_rate


def lines(count, **quantities):
    """JSON lines of `count` steps; a quantity is a number or a function of the step."""
    rows = (
        {"step": i, **{k.replace("__", "/"): v(i) if callable(v) else v for k, v in quantities.items()}}
        for i in range(1, count + 1)
    )
    return "\n".join(map(json.dumps, rows))


def noise(seed, size):
    draw = random.Random(seed)
    return lambda _: draw.gauss(0, size)


def grpo(count=80, **more):
    """A sound GRPO log, by TRL's names."""
    jitter = noise(3, 0.02)
    return lines(
        count,
        **{
            "loss": lambda i: 0.0 if i % 3 else 1e-4 * i,
            "grad_norm": lambda i: 0.3 + jitter(i),
            "learning_rate": 1e-6,
            "reward": lambda i: 0.3 + 0.3 * i / count + jitter(i),
            "reward_std": 0.2,
            "frac_reward_zero_std": 0.25,
            "entropy": lambda i: 0.6 - 0.1 * i / count + jitter(i),
            "kl": lambda i: 0.001 * i,
            "completions__mean_length": lambda i: 200 + 100 * jitter(i),
            "completions__clipped_ratio": 0.05,
            "clip_ratio__region_mean": 0.01,
            "step_time": lambda i: 20 + 5 * jitter(i),
            **more,
        },
    )


def dpo(count=80, **more):
    """A sound DPO log, by TRL's names."""
    jitter = noise(4, 0.02)
    return lines(
        count,
        **{
            "loss": lambda i: 0.6931 - 0.3 * i / count + jitter(i),
            "rewards__chosen": lambda i: 0.4 * i / count + jitter(i),
            "rewards__rejected": lambda i: -0.6 * i / count + jitter(i),
            "rewards__margins": lambda i: i / count + jitter(i),
            "rewards__accuracies": lambda i: min(0.5 + 0.4 * i / count, 0.85) + jitter(i),
            "logps__chosen": lambda i: -100 + 4 * i / count + 10 * jitter(i),
            **more,
        },
    )


def names_of(text, name="run.jsonl"):
    (run,) = read_bytes(text.encode(), name)
    return set(run.series)


def objective_of(text):
    (run,) = read_bytes(text.encode(), "run.jsonl")
    return Measurements(run)["objective"]


# What is recognised


def test_a_line_of_verl_is_read_under_the_names_of_trl():
    text = "\n".join(
        f"step:{i} - actor/entropy:0.31 - actor/kl_loss:0.001 - actor/pg_clipfrac:0.002 - actor/grad_norm:0.2 - "
        f"critic/rewards/mean:0.4{i} - response_length/mean:212.5 - response_length/clip_ratio:0.02 - timing_s/step:42.1"
        for i in range(1, 10)
    )
    found = names_of(text, "verl.log")
    assert found >= {
        "entropy", "kl", "clip_ratio", "grad_norm", "reward", "completions/mean_length", "completions/clipped_ratio", "step_time",
    }  # fmt: skip


def _many(line):
    return "\n".join(line.format(i=i) for i in range(1, 5))


def test_lines_of_mlx_and_megatron_and_mmengine_give_their_speed_and_memory():
    mlx = _many("Iter {i}0: Train loss 2.34, Learning Rate 1e-05, It/sec 1.2, Tokens/sec 301.2, Peak mem 8.12 GB")
    megatron = _many(" iteration {i}/ 100 | elapsed time per iteration (ms): 123.6 | lm loss: 4.4E+00 |")
    mmengine = _many("Iter(train) [{i}0/100] loss: 0.345 time: 0.35 data_time: 0.02 memory: 5123")
    assert names_of(mlx, "mlx.log") >= {"train_loss", "steps_per_second", "tokens_per_second", "memory"}
    assert names_of(megatron, "megatron.log") >= {"train_loss", "step_time"}
    assert names_of(mmengine, "mm.log") >= {"train_loss", "time", "data_time", "memory"}


def test_a_tracker_that_puts_train_before_each_name_says_the_same():
    plain = lines(12, loss=0.6, rewards__margins=0.1, completions__mean_length=30.0)
    tracked = lines(12, train__loss=0.6, train__rewards__margins=0.1, train__completions__mean_length=30.0)
    assert names_of(plain) == names_of(tracked)


@pytest.mark.parametrize(
    ("quantities", "objective"),
    [
        ({"loss": 0.6, "rewards__chosen": 0.1, "rewards__accuracies": 0.6, "rewards__margins": 0.2}, "dpo"),
        ({"loss": 0.6, "rewards__chosen": 0.1, "rewards__margins": 0.2, "kl": 0.1}, "kto"),
        ({"loss": 0.6, "rewards__chosen": 0.1, "rewards__accuracies": 0.6, "log_odds_ratio": -0.4, "nll_loss": 1.0}, "orpo"),
        ({"loss": 0.0, "reward": 0.3, "frac_reward_zero_std": 0.1}, "grpo"),
        ({"reward": 0.3, "kl": 0.01, "response_length": 200}, "grpo"),
        ({"critic__rewards__mean": 0.3, "actor__entropy": 0.4, "critic__vf_loss": 0.1}, "ppo"),
        ({"objective__scores": 0.3, "objective__kl": 3.0, "loss__value_avg": 0.1}, "ppo"),
        ({"loss": 0.6, "mean_reward": 0.3, "min_reward": -1.0, "max_reward": 2.0, "margin": 0.5, "accuracy": 0.7}, "reward"),
        ({"loss": 1.2, "entropy": 1.1, "mean_token_accuracy": 0.7}, "sft"),
    ],
)
def test_the_names_of_the_metrics_tell_what_is_trained(quantities, objective):
    assert objective_of(lines(12, **quantities)) == objective


def test_evaluations_alone_tell_a_preference_run_too():
    assert objective_of(lines(12, loss=0.6, eval_rewards__chosen=0.1, eval_rewards__accuracies=0.7)) == "dpo"


def test_a_clock_and_the_duration_of_a_step_are_told_apart():
    clock, duration = lines(40, loss=1.0, time=lambda i: 1.7e9 + 3.0 * i), lines(40, loss=1.0, time=noise(1, 0.01))
    (run,) = read_bytes(clock.encode(), "a.jsonl")
    assert Measurements(run)["elapsed"].values[-1] == pytest.approx(117.0)
    assert Measurements(run)["pace"].usual == pytest.approx(3.0)
    (run,) = read_bytes(duration.encode(), "b.jsonl")
    with pytest.raises(NotMeasurable):
        Measurements(run)["elapsed"]
    assert len(Measurements(run)["step_duration"]) == 40


# What is expected of them


def test_a_policy_loss_of_zero_is_right_and_raises_no_alarm(judged):
    (diagnosis,) = judged(grpo())
    assert (diagnosis.findings, diagnosis.verdict, diagnosis.objective) == ((), "healthy", "grpo")


@pytest.mark.parametrize("course", [lambda i: 0.002 * i, lambda i: -0.5 + 0.02 * i, lambda i: 0.5 * (-1) ** i, lambda _: 0.0])
def test_whatever_a_policy_loss_does_it_says_nothing(judged, course):
    (diagnosis,) = judged(grpo(loss=course))
    assert diagnosis.findings == ()


def test_an_evaluation_loss_of_a_policy_that_rises_is_no_overfitting(judged):
    (diagnosis,) = judged(grpo(eval_loss=lambda i: 0.01 * i))
    assert diagnosis.findings == ()


def test_a_dpo_loss_of_ln_two_at_the_first_logs_is_right(judged, warnings_of):
    (diagnosis,) = judged(dpo(count=60))
    assert warnings_of(diagnosis) == []
    assert diagnosis.verdict == "healthy"


def test_every_rule_on_the_course_of_a_training_loss_names_its_objectives_and_no_policy_is_among_them(rules):
    curve = {"overfitting", "underfitting", "divergence", "instability", "plateau", "zero-loss"}
    judging = [
        r for r in rules if r.problem in curve and {"train_loss", "eval_loss"} & set(inspect.signature(r.function).parameters)
    ]
    assert len(judging) > 10
    for rule in judging:
        assert rule.objectives, rule.id
        assert not {"grpo", "rloo", "ppo"} & set(rule.objectives), rule.id


def test_rules_of_reinforcement_say_nothing_about_an_sft_run_that_logs_entropy(judged):
    (diagnosis,) = judged(lines(60, loss=lambda i: 2 - 0.01 * i, entropy=0.005, mean_token_accuracy=0.6, grad_norm=20.0))
    assert not [f for f in diagnosis.findings if f.rule.family == "reinforcement"]


def test_evaluations_and_checkpoints_in_the_time_stamps_are_no_cliff(judged):
    clock, rows = 0.0, []
    for step in range(1, 121):
        clock += 1.0 + (30.0 if step == 1 else 0.0) + (8.0 if step % 20 == 0 else 0.0)
        rows.append(json.dumps({"step": step, "loss": 2.0 - step / 200, "time": clock}))
    (diagnosis,) = judged("\n".join(rows))
    assert not [f for f in diagnosis.findings if f.rule.id in ("SPEED-001", "SPEED-002")]


@pytest.mark.parametrize("seed", range(5))
def test_a_reward_that_wanders_without_direction_was_neither_gained_nor_lost(judged, seed):
    draw, rewards = random.Random(seed), [0.4]
    for _ in range(200):
        rewards.append(0.4 + 0.8 * (rewards[-1] - 0.4) + draw.gauss(0, 0.036))
    (diagnosis,) = judged(grpo(count=200, reward=lambda i: rewards[i]))
    assert "RL-012" not in [f.rule.id for f in diagnosis.findings]


# What is advised


def advised(text, config=None):
    (run,) = read_bytes(text.encode(), "run.jsonl")
    diagnosis = diagnose(replace(run, config={**run.config, **(config or {})}), load())
    return [f.rule.id for f in diagnosis.findings], {c.parameter: (c.old, c.new) for c in diagnosis.changes}


def test_dead_groups_are_answered_with_the_pass_rate_and_a_larger_group():
    text = grpo(frac_reward_zero_std=0.66, reward=lambda i: 0.2 + 0.01 * (i % 2))
    rules, changes = advised(text, {"num_generations": 4, "temperature": 0.7})
    assert rules[0] == "RL-001"
    assert changes["num_generations"] == (4, 8)
    assert changes["temperature"] == (0.7, 1.0)


def test_a_zero_beta_is_set_and_a_known_one_is_left():
    stuck = dpo(loss=0.6931, rewards__margins=0.0, rewards__chosen=0.0, rewards__accuracies=0.0)
    assert advised(stuck, {"beta": 0.0})[1]["beta"] == (0.0, 0.1)
    assert "beta" not in advised(stuck, {"beta": 0.1})[1]


def test_cut_off_completions_get_twice_the_room_even_where_only_the_log_tells_the_limit():
    text = grpo(completions__clipped_ratio=0.6, completions__max_length=512.0)
    rules, changes = advised(text)
    assert rules == ["RL-006"]
    assert changes["max_completion_length"] == (512, 1024)


def test_a_fall_of_held_out_accuracy_stops_the_run_at_its_best_epoch():
    rows = []
    for step in range(1, 101):
        row = {"step": step, "epoch": step / 25, "loss": 0.69 - step / 200, "rewards/margins": step / 50}
        row |= {"rewards/chosen": step / 100, "rewards/accuracies": min(0.5 + step / 200, 0.99)}
        rows.append(row)
        if step % 10 == 0:
            accuracy = 0.5 + 0.02 * step / 2 if step <= 30 else 0.8 - 0.002 * (step - 30)
            rows.append({"step": step, "epoch": step / 25, "eval_loss": 0.6, "eval_rewards/accuracies": accuracy})
    rules, changes = advised("\n".join(map(json.dumps, rows)), {"num_train_epochs": 4})
    assert "PREF-005" in rules
    assert changes["num_train_epochs"] == (4, 2)


def test_pauses_at_the_interval_of_the_checkpoints_are_answered_with_rarer_ones():
    text = lines(100, loss=lambda i: 2.0 - i / 100, step_time=lambda i: 20.0 if i % 20 == 0 else 1.0)
    rules, changes = advised(text, {"save_steps": 20, "eval_steps": 50})
    assert "SPEED-006" in rules
    assert changes["save_steps"] == (20, 80)
    assert "eval_steps" not in changes or changes["eval_steps"][1] < 50


# The arithmetic


@pytest.mark.parametrize(
    ("group", "rate", "share"), [(4, 0.1, 0.66), (4, 0.2, 0.41), (8, 0.1, 0.43), (8, 0.2, 0.17), (16, 0.1, 0.19)]
)
def test_the_pass_rate_is_the_one_that_leaves_the_share_of_dead_groups(group, rate, share):
    assert pass_rate(share, group) == pytest.approx(rate, abs=0.005)
    assert pass_rate(rate**group + (1 - rate) ** group, group) == pytest.approx(rate, abs=1e-9)


def test_a_rank_correlation_sees_order_and_not_size_and_shares_ranks_between_ties():
    x = np.arange(1.0, 8.0)
    assert spearman(x, np.exp(x)) == pytest.approx(1.0)
    assert spearman(x, -x) == pytest.approx(-1.0)
    assert spearman(x, np.ones(7)) == 0.0
    assert spearman(np.array([1.0, 2, 2, 3]), np.array([1.0, 2, 2, 3])) == pytest.approx(1.0)


def test_what_only_speed_lacks_comes_after_what_the_curve_lacks(tmp_path):
    log = tmp_path / "run.jsonl"
    log.write_text(lines(60, loss=lambda i: 2 - 0.01 * i))
    said = CliRunner().invoke(main, ["analyze", str(log), "--lang", "en"]).stdout.split("Could not be judged:")[1]
    assert "evaluate at least" in said
    assert not re.search(r"^  throughput", said, re.MULTILINE)
