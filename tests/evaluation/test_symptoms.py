"""Signs of what is wrong with an answer: found where they are, silent where the references show the same."""

import numpy as np
import pytest

from advisor.engine import assess
from advisor.evaluation.distribution import contrast
from advisor.evaluation.endings import cut_off, habit_of
from advisor.evaluation.garbling import beside, foreign_script, garbled_at, vocabulary
from advisor.evaluation.instructions import broken_fields, broken_json, broken_other
from advisor.evaluation.model import Answer
from advisor.evaluation.repetition import loop, returning
from advisor.evaluation.signals import AnswerMeasurements, Evaluated
from advisor.evaluation.training import frame_of, parroted, seen_rows
from advisor.rulebook import load

RULES = load(subject="answers")


def answer(said, right=None, asked="When is high tide?", **more):
    return Answer("p.jsonl", 1, 0, (("user", asked),), said, (right,) if right is not None else (), **more)


def judged(answers, **more):
    return assess(AnswerMeasurements(Evaluated(answers, resamples=200, **more)), RULES)


def fired(assessment):
    return [finding.rule.id for finding in assessment.findings]


@pytest.mark.parametrize(
    "text",
    [
        "it is high and " * 6,
        "涨潮了涨潮了涨潮了涨潮了涨潮了",
        "哈" * 40,
        "First a sentence that is fine. " + "and on " * 20,
        "no no no no no no no no no",
    ],
)
def test_a_circle_is_seen(text):
    assert loop(text)


@pytest.mark.parametrize(
    "text",
    [
        "The tide comes in and the tide goes out.",
        "1 1 1 1 1 1 1 1 1 1",
        "| --- | --- | --- | --- | --- | --- |",
        "=" * 80,
        "very very very good",
        "一个苹果，一个梨，一个桃，一个杏。",
        "row row row your boat gently down the stream merrily merrily merrily life is but a dream",
    ],
)
def test_what_repeats_by_nature_is_no_circle(text):
    assert loop(text) is None


def test_a_text_that_goes_round_with_small_changes_is_a_circle_too():
    assert loop(
        "It is Luna. It is Luna. The ferry. The ferry is red. It is Luna. It is Luna. The ferry. The ferry is red. It is Luna."
    )


def test_a_sentence_that_comes_back_between_others_is_seen_and_a_short_one_is_not():
    assert returning("The tide comes at noon. Yes. The tide comes at noon. It rains. The tide comes at noon.")
    assert returning("Yes. It rains. Yes. It snows. Yes.") is None


def test_words_that_stand_nowhere_else_are_garbled_only_beyond_what_references_do():
    rows = [answer(f"Tide {n} is at noon today.", f"Tide {n} is at noon today.") for n in range(30)]
    known = beside(vocabulary(rows), [row.prediction for row in rows])
    assert garbled_at("Thbe qodi nomv zri pak uvb", known) == (0, "words")
    assert garbled_at("Tide 31 is at noon today.", known) is None
    assert garbled_at("Today at noon, Xanthippe.", known) is None
    strange = [
        answer(f"{w} {w[::-1]}q {w}zu {w}vo ka{w}", f"{w} {w[::-1]}q {w}zu {w}vo ka{w}") for w in ("abcd", "efgh", "ijkl", "mnop")
    ]
    assert garbled_at("wxyz zyxwq wxyzzu wxyzvo kawxyz", vocabulary(strange)) is None


def test_prose_of_its_own_is_not_garbled_where_nothing_says_what_is_usual():
    said = [
        "Harbours were dredged by monks who kept the ledgers in Latin and traded salted herring for timber.",
        "Volcanic soil drains quickly, so vineyards there rely on dew that settles before sunrise.",
        "A fugue begins alone, answers itself a fifth higher, and ends where nobody expected it.",
    ]
    assert fired(judged([answer(text, None, f"Tell me something, {n}.") for n, text in enumerate(said)])) == []
    terse = [answer(text, "yes", f"Tell me something, {n}.") for n, text in enumerate(said * 10)]
    assert "ANSWER-003" not in fired(judged(terse))


@pytest.mark.parametrize("text", ["At no\ufffdon.", "At <0xE4> noon.", "锟斤拷", "At noon \x02."])
def test_characters_that_no_text_has_are_garbled(text):
    assert garbled_at(text, vocabulary([answer("x", "y")]))


@pytest.mark.parametrize(
    ("said", "right", "asked", "script"),
    [
        ("Прилив в полдень.", "At noon.", "When?", "cyrillic"),
        ("At noon", "At noon.", "When?", ""),
        ("Прилив.", "At noon.", "Say it in Russian.", ""),
        ("The Ω is high.", "The omega is high.", "Name the sign.", ""),
        ("満潮は正午です", "At noon.", "When?", "han"),
        ("涨潮在中午", "在中午", "什么时候？", ""),
    ],
)
def test_a_script_is_foreign_where_nobody_used_or_asked_for_it(said, right, asked, script):
    assert foreign_script(said, answer(said, right, asked)) == script


def test_how_references_end_decides_what_is_cut_off():
    closed = [answer("", f"Tide {n} is at noon and at night.") for n in range(30)]
    habit = habit_of(closed)
    assert habit.closed
    assert cut_off("Tide 1 is at noon and", closed[1], habit) == "beginning"
    assert cut_off("A boat is", closed[1], habit) == "open"
    assert cut_off("A boat is at sea today, and goes", closed[1], habit) == ""  # as long as its reference: a style, no cut
    assert cut_off("A boat is.", closed[1], habit) == ""
    open_ones = habit_of([answer("", f"noon {n}") for n in range(30)])
    assert cut_off("at", answer("at", "noon"), open_ones) == ""


def test_a_pile_at_the_greatest_length_is_a_limit_only_where_answers_should_end_with_a_sign():
    rows = [answer("The water of tide", f"Tide {n} is at noon and at night.", tokens=5) for n in range(30)]
    assert habit_of(rows).ceiling == 5
    assert cut_off("The water of the great tide is so high that", rows[0], habit_of(rows), 5) == "limit"
    labels = [answer("good", "bad", tokens=1) for _ in range(30)]
    assert cut_off("good", labels[0], habit_of(labels), 1) == ""


def test_json_is_wanted_where_the_reference_is_json():
    row = answer("", '{"a": 1, "b": {"c": "x"}}')
    assert broken_json("no", row)
    assert broken_json('```json\n{"a": 1}\n```', row) is None
    assert broken_json("no", answer("", "plain")) is False
    assert broken_fields('{"a": 1, "b": {}}', row)[1]["field"] == "b.c"
    assert str(broken_fields('{"a": 2, "b": {"c": "x"}}', row)[1]["kind"]) == "field-wrong"
    assert broken_fields('{"b": {"c": "X"}, "a": 1}', row) is None


def test_one_sentence_and_yes_or_no_are_limits_too():
    assert broken_other("Explain in one sentence.", "A. B! C?")
    assert broken_other("用一句话概括。", "一。二。三。四")
    assert broken_other("Explain in one sentence.", "It is at noon.") is None
    assert broken_other("Answer yes or no.", "It depends on the day")
    assert broken_other("Answer yes or no.", "Yes.") is None
    assert broken_other("Explain.", "A. B. C.") is False


def test_references_that_show_a_sign_as_often_keep_the_rule_silent():
    song = "na na na na na na na na hey"
    assert fired(judged([answer(song, song) for _ in range(30)])) == []
    assert "ANSWER-001" in fired(judged([answer(song, "At noon the tide is high.") for _ in range(30)]))


def test_without_references_the_base_model_is_the_measure():
    circle = "it is so high and " * 8
    assert "ANSWER-001" in fired(judged([answer(circle, base="At noon.") for _ in range(30)]))
    assert "ANSWER-001" not in fired(judged([answer(circle, base=circle) for _ in range(30)]))
    assert "ANSWER-001" in fired(judged([answer(circle) for _ in range(30)]))


def test_four_answers_of_a_thousand_are_no_finding_and_thirty_are():
    right = "The tide is at noon."
    for bad, expected in ((4, False), (30, True)):
        rows = [answer("it is so " * 9 if n < bad else right, right) for n in range(1000)]
        assert ("ANSWER-001" in fired(judged(rows))) == expected


def test_of_temperature_and_top_p_only_one_is_changed():
    rows = [answer("At no\ufffd\ufffdon.", "The tide is at noon.") for _ in range(30)]
    found = judged(rows, inference={"temperature": 1.4, "top_p": 0.5}, want="deterministic")
    assert {"ANSWER-003", "INFER-001", "INFER-004", "INFER-005"} <= set(fired(found))
    assert [(c.parameter, c.old, c.new) for c in found.changes] == [("temperature", 1.4, 0.3)]


def test_against_repetition_one_parameter_is_raised_and_never_beyond_its_range():
    rows = [answer("it is so " * 9, "The tide is at noon.") for _ in range(30)]

    def changes(**inference):
        return [(c.parameter, c.old, c.new) for c in judged(rows, inference=inference).changes]

    assert changes(presence_penalty=0.0, temperature=0.3, top_p=1.0) == [("presence_penalty", 0, 0.5)]
    assert changes(presence_penalty=-1.0) == [("presence_penalty", -1.0, 0.0)]
    assert changes(temperature=0.0) == [("temperature", 0.0, 0.3)]
    assert changes(presence_penalty=2.0, temperature=1.0) == []


def test_the_limit_of_tokens_is_raised_to_what_the_longest_reference_needs():
    right = "The tide is at noon, " + "and it is high " * 40
    rows = [answer("The tide is at noon", right + ".", finish="length", tokens=8) for _ in range(30)]
    (change,) = judged(rows, inference={"max_tokens": 8}).changes
    assert (change.parameter, change.old) == ("max_tokens", 8)
    assert change.new >= 2 * len(right.split())
    assert change.new % 64 == 0


def test_the_limit_of_tokens_is_left_alone_where_no_answer_met_it():
    rows = [answer("The tide is at", "The tide is at noon, and it is high.", finish="stop", tokens=4) for _ in range(30)]
    found = judged(rows, inference={"max_tokens": 64})
    assert "ANSWER-005" in fired(found)
    assert found.changes == ()


def train_rows(pairs):
    return [Answer("t.jsonl", n, 0, (("user", q),), "", (a,)) for n, (q, a) in enumerate(pairs, 1)]


def test_a_training_answer_to_a_new_question_is_parroted_and_a_right_one_or_a_label_is_not():
    train = train_rows([(f"When is tide {n}?", f"Tide number {n} is at noon.") for n in range(20)])
    asked = [answer("Tide number 3 is at noon.", "The ferry leaves at six.", f"When is ferry {n}?") for n in range(5)]
    assert len(parroted(asked, train).rows) == 5
    assert parroted([answer("Tide number 3 is at noon.", "Tide number 3 is at noon.", "Tide three?")], train).rows == ()
    labels = train_rows([(f"Is {n} good?", "yes it is good") for n in range(20)])
    assert parroted([answer("yes it is good", "no", "Is 99 good?")], labels).rows == ()


def test_a_question_that_training_answers_in_many_ways_is_left_out():
    train = train_rows([("Tell a joke.", "A cat walked in."), ("Tell a joke.", "Two dogs met at the sea.")])
    assert seen_rows([answer("Nothing.", None, "Tell a joke.")], train).rows == ()
    assert seen_rows([answer("Nothing.", None, "tell a joke")], train[:1]).rows == (0,)


def test_what_nine_of_ten_training_prompts_share_is_their_template():
    train = train_rows([(f"### Question:\n{q} here?\n### Answer:", "x") for q in "abcdefghijklmnopqrst"])
    found = frame_of([answer("x", "x", "a here?")], train)
    assert (found.begin, found.train, found.evaluated) == ("### Question:\n", 1.0, 0.0)
    assert frame_of([], train_rows([(f"{w} is it {w}?", "x") for w in "abcdefghij"])) is None


def test_two_halves_of_one_set_of_prompts_cannot_be_told_apart():
    draw = np.random.default_rng(0)
    words = ["boat", "tide", "ferry", "noon", "town", "sea", "harbour", "ticket", "price", "train", "bus", "night"]
    prompts = [" ".join(draw.choice(words, 6)) + f" {n}" for n in range(400)]
    same = contrast(prompts[:200], prompts[200:])
    assert same.low < 0.55
    other = contrast(prompts[:200], [p + " refund please" for p in prompts[200:]])
    assert other.low > 0.95
    assert "refund" in other.only_there


def test_a_thousand_answers_are_judged_in_seconds():
    import time

    right = "The ferry leaves in the morning, and the tide is high at noon and at night. " * 8
    rows = [answer(f"{n} {right}", f"{n} {right}", f"When {n}?") for n in range(1000)]
    begin = time.process_time()
    judged(rows)
    assert time.process_time() - begin < 30
