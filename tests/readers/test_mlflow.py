"""MLflow's file store and database, written by MLflow (sample_logs/formats/mlflow)."""

import math
import shutil
import sqlite3

import pytest

from advisor.errors import UnreadableLog
from advisor.readers import read_bytes, read_path


@pytest.fixture
def samples(root):
    return root / "sample_logs" / "formats" / "mlflow"


@pytest.fixture
def run_folder(samples):
    return next(path.parent.parent for path in samples.rglob("params/fp16"))


def lines(values, start=10):
    return "".join(f"{1719146596978 + i} {value} {start * (i + 1)}\n" for i, value in enumerate(values)).encode()


def test_a_run_folder_gives_its_metrics_and_parameters(run_folder):
    (run,) = read_path(run_folder)
    assert run.series["train_loss"].x.tolist() == [10, 20, 30, 40, 50, 60]
    assert run.series["train_loss"].epoch.tolist() == [0.5, 1, 1.5, 2, 2.5, 3]
    assert run.series["eval_loss"].x.tolist() == [20, 40, 60]
    assert (run.config["learning_rate"], run.config["num_train_epochs"], run.config["fp16"]) == (2e-4, 3, True)


def test_a_metric_file_is_named_by_its_place(run_folder):
    (run,) = read_path(run_folder / "metrics" / "eval_loss")
    assert list(run.series) == ["eval_loss"]
    assert run.series["eval_loss"].line.tolist() == [1, 2, 3]
    assert math.isnan(run.series["eval_loss"].values[1])


def test_a_metric_that_is_no_loss_is_no_log(run_folder):
    with pytest.raises(UnreadableLog):
        read_path(run_folder / "metrics" / "learning_rate")


def test_mlruns_holds_several_runs_and_their_parameters_stay_apart(samples):
    runs = read_path(samples / "mlruns")
    assert sorted(run.config["run_name"] for run in runs) == ["sample-0", "sample-1"]
    assert ["fp16" in run.config for run in runs].count(True) == 1


def test_the_database_and_the_file_store_tell_the_same(samples):
    stored = sorted(read_path(samples / "mlruns"), key=lambda run: run.config["run_name"])
    for one, other in zip(read_path(samples / "mlflow.db"), stored, strict=True):
        assert one.config == other.config
        assert one.series.keys() == other.series.keys()
        for name, series in one.series.items():
            assert series.x.tolist() == other.series[name].x.tolist()
            assert series.values.tolist() == pytest.approx(other.series[name].values.tolist(), nan_ok=True)


def test_the_database_is_read_from_a_stream_and_from_its_folder(samples, tmp_path):
    assert len(read_bytes((samples / "mlflow.db").read_bytes(), "<stdin>")) == 2
    shutil.copy(samples / "mlflow.db", tmp_path)
    assert len(read_path(tmp_path)) == 2


def test_reading_leaves_the_database_as_it_was(samples, tmp_path):
    path = tmp_path / "mlflow.db"
    shutil.copy(samples / "mlflow.db", path)
    before = path.read_bytes()
    read_path(path)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["mlflow.db"]


def test_a_database_of_another_kind_says_so(tmp_path):
    with sqlite3.connect(tmp_path / "other.db") as database:
        database.execute("CREATE TABLE things (name TEXT)")
    database.close()
    with pytest.raises(UnreadableLog, match="not MLflow's"):
        read_path(tmp_path / "other.db")


def test_a_deleted_run_is_not_read(samples, tmp_path):
    path = tmp_path / "mlflow.db"
    shutil.copy(samples / "mlflow.db", path)
    with sqlite3.connect(path) as database:
        database.execute("UPDATE runs SET lifecycle_stage = 'deleted' WHERE name = 'sample-0'")
    database.close()
    (run,) = read_path(path)
    assert run.config["run_name"] == "sample-1"


def test_a_lone_metric_that_falls_is_taken_for_the_loss():
    (run,) = read_bytes(lines([1.27, 1.17, 0.99, 0.98, 0.77]), "download__2.txt")
    assert len(run.series["train_loss"]) == 5


@pytest.mark.parametrize(
    ("values", "name"),
    [([0.5, 1.0, 1.5, 2.0], "a.txt"), ([3e-5, 2e-5, 1e-5, 0.0], "b.txt"), ([0.5, 0.7, 0.9, 0.95], "c.txt"), ([9, 5, 3], "eval_f1")],
)
def test_a_lone_metric_that_looks_like_something_else_is_not(values, name, tmp_path):
    (tmp_path / name).write_bytes(lines(values))
    with pytest.raises(UnreadableLog):
        read_path(tmp_path / name)


def test_a_line_that_is_no_point_is_counted(tmp_path):
    (tmp_path / "loss").write_bytes(lines([2.0, 1.5]) + b"1719146596999 1.\n")
    (run,) = read_path(tmp_path / "loss")
    assert run.unread == (3,)
