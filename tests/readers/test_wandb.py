"""W&B run files written by its own client (sample_logs/formats/wandb), and the tables that its pages export."""

import shutil

import pytest

from advisor.errors import UnreadableLog
from advisor.readers import read_bytes, read_path


@pytest.fixture
def samples(root):
    return root / "sample_logs" / "formats" / "wandb"


@pytest.fixture
def run_file(samples):
    return samples / "trainer" / "run-trainer.wandb"


def test_a_run_file_and_the_trainer_state_of_one_run_give_the_same_points(run_file, samples):
    (run,), (state,) = read_path(run_file), read_path(samples.parent / "tensorboard" / "trainer_state.json")
    assert run.reader == "wandb"
    for name in ("train_loss", "eval_loss", "learning_rate", "grad_norm"):
        assert run.series[name].x.tolist() == state.series[name].x.tolist()
        assert run.series[name].values.tolist() == pytest.approx(state.series[name].values.tolist())
        assert run.series[name].epoch.tolist() == pytest.approx(state.series[name].epoch.tolist())


def test_the_configuration_is_settings(run_file):
    (run,) = read_path(run_file)
    assert run.config["learning_rate"] == 0.02
    assert run.config["run_name"] == "trainer-sample"


def test_a_run_file_is_read_from_a_stream(run_file):
    assert len(read_bytes(run_file.read_bytes(), "<stdin>")[0].series["train_loss"]) == 6


def test_a_truncated_run_file_keeps_what_it_holds(run_file):
    data = run_file.read_bytes()
    (run,) = read_bytes(data[: data.rindex(b"train/grad_norm") // 2 * 2], "cut")
    assert 1 <= len(run.series["train_loss"]) <= 6


def test_a_run_folder_and_the_wandb_folder_are_read(tmp_path, run_file):
    folder = tmp_path / "wandb" / "offline-run-20260101_000000-trainer"
    folder.mkdir(parents=True)
    shutil.copy(run_file, folder)
    (tmp_path / "wandb" / "latest-run").symlink_to(folder)
    for given in (folder, folder.parent, tmp_path):
        (run,) = read_path(given)
        assert len(run.series["train_loss"]) == 6


def test_a_run_folder_without_its_run_file_is_read_by_its_console_log(tmp_path):
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "output.log").write_text("".join(f"{{'loss': {3 - i / 10}, 'epoch': {i}.0}}\n" for i in range(1, 6)))
    (run,) = read_path(tmp_path)
    assert len(run.series["train_loss"]) == 5


def test_a_runs_export_is_read_as_a_table(samples):
    (run,) = read_path(samples / "run-export.csv")
    assert len(run.series["train_loss"]) == 6
    assert len(run.series["eval_loss"]) == 3


def test_a_charts_export_holds_a_run_for_each_name(samples):
    runs = read_path(samples / "chart-export.csv")
    assert [run.config["run_name"] for run in runs] == ["calm-sun-1", "brisk - moon-2"]
    assert [run.series["train_loss"].x.tolist() for run in runs] == [[5, 10, 15, 20, 25, 30], [5, 10, 15, 20]]
    assert runs[1].series["train_loss"].line.tolist() == [2, 3, 4, 5]


def test_train_and_evaluation_of_one_chart_are_one_run():
    chart = '"Step","a - train/loss","a - train/loss__MIN","a - eval/loss"\n"1","2.0","2.0",""\n"2","1.5","1.5","1.75"\n'
    (run,) = read_bytes(chart.encode(), "chart.csv")
    assert run.series["eval_loss"].values.tolist() == [1.75]


def test_a_summary_is_no_curve():
    summary = b'{"_step":16,"_runtime":12.5,"train/loss":0.17,"_wandb":{"runtime":12}}'
    with pytest.raises(UnreadableLog, match="summary"):
        read_bytes(summary, "wandb-summary.json")


def test_a_table_of_runs_is_no_curve():
    table = (
        b'"Name","State","Notes","User","Tags","Created","Runtime","step","train/loss"\n"a","finished","-","","","","9","1","2.5"\n'
    )
    with pytest.raises(UnreadableLog, match="one line a run"):
        read_bytes(table, "wandb_export.csv")


def test_a_run_file_without_history_says_so(run_file):
    with pytest.raises(UnreadableLog, match="without a training or evaluation loss"):
        read_bytes(run_file.read_bytes()[:400], "run.wandb")


def _message(number, payload):
    return bytes([number << 3 | 2, len(payload)]) + payload


def _run_file(*records):
    chunks = (b"\0" * 4 + len(record).to_bytes(2, "little") + b"\1" + record for record in records)
    return b":W&B\xe1\xbe\0" + b"".join(chunks)


def test_the_console_of_a_run_that_logged_no_loss_is_read():
    lines = [f"\rstep {i}: loss={2 - i / 10}\n".encode() for i in range(1, 6)] + [b"torch.OutOfMemoryError: CUDA out of memory.\n"]
    (run,) = read_bytes(_run_file(*(_message(13, _message(3, line)) for line in lines)), "run.wandb")
    assert run.series["train_loss"].x.tolist() == [1, 2, 3, 4, 5]
    assert [event.kind for event in run.events] == ["out-of-memory"]


def test_values_are_read_as_json_and_as_typed_numbers():
    def item(key, value):
        return _message(1, _message(1, key.encode()) + value)

    zigzag = bytes([5 << 3, 2 * 7])
    history = item("global_step", zigzag) + item("loss", b"\x82\x01\x031.5") + item("eval_loss", b'\x82\x01\x05"NaN"')
    (run,) = read_bytes(_run_file(_message(2, history)), "run.wandb")
    assert run.series["train_loss"].x.tolist() == [7]
    assert run.series["train_loss"].values.tolist() == [1.5]
    assert str(run.series["eval_loss"].values[0]) == "nan"
