"""Predictions are read under the names that tools give them; what cannot be read is one line that names the place."""

import json

import pytest

from advisor.errors import UnreadableData
from advisor.evaluation.reading import read_answers, read_pairs, read_prompts


def write(tmp_path, *records, name="p.jsonl"):
    path = tmp_path / name
    path.write_text(
        "".join((r if isinstance(r, str) else json.dumps(r, ensure_ascii=False)) + "\n" for r in records), encoding="utf-8"
    )
    return path


@pytest.mark.parametrize(
    "record",
    [
        {"prompt": "Q", "reference": "R", "prediction": "P"},
        {"context": "Q", "target": "R", "output": "P"},
        {"question": "Q", "answer": "R", "response": "P"},
        {"instruction": "Q", "output": "R", "prediction": "P"},
        {"prompt": "Q", "label": "R", "predict": "P"},
        {"messages": [{"role": "user", "content": "Q"}], "references": ["R", "R2"], "generated_text": "P"},
        {"messages": [{"role": "user", "content": "Q"}, {"role": "assistant", "content": "R"}], "prediction": "P"},
        {"conversations": [{"from": "human", "value": "Q"}, {"from": "gpt", "value": "R"}], "prediction": "P"},
        {"prompt": [{"role": "user", "content": "Q"}], "reference": "R", "completion": [{"role": "assistant", "content": "P"}]},
        {"query": "Q", "gold": "R", "reply": "P"},
    ],
    ids=lambda r: ",".join(r),
)
def test_every_usual_set_of_names_means_the_same(tmp_path, record):
    (answer,) = read_answers(write(tmp_path, record))
    assert (answer.prompt, answer.references[0], answer.prediction) == ("Q", "R", "P")


def test_an_instruction_and_its_input_are_one_question_and_a_number_is_a_text(tmp_path):
    (answer,) = read_answers(write(tmp_path, {"instruction": "Add.", "input": "1 2", "reference": 3, "prediction": 3.0}))
    assert (answer.prompt, answer.references, answer.prediction) == ("Add.\n1 2", ("3",), "3.0")


def test_a_conversation_keeps_its_rounds(tmp_path):
    turns = [{"role": r, "content": c} for r, c in (("system", "S"), ("user", "1"), ("assistant", "a"), ("user", "2"))]
    (answer,) = read_answers(write(tmp_path, {"messages": turns, "reference": "b", "prediction": "c"}))
    assert (answer.rounds, answer.earlier, answer.prompt) == (2, ("1", "a"), "2")


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (['{"prompt": "Q", "reference": "R"}'], "p.jsonl:1: no prediction among the keys `prompt`, `reference`"),
        (['{"reference": "R", "prediction": "P"}'], "p.jsonl:1: no prompt among the keys"),
        (['{"prompt": "Q", "prediction": "P"}', '{"prompt": "Q"}'], "p.jsonl:2: `prediction` is missing"),
        (['{"prompt": "Q", "prediction": "P"}', '{"prompt": "Q", "prediction": {"a": 1}}'], "p.jsonl:2: `prediction` is dict"),
        (['{"prompt": "Q", "prediction": "P"}', '{"prompt": "Q", '], "p.jsonl:2:"),
        (["[1, 2]"], "instead of an object"),
        ([], "no record (empty-file)"),
        (['{"messages": [{"content": "Q"}], "prediction": "P"}'], "has no role"),
    ],
)
def test_what_cannot_be_read_is_said_with_its_place(tmp_path, lines, said):
    with pytest.raises(UnreadableData) as error:
        read_answers(write(tmp_path, *lines))
    assert said in str(error.value)


def test_a_file_that_is_not_there_is_said(tmp_path):
    with pytest.raises(UnreadableData, match="no such file"):
        read_answers(tmp_path / "none.jsonl")


def test_training_data_and_real_prompts_are_read_in_their_own_forms(tmp_path):
    (row,) = read_pairs([write(tmp_path, {"context": "Q", "target": "A"})])
    assert (row.prompt, row.references) == ("Q", ("A",))
    lines = tmp_path / "real.txt"
    lines.write_text("one\n\ntwo\n", encoding="utf-8")
    assert read_prompts(lines) == ["one", "two"]
    assert read_prompts(write(tmp_path, {"question": "three"}, name="real.jsonl")) == ["three"]
    with pytest.raises(UnreadableData, match="no prompt among the keys"):
        read_prompts(write(tmp_path, {"a": 1}, name="bad.jsonl"))
