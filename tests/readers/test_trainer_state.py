"""Hugging Face trainer states."""

import json

import pytest

from advisor.errors import UnreadableLog
from advisor.readers import read_bytes, read_path

HISTORY = [
    {"epoch": 0.5, "grad_norm": 1.5, "learning_rate": 1e-4, "loss": 2.0, "step": 10},
    {"epoch": 1.0, "eval_loss": 1.8, "eval_runtime": 3.0, "eval_samples_per_second": 9.1, "step": 20},
    {"epoch": 1.0, "grad_norm": 1.1, "learning_rate": 5e-5, "loss": 1.5, "step": 20},
    {"epoch": 1.0, "step": 20, "total_flos": 1e15, "train_loss": 1.75, "train_runtime": 9.0, "train_samples_per_second": 3.0},
]
STATE = {
    "best_metric": 1.8,
    "global_step": 20,
    "log_history": HISTORY,
    "max_steps": 20,
    "num_train_epochs": 1,
    "train_batch_size": 8,
}


def read(state, indent=2):
    (run,) = read_bytes(json.dumps(state, indent=indent).encode(), "trainer_state.json")
    return run


def test_losses_evaluations_and_settings_are_read():
    run = read(STATE)
    assert run.series["train_loss"].values.tolist() == [2.0, 1.5]
    assert run.series["eval_loss"].values.tolist() == [1.8]
    assert run.series["learning_rate"].x.tolist() == [10, 20]
    assert run.config["num_train_epochs"] == 1
    assert run.config["per_device_train_batch_size"] == 8


def test_the_closing_train_loss_is_the_mean_of_the_run_and_not_a_point():
    assert 1.75 not in read(STATE).series["train_loss"].values


def test_a_value_keeps_the_line_it_stands_on():
    text = json.dumps(STATE, indent=2)
    run = read(STATE)
    for line in run.series["train_loss"].line:
        assert text.splitlines()[line - 1].strip() == "{"
    assert len(set(run.series["train_loss"].line.tolist())) == 2


def test_a_state_on_a_single_line_is_read_too():
    assert len(read(STATE, indent=None).series["train_loss"]) == 2


def test_a_state_of_2020_without_batch_size_or_gradient_norm_is_read():
    old = {
        "epoch": 1.0,
        "global_step": 20,
        "log_history": [{"epoch": 0.5, "learning_rate": 1e-4, "loss": 2.0, "step": 10, "total_flos": 1}],
    }
    assert len(read(old).series["train_loss"]) == 1


def test_a_state_cut_in_the_middle_keeps_what_it_holds_and_counts_the_broken_entry():
    text = json.dumps(STATE, indent=2)
    cut = text[: text.index('"eval_runtime"')]
    (run,) = read_bytes(cut.encode(), "trainer_state.json")
    assert len(run.series["train_loss"]) == 1
    assert run.unread_count == 1
    assert run.unread[0] > 1


def test_nan_and_infinity_are_kept_as_they_are():
    history = [{"step": i, "loss": value} for i, value in enumerate((1.0, float("nan"), float("inf")))]
    values = read({"log_history": history}).series["train_loss"].values
    assert str(values.tolist()) == "[1.0, nan, inf]"


def test_values_printed_as_strings_are_numbers():
    assert read({"log_history": [{"step": 1, "loss": "2.5", "epoch": "0.1"}]}).series["train_loss"].values[0] == 2.5


@pytest.fixture
def output_folder(tmp_path):
    for step in (9, 20, 100):
        folder = tmp_path / f"checkpoint-{step}"
        folder.mkdir()
        history = [{"step": s, "loss": 2.0} for s in range(1, step + 1)]
        (folder / "trainer_state.json").write_text(json.dumps({"log_history": history}))
    (tmp_path / "config.json").write_text('{"vocab_size": 32000}')
    return tmp_path


def test_the_newest_checkpoint_of_an_output_folder_is_the_run(output_folder):
    (run,) = read_path(output_folder)
    assert run.series["train_loss"].x[-1] == 100


def test_the_models_configuration_beside_the_log_is_used(output_folder):
    (run,) = read_path(output_folder)
    assert run.config["vocab_size"] == 32000


def test_a_folder_without_a_log_says_what_to_give(tmp_path):
    with pytest.raises(UnreadableLog, match="give the log file itself"):
        read_path(tmp_path)


def test_a_broken_entry_is_counted_and_those_after_it_are_read():
    entries = [f'{{\n "loss": {3 - step / 10},\n "step": {step}\n}}' for step in range(1, 9)]
    broken = entries[3].replace(",", "\n\x00garbage of another program,")
    text = '{"log_history": [' + ",\n".join([*entries[:3], broken, *entries[4:]]) + '], "max_steps": 8}'
    (run,) = read_bytes(text.encode(), "trainer_state.json")
    assert run.series["train_loss"].x.tolist() == [1, 2, 3, 5, 6, 7, 8]
    assert run.series["train_loss"].line.tolist() == [1, 5, 9, 18, 22, 26, 30]
    assert run.unread_count == 1


def test_a_first_entry_that_is_broken_leaves_the_format_what_it_is():
    text = '{"log_history": [{"loss": 9.0, oops, "step": 1}, {"loss": 2.5, "step": 2}, {"loss": 2.25, "step": 3}]}'
    (run,) = read_bytes(text.encode(), "trainer_state.json")
    assert (run.reader, run.unread_count, run.series["train_loss"].values.tolist()) == ("hf-trainer-state", 1, [2.5, 2.25])
