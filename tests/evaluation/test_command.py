"""`advisor evaluate`: forms, languages, statuses, and errors of one line."""

import json
import subprocess
import sys

import pytest
from click.testing import CliRunner

from advisor.cli import main


def run(*arguments):
    return CliRunner().invoke(main, ["evaluate", *map(str, arguments)], catch_exceptions=False)


@pytest.fixture
def predictions(tmp_path):
    path = tmp_path / "p.jsonl"
    rows = [
        {
            "prompt": f"When is tide {n}?",
            "reference": f"Tide {n} is at noon.",
            "prediction": f"Tide {n} is at noon.",
            "base_prediction": "?",
        }
        for n in range(40)
    ]
    for row in rows[:10]:
        row["prediction"] = "it is so high and " * 8
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def test_the_text_names_metrics_symptoms_findings_and_what_was_not_judged(predictions):
    text = run(predictions, "--lang", "en").stdout
    for part in (
        "token F1",
        "better",
        "goes round in a circle",
        "25.0%",
        "ANSWER-001",
        "p.jsonl:1",
        "--train-data",
        "Not measured: perplexity",
    ):
        assert part in text, part


def test_chinese_says_the_same(predictions):
    text = run(predictions, "--lang", "zh").stdout
    for part in ("词级 F1", "陷入循环", "ANSWER-001", "困惑度"):
        assert part in text, part


def test_json_names_every_answer_that_was_found_and_is_strict(predictions):
    found = json.loads(run(predictions, "--format", "json").stdout, parse_constant=pytest.fail)
    assert found["schema"] == "advisor.evaluation/1"
    (finding,) = [f for f in found["findings"] if f["rule"] == "ANSWER-001"]
    assert [place["line"] for place in finding["places"]] == list(range(1, 11))
    f1 = next(m for m in found["metrics"] if m["name"] == "f1")
    assert f1["own"]["low"] < f1["own"]["value"] < f1["own"]["high"]
    assert f1["verdict"] == "better"


def test_markdown_shows_nothing_of_the_answers_as_markup(tmp_path):
    path = tmp_path / "p.jsonl"
    rows = [{"prompt": "q", "reference": f"Right {n} and good.", "prediction": "<b>x</b> | *so* " * 9} for n in range(20)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    text = run(path, "--format", "markdown").stdout
    assert text.startswith("## Answers")
    assert "<b>" not in text


def test_a_file_of_predictions_is_evaluated_without_what_runs_a_model(predictions):
    code = (
        "import sys\nfrom advisor.cli import main\n"
        f"main(['evaluate', {str(predictions)!r}], standalone_mode=False)\n"
        "print([m for m in ('torch', 'transformers', 'peft', 'pandas', 'scipy') if m in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.splitlines()[-1] == "[]"


def test_the_status_follows_fail_on(predictions):
    assert run(predictions).exit_code == 0
    assert run(predictions, "--fail-on", "warning").exit_code == 1
    assert run(predictions, "--fail-on", "never").exit_code == 0


def test_an_answer_cannot_print_to_the_terminal_what_controls_it(tmp_path):
    path = tmp_path / "p.jsonl"
    rows = [{"prompt": "q", "reference": f"Right {n} and good.", "prediction": "\x1b[31mred\x07 " * 3} for n in range(20)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    assert "\x1b[31m" not in run(path).stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "one of the two"),
        (["no-such.jsonl"], "no such file"),
        (["--model", "m"], "--model needs --data"),
        (["p", "--data", "d"], "--data belongs to --model"),
        (["--read-sheet", "none.csv"], "no key of a sheet"),
    ],
)
def test_what_cannot_be_evaluated_is_one_line_and_status_2(arguments, said):
    result = run(*arguments)
    assert result.exit_code == 2
    assert said in result.stderr
    assert "Traceback" not in result.output


def test_parameters_that_are_none_are_an_error(predictions, tmp_path):
    config = tmp_path / "g.json"
    for text, said in (
        ('{"a": 1}', "holds no inference parameter"),
        ('{"temperature": "hot"}', "expected a number"),
        ("{", "expected a JSON"),
    ):
        config.write_text(text)
        result = run(predictions, "--generation-config", config)
        assert (result.exit_code, said in result.stderr) == (2, True)


def test_parameters_are_known_by_the_names_of_other_programs(predictions, tmp_path):
    config = tmp_path / "g.yaml"
    config.write_text("temp: 1.7\nnum_predict: 64\n")
    assert "temperature 1.7 → 0.3" in run(predictions, "--generation-config", config, "--lang", "en").stdout


def test_a_sheet_is_written_filled_and_read_back(predictions, tmp_path):
    sheet = tmp_path / "s.csv"
    assert "40 pairs" in run(predictions, "--sheet", sheet, "--lang", "en").stdout
    sheet.write_bytes(sheet.read_bytes().replace(b",,\r\n", b",A,\r\n"))
    assert "40 of 40 pairs judged" in run("--read-sheet", sheet, "--lang", "en").stdout
    assert json.loads(run("--read-sheet", sheet, "--format", "json").stdout)["rows"] == 40
