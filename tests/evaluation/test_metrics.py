"""Metrics are those of the libraries, Chinese counts by characters, and intervals hold what they promise."""

import math

import numpy as np
import pytest

from advisor.evaluation.bootstrap import difference, sign_test
from advisor.evaluation.metrics import exact_match, measure, rouge_l, token_f1
from advisor.evaluation.model import Answer
from advisor.evaluation.text import overlap, script_of, tokens

sacrebleu = pytest.importorskip("sacrebleu")
rouge_scorer = pytest.importorskip("rouge_score.rouge_scorer")

ENGLISH = [
    ("the cat sat on the mat", "the cat sat on a mat"),
    ("it rains in Oslo today", "it rains in Oslo every day of the week"),
    ("a dog", "the tide is at noon today"),
] * 8
CHINESE = [("今天中午十二点涨潮", "今天中午十二点涨潮。"), ("明天下午退潮水很浅", "明天傍晚六点退潮，水很浅。")] * 12


def rows(pairs, bases=None):
    return [
        Answer("p", n, 0, (("user", f"q{n}"),), said, (right,), bases[n] if bases else None)
        for n, (said, right) in enumerate(pairs)
    ]


def named(pairs, name, **more):
    return measure(rows(pairs, **more), resamples=200).named(name)


@pytest.mark.parametrize(("pairs", "tokenize"), [(ENGLISH, "13a"), (CHINESE, "zh")])
def test_bleu_is_sacrebleus(pairs, tokenize):
    expected = sacrebleu.corpus_bleu([p for p, _ in pairs], [[r for _, r in pairs]], tokenize=tokenize).score
    assert named(pairs, "bleu").own.value == pytest.approx(expected)


def test_rouge_is_that_of_rouge_score_and_chinese_is_not_lost():
    scorer = rouge_scorer.RougeScorer(["rougeL"])
    expected = np.mean([scorer.score(r, p)["rougeL"].fmeasure for p, r in ENGLISH])
    assert named(ENGLISH, "rougeL").own.value == pytest.approx(expected)
    # The library's own tokeniser finds no word in Chinese.
    assert scorer.score(CHINESE[0][1], CHINESE[0][0])["rougeL"].fmeasure == 0
    assert named([CHINESE[0]] * 20, "rougeL").own.value == pytest.approx(1.0)
    assert 0.5 < named(CHINESE, "rougeL").own.value < 1


def test_the_fast_rouge_l_is_that_of_the_library():
    draw = np.random.default_rng(0)
    scorer = rouge_scorer.RougeScorer(["rougeL"])
    for _ in range(200):
        one, other = (" ".join(draw.choice(list("abcdef"), draw.integers(0, 30))) for _ in range(2))
        assert rouge_l(one, other) == pytest.approx(scorer.score(other, one)["rougeL"].fmeasure)


def test_words_are_letters_together_and_chinese_characters_alone():
    assert tokens("GPT-4 说：今天 12.5 度") == ("gpt", "4", "说", "今", "天", "12", "5", "度")
    assert [script_of([t]) for t in ("今天 GPT", "今日は晴れです", "today")] == ["zh", "ja", "other"]


def test_f1_is_that_of_squad():
    assert overlap(tokens("the cat sat"), tokens("the cat")) == pytest.approx(0.8)
    assert token_f1("a b", ["c", "a b"]) == 1
    assert overlap([], []) == 1
    assert overlap([], ["a"]) == 0


def test_exact_match_forgives_case_width_blanks_and_the_full_stop_and_nothing_else():
    assert exact_match(" At  Noon. ", ["at noon"])
    assert exact_match("１２点。", ["12点"])
    assert not exact_match("at noon", ["at one"])
    assert not exact_match("1.5", ["15"])


def test_perplexity_is_the_exponential_of_the_mean_loss_over_all_tokens():
    answers = [
        Answer("p", 1, 0, (("user", "q"),), "x", ("x",), loss=loss, label_tokens=n) for loss, n in ((1.0, 10), (2.0, 30))
    ] * 10
    found = measure(answers, resamples=200).named("perplexity")
    assert found.own.value == pytest.approx(math.exp((10 + 60) / 40))
    assert found.own.low < found.own.value < found.own.high


def test_what_is_not_measured_has_a_reason():
    absent = measure([Answer("p", 1, 0, (("user", "q"),), "x")]).absent
    assert absent["bleu"] == absent["f1"] == "needs-references"
    assert measure(rows([("a", "a")] * 20)).absent["bleu"] == "short-references"


def test_the_same_seed_gives_the_same_interval_and_another_seed_another():
    answers = rows(ENGLISH)
    one, again, other = (measure(answers, resamples=200, seed=s).named("f1").own for s in (0, 0, 1))
    assert one == again
    assert one != other


def test_the_gain_is_paired_so_that_a_small_even_gain_is_seen_where_the_rows_differ_widely():
    pairs = [("a " * n + "x", "a " * n + "y " * (20 - n)) for n in range(1, 20)] * 2
    bases = ["a " * n + "x x" for n, _ in zip(list(range(1, 20)) * 2, pairs, strict=True)]
    found = named(pairs, "f1", bases=bases)
    assert found.verdict == "better"
    assert found.own.low < found.base.value < found.own.high  # unpaired, the intervals overlap by far


def test_equal_models_differ_in_nothing_and_few_rows_say_nothing():
    assert named(ENGLISH, "f1", bases=[p for p, _ in ENGLISH]).verdict == "same"
    assert named(ENGLISH[:5], "f1", bases=["x"] * 5).verdict == "few"


def test_an_interval_holds_the_true_mean_about_as_often_as_it_says():
    draw = np.random.default_rng(1)
    held = 0
    for trial in range(200):
        one, other = draw.random(40) < 0.7, draw.random(40) < 0.5
        found = difference(one.astype(float), other.astype(float), seed=trial)
        held += found.low <= 0.2 <= found.high
    assert 0.89 <= held / 200 <= 0.985


def test_two_models_of_the_same_worth_are_called_different_at_most_as_often_as_chance():
    draw = np.random.default_rng(2)
    alarms = 0
    for _ in range(60):
        said = [("a" if hit else "b", "a") for hit in draw.random(60) < 0.5]
        bases = ["a" if hit else "b" for hit in draw.random(60) < 0.5]
        alarms += named(said, "exact", bases=bases).verdict != "same"
    assert alarms <= 8


@pytest.mark.parametrize(("more", "less", "p"), [(5, 0, 1 / 32), (6, 0, 1 / 64), (8, 2, 56 / 1024), (0, 0, 1), (3, 3, 42 / 64)])
def test_the_sign_test_is_exact(more, less, p):
    assert sign_test(more, less) == pytest.approx(p)


def test_the_two_sided_sign_test_counts_both_sides():
    assert sign_test(6, 0, two_sided=True) == sign_test(0, 6, two_sided=True) == pytest.approx(2 / 64)
    assert sign_test(3, 3, two_sided=True) == 1
