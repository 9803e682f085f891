"""`advisor report`: what is written where, the same bytes for the same input, and clear errors."""

import json
import subprocess
import sys

import pytest
from click.testing import CliRunner

from advisor.cli import main
from advisor.report.making import write_report

LOG = "sample_logs/faulty/validation-rise/trainer_state.json"
DATED = ("--date", "2026-11-24", "--lang", "en")


@pytest.fixture
def call(root, monkeypatch):
    monkeypatch.chdir(root)

    def run(*arguments):
        return CliRunner().invoke(main, ["report", *map(str, arguments)], catch_exceptions=False)

    return run


@pytest.mark.parametrize(
    ("suffix", "start"),
    [("html", b"<!DOCTYPE html>"), ("htm", b"<!DOCTYPE html>"), ("md", b"## "), ("markdown", b"## "), ("json", b"{\n")],
)
def test_the_suffix_says_the_format(call, tmp_path, suffix, start):
    target = tmp_path / f"report.{suffix}"
    assert call(LOG, "-o", target, *DATED).exit_code == 0
    assert target.read_bytes().startswith(start)
    assert [path.name for path in tmp_path.iterdir()] == [target.name]


@pytest.mark.parametrize("suffix", ["html", "md", "json"])
def test_two_runs_with_the_same_date_give_the_same_bytes(call, tmp_path, suffix):
    written = []
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        target = tmp_path / folder / f"report.{suffix}"
        assert call(LOG, "-o", target, *DATED).exit_code == 0
        written.append(target.read_bytes())
    assert written[0] == written[1]


def test_without_a_file_the_report_is_printed_as_markdown(call):
    result = call(LOG, *DATED)
    assert result.exit_code == 0
    assert result.stdout.startswith("## ⚠️ validation-rise\n")
    assert "OVERFIT-001" in result.stdout


def test_the_language_and_the_title_are_those_asked_for(call):
    result = call(LOG, "--lang", "zh", "--title", "第三次 试验", "--date", "2026-11-24")
    assert result.stdout.startswith("## ⚠️ 第三次 试验\n")
    assert "过拟合" in result.stdout


def test_the_command_in_a_report_makes_it_again(call, tmp_path, monkeypatch, root):
    first = json.loads(call(LOG, "--format", "json", *DATED).stdout)
    command = first["reproduce"]["command"]
    assert command == f"advisor report {LOG} --format json --lang en --date 2026-11-24"
    again = json.loads(call(*command.split()[2:]).stdout)
    assert again == first


def test_a_folder_of_runs_gives_an_index_and_a_page_for_each(call, tmp_path):
    target = tmp_path / "reports"
    assert call("sample_logs/faulty/non-finite-loss", LOG, "-o", target, *DATED).exit_code == 0
    index = json.loads((target / "index.json").read_text())
    assert index["schema"] == "advisor.report-index/1"
    assert [row["state"] for row in index["rows"]] == ["failure", "failure", "warning"]
    pages = {row["page"] for row in index["rows"]}
    assert len(pages) == 3
    assert pages | {"index.html", "index.json"} == {path.name for path in target.iterdir()}
    listing = (target / "index.html").read_text()
    assert [page for page in pages if f'href="{page}"' not in listing] == []
    assert "validation-rise" in listing


def test_several_runs_do_not_fit_one_file(call, tmp_path):
    result = call("sample_logs/faulty/non-finite-loss", "-o", tmp_path / "report.html")
    assert result.exit_code == 2
    assert "give a folder, such as -o report" in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_several_runs_are_annotated_one_after_the_other(call):
    result = call("sample_logs/faulty/non-finite-loss", "--format", "github")
    assert len({line.split("file=")[1].split(",")[0] for line in result.stdout.splitlines()}) == 2


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["no-such-run.log"], "no such file"),
        ([LOG, "-o", "report.docx"], "no report format `docx`; there are"),
        ([LOG, "--date", "yesterday"], "expected a date such as"),
        ([LOG, "-o", "no/such/folder/report.html"], "cannot be written"),
        ([LOG, "--compare-to", "sample_logs/faulty/non-finite-loss"], "holds 2 runs"),
        (["sample_logs/broken/empty.log"], "empty"),
    ],
)
def test_what_cannot_be_done_is_one_clear_error(call, arguments, said):
    result = call(*arguments)
    assert result.exit_code == 2
    assert said in result.stderr
    assert "Traceback" not in result.output


def test_an_unreadable_run_does_not_hide_the_others(call, tmp_path):
    result = call("sample_logs/broken/empty.log", LOG, "-o", tmp_path / "r.md", *DATED)
    assert result.exit_code == 2
    assert "OVERFIT-001" in (tmp_path / "r.md").read_text()


@pytest.mark.parametrize(("severity", "status"), [("never", 0), ("error", 0), ("warning", 1)])
def test_the_status_can_stop_a_job(call, severity, status):
    assert call(LOG, "--fail-on", severity, *DATED).exit_code == status


def test_training_data_are_checked_and_joined(call, tmp_path):
    data = tmp_path / "train.jsonl"
    row = json.dumps({"instruction": "What is the weather like today?", "input": "", "output": "It is sunny and warm."})
    data.write_text("\n".join([row] * 40 + ["{broken"]) + "\n")
    document = json.loads(call(LOG, "--format", "json", "--data", data, *DATED).stdout)
    assert document["data"]["records"] == 41
    rules = {found["finding"]["rule"] for found in document["data"]["findings"]}
    assert rules
    assert next(light for light in document["lights"] if light["aspect"] == "data")["state"] == "failure"
    broken = [e for found in document["data"]["findings"] for e in found["examples"] if e["line"] == 41]
    assert broken[0]["where"].startswith(f"{data.name}:41")
    assert broken[0]["text"] == "{broken"
    assert str(tmp_path) not in json.dumps(document)
    page = call(LOG, "--format", "html", "--data", data, *DATED).stdout
    assert [rule for rule in rules if rule not in page] == []
    listed = call(LOG, "--format", "github", "--data", data, *DATED).stdout
    assert f"file={data.name},line=41" in listed


def test_an_earlier_run_is_compared_with(call):
    document = json.loads(call(LOG, "--format", "json", "--compare-to", "sample_logs/healthy/sft-weather", *DATED).stdout)
    compared = document["comparison"]
    assert compared["earlier"].startswith("sample_logs/healthy/sft-weather")
    assert compared["new"] == ["OVERFIT-001", "EVAL-003"]
    assert document["reproduce"]["command"].endswith("--compare-to sample_logs/healthy/sft-weather --date 2026-11-24")


def test_a_run_folder_of_our_own_format_is_read(call, tmp_path):
    folder = tmp_path / "my-run"
    folder.mkdir()
    with (folder / "run.log").open("w") as log:
        log.write('{"event": "run", "schema": "advisor.log/1", "config": {"learning_rate": 1e-4, "seed": 3}}\n')
        log.writelines(json.dumps({"step": i, "loss": 2 * i**-0.3}) + "\n" for i in range(1, 50))
    document = json.loads(call(folder, "--format", "json").stdout)
    assert document["title"] == "my-run"
    assert document["source"] == "my-run/run.log"
    assert {"name": "seed", "label": "seed", "value": "3"} in document["facts"]


def test_a_run_folder_of_our_own_trainer_gives_its_configuration_and_versions(call, tmp_path):
    log = '{"event": "run", "schema": "advisor.log/1", "config": {"num_train_epochs": 40}}\n'
    log += "".join(
        json.dumps({"step": 8 * i, "eval_loss": 1 + abs(i - 5) / 10, "loss": 3 / i, "epoch": i}) + "\n" for i in range(1, 41)
    )
    (tmp_path / "run.log").write_text(log)
    (tmp_path / "config.toml").write_text("# mine\nnum_train_epochs = 40.0\nseed = 42\n")
    facts = {"packages": {"torch": "2.13.0", "peft": None}, "device": "cuda", "device_name": "NVIDIA H100"}
    (tmp_path / "environment.json").write_text(json.dumps(facts))
    document = json.loads(call(tmp_path, "--format", "json", *DATED).stdout)
    shown = {fact["name"]: fact["value"] for fact in document["facts"]}
    assert (shown["versions"], shown["device"]) == ("torch 2.13.0", "NVIDIA H100")
    assert document["configuration"]["form"] == "toml"
    assert document["configuration"]["text"].startswith("# mine\nnum_train_epochs = 5.0\nseed = 42\n")
    (tmp_path / "environment.json").write_text('{"packages": [')
    assert json.loads(call(tmp_path, "--format", "json", *DATED).stdout)["configuration"]["form"] == "yaml"


def test_a_program_can_write_a_report_too(root, tmp_path):
    target = tmp_path / "report.html"
    reports = write_report(root / LOG, target, language="zh", date="2026-11-24")
    assert [report.language for report in reports] == ["zh", "en"]
    assert reports[0].verdict.sentence in target.read_text()


def test_a_normal_report_takes_little_time_and_loads_nothing_heavy(root, tmp_path):
    code = (
        "import sys, time\n"
        "from advisor.cli import main\n"
        f"main(['report', {LOG!r}, '-o', {str(tmp_path / 'r.html')!r}], standalone_mode=False)\n"
        "heavy = [m for m in ('torch', 'matplotlib', 'scipy', 'pandas', 'typst', 'advisor.data') if m in sys.modules]\n"
        "print(time.process_time(), heavy, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=root, check=True)
    seconds, heavy = done.stderr.splitlines()[-1].split(" ", 1)
    assert heavy == "[]"
    assert float(seconds) < 3
    assert (tmp_path / "r.html").stat().st_size < 400_000


def test_markdown_can_have_its_curves_as_pictures_beside_it(call, tmp_path):
    pytest.importorskip("matplotlib")
    target = tmp_path / "my report.md"
    assert call(LOG, "-o", target, "--pictures", *DATED).exit_code == 0
    text = target.read_text()
    for chart in ("loss", "gradient"):
        assert f"](my%20report-{chart}.png)" in text
        assert (tmp_path / f"my report-{chart}.png").read_bytes().startswith(b"\x89PNG")
    assert "--pictures" in text
    assert call(LOG, "-o", tmp_path / "report.html", "--pictures").exit_code == 2
