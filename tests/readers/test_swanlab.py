"""SwanLab run files written by its own client, now and until 2025 (sample_logs/formats/swanlab)."""

import shutil

import numpy as np
import pytest

from advisor.errors import UnreadableLog
from advisor.readers import read_bytes, read_path
from advisor.readers.leveldb import records

RUNS = ("run-sample", "run-earlier")


@pytest.fixture
def samples(root):
    return root / "sample_logs/formats/swanlab"


def _framed(*parts):
    """Lay records down as LevelDB does; the checksums are not looked at."""
    return b":SWL\xd6\xe1\x02" + b"".join(b"\0" * 4 + len(part).to_bytes(2, "little") + b"\1" + part for part in parts)


def _field(number, content):
    key = number << 3 | 2
    return (bytes([key]) if key < 128 else bytes([key & 127 | 128, key >> 7])) + bytes([len(content)]) + content


def _scalar(key, step, value):
    """Return a record as SwanLab writes it: a field that holds zero is left out."""
    number = b"\x09" + np.float64(value).tobytes() if value else b""
    inner = _field(1, key.encode()) + (bytes([0x10, step]) if step else b"") + _field(5, number)
    return _field(13, inner)


@pytest.mark.parametrize("name", RUNS)
def test_a_run_is_read_with_its_settings(samples, name):
    (run,) = read_path(samples / name)
    assert (run.reader, run.axis) == ("swanlab", "step")
    assert run.series["train_loss"].values.tolist() == pytest.approx([2 - i / 6 for i in range(1, 7)])
    assert run.series["eval_loss"].x.tolist() == [20, 40, 60]
    assert {"learning_rate": 2e-4, "run_name": "sample"}.items() <= run.config.items()


def test_both_forms_of_a_run_give_the_same_points(samples):
    (new,), (old,) = (read_path(samples / name) for name in RUNS)
    for name in ("train_loss", "eval_loss"):
        assert new.series[name].x.tolist() == old.series[name].x.tolist()
        assert new.series[name].values.tolist() == old.series[name].values.tolist()


def test_a_folder_of_runs_gives_each(samples, tmp_path):
    shutil.copytree(samples, tmp_path / "swanlog")
    assert [len(run.series["train_loss"]) for run in read_path(tmp_path)] == [6, 6]


@pytest.mark.parametrize("name", RUNS)
def test_a_file_that_breaks_off_keeps_what_it_holds(samples, name):
    data = (samples / name / "run-sample.swanlab").read_bytes()
    seen = set()
    for end in range(0, len(data), 40):
        try:
            (run,) = read_bytes(data[:end], "run.swanlab")
        except UnreadableLog:
            continue
        seen.add(len(run.series["train_loss"]) if "train_loss" in run.series else 0)
    assert len(seen) > 2


def test_what_the_machine_did_is_no_quantity_of_the_run(samples):
    with (samples / "run-earlier" / "run-sample.swanlab").open("rb") as stream:
        assert any(b"__swanlab__" in record for record in records(stream))
    (run,) = read_path(samples / "run-earlier")
    assert not any("swanlab" in name for name in run.series)


def test_zero_and_no_number_are_values():
    values = (2.0, 0.0, float("nan"), float("inf"))
    (run,) = read_bytes(_framed(*(_scalar("train/loss", step, value) for step, value in enumerate(values))), "run.swanlab")
    assert run.series["train_loss"].x.tolist() == [0, 1, 2, 3]
    assert np.array_equal(run.series["train_loss"].values, values, equal_nan=True)


def test_a_broken_record_is_counted():
    (run,) = read_bytes(
        _framed(_scalar("loss", 1, 2.5), b"{no json", _field(13, b"\xff\xff"), _scalar("loss", 2, 2.25)), "run.swanlab"
    )
    assert (run.series["train_loss"].values.tolist(), run.unread_count) == ([2.5, 2.25], 2)


def test_the_console_that_the_file_keeps_is_read_for_errors():
    line = _field(16, _field(1, b"torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2 GiB"))
    (run,) = read_bytes(_framed(_scalar("loss", 1, 2.5), line), "run.swanlab")
    assert [event.kind for event in run.events] == ["out-of-memory"]
