"""Many runs at once: folders of runs, worker processes, what is no log, standard input, and what is kept of a long run."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from advisor import parallel
from advisor.cli import main
from advisor.model import Thinned
from advisor.parallel import Input, Judge, analyse_one, worth_workers
from advisor.readers import read_path, read_stream, registry, units
from advisor.render import json as as_json
from advisor.render.curve import draw, shown

SAMPLES = Path(__file__).parent.parent / "sample_logs"
STATE = SAMPLES / "faulty/validation-rise/trainer_state.json"
HEALTHY = SAMPLES / "healthy/sft-weather/trainer_state.json"


def run(*arguments, stdin=None):
    return CliRunner().invoke(main, ["analyze", *map(str, arguments)], input=stdin, catch_exceptions=False)


@pytest.fixture
def sweep(tmp_path):
    """Five run folders at different depths, a log among them, and files that are none."""
    folder = tmp_path / "sweep"
    for name in ("a/run-1", "a/run-2/checkpoint-80", "b/c/run-3", "run-4"):
        (folder / name).mkdir(parents=True)
        shutil.copy(HEALTHY if "3" in name else STATE, folder / name / "trainer_state.json")
    (folder / "b/train.log").write_text("".join(f"step {s} loss {3 - s / 20:.3f}\n" for s in range(1, 31)))
    (folder / "b/notes.txt").write_text("nothing was logged here\n")
    (folder / "readme.md").write_text("step 1 loss 2\n")
    (folder / ".cache").mkdir()
    shutil.copy(STATE, folder / ".cache/trainer_state.json")
    return folder


def sources(result):
    return [Path(one["source"]) for one in json.loads(result.stdout)["runs"]]


def test_a_folder_of_runs_gives_every_run_at_any_depth_in_the_order_of_its_paths(sweep):
    found = [path.relative_to(sweep).as_posix() for path in sources(run(sweep, "--format", "json"))]
    assert found == [
        "a/run-1/trainer_state.json",
        "a/run-2/checkpoint-80/trainer_state.json",
        "b/c/run-3/trainer_state.json",
        "b/train.log",
        "run-4/trainer_state.json",
    ]


def test_a_folder_that_is_itself_a_run_stays_one_run(sweep):
    shutil.copy(STATE, sweep / "trainer_state.json")
    assert list(units(sweep)) == [sweep]
    assert sources(run(sweep, "--format", "json")) == [sweep / "trainer_state.json"]


def test_the_reading_function_finds_the_runs_of_a_folder_as_the_command_does(sweep):
    assert [Path(one.source) for one in read_path(sweep)] == sources(run(sweep, "--format", "json"))


@pytest.mark.parametrize("output", ["text", "json", "markdown"])
def test_worker_processes_give_the_same_answer_as_one_process(sweep, output):
    one, several = (run(sweep, STATE, "--format", output, "--lang", "en", "--jobs", n) for n in (1, 2))
    assert one.stdout == several.stdout
    assert (one.exit_code, one.stderr) == (several.exit_code, several.stderr)


@pytest.mark.parametrize(("output", "row"), [("text", "4    b/train.log"), ("markdown", "| 4 | b/train.log |")])
def test_many_runs_give_one_table_and_the_gravest_in_full(sweep, output, row):
    text = run(sweep, "--format", output, "--lang", "en").stdout
    assert "5 runs" in text
    assert row in text
    assert "3 overfitting" in text
    assert text.count("OVERFIT-001 Evaluation") + text.count("OVERFIT-001: Evaluation") == 1


def test_what_is_no_log_in_a_folder_is_passed_over_and_counted(sweep):
    result = run(sweep, "--lang", "en")
    assert result.exit_code == 0
    assert "1 files in these folders are no training logs" in result.stderr
    assert "notes.txt" not in result.stdout + result.stderr


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_broken_run_in_a_folder_is_named_and_stops_no_other(sweep, jobs):
    (sweep / "a/run-1/trainer_state.json").write_text('{"log_history": [')
    result = run(sweep, "--format", "json", "--jobs", jobs)
    assert result.exit_code == 0
    assert len(sources(result)) == 4
    assert "a/run-1/trainer_state.json" in result.stderr


def test_a_path_that_was_given_and_cannot_be_read_ends_with_status_2(sweep):
    (sweep / "empty").mkdir()
    for bad in ("no-such-folder", sweep / "empty", sweep / "b/notes.txt"):
        result = run(bad, sweep, "--format", "json")
        assert result.exit_code == 2
        assert str(bad) in result.stderr
        assert len(sources(result)) == 5


def test_a_folder_of_nothing_but_other_files_is_one_clear_error(tmp_path):
    (tmp_path / "notes.txt").write_text("nothing was logged here\n")
    result = run(tmp_path)
    assert result.exit_code == 2
    assert result.stderr.startswith(f"Error: {tmp_path}: ")


def test_links_to_folders_are_not_followed_round_in_circles(sweep):
    (sweep / "a/again").symlink_to(sweep, target_is_directory=True)
    assert len(list(units(sweep))) == 6


def test_workers_are_used_only_where_there_is_much_to_read():
    def of(count, size):
        return [Input(Path(f"{i}.log"), Path(), size) for i in range(count)]

    assert worth_workers(of(1, 10**9)) == worth_workers(of(20, 10**5)) == 0
    many = worth_workers(of(1000, 10**5))
    assert many == worth_workers(of(4, 10**8)) or many > 4
    assert many <= max(1, parallel._processors())


def test_standard_input_is_read_here_while_workers_read_the_files():
    log = "".join(f"step {s} loss {3 - s / 20:.3f}\n" for s in range(1, 31))
    result = run(STATE, "-", HEALTHY, "--jobs", "2", "--format", "json", stdin=log)
    assert sources(result) == [STATE, Path("standard input"), HEALTHY]


def test_a_long_stream_waits_in_a_file_and_is_read_the_same(tmp_path, monkeypatch):
    monkeypatch.setattr(registry, "MOST_IN_MEMORY", 1000)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    text = "".join(f"step {s} loss {3 - s / 100:.3f}\n" for s in range(1, 201))
    (tmp_path / "run.log").write_text(text)
    with (tmp_path / "run.log").open("rb") as stream:
        (found,) = read_stream(stream, "standard input")
    assert found.source == "standard input"
    assert len(found.series["train_loss"]) == 200
    assert [path.name for path in tmp_path.iterdir()] == ["run.log"]


@pytest.fixture
def long_log(tmp_path):
    """A run of 30,000 points that overfits, with spikes and a value that is none."""
    random = np.random.default_rng(0)
    lines = []
    for step in range(1, 30_001):
        loss = 1 + 2 / (1 + step / 3000) + random.normal(0, 0.02) + 5 * (step % 5000 == 0)
        lines.append(f'{{"step": {step}, "loss": {loss if step != 777 else "NaN"}}}')
        if step % 1000 == 0:
            lines.append(f'{{"step": {step}, "eval_loss": {1.2 + 2 / (1 + step / 3000) + max(0, step - 9000) * 5e-5}}}')
    path = tmp_path / "long.jsonl"
    path.write_text("\n".join(lines))
    return path


def test_keeping_only_what_is_drawn_changes_no_verdict_and_no_figure(long_log, rules):
    one = Input(long_log, long_log, 0)
    whole, thinned = (analyse_one(one, Judge(rules, {}), keep=keep).diagnoses for keep in (True, False))
    assert whole[0].verdict != "healthy"
    assert isinstance(thinned[0].run.series["train_loss"], Thinned)
    assert len(thinned[0].run.series["train_loss"].values) <= 2000 < len(whole[0].run.series["train_loss"].values)
    assert as_json.render(whole, "en") == as_json.render(thinned, "en")


@pytest.mark.parametrize("width", [20, 60, 300])
def test_drawing_at_any_width_changes_no_verdict(long_log, judged, width):
    (before,) = judged(long_log)
    assert draw(shown(before), width, 8) is not None
    (thinned,) = analyse_one(Input(long_log, long_log, 0), Judge((), {})).diagnoses
    assert draw(shown(thinned), width, 8) is not None
    (after,) = judged(long_log)
    assert as_json.render([before], "en") == as_json.render([after], "en")
