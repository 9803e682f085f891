"""Advice names a setting as the tool that wrote the log does, and names none that the tool has not."""

from pathlib import Path

import pytest

from advisor.dialects import ABSENT, DIALECTS, name_in
from advisor.engine import diagnose
from advisor.model import Change, Diagnosis
from advisor.readers import read_path
from advisor.readers.known import formats
from advisor.recipes.base import RANGES
from advisor.rulebook import load

FORMATS = Path(__file__).parents[1] / "sample_logs" / "formats"
PROPOSED = {change.parameter for rule in load() for change in rule.changes}


def judged(path: Path) -> Diagnosis:
    (run,) = read_path(path)
    return diagnose(run, load())


def test_a_booster_is_told_its_number_of_rounds_and_nothing_of_checkpoints():
    changes = judged(FORMATS / "boosting" / "lightgbm.log").changes
    assert [(c.parameter, c.name, c.old, c.new) for c in changes] == [("max_steps", "num_boost_round", 35, 15)]


def test_of_rounds_that_are_numbered_from_zero_one_more_is_advised_than_the_number_of_the_best():
    found = judged(FORMATS / "boosting" / "xgboost-sklearn.log")
    assert [(c.name, c.old, c.new) for c in found.changes] == [("num_boost_round", 30, 3)]


def test_boosted_trees_are_not_told_of_chat_templates_and_learning_rates():
    found = judged(FORMATS / "boosting" / "xgboost-sklearn.log")
    assert found.objective == "boosting"
    assert [cause.name for cause in found.causes] == ["too_many_epochs"]


def test_a_trainer_of_image_models_is_given_no_rate_of_language_models():
    found = judged(FORMATS / "ultralytics" / "yolov5-results.csv")
    assert "INSTAB-005" in [finding.rule.id for finding in found.findings]
    assert "learning_rate" not in [change.parameter for change in found.changes]
    assert not any(cause.name == "learning_rate_too_high" for cause in found.causes)


def test_a_tool_without_a_dialect_is_told_the_transformers_names():
    assert name_in("json-lines", "max_steps") == "max_steps"
    assert Change("max_steps", 2, 1, "safe", "RULE-001", {}).name == "max_steps"


@pytest.mark.parametrize("reader", DIALECTS)
def test_a_dialect_belongs_to_a_format_and_names_settings_that_advice_speaks_of(reader):
    assert reader in {known.name for known in formats()}
    assert DIALECTS[reader].keys() <= PROPOSED | set(RANGES) | {"logging_steps", "weight_decay"}
    assert name_in(reader, "load_best_model_at_end") in {ABSENT, DIALECTS[reader].get("load_best_model_at_end")}
