"""Advice is a number: inside the documented ranges, never too far at once, and only where there is one."""

import json

import pytest

from advisor.changes import merge
from advisor.model import Change, Conflict, Finding, Hit, NotMeasurable
from advisor.readers import read_bytes
from advisor.recipes import LARGEST_STEP, RANGES, RECIPES, Context
from advisor.signals import Measurements


def context(config=None, losses=None, evals=None, rate=None, epochs=4):
    n = len(losses or [1.0] * 40)
    lines = [{"event": "run", "schema": "advisor.log/1", "config": config or {}}]
    for i, loss in enumerate(losses or [1.0] * 40, 1):
        row = {"step": i, "epoch": epochs * i / n, "loss": loss}
        lines.append(row | ({"learning_rate": rate} if rate else {}))
    for i, loss in enumerate(evals or [], 1):
        lines.append({"step": i * n // len(evals), "epoch": epochs * i / len(evals), "eval_loss": loss})
    (run,) = read_bytes("\n".join(map(json.dumps, lines)).encode(), "run.jsonl")
    return Context(Measurements(run), Hit({}))


def test_epochs_stop_after_the_best_evaluation():
    assert RECIPES["epochs_at_best"](context({"num_train_epochs": 8}, evals=[3, 2, 2.5, 3, 3.5, 4, 4.5, 5], epochs=8)) == (8, 2)


def test_without_a_setting_the_logged_epochs_are_the_old_value():
    assert RECIPES["epochs_at_best"](context(evals=[3, 2, 2.5, 3], epochs=4)) == (4, 2)


def test_steps_are_advised_where_the_best_lies_inside_the_first_epoch():
    found = context(evals=[3, 2, 2.5, 3], epochs=1)
    assert RECIPES["epochs_at_best"](found) is None
    assert RECIPES["steps_at_best"](found) == (40, 20)


def test_no_number_of_epochs_outside_the_documented_range_is_advised():
    assert RECIPES["epochs_at_best"](context(evals=[3, 2.5, 2, 2.5], epochs=100)) is None
    assert RECIPES["epochs_doubled"](context({"num_train_epochs": 40})) == (40, 50)
    assert RECIPES["epochs_doubled"](context({"num_train_epochs": 50})) is None


@pytest.mark.parametrize("name", ["learning_rate_lower", "learning_rate_tenth", "learning_rate_higher"])
@pytest.mark.parametrize("rate", [1e-9, 1e-6, 2e-6, 1e-5, 3e-5, 1e-4, 4e-4, 5e-4, 1e-3, 0.3])
@pytest.mark.parametrize("config", [{}, {"lora_r": 8}])
def test_a_rate_stays_in_range_and_goes_the_way_it_is_meant_to(name, rate, config):
    edit = RECIPES[name](context({"learning_rate": rate, **config}))
    if edit is None:
        return
    old, new = edit
    low, high = RANGES["learning_rate"]
    assert low <= new <= high
    assert (new > old) == (name == "learning_rate_higher")
    if low <= old <= high:
        assert max(old / new, new / old) <= LARGEST_STEP * 1.01


def test_a_rate_that_is_not_known_gets_no_advice():
    assert RECIPES["learning_rate_lower"](context()) is None


def test_the_highest_logged_rate_is_the_old_value():
    assert RECIPES["learning_rate_lower"](context(rate=3e-4)) == (3e-4, 1e-4)


def test_settings_that_are_right_already_are_left_alone():
    assert RECIPES["warmup_longer"](context({"warmup_ratio": 0.1})) is None
    assert RECIPES["warmup_longer"](context({"warmup_steps": 50})) is None
    assert RECIPES["clip_to_one"](context({"max_grad_norm": 1.0})) is None
    assert RECIPES["bf16_on"](context({"bf16": True})) is None
    assert RECIPES["evaluation_interval"](context({"eval_steps": 2}, evals=[1, 1])) is None


def test_a_missing_evaluation_is_asked_for_ten_times_over_the_run():
    assert RECIPES["evaluation_interval"](context({"max_steps": 500})) == (None, 50)
    assert RECIPES["evaluate_by_steps"](context()) == ("no", "steps")


def test_every_recipe_survives_a_run_that_says_nothing():
    bare = context(losses=[1.0])
    for name, recipe in RECIPES.items():
        try:
            edit = recipe(bare)
        except NotMeasurable:
            continue
        assert edit is None or edit[0] != edit[1], name


def test_one_parameter_gets_one_change_that_of_the_gravest_finding(rules):
    rule = rules[0]
    changes = [Change("learning_rate", 1e-3, new, "safe", rule.id, {"en": "", "zh": ""}) for new in (1e-4, 5e-4)]
    findings = [Finding(rule, Hit({}), (change,)) for change in changes]
    assert merge(findings) == (changes[:1], [])


def test_of_two_changes_that_contradict_each_other_the_likelier_cause_decides_and_the_other_is_shown(rules):
    grave, light = rules[:2]
    lower, higher = (
        Change("learning_rate", 1e-3, new, "safe", rule.id, {"en": "", "zh": ""}) for new, rule in ((1e-4, grave), (3e-3, light))
    )
    findings = [Finding(grave, Hit({}), (lower,)), Finding(light, Hit({}), (higher,))]
    assert merge(findings) == ([lower], [Conflict(lower, higher)])
    assert merge(findings, [(light.id,)]) == ([higher], [Conflict(higher, lower)])


def test_a_rate_above_the_documented_range_comes_down_to_it_and_one_below_the_band_goes_up():
    assert RECIPES["learning_rate_in_band"](context({"learning_rate": 0.01})) == (0.01, 5e-4)
    assert RECIPES["learning_rate_in_band"](context({"learning_rate": 1e-6, "lora_r": 8})) == (1e-6, 1e-5)
    assert RECIPES["learning_rate_in_band"](context({"learning_rate": 5e-6})) == (5e-6, 1e-5)


def test_too_few_updates_become_a_hundred_by_what_sets_their_number():
    by_epochs = context({"num_train_epochs": 2, "train_rows": 400, "per_device_train_batch_size": 16})
    assert RECIPES["epochs_for_updates"](by_epochs) == (2, 4)
    assert RECIPES["steps_for_updates"](by_epochs) is None
    by_steps = context({"max_steps": 40, "num_train_epochs": 2})
    assert RECIPES["epochs_for_updates"](by_steps) is None
    assert RECIPES["steps_for_updates"](by_steps) == (40, 100)


def test_accumulation_makes_the_recommended_batch_and_is_halved_before_the_batch():
    assert RECIPES["accumulation_to_recommended"](context({"per_device_train_batch_size": 2})) == (None, 4)
    assert RECIPES["accumulation_to_recommended"](context({"per_device_train_batch_size": 8})) is None
    both = context({"per_device_train_batch_size": 64, "gradient_accumulation_steps": 4})
    assert RECIPES["accumulation_halved"](both) == (4, 2)
    assert RECIPES["batch_halved_after_accumulation"](both) is None
    assert RECIPES["batch_halved_after_accumulation"](context({"per_device_train_batch_size": 64})) == (64, 32)


@pytest.mark.parametrize(
    ("config", "strategy", "steps"),
    [
        ({"eval_strategy": "epoch"}, (None, "epoch"), None),
        ({"eval_strategy": "epoch", "save_strategy": "epoch"}, None, None),
        ({"eval_strategy": "steps", "save_strategy": "epoch", "eval_steps": 50}, ("epoch", "steps"), (None, 50)),
        ({"eval_strategy": "steps", "eval_steps": 200, "save_steps": 500}, None, (500, 200)),
        ({"eval_strategy": "steps", "eval_steps": 200, "save_steps": 400}, None, None),
        ({"eval_strategy": "epoch", "save_strategy": "best"}, None, None),
        ({}, None, None),
    ],
)
def test_checkpoints_are_written_when_evaluations_are_made(config, strategy, steps):
    assert RECIPES["save_strategy_as_evaluation"](context(config)) == strategy
    assert RECIPES["save_steps_as_evaluation"](context(config)) == steps


def test_bf16_comes_with_fp16_switched_off_since_trainers_refuse_both():
    assert RECIPES["fp16_off"](context({"fp16": True})) == (True, False)
    assert RECIPES["fp16_off"](context({"fp16": False})) is None
