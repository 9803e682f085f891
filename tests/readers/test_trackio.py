"""Trackio's database: its runs, older layouts of it, and databases that are somebody else's."""

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from advisor.errors import UnreadableLog
from advisor.readers import read_path

SAMPLE = Path(__file__).parents[2] / "sample_logs/formats/trackio/formats.db"


def test_every_run_of_a_project_is_read_with_its_settings(tmp_path):
    first, second = read_path(SAMPLE)
    assert (first.reader, first.axis, first.config["run_name"], first.config["learning_rate"]) == (
        "trackio",
        "step",
        "sample-0",
        2e-4,
    )
    assert first.series["eval_loss"].x.tolist() == [20, 40, 60]
    assert second.series["train_loss"].values[0] > first.series["train_loss"].values[0] + 0.9
    shutil.copyfile(SAMPLE, tmp_path / "project.db")
    assert len(read_path(tmp_path)) == 2


def make(path, journal="DELETE", columns="id INTEGER PRIMARY KEY, timestamp TEXT, run_name TEXT, step INTEGER, metrics TEXT"):
    database = sqlite3.connect(path)
    database.execute(f"PRAGMA journal_mode = {journal}")
    database.execute(f"CREATE TABLE metrics ({columns})")
    for step in (1, 2, 3):
        row = json.dumps({"train/loss": 3 - step / 2, "train/epoch": step / 3})
        database.execute("INSERT INTO metrics VALUES (NULL, '', 'calm', ?, ?)", (step, row))
    database.commit()
    return database


def test_a_database_of_runs_without_identity_is_read(tmp_path):
    make(tmp_path / "old.db").close()
    (run,) = read_path(tmp_path / "old.db")
    assert run.series["train_loss"].values.tolist() == [2.5, 2.0, 1.5]


def test_a_database_that_is_being_written_is_read_and_left_alone(tmp_path):
    with closing(make(tmp_path / "live.db", "WAL")):
        (run,) = read_path(tmp_path / "live.db")
    assert len(run.series["train_loss"]) == 3
    make(tmp_path / "done.db", "WAL").close()
    before = sorted(path.name for path in tmp_path.iterdir())
    read_path(tmp_path / "done.db")
    assert sorted(path.name for path in tmp_path.iterdir()) == before


def test_another_database_is_named_for_what_it_is(tmp_path):
    with closing(sqlite3.connect(tmp_path / "other.db")) as database:
        database.execute("CREATE TABLE metrics (a, b)")
    with pytest.raises(UnreadableLog, match="not MLflow's"):
        read_path(tmp_path / "other.db")
