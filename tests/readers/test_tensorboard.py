"""TensorBoard event files and log folders, written by the tools themselves (sample_logs/formats/tensorboard)."""

import shutil
import struct

import pytest

from advisor.errors import UnreadableLog
from advisor.readers import read_bytes, read_path


@pytest.fixture
def samples(root):
    return root / "sample_logs" / "formats" / "tensorboard"


@pytest.fixture
def event_file(samples):
    (path,) = (samples / "trainer").iterdir()
    return path


def _field(number, wire, payload):
    return bytes([number << 3 | wire]) + (bytes([len(payload)]) if wire == 2 else b"") + payload


def _record(step, value, time=1.7e9):
    event = _field(1, 1, struct.pack("<d", time)) + _field(2, 0, bytes([step])) + _field(5, 2, _field(1, 2, value))
    return struct.pack("<QI", len(event), 0) + event + b"\0" * 4


def _scalar(tag, number):
    return _field(1, 2, tag.encode()) + _field(2, 5, struct.pack("<f", number))


def test_an_event_file_and_the_trainer_state_of_one_run_give_the_same_points(samples, event_file):
    (events,), (state,) = read_path(event_file), read_path(samples / "trainer_state.json")
    assert events.axis == state.axis == "step"
    assert events.reader == "tensorboard"
    for name in ("train_loss", "eval_loss", "learning_rate", "grad_norm"):
        assert events.series[name].x.tolist() == state.series[name].x.tolist()
        assert events.series[name].values.tolist() == pytest.approx(state.series[name].values.tolist())
        assert events.series[name].epoch.tolist() == pytest.approx(state.series[name].epoch.tolist())


def test_the_trainers_arguments_are_read_from_its_text_tag(event_file):
    (run,) = read_path(event_file)
    assert run.config["learning_rate"] == 0.02
    assert run.config["num_train_epochs"] == 3


def test_the_closing_mean_of_the_loss_is_no_point_of_its_curve(event_file):
    (run,) = read_path(event_file)
    assert len(run.series["train_loss"]) == 6


def test_the_trainers_folder_is_read_like_its_file(samples, event_file):
    assert len(read_path(samples / "trainer")[0].series["train_loss"]) == len(read_path(event_file)[0].series["train_loss"])


def test_an_event_file_is_read_from_a_stream(event_file):
    (run,) = read_bytes(event_file.read_bytes(), "<stdin>")
    assert len(run.series["train_loss"]) == 6


def test_a_truncated_event_file_keeps_what_it_holds(event_file):
    data = event_file.read_bytes()
    (run,) = read_bytes(data[: data.rindex(b"train/loss") + 4], "cut")
    assert len(run.series["train_loss"]) == 5


def test_keras_folders_are_train_and_evaluation_of_one_run(samples):
    (run,) = read_path(samples / "keras")
    assert len(run.series["train_loss"]) == len(run.series["eval_loss"]) == 6
    assert run.series["train_loss"].epoch.tolist() == [0, 1, 2, 3, 4, 5]
    assert run.series["train_loss"].values[0] != run.series["eval_loss"].values[0]


def test_the_validation_folders_own_file_holds_an_evaluation(samples):
    (path,) = (samples / "keras" / "validation").iterdir()
    (run,) = read_path(path)
    assert "train_loss" not in run.series
    assert len(run.series["eval_loss"]) == 6


def test_evaluations_counted_by_epochs_stand_at_the_steps_they_were_made(samples):
    (run,) = read_path(samples / "pytorch" / "loop")
    assert len(run.series["train_loss"]) == 60
    assert run.series["eval_loss"].x.tolist() == [11, 23, 35, 47, 59]
    assert run.series["eval_loss"].epoch.tolist() == [0, 1, 2, 3, 4]


def test_hyper_parameters_of_the_hparams_plugin_are_settings(samples):
    (run,) = read_path(samples / "pytorch" / "loop")
    assert run.config["lr"] == pytest.approx(0.1)
    assert run.config["optimizer"] == "sgd"


def test_add_scalars_folders_are_curves_of_one_run(samples):
    (run,) = read_path(samples / "pytorch" / "curves")
    assert len(run.series["train_loss"]) == len(run.series["eval_loss"]) == 8


def test_a_log_folder_of_several_runs_gives_each(samples):
    sources = [run.source for run in read_path(samples / "pytorch")]
    assert [source.rsplit("/", 1)[-1] for source in sources] == ["curves", "loop"]


def test_two_files_of_one_folder_are_one_run(tmp_path, samples):
    for number, step in enumerate((1, 4)):
        records = (_record(step + i, _scalar("train/loss", 2 - i), time=1.7e9 + number * 10 + i) for i in range(3))
        (tmp_path / f"events.out.tfevents.{1700000000 + number}.host").write_bytes(b"".join(records))
    (run,) = read_path(tmp_path)
    assert run.series["train_loss"].x.tolist() == [1, 2, 3, 4, 5, 6]


def test_a_trainer_folder_with_event_files_is_read_once(tmp_path, samples, event_file):
    shutil.copy(samples / "trainer_state.json", tmp_path)
    (tmp_path / "runs").mkdir()
    shutil.copy(event_file, tmp_path / "runs")
    (run,) = read_path(tmp_path)
    assert run.reader == "hf-trainer-state"


def test_a_record_that_is_no_message_is_counted_and_passed_over():
    bad = struct.pack("<QI", 4, 0) + b"\xff\xff\xff\xff" + b"\0" * 4
    good = [_record(i, _scalar("loss", 2 - i / 4)) for i in range(1, 5)]
    (run,) = read_bytes(good[0] + bad + b"".join(good[1:]), "events")
    assert len(run.series["train_loss"]) == 4
    assert run.unread_count == 1


def test_a_tensor_of_one_number_is_a_scalar():
    tensor = _field(1, 0, b"\x02") + _field(4, 2, struct.pack("<d", 1.5))
    value = _field(1, 2, b"val_loss") + _field(8, 2, tensor)
    (run,) = read_bytes(_record(1, value) + _record(2, value), "events")
    assert run.series["eval_loss"].values.tolist() == [1.5, 1.5]


def test_a_tag_in_a_group_of_the_users_own_is_found_where_it_is_the_only_one():
    (run,) = read_bytes(b"".join(_record(i, _scalar("bert/train/loss", 2.0 - i / 9)) for i in range(3)), "events")
    assert len(run.series["train_loss"]) == 3
    two = b"".join(_record(i, _scalar(tag, 2.0)) for i in range(3) for tag in ("a/train/loss", "b/train/loss"))
    with pytest.raises(UnreadableLog):
        read_bytes(two, "events")


def test_an_event_file_without_a_loss_says_so():
    with pytest.raises(UnreadableLog, match="without a training or evaluation loss"):
        read_bytes(_record(1, _scalar("accuracy", 0.5)), "events")


@pytest.mark.parametrize(
    ("train", "evaluation"),
    [
        ("Loss/train", "Loss/val"),
        ("loss/train_epoch", "loss/val_epoch"),
        ("train_loss_step", "val_loss_epoch"),
        ("Epoch Train Loss", "Epoch Valid Loss"),
        ("train/total_loss", "validation/loss"),
        ("lm loss", "lm loss validation"),
        ("model/train/loss", "model/val/loss"),
    ],
)
def test_tags_of_many_hands_name_the_losses(train, evaluation):
    records = (_record(i, _scalar(tag, 2.0 - i / 9)) for i in range(4) for tag in (train, evaluation, "aux/router_loss"))
    (run,) = read_bytes(b"".join(records), "events")
    assert len(run.series["train_loss"]) == len(run.series["eval_loss"]) == 4
