"""`advisor compare`: what is printed, in both languages and all forms, and with which status."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from advisor.cli import main

ROOT = Path(__file__).parent.parent.parent
RUNS = ROOT / "benchmarks/runs"
A, B, C = (str(RUNS / f"{name}.jsonl.gz") for name in ("topics-linear-1", "topics-cosine-1", "topics-linear-2"))
OVERFITTED = str(ROOT / "sample_logs/faulty/validation-rise/trainer_state.json")


def run(*arguments):
    return CliRunner().invoke(main, ["compare", *arguments], catch_exceptions=False)


def test_the_answer_names_the_verdict_the_margin_and_the_settings():
    text = run(A, B, C, "--lang", "en").stdout
    assert "worse B (topics-cosine-1" in text
    assert "lr_scheduler_type linear → cosine" in text
    assert "same batches in the same order" in text
    assert "A, C are one configuration under several seeds" in text
    assert "eval loss" in text


def test_chinese_says_the_same():
    text = run(A, B, "--lang", "zh").stdout
    assert "更差" in text
    assert "相同顺序" in text


def test_json_holds_what_the_text_says():
    found = json.loads(run(A, B, "--format", "json").stdout)
    assert found["schema"] == "advisor.comparison/1"
    (pair,) = found["pairs"]
    assert pair["verdict"] == "worse"
    assert pair["change"]["basis"] == "paired"
    assert pair["settings"] == {"lr_scheduler_type": {"baseline": "linear", "run": "cosine"}}
    assert found["runs"][0]["result"]["evaluations"] == 20


def test_markdown_is_a_table_and_a_drawing():
    text = run(A, B, "--format", "markdown").stdout
    assert text.startswith("## Comparison\n\n| ")
    assert "```" in text


def test_the_baseline_can_be_another_run_and_a_status_can_be_asked_for():
    assert "better A" in run(A, B, "--baseline", "2").stdout
    assert run(A, B, "--fail-on-worse").exit_code == 1
    assert run(B, A, "--fail-on-worse").exit_code == 0


def test_findings_that_came_are_named(tmp_path):
    text = run(str(ROOT / "sample_logs/healthy/sft-weather/trainer_state.json"), OVERFITTED).stdout
    assert "New findings: OVERFIT-001" in text.replace("\n", " ")


def test_a_configuration_of_each_run_is_read(tmp_path):
    config = tmp_path / "c.json"
    config.write_text('{"learning_rate": 0.5}')
    assert "learning_rate" in run(A, B, "--config", "-", "--config", str(config)).stdout
    assert run(A, B, "--config", str(config)).exit_code == 2


@pytest.mark.parametrize("arguments", [(A,), (A, "no-such-file"), (A, B, "--baseline", "3")])
def test_what_cannot_be_compared_is_one_line_and_status_2(arguments):
    result = run(*arguments)
    assert result.exit_code == 2
    assert "Traceback" not in result.output
