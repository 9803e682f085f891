"""Marian NMT."""

import pytest

from advisor.readers import read_bytes


def read(text):
    (run,) = read_bytes(text.encode(), "train.log")
    return run


TRAIN = (
    "[2024-01-01 10:00:00] Ep. 1 : Up. {u} : Sen. 32,000 : Cost {c} * 500,000 @ 1,000 after 500,000 : Time 60.01s : "
    "8332.00 words/s : gNorm 1.2 : L.r. 3.0000e-05\n"
)
VALID = "[2024-01-01 10:00:09] [valid] Ep. 1 : Up. {u} : {m} : {v} : new best\n"


def test_cost_validation_and_their_places_are_read():
    run = read(
        "".join(TRAIN.format(u=u, c=c) + VALID.format(u=u, m="ce-mean-words", v=c - 1) for u, c in ((500, 7.0), (1000, 6.0)))
    )
    assert (run.series["train_loss"].values.tolist(), run.series["train_loss"].x.tolist()) == ([7.0, 6.0], [500, 1000])
    assert run.series["eval_loss"].values.tolist() == [6.0, 5.0]
    assert run.series["learning_rate"].values.tolist() == [3e-5, 3e-5]
    assert run.series["tokens_per_second"].values.tolist() == [8332, 8332]


@pytest.mark.parametrize(
    ("metric", "unit"), [("cross-entropy", "nats-per-sentence"), ("perplexity", "perplexity"), ("ce-mean-words", "nats")]
)
def test_each_validation_metric_keeps_its_unit(metric, unit):
    run = read(TRAIN.format(u=500, c=7.0) + VALID.format(u=500, m=metric, v=120.5))
    assert (run.series["train_loss"].unit, run.series["eval_loss"].unit) == ("nats", unit)
    assert bool(run.notes) == (metric != "ce-mean-words")


def test_a_cost_without_a_count_of_tokens_is_a_sum_over_the_sentence():
    run = read("[2018] Ep. 1 : Up. 1000 : Sen. 64000 : Cost 128.15 : Time 120.01s : 8332.05 words/s\n")
    assert run.series["train_loss"].unit == "nats-per-sentence"


def test_a_translation_score_is_no_loss():
    run = read(TRAIN.format(u=500, c=7.0) + VALID.format(u=500, m="bleu-detok", v=12.5))
    assert run.series["eval_bleu_detok"].values.tolist() == [12.5]
    assert "eval_loss" not in run.series
