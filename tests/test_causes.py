"""Causes: every one has words and cases, weighs what was seen, and is right as often as its confidence says."""

import csv
import json
import re
import string
from collections import Counter
from pathlib import Path

import pytest
from click.testing import CliRunner

from advisor.cases import cause_outcomes, run_of
from advisor.causes import LEAST, TEXTS, load_causes, parse_cause, recommended
from advisor.cli import main
from advisor.engine import diagnose
from advisor.errors import BadRule
from advisor.model import CAUSES, Cause, Change
from advisor.readers import read_path
from advisor.render.words import Words
from advisor.rulebook import LANGUAGES, load

RULES = load()
BOOK = load_causes()
EACH = pytest.mark.parametrize("cause", BOOK, ids=lambda c: c.name)
NOT_IN_A_LOG = {"zero_grad_missing"}
"""Causes of the vocabulary that neither a log nor a configuration shows: the loss of such runs is that of healthy ones."""


def test_every_cause_that_a_log_can_show_is_in_the_book():
    assert {cause.name for cause in BOOK} == set(CAUSES) - NOT_IN_A_LOG


@EACH
def test_every_case_of_a_cause_holds(cause):
    broken = [o for o in cause_outcomes(cause, RULES) if not o.holds]
    assert broken == []


@EACH
def test_a_cause_has_a_case_in_which_it_is_absent_and_one_in_which_it_is_stated(cause):
    expected = {case["expect"] for case in cause.cases}
    assert "absent" in expected
    assert expected & {"first", "stated"} or cause.name == "batch_too_large"


@EACH
def test_both_languages_say_the_same_with_the_same_placeholders(cause):
    def fields(text):
        return {field for _, field, _, _ in string.Formatter().parse(text) if field}

    for entry in cause.evidence:
        if entry.words:
            assert fields(entry.words["en"]) == fields(entry.words["zh"]), entry.clue
    texts = [cause.words["zh"][key] for key in TEXTS] + [e.words["zh"] for e in cause.evidence if e.words]
    for text in texts:
        assert re.search("[\u4e00-\u9fff]", text), text
        assert not re.search("[\u4e00-\u9fff][,;:?]|[,;:?][\u4e00-\u9fff]", text), text


@EACH
def test_the_findings_a_cause_names_are_rules_of_the_book(cause):
    known = {rule.id for rule in RULES}
    assert {name for entry in cause.evidence for name in entry.findings} <= known


def test_every_clue_can_be_said_wherever_it_is_seen():
    runs = [run_of(case) for cause in BOOK for case in cause.cases]
    said = 0
    for run in runs:
        for cause in diagnose(run, RULES).causes:
            for language in LANGUAGES:
                words = Words(language, run)
                said += sum(bool(words.fill(clue.words[language], clue.facts)) for clue in (*cause.supports, *cause.against))
    assert said


def _cause(**changes):
    fields = {"name": "bad_batch", "words": {}, "odds": 1.0, "confidence": "medium", "supports": (), "against": ()}
    return Cause(**{**fields, **changes})


def _change(parameter):
    return Change(parameter, 1, 2, "try", "X-001", {"en": "", "zh": ""})


def test_the_first_change_mends_the_likeliest_cause():
    changes = [_change("bf16"), _change("learning_rate")]
    assert recommended([_cause(parameters=("learning_rate",))], changes) == changes[1]
    assert recommended([], changes) == changes[0]


def test_where_no_change_mends_the_cause_none_is_recommended():
    assert recommended([_cause(parameters=("weight_decay",))], [_change("bf16")]) is None


def test_a_faulty_cause_file_is_an_error_that_names_the_file(tmp_path):
    path = tmp_path / "odd.toml"
    path.write_text('cause = "bad_weather"\n')
    with pytest.raises(BadRule, match=r"odd\.toml: `cause` is 'bad_weather'"):
        parse_cause(path)


def test_the_text_says_the_cause_what_speaks_for_it_and_the_change_to_make_first(root):
    log = root / "sample_logs/faulty/validation-rise/trainer_state.json"
    text = CliRunner().invoke(main, ["analyze", str(log), "--lang", "en"]).stdout
    assert "cause  Too many passes over the same rows [high confidence]" in text
    assert "for    Evaluation loss rises after its best point" in text
    assert re.search(r"first  num_train_epochs 40 → 8", text)
    document = json.loads(CliRunner().invoke(main, ["analyze", str(log), "--format", "json"]).stdout)
    (run,) = document["runs"]
    assert run["causes"][0]["cause"] == "too_many_epochs"
    assert run["first_change"]["parameter"] == "num_train_epochs"


@pytest.fixture(scope="module")
def faults(corpus):
    """The runs with a planted fault, which are not part of the project: (planted, accepted causes, scored, diagnosis)."""
    folder = corpus.parent / "faults"
    with (folder / "truth.tsv").open(newline="") as stream:
        rows = list(csv.DictReader(stream, delimiter="\t"))
    return [
        (
            r["planted"],
            set(r["accepted_causes"].split(";")),
            r["scored"],
            diagnose(read_path(folder / "logs" / r["file"])[0], RULES),
        )
        for r in rows
    ]


def test_the_planted_fault_is_the_first_cause_in_nine_of_ten_runs(faults):
    scored = [
        (accepted, [c.name for c in d.causes]) for _, accepted, scored, d in faults if scored == "yes" and "healthy" not in accepted
    ]
    first = sum(bool(names) and names[0] in accepted for accepted, names in scored)
    second = sum(bool(accepted & set(names[:2])) for accepted, names in scored)
    assert first >= 0.9 * len(scored)
    assert second >= 0.97 * len(scored)


def test_a_healthy_twin_has_no_cause_and_no_warning(faults, warnings_of):
    healthy = [d for _, accepted, scored, d in faults if scored == "yes" and "healthy" in accepted]
    assert healthy
    assert [(d.causes, warnings_of(d)) for d in healthy] == [((), [])] * len(healthy)


def test_high_confidence_is_right_nine_times_in_ten(faults):
    stated = Counter()
    for _, accepted, _, diagnosis in faults:
        for cause in diagnosis.causes[:1]:
            stated[cause.confidence, cause.name in accepted] += 1
    assert stated["high", True] >= 9 * stated["high", False]


def test_confidence_rises_with_the_odds():
    odds = [least for least, _ in LEAST]
    assert odds == sorted(odds, reverse=True)


def test_a_run_at_a_rate_of_zero_is_not_also_told_to_stop_early():
    (run,) = read_path(Path(__file__).parents[1] / "sample_logs" / "faulty" / "learning-rate-zero" / "trainer_state.json")
    found = diagnose(run, RULES)
    assert [(change.parameter, change.old) for change in found.changes] == [("learning_rate", 0.0)]
    assert not any(n.need and "learning_rate" in n.missing for n in found.not_judged)
