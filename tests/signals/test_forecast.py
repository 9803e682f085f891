"""The forecast: the published form, what it recovers, when it abstains, and how often its interval holds."""

import sys
from contextlib import suppress
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from advisor.model import Forecast, NotMeasurable, Run, Series
from advisor.signals import Measurements
from advisor.signals.annealing import areas, normal_nodes
from advisor.signals.planned import PlannedRate

END = 1000.0
PLAN = PlannedRate("cosine", END, 50.0, 50.0)


def curve(x, base=1.0, scale=4.0, alpha=0.5, gain=0.05, plan=PLAN):
    """The published form itself, on the schedule of `plan`."""
    forward, area = areas(plan, np.asarray(x, float), np.array([0.05 * plan.end]))
    return base + scale * forward**-alpha - gain * area[0]


def run_of(x, loss, *, evaluations=None, config=None, epochs=1.0):
    x = np.asarray(x, float)
    noise = np.random.default_rng(1).normal(0, 0.01, len(x))

    def series(name, values, at):
        return Series(name, np.asarray(values, float), at, at / END * epochs, np.zeros(len(at), np.int64), "nats")

    held = {"train_loss": series("train_loss", loss + noise, x), "learning_rate": series("learning_rate", 1e-3 * PLAN.at(x), x)}
    if evaluations is not None:
        held["eval_loss"] = series("eval_loss", evaluations[1], np.asarray(evaluations[0], float))
    return Run("test", "test", held, config={"max_steps": END} | (config or {}))


def forecast(run):
    return Measurements(run)["forecast"]


STEPS = np.arange(5.0, END + 1, 5.0)
HALF = STEPS[STEPS <= END / 2]
EVALS = np.arange(25.0, END + 1, 25.0)
HALF_EVALS = EVALS[EVALS <= END / 2]


def test_the_areas_are_the_sums_of_the_definition():
    rate = PLAN.at(np.arange(0.0, END + 1))
    keep = 1 - 1 / 50
    momentum = area = 0.0
    for before, now in pairwise(rate):
        momentum = keep * momentum + max(before - now, 0.0)
        area += momentum
    forward, annealed = areas(PLAN, np.array([END]), np.array([50.0]))
    assert forward[0] == pytest.approx(np.sum(rate), rel=0.01)
    assert annealed[0, 0] == pytest.approx(area / 50, rel=0.02)


def test_the_nodes_are_a_standard_normal_distribution():
    nodes = normal_nodes(2000)
    assert np.mean(nodes, axis=0) == pytest.approx([0, 0, 0], abs=0.02)
    assert np.cov(nodes.T) == pytest.approx(np.eye(3), abs=0.03)


@pytest.mark.parametrize("alpha", [0.5, 1.0])
@pytest.mark.parametrize("gain", [0.0, 0.05, 0.1])
def test_the_end_of_a_curve_of_the_published_form_is_recovered_from_its_first_half(alpha, gain):
    found = forecast(run_of(HALF, curve(HALF, alpha=alpha, gain=gain)))
    assert found.series == "train_loss"
    assert found.end.value == pytest.approx(curve([END], alpha=alpha, gain=gain)[0], rel=0.02)
    assert found.end.low < found.end.value < min(found.now, found.end.high)


def test_evaluations_are_preferred_to_the_training_loss():
    run = run_of(HALF, curve(HALF), evaluations=(HALF_EVALS, 0.1 + curve(HALF_EVALS)))
    found = forecast(run)
    assert found.series == "eval_loss"
    assert found.end.value == pytest.approx(0.1 + curve([END])[0], rel=0.01)


def test_a_longer_run_is_forecast_from_evaluations_alone():
    with_evaluations = forecast(run_of(STEPS, curve(STEPS), evaluations=(EVALS, curve(EVALS))))
    assert [o.factor for o in with_evaluations.longer] == [1.5, 2.0]
    assert with_evaluations.finished
    assert with_evaluations.longer[1].value < with_evaluations.longer[0].value < with_evaluations.end.value
    assert forecast(run_of(HALF, curve(HALF))).longer == ()


def test_the_unit_of_the_loss_is_the_unit_of_the_forecast():
    one = forecast(run_of(HALF, curve(HALF), evaluations=(HALF_EVALS, curve(HALF_EVALS))))
    thousand = run_of(HALF, curve(HALF), evaluations=(HALF_EVALS, 1000 * curve(HALF_EVALS)))
    many = forecast(thousand)
    assert [many.end.low, many.end.value, many.end.high] == pytest.approx(
        [1000 * v for v in (one.end.low, one.end.value, one.end.high)]
    )


def stairs(x):
    return 2.0 - 0.4 * np.floor(x / 200)


ABSTAINS = {
    "an objective whose loss follows no curve": ("forecast:objective", run_of(HALF, curve(HALF), config={"objective": "grpo"})),
    "a run that is over and was not evaluated": ("forecast:finished", run_of(STEPS, curve(STEPS))),
    "a tenth of a run": ("forecast:early", run_of(STEPS[:60], curve(STEPS[:60]))),
    "a handful of points": ("train_loss", run_of(HALF[::10], curve(HALF[::10]))),
    "a rising loss": (
        "forecast:rising",
        run_of(HALF, curve(HALF), evaluations=(HALF_EVALS, curve(HALF_EVALS) + np.maximum(HALF_EVALS - 250, 0) / 200)),
    ),
    "a loss that never fell": ("forecast:flat", run_of(HALF, np.full(len(HALF), 2.0))),
    "stairs at the borders of epochs": ("forecast:stairs", run_of(HALF, stairs(HALF), epochs=5)),
    "rows that were met once of three times": ("forecast:repeated-rows", run_of(HALF, curve(HALF), epochs=1.9)),
    "no end": ("run_end", run_of(HALF, curve(HALF), config={"max_steps": -1})),
}


@pytest.mark.parametrize("name", ABSTAINS)
def test_nothing_is_forecast_from(name):
    reason, run = ABSTAINS[name]
    with pytest.raises(NotMeasurable) as raised:
        forecast(run)
    assert raised.value.missing[0] == reason


def test_without_a_schedule_nothing_is_forecast():
    run = run_of(HALF, curve(HALF))
    bare = replace(run, series={"train_loss": run.series["train_loss"]})
    with pytest.raises(NotMeasurable, match="learning_rate"):
        forecast(bare)


@pytest.mark.parametrize("values", [np.full(100, 1e300), np.full(100, -1.0), np.geomspace(1e300, 1e-300, 100)], ids=str)
def test_absurd_numbers_are_survived(values):
    run = run_of(HALF, np.interp(HALF, np.linspace(0, 500, 100), values))
    with np.errstate(all="ignore"), suppress(NotMeasurable):
        assert isinstance(forecast(run), Forecast)


@pytest.fixture(scope="module")
def benchmark():
    sys.path.insert(0, str(pytest.importorskip("advisor").__path__[0]) + "/..")
    from benchmarks import forecast

    return forecast


@pytest.mark.parametrize("share", [0.5, 0.75])
def test_the_interval_holds_the_end_of_our_own_runs_about_as_often_as_it_says(benchmark, share):
    own = [entry for entry in benchmark.finished_runs() if entry[0] == "own"]
    outcomes = [o for _, o in benchmark.ends(share, own) if isinstance(o, benchmark.Outcome)]
    assert len(outcomes) > 150
    assert 0.72 <= np.mean([o.inside for o in outcomes]) <= 0.9
    error = np.median([abs(o.outlook.value - o.truth) / o.truth for o in outcomes])
    last = np.median([abs(o.last - o.truth) / o.truth for o in outcomes])
    assert error < 0.75 * last


def test_the_interval_of_twice_the_epochs_holds_about_as_often_as_it_says(benchmark):
    own = [entry for entry in benchmark.finished_runs() if entry[0] == "own"]
    outcomes = [o for _, o in benchmark.more_epochs(own) if isinstance(o, benchmark.Outcome)]
    assert len(outcomes) > 30
    assert 0.72 <= np.mean([o.inside for o in outcomes]) <= 0.95
