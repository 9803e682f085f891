"""Console output of the Hugging Face Trainer."""

from advisor.readers import read_bytes


def read(text):
    return read_bytes(text.encode(), "console.log")


DICTS = (
    "{'loss': 2.31, 'grad_norm': 0.5, 'learning_rate': 3e-05, 'epoch': 0.5}\n"
    "{'eval_loss': 2.2, 'eval_runtime': 1.2, 'epoch': 0.5}\n"
    "{'loss': 2.01, 'grad_norm': 0.4, 'learning_rate': 1e-05, 'epoch': 1.0}\n"
)


def test_printed_dictionaries_are_read_with_their_lines():
    (run,) = read(DICTS)
    assert run.series["train_loss"].values.tolist() == [2.31, 2.01]
    assert run.series["train_loss"].line.tolist() == [1, 3]
    assert run.axis == "epoch"


def test_values_that_5_x_prints_as_strings_are_read():
    (run,) = read("{'loss': '2.31', 'grad_norm': '0.5', 'learning_rate': '3.4e-05', 'epoch': '0.01'}\n")
    assert run.series["learning_rate"].values.tolist() == [3.4e-05]


def test_progress_bars_colours_and_logging_prefixes_do_not_disturb():
    text = (
        "\x1b[32m  1%|▏  | 1/90 [00:01<02:00,  1.3s/it]\x1b[0m\r"
        "  2%|▏  | 2/90 [00:02<02:00, 1.3s/it]{'loss': 2.31, 'epoch': 0.5}\r\n"
        "2024-06-17 22:30:31,153 - INFO - {'loss': 2.01, 'epoch': 1.0}\n"
    )
    (run,) = read(text)
    assert run.series["train_loss"].values.tolist() == [2.31, 2.01]


def test_eight_ranks_that_print_the_same_are_one_run():
    text = "".join(f"[rank{r}]: {{'loss': {loss}, 'epoch': {e}}}\n" for e, loss in ((0.5, 2.3), (1.0, 2.0)) for r in range(8))
    (run,) = read(text)
    assert run.series["train_loss"].values.tolist() == [2.3, 2.0]


def test_nan_is_kept():
    (run,) = read("{'loss': nan, 'grad_norm': nan, 'epoch': 0.5}\n{'loss': 0.0, 'grad_norm': nan, 'epoch': 1.0}\n")
    assert str(run.series["grad_norm"].values.tolist()) == "[nan, nan]"


def test_the_summary_is_no_point_and_ends_the_run():
    (run,) = read(DICTS + "{'train_runtime': 9.1, 'train_samples_per_second': 3.1, 'train_loss': 2.16, 'epoch': 1.0}\n")
    assert len(run.series["train_loss"]) == 2
    assert [e.kind for e in run.events] == ["end"]


def test_a_dictionary_cut_off_is_counted_with_its_line():
    (run,) = read(DICTS + "{'loss': 1.9, 'grad_no")
    assert (run.unread_count, run.unread) == (1, (4,))


def test_a_new_run_begins_where_the_epoch_goes_back_and_stays_back():
    epochs = [i / 10 for i in range(1, 21)]
    text = "".join(f"{{'loss': {3 - e}, 'epoch': {e}}}\n" for e in epochs)
    assert [len(run.series["train_loss"]) for run in read(text * 2)] == [20, 20]


def test_what_a_callback_and_the_trainer_both_print_is_one_point():
    text = "".join(
        f"[INFO] {{'loss': {3 - s / 7:.4f}, 'learning_rate': {1e-4 / s:2.4e}, 'epoch': {s / 30:.2f}}}\r 1%|#| {s}/60 [00:01]\r"
        f"{{'loss': '{3 - s / 7:.4g}', 'grad_norm': '1.5', 'learning_rate': '{1e-4 / s:.4g}', 'epoch': '{s / 30:.4g}'}}\n"
        for s in range(1, 20)
    )
    (run,) = read(text)
    assert len(run.series["train_loss"]) == len(run.series["learning_rate"]) == len(run.series["grad_norm"]) == 19


def test_two_points_that_a_constant_rate_leaves_apart_stay_two():
    text = "".join(f"{{'loss': {loss}, 'learning_rate': 1e-05, 'epoch': 0.0}}\n" for loss in (2.31, 2.305, 2.30))
    (run,) = read(text + "{'loss': 2.2, 'learning_rate': 1e-05, 'epoch': 0.01}\n")
    assert len(run.series["train_loss"]) == 4


def test_a_history_that_closes_the_log_behind_a_foreign_line_is_not_a_second_run():
    entries = [f'{{"loss": {2 - n / 10}, "step": {n}, "epoch": {n / 4}}}' for n in range(1, 9)]
    text = "\n".join([entries[0], "[INFO] a line of another tool", *entries[1:], f'{{"log_history": [{", ".join(entries)}]}}'])
    (run,) = read_bytes(text.encode(), "logging.jsonl")
    assert list(run.series["train_loss"].x) == list(range(1, 9))
