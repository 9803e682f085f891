"""The schedule of the whole run: from the configuration, or from the first half of the logged rates."""

import math
from dataclasses import replace

import numpy as np
import pytest

from advisor.model import NotMeasurable, Run, Series
from advisor.readers import read_path
from advisor.signals import Measurements

END = 400.0
WARMUP = 20.0


def series(name, values, x):
    values, x = np.asarray(values, float), np.asarray(x, float)
    return Series(name, values, x, x / END * 2, np.zeros(len(x), np.int64))


def run_with(rate=None, config=None, upto=END, axis="step", every=5):
    x = np.arange(every, upto + 1, every)
    held = {"train_loss": series("train_loss", np.linspace(3, 2, len(x)), x)}
    if rate is not None:
        held["learning_rate"] = series("learning_rate", [2e-4 * rate(p) for p in x], x)
    return Run("test", "test", held, axis=axis, config={"max_steps": END} if config is None else config)


def done(x, start=WARMUP):
    return min(max((x - start) / (END - start), 0), 1)


def warm(x):
    return min(x / WARMUP, 1)


SCHEDULES = {
    "constant": warm,
    "linear": lambda x: warm(x) * (1 - done(x)),
    "cosine": lambda x: warm(x) * (1 + math.cos(math.pi * done(x))) / 2,
    "quadratic": lambda x: warm(x) * (1 - done(x)) ** 2,
    "cosine to a tenth": lambda x: warm(x) * (0.1 + 0.9 * (1 + math.cos(math.pi * done(x))) / 2),
    "linear after a stable phase": lambda x: warm(x) * (1 - done(x, 150)),
    "linear without warm-up": lambda x: 1 - x / END,
    "linear, logged a step late": lambda x: warm(x - 1) * (1 - done(x - 1)),
}


@pytest.mark.parametrize("name", SCHEDULES)
def test_the_second_half_of_a_schedule_is_told_from_the_rates_of_the_first(name):
    rate = SCHEDULES[name]
    plan = Measurements(run_with(rate, upto=END / 2))["planned_rate"]
    later = np.arange(END / 2, END, 7.0)
    assert plan.at(later) == pytest.approx([rate(x) for x in later], abs=0.01)


@pytest.mark.parametrize(
    "rate",
    [
        lambda x: 0.5 ** (x // 60),
        lambda x: (1 + math.cos(math.pi * (x % 100) / 100)) / 2,
        lambda x: 1 - 0.2 * x / END - 0.2 * math.sin(x / 15),
        lambda x: x / END,
    ],
    ids=["steps", "restarts", "waves", "warm-up only"],
)
def test_a_schedule_that_goes_on_in_no_known_way_is_unknown(rate):
    with pytest.raises(NotMeasurable, match="learning_rate"):
        Measurements(run_with(rate, upto=END / 2))["planned_rate"]


def test_a_configured_schedule_needs_no_logged_rate():
    config = {"max_steps": END, "lr_scheduler_type": "cosine", "warmup_ratio": 0.05}
    plan = Measurements(run_with(config=config, upto=100))["planned_rate"]
    x = np.arange(0.0, END, 10)
    assert plan.at(x) == pytest.approx([SCHEDULES["cosine"](p) for p in x])


def test_logged_rates_overrule_a_configuration_they_contradict():
    config = {"max_steps": END, "lr_scheduler_type": "linear", "warmup_steps": WARMUP}
    plan = Measurements(run_with(SCHEDULES["cosine"], config, upto=END / 2))["planned_rate"]
    assert plan.shape == "cosine"


def test_a_stable_phase_ends_where_the_configuration_says():
    config = {"max_steps": END, "lr_scheduler_type": "warmup_stable_decay", "warmup_steps": WARMUP, "num_decay_steps": 100}
    plan = Measurements(run_with(SCHEDULES["constant"], config, upto=END / 2))["planned_rate"]
    assert plan.at(np.array([250.0, 300.0, 350.0, 400.0])) == pytest.approx([1, 1, 0.5, 0])


def test_twice_the_length_stretches_every_part_of_the_schedule():
    plan = Measurements(run_with(SCHEDULES["cosine"]))["planned_rate"]
    x = np.arange(0.0, END, 10)
    assert plan.stretched(2).at(2 * x) == pytest.approx(plan.at(x))


def test_the_end_is_counted_in_steps_where_only_epochs_are_planned():
    assert Measurements(run_with(config={"num_train_epochs": 3}, upto=100))["planned_end"] == pytest.approx(END / 2 * 3)


@pytest.mark.parametrize("run", [run_with(config={}), run_with(axis="row")], ids=["nothing planned", "points counted by row"])
def test_without_a_plan_there_is_no_end(run):
    with pytest.raises(NotMeasurable, match="run_end"):
        Measurements(run)["planned_end"]


def test_the_rest_of_every_real_schedule_is_told_from_its_first_half(root):
    checked = 0
    for path in sorted((root / "benchmarks" / "runs").glob("*-1.jsonl.gz")):
        (run,) = read_path(path)
        rate = run.series["learning_rate"]
        end = Measurements(run)["planned_end"]
        half = {n: s.take(s.x <= end / 2) for n, s in run.series.items()}
        config = {k: v for k, v in run.config.items() if k != "lr_scheduler_type"}
        plan = Measurements(replace(run, series=half, config=config))["planned_rate"]
        if run.config["lr_scheduler_type"] == "warmup_stable_decay":
            assert plan.shape == "constant", path.name  # as far as anyone can tell from the log
            continue
        logged = rate.values / np.max(rate.values)
        late = rate.x > end / 2
        # One step of the shortest runs is a fortieth of the schedule, and the log may be one step late.
        assert np.max(np.abs(plan.at(rate.x[late]) - logged[late])) < 0.02 + 1.6 / end, path.name
        checked += 1
    assert checked > 20
