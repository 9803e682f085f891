"""The command line: what is printed, in which language, and with which status."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from advisor.cli import COMMANDS, main

SAMPLES = Path(__file__).parent.parent / "sample_logs"
HEALTHY = str(SAMPLES / "healthy/sft-weather/trainer_state.json")
OVERFITTED = str(SAMPLES / "faulty/validation-rise/trainer_state.json")
BROKEN = str(SAMPLES / "broken/empty.log")


def run(*arguments, stdin=None):
    return CliRunner().invoke(main, list(arguments), input=stdin, catch_exceptions=False)


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        ([HEALTHY], 0),
        ([OVERFITTED], 0),
        ([OVERFITTED, "--fail-on", "warning"], 1),
        ([OVERFITTED, "--fail-on", "never"], 0),
        ([str(SAMPLES / "faulty/hidden-nan/console.log")], 1),
        ([HEALTHY, "--fail-on", "info"], 0),
        ([str(SAMPLES / "healthy/without-evaluation/log.csv"), "--fail-on", "info"], 1),
        ([BROKEN], 2),
        ([BROKEN, OVERFITTED], 2),
        (["no-such-file.log"], 2),
        ([HEALTHY, "--format", "xml"], 2),
    ],
)
def test_the_status_says_whether_something_is_wrong_or_nothing_could_be_read(arguments, status):
    assert run("analyze", *arguments).exit_code == status


def test_a_broken_input_does_not_hide_the_others():
    result = run("analyze", BROKEN, OVERFITTED)
    assert "OVERFIT-001" in result.stdout
    assert "empty.log" in result.stderr


def test_five_pasted_lines_get_an_answer():
    result = run("analyze", "-", stdin="loss: 2.31\nloss: nan\nloss: nan\nloss: nan\nloss: nan\n")
    assert "NUMERIC-001" in result.stdout
    assert result.exit_code == 1


def test_a_short_healthy_fragment_is_not_judged():
    result = run("analyze", "-", stdin="step 1 loss 2.31\nstep 2 loss 2.25\nstep 3 loss 2.2\n")
    assert "Cannot judge: too little was logged." in result.stdout


@pytest.mark.parametrize("name", ["validation-rise", "loss-jitter", "hidden-nan", "read-example-failed"])
@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_answer_fits_one_screen_and_no_line_ends_in_blanks(name, language):
    (path,) = list((SAMPLES / "faulty" / name).glob("*.*"))[:1]
    text = run("analyze", str(path), "--lang", language).stdout
    assert len(text.splitlines()) <= 48
    assert not [line for line in text.splitlines() if line != line.rstrip()]


def test_the_answer_is_in_the_language_asked_for():
    assert re.search("[\u4e00-\u9fff]", run("analyze", OVERFITTED, "--lang", "zh").stdout)
    assert not re.search("[\u4e00-\u9fff]", run("analyze", OVERFITTED, "--lang", "en").stdout)


def test_the_language_of_the_environment_is_the_default(monkeypatch):
    monkeypatch.setenv("LANG", "zh_CN.UTF-8")
    monkeypatch.delenv("LC_ALL", raising=False)
    assert "过拟合" in run("analyze", OVERFITTED).stdout


def test_the_json_follows_the_schema():
    document = json.loads(run("analyze", OVERFITTED, "--format", "json").stdout)
    assert document["schema"] == "advisor.analysis/1"
    (analysed,) = document["runs"]
    assert analysed["verdict"] == "overfitting"
    assert analysed["series"]["train_loss"]["points"] > analysed["series"]["eval_loss"]["points"] > 5
    assert {"rule", "problem", "severity", "message", "evidence", "changes", "sources"} <= analysed["findings"][0].keys()
    assert all({"rule", "missing"} <= n.keys() for n in analysed["not_judged"])


def test_nan_in_a_log_still_gives_strict_json():
    result = run("analyze", str(SAMPLES / "faulty/non-finite-loss/run.jsonl"), "--format", "json")
    json.loads(result.stdout, parse_constant=lambda c: pytest.fail(f"{c} is not JSON"))


def test_nothing_from_a_log_becomes_markup():
    hostile = "step 1 loss 2.0\nstep 2 loss 1.9\nRuntimeError: <script>alert(1)</script> [bold]x[/bold] `rm` | a\n"
    markdown = run("analyze", "-", "--format", "markdown", stdin=hostile).stdout
    assert "<script>" not in markdown
    assert "[bold]x[/bold]" in run("analyze", "-", stdin=hostile).stdout


def test_a_training_configuration_gives_the_old_values(tmp_path):
    for name, text in (
        ("config.json", '{"learning_rate": 0.3}'),
        ("config.toml", "[train]\nlr = 0.3\n"),
        ("config.yaml", "### train\nlearning_rate: 3.0e-1\nlora_target: all\n"),
    ):
        (tmp_path / name).write_text(text)
        path = str(SAMPLES / "faulty/loss-explosion/run.jsonl")
        result = run("analyze", path, "--config", str(tmp_path / name), "--format", "json")
        (analysed,) = json.loads(result.stdout)["runs"]
        change = next(c for c in analysed["changes"] if c["parameter"] == "learning_rate")
        assert (change["old"], change["new"]) == (0.3, 5e-4)


@pytest.mark.parametrize("text", ["{", "[1, 2]", "\x00", "a: [b", "!!python/object/apply:os.system ['echo unsafe']"])
@pytest.mark.parametrize("name", ["config.json", "config.yaml", "config.toml"])
def test_a_bad_configuration_is_one_clear_line(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    result = run("analyze", HEALTHY, "--config", str(tmp_path / name))
    assert result.exit_code == 2
    assert name in result.stderr
    assert "unsafe" not in result.stdout


def test_colours_only_on_a_terminal_and_never_with_no_color():
    environment = {**os.environ, "NO_COLOR": "1", "FORCE_COLOR": ""}
    for extra in ({}, {"NO_COLOR": "1"}):
        done = subprocess.run(
            [sys.executable, "-m", "advisor", "analyze", OVERFITTED], capture_output=True, env={**environment, **extra}, check=True
        )
        assert b"\x1b" not in done.stdout


def test_a_terminal_that_knows_no_unicode_gets_plain_characters():
    environment = {**os.environ, "PYTHONIOENCODING": "ascii:replace", "LC_ALL": "C", "ADVISOR_LANG": "en"}
    done = subprocess.run(
        [sys.executable, "-m", "advisor", "analyze", OVERFITTED], capture_output=True, env=environment, check=True
    )
    assert b"* best" in done.stdout


def test_several_runs_in_one_file_give_a_table_and_the_gravest_in_full():
    one = "".join(f"step {s} loss {3 - s / 20:.3f}\n" for s in range(1, 31))
    bad = "".join(f"step {s} loss {'nan' if s > 5 else 2}\n" for s in range(1, 31))
    text = run("analyze", "-", stdin=one * 3 + bad).stdout
    assert "4 runs" in text
    assert "NUMERIC-001" in text


def test_rules_can_be_listed_shown_and_tested():
    assert "OVERFIT-001" in run("rules", "list").stdout
    assert "When it is wrong" in run("rules", "show", "OVERFIT-001").stdout
    assert "何时不适用" in run("rules", "show", "validation-rise", "--lang", "zh").stdout
    assert run("rules", "test").exit_code == 0
    assert json.loads(run("rules", "show", "OVERFIT-001", "--format", "json").stdout)[0]["thresholds"]["min_rise"] == 0.025


def test_an_unknown_rule_is_answered_with_the_nearest_one():
    result = run("rules", "show", "OVERFIT-01")
    assert result.exit_code == 2
    assert "did you mean `OVERFIT-001`" in result.stderr


def test_a_case_that_does_not_hold_ends_with_status_1(tmp_path):
    text = (Path(__file__).parent.parent / "rules/overfitting/validation-rise.toml").read_text(encoding="utf-8")
    (tmp_path / "my-rule.toml").write_text(text.replace('expect = "fires"', 'expect = "quiet"', 1), encoding="utf-8")
    result = run("rules", "test", str(tmp_path / "my-rule.toml"))
    assert result.exit_code == 1
    assert "expected quiet, got fires" in result.stdout


def test_a_project_file_is_found_where_the_command_runs(tmp_path, monkeypatch):
    (tmp_path / "advisor.toml").write_text('[ignore]\nOVERFIT-001 = "judged by ROUGE here"\n')
    monkeypatch.chdir(tmp_path)
    assert "OVERFIT-001" not in run("analyze", OVERFITTED).stdout
    (tmp_path / "advisor.toml").write_text("[thresholds.OVERFIT-001]\nmin_ris = 1\n")
    result = run("analyze", OVERFITTED)
    assert result.exit_code == 2
    assert "did you mean `min_rise`" in result.stderr


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_that_begins_as_the_group_says(name):
    line = COMMANDS[name][1]
    assert line.split(",")[0].split(" that ")[0].rstrip(".")[:20] in " ".join(run(name, "--help").stdout.split())


def test_formats_are_listed_with_examples():
    text = run("formats").stdout
    assert "hf-trainer-state" in text
    assert "hf-console" in text
    assert {f["name"] for f in json.loads(run("formats", "--format", "json").stdout)} >= {"csv", "json-lines"}


def test_the_help_of_analyze_has_examples_one_a_line():
    lines = [line.strip() for line in run("analyze", "--help").stdout.splitlines()]
    assert "advisor analyze trainer_state.json" in lines
    assert sum(line.startswith("advisor analyze") for line in lines) >= 4


@pytest.mark.parametrize(
    ("typed", "offered"), [("advisor ana", "analyze"), ("advisor analyze --fo", "--format"), ("advisor analyze --format j", "json")]
)
def test_the_shell_completes_commands_options_and_values(typed, offered):
    words = {"COMP_WORDS": typed, "COMP_CWORD": str(len(typed.split()) - 1), "_ADVISOR_COMPLETE": "bash_complete"}
    code = "from advisor.cli import main; main(prog_name='advisor')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env={**os.environ, **words}, check=False)
    assert f"plain,{offered}" in done.stdout.splitlines()
