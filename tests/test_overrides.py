"""What a project says in `advisor.toml` or `pyproject.toml` changes the rules in force; what it says wrongly is an error."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from advisor.cli import main
from advisor.settings import read_project

OVERFITTED = str(Path(__file__).parent.parent / "sample_logs/faulty/validation-rise/trainer_state.json")
IGNORED = '[ignore]\nOVERFIT-001 = "judged by ROUGE here"\n'
RAISED = "[thresholds.OVERFIT-001]\nmin_rise = 5.0\n"


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def analyze(*arguments):
    return CliRunner().invoke(main, ["analyze", OVERFITTED, *arguments], catch_exceptions=False, env={"LANG": "C"})


def in_pyproject(text):
    return '[project]\nname = "x"\n' + text.replace("[", "[tool.advisor.", 1)


@pytest.mark.parametrize("text", [IGNORED, RAISED])
@pytest.mark.parametrize("name", ["advisor.toml", "pyproject.toml"])
def test_an_override_is_heard_in_either_file(project, name, text):
    assert "OVERFIT-001" in analyze().stdout
    (project / name).write_text(text if name == "advisor.toml" else in_pyproject(text))
    result = analyze()
    assert result.exit_code == 0
    assert "OVERFIT-001" not in result.stdout


def test_advisor_toml_is_the_one_that_counts_where_both_are_there(project):
    (project / "advisor.toml").write_text("[thresholds.OVERFIT-001]\nmin_rise = 0.01\n")
    (project / "pyproject.toml").write_text(in_pyproject(IGNORED))
    assert "OVERFIT-001" in analyze().stdout


def test_a_threshold_shows_in_the_rules_page(project):
    (project / "advisor.toml").write_text(RAISED)
    page = CliRunner().invoke(main, ["rules", "show", "OVERFIT-001"]).stdout
    assert "5.0" in page


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[thresholds.OVERFIT-001]\nmin_ris = 1.0\n", "did you mean `min_rise`"),
        ("[thresholds.OVERFIT-001]\nmin_rise = '1'\n", "expected float"),
        ("[thresholds.OVERFIT-001]\nmin_train_points = true\n", "expected int"),
        ("[thresholds.OVERFIT-002x]\nmin_rise = 1.0\n", "did you mean `OVERFIT-002`"),
        ("[thresholds]\nOVERFIT-001 = 3\n", "expected a table, [thresholds.OVERFIT-001]"),
        ("thresholds = 3\n", "expected a table, [thresholds.OVERFIT-001]"),
        ("ignore = ['OVERFIT-001']\n", "expected a table, [ignore]"),
        ("[ignore]\nOVERFT-001 = 'x'\n", "did you mean `OVERFIT-001`"),
        ("[ignore]\nOVERFIT-001 = true\n", "needs a reason"),
        ("[ignored]\nOVERFIT-001 = 'x'\n", "did you mean `ignore`"),
    ],
)
@pytest.mark.parametrize("name", ["advisor.toml", "pyproject.toml"])
def test_a_wrong_override_is_one_clear_line(project, name, text, said):
    if name == "pyproject.toml":
        text = in_pyproject(text) if text.startswith("[") else f"[tool.advisor]\n{text}"
    (project / name).write_text(text)
    result = analyze()
    assert (result.exit_code, result.stdout) == (2, "")
    assert said in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_a_broken_advisor_toml_is_named_and_a_broken_pyproject_is_not_ours(project):
    (project / "pyproject.toml").write_text("[tool\n")
    assert analyze().exit_code == 0
    (project / "advisor.toml").write_text("[ignore\n")
    result = analyze()
    assert result.exit_code == 2
    assert "advisor.toml" in result.stderr


@pytest.mark.parametrize("text", ["tool = 3\n", "[tool]\nadvisor = 3\n", "[tool.other]\nx = 1\n"])
def test_a_pyproject_without_our_table_says_nothing(tmp_path, text):
    (tmp_path / "pyproject.toml").write_text(text)
    assert read_project(tmp_path) == {}
