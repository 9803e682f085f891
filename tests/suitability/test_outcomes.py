"""Whether to fine-tune: the documented cases and near-misses, and that improving a fact never turns the advice away from it."""

import json
import random
import tomllib
from collections import Counter
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from advisor.cli import main
from advisor.cli.should_finetune import HELP
from advisor.errors import BadAnswers, BadRule
from advisor.locale import strings
from advisor.rulebook import LANGUAGES, built_in_folder, load
from advisor.suitability.advice import advise
from advisor.suitability.answers import read_answers
from advisor.suitability.decide import OUTCOMES, STAY, TRAIN, alternatives, decide, open_facts, what_would_change
from advisor.suitability.measure import agreement, read_base_results
from advisor.task import FACTS, Task, amount, answered

HERE = Path(__file__).parent
ANSWERS = sorted((HERE / "answers").iterdir())
EXPECTED = tomllib.loads((HERE / "expected.toml").read_text(encoding="utf-8"))
RULES = load(subject="task")


def run(*arguments, status=0):
    result = CliRunner(env={"COLUMNS": "100"}).invoke(main, ["should-finetune", *map(str, arguments)], catch_exceptions=False)
    assert result.exit_code == status, result.output
    return result


# The documented cases


def test_there_are_forty_answer_files_and_each_outcome_has_one():
    assert len(ANSWERS) >= 40
    assert {path.stem for path in ANSWERS} == EXPECTED.keys()
    assert {case["outcome"] for case in EXPECTED.values()} == set(OUTCOMES)


@pytest.mark.parametrize("path", ANSWERS, ids=lambda p: p.stem)
def test_the_documented_case_has_its_outcome(path):
    decision = decide(Task(read_answers(path)), RULES)
    assert (decision.outcome, decision.missing) == (EXPECTED[path.stem]["outcome"], ""), EXPECTED[path.stem]["story"]


@pytest.mark.parametrize("path", ANSWERS, ids=lambda p: p.stem)
def test_the_same_facts_as_options_give_the_same_answer_as_in_a_file(path):
    of_file = json.loads(run("--answers", path, "--format", "json").stdout)
    options = [part for name, fact in of_file["facts"].items() for part in (f"--{name.replace('_', '-')}", fact["value"])]
    of_options = json.loads(run(*options, "--format", "json").stdout)
    for answer in (of_file, of_options):
        del answer["facts"], answer["next"]
    assert of_options == of_file


@pytest.mark.parametrize("path", ANSWERS, ids=lambda p: p.stem)
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_outcome_says_its_reason_its_source_what_would_change_it_and_the_next_step(path, language):
    words = strings(language, "suitability")
    outcome = EXPECTED[path.stem]["outcome"]
    shown = run("--answers", path, "--lang", language).stdout
    assert words[f"outcome.{outcome}"] in shown.replace("\n", "")
    assert "SUIT-0" in shown
    assert "<https://" in shown or "Azure" in shown or "OpenAI" in shown
    assert words["would_change"] in shown
    assert "advisor " in shown[shown.rindex(f"  {words['next_heading']} ") :].splitlines()[0]
    page = run("--answers", path, "--lang", language, "--format", "markdown").stdout
    assert page.startswith(f"# {words[f'outcome.{outcome}']}")
    assert f"## {words['next_heading']}" in page


def test_every_fact_has_a_question_a_help_line_a_name_and_words_for_its_values_in_both_languages():
    asked = [fact for fact in FACTS.values() if fact.asked]
    for language in LANGUAGES:
        keys = strings(language, "suitability").keys()
        assert {f"{kind}.{fact.name}" for kind in ("ask", "help") for fact in asked} == {
            k for k in keys if k[:4] in ("ask.", "help")
        }
        assert {f"fact.{name}" for name in FACTS} == {k for k in keys if k.startswith("fact.")}
        assert {f"value.{f.name}.{v}" for f in FACTS.values() for v in f.values} == {k for k in keys if k.startswith("value.")}
        assert {f"{kind}.{o}" for kind in ("outcome", "next") for o in OUTCOMES} == {
            k for k in keys if k.startswith(("outcome.", "next."))
        }
    assert HELP.keys() == FACTS.keys()


def test_every_rule_argues_for_an_outcome_a_reason_or_a_note_and_every_outcome_has_a_rule():
    argued = {rule.thresholds["argues"] for rule in RULES}
    assert argued == {*OUTCOMES, "training", "note"}
    assert len({rule.thresholds["order"] for rule in RULES}) == len(RULES)


# What would change it


def test_a_fact_named_as_changing_the_outcome_really_does_and_none_that_does_is_left_out():
    for path in ANSWERS:
        task = Task(read_answers(path))
        decision = decide(task, RULES)
        changes = what_would_change(decision, RULES)
        for change in changes:
            assert decide(task.with_answer(change.fact, change.answer), RULES).outcome == change.outcome != decision.outcome
        led_to = {
            (name, decide(task.with_answer(name, a), RULES).outcome) for name in task.known for a in alternatives(name, RULES)
        }
        assert {(c.fact, c.outcome) for c in changes} == {(name, o) for name, o in led_to if o != decision.outcome}


def test_of_a_number_the_nearest_value_that_changes_the_outcome_is_named():
    decision = decide(Task(read_answers(HERE / "answers/not-1-few-data.toml")), RULES)
    assert ("rows", 1000.0) in {(change.fact, change.answer) for change in what_would_change(decision, RULES)}


# Improving a fact


RISING = [fact for fact in FACTS.values() if fact.rises is not None]


def _better(fact, value):
    """Return the values of a fact that lie further towards fine-tuning than `value`."""
    values = [a for a in alternatives(fact.name, RULES) if a != value]
    if fact.values:
        return list(fact.values[fact.values.index(value) + 1 :])
    return [a for a in values if (a > value) == fact.rises]


def _tasks(count):
    """Yield tasks near the documented ones that are to be trained: a few of their facts replaced, numbers around thresholds."""
    draw = random.Random(7)
    trained = [read_answers(path) for path in ANSWERS if EXPECTED[path.stem]["outcome"] in TRAIN]
    for _ in range(count):
        known = {name: draw.choice(alternatives(name, RULES)) for name, fact in FACTS.items() if fact.asked}
        known |= draw.choice(trained)
        for name in draw.sample(sorted(FACTS), 3):
            known[name] = draw.choice(alternatives(name, RULES))
        yield known


def test_improving_a_fact_towards_fine_tuning_never_turns_the_advice_away_from_it():
    outcomes = Counter()
    for known in _tasks(1500):
        before = decide(Task(known), RULES).outcome
        outcomes[before] += 1
        if before not in TRAIN:
            continue
        for fact in RISING:
            for better in _better(fact, known[fact.name]) if fact.name in known else ():
                after = decide(Task({**known, fact.name: better}), RULES).outcome
                assert after in TRAIN, f"{fact.name} {known[fact.name]} → {better}: {before} became {after} ({known})"
    assert set(outcomes) == set(OUTCOMES)
    assert sum(outcomes[outcome] for outcome in TRAIN) > 300


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(st.sampled_from(sorted(FACTS)), st.integers(0, 100)))
def test_any_facts_lead_to_an_outcome_or_to_the_fact_that_is_missing(drawn):
    known = {name: (values := alternatives(name, RULES))[pick % len(values)] for name, pick in drawn.items()}
    decision = decide(Task(known), RULES)
    assert (decision.outcome in OUTCOMES) != (decision.missing in FACTS and decision.missing not in known)


def test_each_stop_gives_way_when_the_fact_behind_it_improves():
    ways_out = {
        "premise-nothing-tried": {"prompting": "extensive", "prompt_result": "far", "difficulty": "hard", "wish": "none"},
        "fresh-facts": {"retrieval": "not-enough", "difficulty": "hard"},
        "not-1-few-data": {"rows": 1000.0},
        "not-1-poor-data": {"quality": "mixed"},
        "rows-too-long": {"lengths": "fit"},
        "preferences-few-pairs": {"pairs": 1000.0},
    }
    complete = {"rows": 12000.0, "raw_tokens": 0.0, "quality": "good", "lengths": "fit", "difficulty": "medium", "style": "none"}
    for name, better in ways_out.items():
        known = read_answers(next(path for path in ANSWERS if path.stem == name))
        assert decide(Task({**complete, **known}), RULES).outcome in STAY
        after = decide(Task({**complete, **known, **better, "budget": "one-gpu"}), RULES)
        assert after.outcome in TRAIN, name


# Facts that are missing


def test_what_is_missing_is_named_with_where_its_answers_lead_and_the_status_is_2():
    known = read_answers(HERE / "answers/case-3-hard-and-prompted.toml")
    del known["difficulty"]
    options = [part for name, value in known.items() for part in (f"--{name.replace('_', '-')}", value)]
    answer = json.loads(run(*options, "--format", "json", status=2).stdout)
    assert answer["outcome"] is None
    assert answer["missing"][0] == "difficulty"
    assert answer["answers_lead_to"] == {"easy": None, "medium": "fine-tune-lora", "hard": "fine-tune-lora"}
    assert "--difficulty" in run(*options, status=2).stdout


def test_a_fact_is_not_missing_where_no_answer_to_it_matters():
    for path in ANSWERS:
        known = read_answers(path)
        for name in known:
            rest = {other: value for other, value in known.items() if other != name}
            decision = decide(Task(rest), RULES)
            if decision.outcome:
                outcomes = {decide(Task({**rest, name: a}), RULES).outcome for a in alternatives(name, RULES)}
                assert decision.outcome in outcomes or FACTS[name].asked is False
            else:
                assert open_facts(Task(rest), RULES)[0] == decision.missing


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a.toml", 'promting = "none"\n', "unknown fact `promting`; did you mean `prompting`?"),
        ("a.toml", 'prompting = "extensiv"\n', "did you mean `extensive`?; expected one of none, basic, extensive"),
        ("a.toml", 'rows = "many"\n', "`rows` is 'many'; expected a number from 0 on"),
        ("a.toml", "rows = -1\n", "`rows` is -1; expected a number from 0 on"),
        ("a.toml", "rows = true\n", "`rows` is True; expected a number"),
        ("a.toml", "rows = inf\n", "`rows` is inf; expected a number"),
        ("a.toml", "base_score = 9\n", "`base_score` is 9; expected a number from 0 to 1"),
        ("a.toml", 'prompting = ["none"]\n', "`prompting` is ['none']"),
        ("a.toml", "rows = \n", "no TOML"),
        ("a.json", "{", "no JSON"),
        ("a.json", "[1]", "holds no answers"),
        ("a.json", "[" * 100_000, "no JSON"),
    ],
)
def test_a_bad_answers_file_is_an_error_that_names_the_file_and_the_way_out(tmp_path, name, text, said):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    result = run("--answers", path, status=2)
    assert str(path) in result.stderr
    assert said in result.stderr


def test_a_missing_or_binary_answers_file_is_an_error(tmp_path):
    (tmp_path / "a.toml").write_bytes(b"\xff\xfe\x00")
    assert "no UTF-8 text" in run("--answers", tmp_path / "a.toml", status=2).stderr
    assert "cannot be read" in run("--answers", tmp_path / "none.toml", status=2).stderr


def test_an_option_that_is_no_number_is_an_error_that_names_it():
    assert "--rows: `rows` is 'lots'" in run("--rows", "lots", status=2).stderr


@pytest.mark.parametrize(
    ("written", "meant"),
    [("1200", 1200), ("12k", 12e3), ("1.5M", 1.5e6), ("1e9", 1e9), ("10,000", 1e4), ("1_000", 1e3), ("3万", 3e4), ("2亿", 2e8)],
)
def test_numbers_are_read_as_people_write_them(written, meant):
    assert amount(written) == answered("rows", written, "") == meant


@pytest.mark.parametrize("written", ["", "many", "12 kk", "-5", "1,2,3x", "1.2.3"])
def test_what_is_no_number_is_not_taken_for_one(written):
    assert amount(written) is None
    with pytest.raises(BadAnswers):
        answered("rows", written, "")


# Measuring instead of asking


def _data(tmp_path, rows, copies=1, broken=0, line='{{"context": "How deep is lake {n}?", "target": "It is {n} metres deep."}}'):
    path = tmp_path / "train.jsonl"
    lines = [line.format(n=n) for n in range(rows)] * copies + ['{"context": "a", '] * broken
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


PROMPTED = ("--task", "general-task", "--prompting", "extensive", "--prompt-result", "far", "--wish", "none", "--knowledge", "none")
DIFFICULT = (*PROMPTED, "--difficulty", "medium")


def test_data_are_measured_and_what_was_measured_is_not_missing(tmp_path):
    path = _data(tmp_path, 1200)
    answer = json.loads(run(*DIFFICULT, "--data", path, "--max-length", 4096, "--format", "json").stdout)
    assert answer["outcome"] == "fine-tune-lora"
    assert answer["facts"]["rows"] == {"value": 1200, "origin": "measured"}
    assert answer["facts"]["health"]["value"] == 1
    assert answer["facts"]["lengths"]["value"] == "fit"


def test_rows_that_repeat_others_do_not_count(tmp_path):
    answer = json.loads(run(*DIFFICULT, "--data", _data(tmp_path, 600, copies=3), "--max-length", 4096, "--format", "json").stdout)
    assert answer["facts"]["rows"]["value"] == 600
    assert answer["outcome"] == "collect-or-clean-data"


def test_data_of_which_every_fourth_record_is_broken_are_to_be_cleaned(tmp_path):
    path = _data(tmp_path, 1500, broken=500)
    answer = json.loads(run(*DIFFICULT, "--data", path, "--max-length", 4096, "--format", "json").stdout)
    assert (answer["outcome"], answer["reasons"][0]["rule"]) == ("collect-or-clean-data", "SUIT-023")
    assert any("500" in defect["message"] for defect in answer["defects"])
    for language in LANGUAGES:
        shown = run(*DIFFICULT, "--data", path, "--max-length", 4096, "--lang", language).stdout
        assert "[DATA-" in shown[shown.index(strings(language, "suitability")["defects_heading"]) :]


def test_rows_beyond_the_length_the_model_reads_are_too_long(tmp_path):
    path = _data(tmp_path, 1200, line='{{"context": "Lake {n}: ' + "deep water " * 40 + '", "target": "It is {n} metres deep."}}')
    answer = json.loads(run(*DIFFICULT, "--data", path, "--max-length", 64, "--format", "json").stdout)
    assert (answer["outcome"], answer["facts"]["lengths"]["value"]) == ("collect-or-clean-data", "too-long")


def test_raw_text_is_counted_in_tokens_and_pairs_as_pairs(tmp_path):
    path = _data(tmp_path, 300, line='{{"text": "Lake {n} lies in the hills and is {n} metres deep, as the survey says."}}')
    answer = json.loads(run("--data", path, "--format", "json", status=2).stdout)
    assert "rows" not in answer["facts"]
    assert 2000 < answer["facts"]["raw_tokens"]["value"] < 10_000
    path = _data(tmp_path, 30, line='{{"prompt": "Lake {n}?", "chosen": "It is {n} metres deep.", "rejected": "It is deep, {n}."}}')
    answer = json.loads(run("--data", path, "--format", "json", status=2).stdout)
    assert answer["facts"]["pairs"]["value"] == 30


def test_an_option_overrules_what_was_measured(tmp_path):
    path = _data(tmp_path, 1200)
    answer = json.loads(run(*DIFFICULT, "--data", path, "--rows", "500", "--lengths", "fit", "--format", "json").stdout)
    assert answer["facts"]["rows"] == {"value": 500, "origin": "given"}
    assert answer["outcome"] == "collect-or-clean-data"


# What the untrained model scores


def _results(tmp_path, records, name="base.jsonl"):
    path = tmp_path / name
    path.write_text("\n".join(json.dumps(r) for r in records) if name.endswith("jsonl") else json.dumps(records), encoding="utf-8")
    return path


def test_answers_that_agree_with_their_references_leave_nothing_to_gain(tmp_path):
    path = _results(tmp_path, [{"answer": f"At {n}:05.", "reference": f"at {n}:05"} for n in range(40)])
    answer = json.loads(
        run(
            "--prompting", "extensive", "--prompt-result", "close", "--wish", "none", "--base-results", path, "--format", "json"
        ).stdout
    )
    assert (answer["outcome"], answer["reasons"][0]["rule"]) == ("prompt-engineering-first", "SUIT-002")
    assert answer["base_score"]["mean"] == answer["base_score"]["exact"] == 1
    assert answer["base_score"]["rows"] == 40


def test_answers_that_differ_leave_something_to_gain_and_the_score_is_said_with_its_interval(tmp_path):
    path = _results(
        tmp_path,
        [
            {"prediction": "no idea", "target": f"at {n}:05"} if n % 2 else {"prediction": f"at {n}:05", "target": f"at {n}:05"}
            for n in range(40)
        ],
    )
    score = read_base_results(path)
    assert score.mean == score.exact == 0.5
    assert 0.3 < score.low < 0.5 < score.high < 0.7
    shown = run(*DIFFICULT, "--rows", 5000, "--quality", "good", "--lengths", "fit", "--base-results", path).stdout
    assert "scores 0.50 of 1 on 40 answers" in shown


def test_scores_are_taken_as_they_are_with_their_scale(tmp_path):
    assert read_base_results(_results(tmp_path, [{"score": 8, "scale": 10}] * 30)).mean == pytest.approx(0.8)
    assert read_base_results(_results(tmp_path, {"score": 0.91, "rows": 200}, "base.json")).rows == 200
    assert read_base_results(_results(tmp_path, {"score": 0.91}, "base.json")).mean == 0.91


@pytest.mark.parametrize(
    ("records", "said"),
    [
        ([{"score": 8}] * 30, 'is not between 0 and 1; add "scale"'),
        ([{"score": "good"}] * 30, "`score` is 'good'; expected a number"),
        ([{"answer": "a"}] * 30, "line 1: has answer; expected `score`"),
        ([{"answer": "a", "reference": "a"}] * 3, "3 answers; give 20 or more"),
        ([{"answer": "a", "reference": "a"}] * 20 + [{"score": 1}], "some records hold scores, others answers"),
        ([[1]] * 30, "line 1: list; expected an object"),
        ([], "no records"),
    ],
)
def test_bad_base_results_are_an_error_that_names_the_file_and_the_way_out(tmp_path, records, said):
    path = _results(tmp_path, records)
    result = run("--base-results", path, status=2)
    assert str(path) in result.stderr
    assert said in result.stderr


def test_a_broken_line_of_base_results_is_named(tmp_path):
    path = tmp_path / "base.jsonl"
    path.write_text('{"score": 1}\n{"score": \n', encoding="utf-8")
    assert "line 2: no JSON" in run("--base-results", path, status=2).stderr


@pytest.mark.parametrize(
    ("answer", "reference", "same", "overlap"),
    [
        ("Paris.", "paris", 1, 1),
        ("It is Paris", "Paris", 0, 0.5),
        ("在巴黎", "巴黎", 0, 0.8),
        ("", "", 1, 1),
        ("", "Paris", 0, 0),
        ("1.5 km", "1.5 km", 1, 1),
        ("1.5 km", "15 km", 0, 0.5),
    ],
)
def test_agreement_counts_words_and_of_chinese_characters(answer, reference, same, overlap):
    assert agreement(answer, reference) == pytest.approx((same, overlap))


# Rules of the user


def test_a_threshold_of_the_project_moves_the_outcome(tmp_path, monkeypatch):
    (tmp_path / "advisor.toml").write_text("[thresholds.SUIT-021]\nleast = 200\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    path = HERE / "answers/not-1-few-data.toml"
    assert json.loads(run("--answers", path, "--difficulty", "medium", "--format", "json").stdout)["outcome"] == "fine-tune-lora"


def test_a_book_that_decides_nothing_is_an_error():
    with pytest.raises(BadRule, match="no rule in force decides"):
        decide(Task(read_answers(HERE / "answers/case-1-domain.toml")), [r for r in RULES if r.thresholds["argues"] not in TRAIN])


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('argues = "retrieval"', 'argues = "retrievel"', "argues for 'retrievel'; expected"),
        ("task = {", "tusk = {", "such as task = { rows = 500 }"),
        ('task = "knowledge-qa"', 'task = "knowledge-q"', "did you mean `knowledge-qa`?"),
    ],
)
def test_a_rule_about_tasks_that_says_too_little_is_an_error_that_names_the_file(tmp_path, old, new, said):
    text = (built_in_folder() / "suitability/knowledge-questions.toml").read_text(encoding="utf-8")
    path = tmp_path / "mine.toml"
    path.write_text(text.replace("SUIT-003", "MINE-001").replace(old, new), encoding="utf-8")
    command = (
        ["should-finetune", "--rules", str(tmp_path), "--prompting", "none"] if "argues" in old else ["rules", "test", str(path)]
    )
    result = CliRunner().invoke(main, command)
    assert result.exit_code == 2
    assert str(path) in result.stderr
    assert said in result.stderr


def test_a_rule_of_ones_own_can_decide(tmp_path):
    text = (built_in_folder() / "suitability/prompting-untried.toml").read_text(encoding="utf-8")
    mine = text.replace("SUIT-006", "MINE-001").replace('argues = "prompt-engineering-first"', 'argues = "retrieval"')
    (tmp_path / "mine.toml").write_text(mine.replace("order = 25", "order = 1"), encoding="utf-8")
    answer = json.loads(run("--rules", tmp_path, "--prompting", "none", "--model", "chat", "--format", "json").stdout)
    assert (answer["outcome"], answer["reasons"][0]["rule"]) == ("retrieval", "MINE-001")


def test_the_options_of_the_next_step_leave_out_what_the_step_changes():
    known = read_answers(HERE / "answers/fresh-facts.json")
    advice = advise(known, dict.fromkeys(known, "given"), RULES)
    assert "--retrieval" not in advice.again(renewed=True)
    assert "--retrieval untried" in advice.again(renewed=False)
