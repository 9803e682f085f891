"""The project's own linter: what every rule must have. A failure says which file and what is missing."""

import re
import string
from pathlib import Path

import pytest

from advisor.cases import measured_of, outcomes
from advisor.data.quality import CHECKS
from advisor.detectors import SUBJECTS
from advisor.engine import judge
from advisor.errors import BadRule
from advisor.evaluation.symptoms import SYMPTOMS
from advisor.model import PROBLEMS, Finding, Hit
from advisor.readers.event_patterns import MARKS, PATTERNS
from advisor.recipes import RANGES, RECIPES
from advisor.render.words import Words
from advisor.rulebook import LANGUAGES, LISTS, WORDS, built_in_folder, load, parse

ROOT = Path(__file__).parent.parent
RULES = load()
EACH = pytest.mark.parametrize("rule", RULES, ids=lambda r: r.id)
CASES = [pytest.param(o, id=f"{o.name}/{o.expected}-{o.number}") for rule in RULES for o in outcomes(rule)]


@pytest.mark.parametrize("outcome", CASES)
def test_every_case_holds(outcome):
    assert outcome.got == outcome.expected, outcome.because


@EACH
def test_a_rule_has_cases_on_both_sides_each_with_its_reason(rule):
    expected = [case["expect"] for case in rule.cases]
    assert "fires" in expected
    assert "quiet" in expected
    assert all(case.get("because") for case in rule.cases)


@EACH
def test_both_languages_have_all_texts_with_the_same_placeholders(rule):
    for key in WORDS:
        fields = [{f for _, f, _, _ in string.Formatter().parse(rule.words[lang][key]) if f} for lang in LANGUAGES]
        assert fields[0] == fields[1], f"{rule.path}: {key}"
        assert all(rule.words[lang][key].strip() for lang in LANGUAGES)


@EACH
def test_chinese_texts_are_chinese_and_use_its_punctuation(rule):
    texts = [*rule.words["zh"].values(), *(s.says["zh"] for s in rule.sources), *(c.reason["zh"] for c in rule.changes)]
    for text in texts:
        assert re.search("[\u4e00-\u9fff]", text), text
        assert not re.search("[\u4e00-\u9fff][,;:?]|[,;:?][\u4e00-\u9fff]", text), text


@EACH
def test_the_sentences_can_be_said_wherever_a_case_fires(rule):
    for case in rule.cases:
        if case["expect"] != "fires":
            continue
        measured = measured_of(rule, case)
        hit = judge(rule, measured)
        assert isinstance(hit, Hit)
        finding = Finding(rule, hit)
        for language in LANGUAGES:
            words = Words(language, getattr(measured, "run", None))
            for key in WORDS:
                text = words.of(finding, key)
                assert "nan" not in text.split(), text
            for proposal in rule.changes:
                assert words.fill(proposal.reason[language], hit.facts)


@EACH
def test_a_rule_rests_on_a_source_and_changes_by_known_recipes(rule):
    assert all(s.title and s.says["en"] and s.says["zh"] for s in rule.sources)
    assert all(c.to in RECIPES for c in rule.changes)
    assert rule.problem in PROBLEMS


@EACH
def test_the_name_states_the_pathology_and_stands_in_the_file_name(rule):
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", rule.slug)
    assert not rule.slug.startswith(("no-", "reduce-", "fix-", "use-", "avoid-"))
    assert rule.path.name == f"{rule.slug}.toml"


def test_ids_and_slugs_are_unique():
    assert len({r.id for r in RULES}) == len({r.slug for r in RULES}) == len(RULES)


def test_a_rule_supersedes_only_rules_that_exist():
    known = {r.id for r in RULES}
    assert {other for r in RULES for other in r.supersedes} <= known


def test_every_kind_of_event_has_its_rule():
    judged = {r.thresholds["kind"] for r in RULES if "kind" in r.thresholds and r.family == "errors"}
    told_by_numbers = {"loss-scale-overflow", "out-of-memory"}
    assert judged | told_by_numbers | MARKS == {kind for kind, _, _ in PATTERNS}


@EACH
def test_lists_are_as_long_and_as_chinese_in_both_languages(rule):
    for key in LISTS:
        english, chinese = (rule.lists[lang][key] for lang in LANGUAGES)
        assert len(english) == len(chinese)
        for text in chinese:
            if re.search("[\u4e00-\u9fff]", text):
                assert not re.search("[\u4e00-\u9fff][,;:?]|[,;:?][\u4e00-\u9fff]", text), text


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("[zh]\n", '[zh]\ncauses = ["一"]\n', "needs as many entries"),
        ("[zh]\n", "[zh]\ncauses = [1]\n", "is a list of texts"),
        ("[zh]\n", '[zh]\ncause = ["一"]\n', "unknown ['cause']"),
    ],
)
def test_a_list_in_one_language_only_is_an_error(tmp_path, old, new, said):
    with pytest.raises(BadRule, match=re.escape(said)):
        parse(_copy(tmp_path, old, new))


def test_every_cause_and_every_check_of_the_data_has_its_rule():
    about_data = [r for r in RULES if r.subject == "dataset"]
    said = {r.thresholds[key] for r in about_data for key in ("cause", "check") if key in r.thresholds}
    code = "\n".join(p.read_text(encoding="utf-8") for p in (ROOT / "advisor/data").rglob("*.py"))
    named = set(re.findall(r'(?:Cause|Flaw|_trouble|_say|trouble)\(\s*"([a-z-]+)"', code))
    assert named - said <= {"archive-bomb", "damaged-table", "cut-off-answer"}
    assert set(CHECKS) - said == {"cut-off-answer"}
    assert {s for s in said if f'"{s}"' not in code} == set()


def _copy(tmp_path, old="", new=""):
    text = (built_in_folder() / "overfitting/validation-rise.toml").read_text(encoding="utf-8")
    path = tmp_path / "mine" / "my-rule.toml"
    path.parent.mkdir()
    path.write_text(text.replace(old, new, 1) if old else text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("min_rise =", "min_ris =", "did you mean `min_rise`"),
        ("min_rise = 0.025", 'min_rise = "much"', "expected float"),
        ('detector = "validation_rise"', 'subject = "data"\ndetector = "validation_rise"', "expected one of run, dataset"),
        ('detector = "validation_rise"', 'subject = "dataset"\ndetector = "validation_rise"', 'write `subject = "run"`'),
        ('detector = "validation_rise"', 'detector = "validation_ris"', "did you mean `validation_rise`"),
        ('severity = "warning"', 'severity = "grave"', "expected one of error, warning, info"),
        ('to = "epochs_at_best"', 'to = "epochs_at_bst"', "did you mean `epochs_at_best`"),
        ('why = "', 'because = "', "missing ['why']"),
        ("[thresholds]", "[thresholds", "a rule is a TOML file"),
        ('id = "OVERFIT-001"', 'id = "overfit"', "such as OVERFIT-001"),
    ],
)
def test_a_bad_rule_file_is_an_error_that_names_the_file_and_the_way_out(tmp_path, old, new, said):
    path = _copy(tmp_path, old, new)
    with pytest.raises(BadRule, match=re.escape(said)) as error:
        parse(path)
    assert str(path) in str(error.value)


def test_a_users_folder_adds_rules_under_their_own_id(tmp_path):
    path = _copy(tmp_path, "OVERFIT-001", "MINE-001")
    assert "MINE-001" in {r.id for r in load([path.parent])}


def test_an_id_cannot_be_used_twice(tmp_path):
    with pytest.raises(BadRule, match="already used"):
        load([_copy(tmp_path).parent])


def test_rules_about_each_subject_are_loaded_apart_and_are_together_the_book():
    about = {subject: load(subject=subject) for subject in SUBJECTS if any(rule.subject == subject for rule in RULES)}
    assert all(rule.subject == subject for subject, chosen in about.items() for rule in chosen)
    assert sorted(rule.id for chosen in about.values() for rule in chosen) == sorted(rule.id for rule in RULES)
    assert min(len(about[subject]) for subject in ("run", "dataset")) > 50


def test_every_symptom_of_answers_has_its_rule():
    assert {r.thresholds["check"] for r in RULES if r.detector == "symptom"} == set(SYMPTOMS)


def test_an_id_of_a_rule_that_was_not_asked_for_cannot_be_used_again(tmp_path):
    path = _copy(tmp_path, "OVERFIT-001", "DATA-101")
    with pytest.raises(BadRule, match="already used by"):
        load([path.parent], subject="run")


def test_overrides_of_rules_that_were_not_asked_for_are_checked_all_the_same():
    assert load(config={"ignore": {"DATA-101": "known"}}, subject="run") == load(subject="run")
    with pytest.raises(BadRule, match="unknown threshold"):
        load(config={"thresholds": {"DATA-101": {"min_shar": 1.0}}}, subject="run")


def test_advisor_toml_overrides_a_threshold_and_ignores_a_rule_with_a_reason():
    changed = {r.id: r for r in load(config={"thresholds": {"OVERFIT-001": {"min_rise": 0.5}}, "ignore": {"EVAL-001": "one pass"}})}
    assert changed["OVERFIT-001"].thresholds["min_rise"] == 0.5
    assert "EVAL-001" not in changed


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"thresholds": {"OVERFIT-001": {"min_ris": 1.0}}}, "did you mean `min_rise`"),
        ({"thresholds": {"OVERFIT-01": {}}}, "did you mean `OVERFIT-001`"),
        ({"ignore": {"EVAL-001": ""}}, "needs a reason"),
        ({"threshold": {}}, "did you mean `thresholds`"),
    ],
)
def test_an_unknown_key_of_advisor_toml_is_an_error(config, said):
    with pytest.raises(BadRule, match=re.escape(said)):
        load(config=config)


def test_documented_ranges_are_those_of_the_guidance():
    assert RANGES["num_train_epochs"] == (1, 50)
    assert RANGES["learning_rate"] == (1e-6, 5e-4)
    assert RANGES["learning_rate_decay_ratio"] == (0.01, 0.1)


def test_the_rule_book_stands_beside_the_package_or_inside_it():
    assert isinstance(built_in_folder(), Path)
    assert built_in_folder().name == "rules"
