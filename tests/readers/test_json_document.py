"""JSON documents: lists of numbers and arrays of entries at any depth, whole or cut off."""

import json

import pytest

from advisor.errors import UnreadableLog
from advisor.readers import read_bytes


def read(document, end=None):
    text = document if isinstance(document, str) else json.dumps(document, indent=1)
    return read_bytes(text[:end].encode(), "history.json")


def points(run, name):
    return list(zip(run.series[name].x.tolist(), run.series[name].values.tolist(), strict=True))


def test_lists_of_one_length_are_epochs_and_keep_their_lines():
    (run,) = read({"loss": [0.9, 0.8], "val_loss": [1.0, 0.9], "mae": [3, 2]})
    assert (run.axis, run.notes) == ("epoch", ("listed-by-epoch",))
    assert points(run, "eval_loss") == [(1, 1.0), (2, 0.9)]
    assert run.series["train_loss"].line.tolist() == [3, 4]
    assert run.series["eval_loss"].line.tolist() == [7, 8]


def test_a_shorter_list_is_spread_over_the_longest_and_this_is_said():
    (run,) = read({"train_losses": [0.9, 0.8, 0.7, 0.6], "val_losses": [1.0, 0.9]})
    assert (run.axis, run.notes, points(run, "eval_loss")) == ("step", ("listed-by-step",), [(2, 1.0), (4, 0.9)])


def test_lists_of_steps_place_the_lists_of_their_length():
    (run,) = read({"steps": [10, 20, 30], "loss": [0.9, 0.8, 0.7], "eval_steps": [30], "eval_loss": [0.75]})
    assert (points(run, "train_loss")[0], points(run, "eval_loss"), run.notes) == ((10, 0.9), [(30, 0.75)], ())


@pytest.mark.parametrize(
    "document",
    [
        {"train": {"loss": [0.9, 0.8]}, "val": {"loss": [1.0, 0.9]}},
        {
            "config": {"lr": 0.1},
            "history": [{"epoch": 1, "loss": 0.9, "val_loss": 1.0}, {"epoch": 2, "loss": 0.8, "val_loss": 0.9}],
        },
        {"loss": {"0": 0.9, "1": 0.8}, "val_loss": {"0": 1.0, "1": 0.9}},
        {"1": {"loss": 0.9, "val_loss": 1.0}, "2": {"loss": 0.8, "val_loss": 0.9}},
        {"epoch_1": {"loss": 0.9, "val_loss": 1.0}, "epoch_2": {"loss": 0.8, "val_loss": 0.9}},
    ],
    ids=["nested", "entries", "pandas", "by epoch", "by named epoch"],
)
@pytest.mark.parametrize("indent", [None, 2])
def test_every_layout_of_one_history_is_read_alike(document, indent):
    (run,) = read(json.dumps(document, indent=indent))
    assert (points(run, "train_loss"), points(run, "eval_loss")) == ([(1, 0.9), (2, 0.8)], [(1, 1.0), (2, 0.9)])


def test_folds_are_runs_of_their_own():
    runs = read({f"fold{i}": {"loss": [0.9 + i, 0.8], "val_loss": [1.0, 0.9]} for i in range(3)})
    assert [run.series["train_loss"].values[0] for run in runs] == [0.9, 1.9, 2.9]


def test_a_document_that_is_cut_off_gives_its_whole_numbers_and_says_so():
    text = '{"loss": [0.91, 0.82, 0.73], "val_loss": [1.0, 0.95'
    (run,) = read(text)
    assert (points(run, "eval_loss"), run.unread_count) == ([(1, 1.0)], 1)
    assert len(run.series["train_loss"]) == 3


def test_null_is_no_value_and_nan_is_one():
    (run,) = read('{"loss": [0.9, null, NaN, 0.7]}')
    assert [x for x, _ in points(run, "train_loss")] == [1, 3, 4]


def test_of_closing_values_the_evaluation_is_read_and_called_the_last():
    (run,) = read({"epoch": 3.0, "eval_loss": 1.2, "train_loss": 0.8, "train_runtime": 3.1})
    assert (points(run, "eval_loss"), run.notes, "train_loss" in run.series) == ([(3, 1.2)], ("closing-values",), False)
    with pytest.raises(UnreadableLog, match=r"closing values.*trainer_state"):
        read({"epoch": 3.0, "train_loss": 0.8, "train_runtime": 3.1})


def test_settings_are_no_log():
    with pytest.raises(UnreadableLog):
        read({"learning_rate": 0.1, "betas": [0.9, 0.95], "layers": {"0": 1, "1": 2}})
