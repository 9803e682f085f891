"""A difference is a verdict only beyond what chance makes; what cannot be compared is said to be so."""

import sys
from dataclasses import replace
from itertools import combinations, permutations
from pathlib import Path

import numpy as np
import pytest

from advisor.comparison.compare import compare
from advisor.comparison.settings import different, family, tokenizers
from advisor.comparison.verdict import same_order
from advisor.engine import diagnose
from advisor.model import Run, Series
from advisor.readers import read_path
from advisor.rulebook import load

sys.path.insert(0, str(Path(__file__).parent.parent.parent))

from benchmarks.forecast import RUNS
from benchmarks.runs.plan import PLAN

RULES = load(subject="run")
FAULTS = Path(__file__).parent.parent.parent.parent / "shared/faults/logs"
_CACHE = {}


def diagnosed(path):
    if path not in _CACHE:
        _CACHE[path] = diagnose(read_path(path)[0], RULES)
    return _CACHE[path]


def seed_runs(entry):
    return [diagnosed(RUNS / f"{entry.name}-{seed}.jsonl.gz") for seed in entry.seeds]


def without_settings(diagnosis):
    return replace(diagnosis, run=replace(diagnosis.run, config={}))


def pair(one, other):
    return compare([one, other], ["one", "other"]).pairs[0]


def kind(one, other):
    return pair(one, other).verdict.kind


def made(evals, train=None, name="eval_loss", unit="nats", **config):
    def series(key, values, unit):
        values = np.array(values, dtype=float)
        x = np.arange(1, len(values) + 1) * (100 / len(values))
        return Series(key, values, x, x / 100, np.arange(1, len(values) + 1), unit)

    found = {name: series(name, evals, unit)} if evals is not None else {}
    if train is not None:
        found["train_loss"] = series("train_loss", train, "nats")
    return diagnose(Run("made", "made", found, config=config), RULES)


FALLING = [2.0, 1.6, 1.4, 1.3, 1.25, 1.22, 1.2, 1.19, 1.185, 1.18]


@pytest.mark.parametrize("entry", PLAN, ids=lambda e: e.name)
@pytest.mark.parametrize("known", [True, False], ids=["settings-known", "settings-unknown"])
def test_two_seeds_of_one_configuration_are_never_better_or_worse(entry, known):
    runs = seed_runs(entry) if known else list(map(without_settings, seed_runs(entry)))
    for one, other in permutations(runs, 2):
        assert kind(one, other) in ("same", "undecided")


def test_another_seed_is_named_as_such():
    one, other = seed_runs(PLAN[0])[:2]
    found = pair(one, other)
    assert (found.axis, found.verdict.kind, found.verdict.reason) == ("seed", "same", "only-seed")


@pytest.mark.parametrize(("one", "other"), [("topics-linear", "topics-cosine"), ("weather-cosine", "weather-constant")])
def test_the_order_of_the_batches_is_told_from_the_losses_alone(one, other):
    runs = {(n, s): diagnosed(RUNS / f"{n}-{s}.jsonl.gz").run for n in (one, other) for s in (1, 2)}
    assert same_order(runs[one, 1], runs[other, 1])
    assert same_order(runs[one, 2], runs[other, 2])
    assert not same_order(runs[one, 1], runs[one, 2])
    assert not same_order(runs[one, 1], runs[other, 2])


def test_no_two_seeds_of_any_configuration_pass_for_the_same_order():
    for entry in PLAN:
        for one, other in combinations(seed_runs(entry), 2):
            assert not same_order(one.run, other.run), entry.name


@pytest.mark.skipif(not FAULTS.is_dir(), reason="the runs with planted faults are not beside this checkout")
@pytest.mark.parametrize("fault", ["04", "08", "11", "12", "14", "26", "03", "01"])
def test_a_run_with_a_grave_fault_is_worse_than_its_healthy_twin(fault):
    healthy, faulty = (diagnosed(FAULTS / f"run-{n}.jsonl") for n in ("25", fault))
    assert kind(healthy, faulty) == "worse"
    assert kind(faulty, healthy) == "better"


@pytest.mark.skipif(not FAULTS.is_dir(), reason="the runs with planted faults are not beside this checkout")
def test_healthy_twins_are_never_better_or_worse():
    healthy = [diagnosed(FAULTS / f"run-{n}.jsonl") for n in ("10", "25", "29")]
    assert {kind(one, other) for one, other in permutations(healthy, 2)} <= {"same", "undecided"}


def test_a_paired_difference_of_two_percent_is_seen_and_one_of_half_a_percent_is_not():
    draw = np.random.default_rng(0)
    train = np.linspace(2, 1, 80) + draw.normal(0, 0.05, 80)
    base = made(FALLING, train, learning_rate=1e-4)
    better, alike = (made([v * f for v in FALLING], train * f, learning_rate=2e-4) for f in (0.98, 0.995))
    assert kind(base, better) == "better"
    assert kind(better, base) == "worse"
    assert kind(base, alike) == "same"
    assert pair(base, better).verdict.basis == "paired"


def test_the_same_difference_without_a_common_order_is_not_decided():
    draw = np.random.default_rng(0)
    runs = [made([v * f for v in FALLING], np.linspace(2, 1, 80) + draw.normal(0, 0.05, 80)) for f in (1, 0.9)]
    found = pair(*runs).verdict
    assert (found.kind, found.reason, found.basis) == ("undecided", "seeds", "unpaired")
    assert kind(runs[0], made([v * 0.7 for v in FALLING])) == "better"


def test_three_seeds_a_side_decide_what_one_cannot():
    draw = np.random.default_rng(1)

    def seeds(factor, rate, spread):
        return [made([v * (factor + draw.normal(0, spread)) for v in FALLING], seed=s, learning_rate=rate) for s in range(3)]

    one, other = seeds(1, 1e-4, 0.005), seeds(0.93, 2e-4, 0.005)
    names = [str(n) for n in range(6)]
    found = compare([*one, *other], names)
    assert found.groups == ((0, 1, 2), (3, 4, 5))
    assert {p.verdict.kind for p in found.pairs if p.run >= 3} == {"better"}
    assert {p.verdict.basis for p in found.pairs if p.run >= 3} == {"seeds"}
    wide = compare([*seeds(1, 1e-4, 0.08), *seeds(0.97, 2e-4, 0.08)], names)
    assert {p.verdict.kind for p in wide.pairs if p.run >= 3} == {"same"}


@pytest.mark.parametrize(
    ("one", "other", "reason"),
    [
        ({"evals": None, "train": FALLING}, {"evals": FALLING}, "no-evaluation"),
        ({"evals": FALLING}, {"evals": FALLING, "unit": "bits"}, "units"),
        ({"evals": FALLING, "vocab_size": 32000}, {"evals": FALLING, "vocab_size": 151936}, "tokenizers"),
        (
            {"evals": FALLING, "model_name_or_path": "a/Llama-3-8B"},
            {"evals": FALLING, "model_name_or_path": "Qwen2-7B"},
            "tokenizers-unknown",
        ),
        ({"evals": FALLING, "eval_dataset": "a"}, {"evals": FALLING, "eval_dataset": "b"}, "evaluation-sets"),
        ({"evals": FALLING, "label_smoothing_factor": 0.1}, {"evals": FALLING, "label_smoothing_factor": 0.0}, "loss-settings"),
        ({"evals": FALLING, "objective": "sft"}, {"evals": FALLING, "objective": "dpo"}, "objectives"),
    ],
    ids=lambda v: v if isinstance(v, str) else "",
)
def test_what_cannot_be_compared_is_said_with_the_reason(one, other, reason):
    found = pair(made(**one), made(**other)).verdict
    assert (found.kind, found.reason) == ("undecided", reason)


def test_another_size_of_one_family_has_the_same_tokenizer():
    assert family("Qwen/Qwen2.5-0.5B-Instruct") == family("/models/qwen2.5-7B-instruct")
    assert family("bert-base-uncased") == family("bert-large-uncased")
    assert family("Llama-3-8B") != family("Qwen2-8B")
    assert tokenizers({"model": "Llama-2-7b"}, {"model": "Llama-2-13b"}) == "same"


def test_a_metric_decides_where_losses_cannot_be_compared():
    def accuracy(values, vocabulary):
        one = made(FALLING, vocab_size=vocabulary).run
        other = made(values, name="eval_accuracy", unit="").run
        return diagnose(replace(one, series={**one.series, **other.series}), RULES)

    low, high = accuracy([0.3, 0.5, 0.6, 0.62, 0.62], 100), accuracy([0.3, 0.6, 0.7, 0.8, 0.8], 200)
    found = pair(low, high).verdict
    assert (found.kind, found.series) == ("better", "eval_accuracy")
    assert kind(high, low) == "worse"


def test_losses_that_are_no_numbers_lose_whatever_was_reached_before():
    broken = made([2.0, 1.0, 0.5, float("nan"), float("nan"), float("nan")], [2.0, 1.0, *[float("nan")] * 20])
    assert pair(made(FALLING), broken).verdict.reason == "non-finite"
    assert kind(made(FALLING), broken) == "worse"
    assert kind(broken, made(FALLING)) == "better"
    assert kind(broken, broken) == "undecided"


def test_a_better_best_with_a_worse_end_is_not_decided():
    draw = np.random.default_rng(0)
    train = np.linspace(2, 1, 80) + draw.normal(0, 0.05, 80)
    found = pair(made(FALLING, train), made([1.9, 1.5, 1.1, 1.05, 1.1, 1.2, 1.3, 1.4, 1.5, 1.6], train)).verdict
    assert (found.kind, found.reason) == ("undecided", "best-against-end")


def test_the_verdict_turns_round_with_the_pair_and_scaling_both_changes_nothing():
    names = ["weather-cosine-1", "weather-linear-1", "topics-linear-1", "topics-wsd-1", "votes-linear-1", "votes-wsd-1"]
    turned = {"better": "worse", "worse": "better", "same": "same", "undecided": "undecided"}
    runs = [diagnosed(RUNS / f"{name}.jsonl.gz") for name in names]

    def scaled(d):
        series = {n: replace(s, values=s.values * 3) if "loss" in n else s for n, s in d.run.series.items()}
        return replace(d, run=replace(d.run, series=series))

    for one, other in combinations(runs, 2):
        found = kind(one, other)
        assert kind(scaled(one), scaled(other)) == found
        if found in ("same", "undecided"):
            assert kind(other, one) in ("same", "undecided")
        else:
            assert kind(other, one) in (turned[found], "undecided")


def test_settings_without_effect_and_the_seed_are_no_difference():
    one = {"seed": 1, "output_dir": "a", "learning_rate": 1e-4, "num_train_epochs": 3}
    other = {"seed": 2, "output_dir": "b", "learning_rate": 2e-4, "num_train_epochs": 3.0, "warmup_ratio": 0.1}
    assert different(one, other) == {"learning_rate": (1e-4, 2e-4), "warmup_ratio": (None, 0.1)}
