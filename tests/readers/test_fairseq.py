"""fairseq."""

from advisor.readers import read_bytes

INNER = (
    "2024 | INFO | train_inner | epoch 001: {b:6d} / 100 loss={l}, nll_loss=9.9, ppl=955.4, num_updates={b}, lr=1e-06, gnorm=4.2\n"
)
TRAIN = "2024 | INFO | train | epoch 001 | loss 9.7 | nll_loss 9.3 | ppl 630.3 | num_updates 100 | lr 1e-05 | gnorm 2\n"
VALID = "2024 | INFO | valid | epoch 001 | valid on '{s}' subset | loss {l} | nll_loss 8.9 | num_updates 100 | best_loss 1\n"


def read(text):
    (run,) = read_bytes(text.encode(), "train.log")
    return run


def test_losses_are_bits_and_the_mean_of_an_epoch_is_no_point_among_them():
    run = read(INNER.format(b=10, l=12.5) + INNER.format(b=20, l=11.5) + VALID.format(s="valid", l=9.5) + TRAIN)
    assert (run.series["train_loss"].values.tolist(), run.series["train_loss"].x.tolist()) == ([12.5, 11.5], [10, 20])
    assert run.series["train_mean_bits"].values.tolist() == [9.7]
    assert (run.series["eval_loss"].values.tolist(), run.series["eval_loss"].x.tolist()) == ([9.5], [100])
    assert {run.series[name].unit for name in ("train_loss", "eval_loss")} == {"bits"}
    assert run.series["train_loss"].epoch.tolist() == [0.1, 0.2]
    assert run.notes == ("judged-by-bits",)


def test_the_means_of_the_epochs_are_judged_where_nothing_else_was_logged():
    assert read(TRAIN + TRAIN.replace("001", "002").replace("9.7", "8.7").replace(" 100 ", " 200 ")).series[
        "train_loss"
    ].values.tolist() == [9.7, 8.7]


def test_a_second_validation_set_is_not_mixed_with_the_first():
    run = read(INNER.format(b=10, l=12.5) + VALID.format(s="valid", l=9.5) + VALID.format(s="valid1", l=5.5))
    assert run.series["eval_loss"].values.tolist() == [9.5]
    assert run.series["eval_valid1_bits"].values.tolist() == [5.5]


def test_the_json_form_gives_the_same_points():
    run = read(
        '2024 | INFO | train_inner | {"epoch": 1, "update": 0.1, "loss": "12.5", "num_updates": "10", "lr": "1e-06"}\n'
        '2024 | INFO | valid | {"epoch": 1, "valid_loss": "9.5", "valid_ppl": "477.7", "valid_num_updates": "100"}\n'
        '2024 | INFO | train | {"epoch": 1, "train_loss": "9.7", "train_nll_loss": "9.3", "train_num_updates": "100"}\n'
    )
    assert (run.series["train_loss"].values.tolist(), run.series["train_loss"].x.tolist()) == ([12.5], [10])
    assert (run.series["eval_loss"].values.tolist(), run.series["eval_loss"].x.tolist()) == ([9.5], [100])
    assert run.series["train_mean_bits"].values.tolist() == [9.7]


def test_the_lines_of_2019_and_the_bar_are_read():
    run = read("| epoch 001:     10 / 100 loss=12.5, nll_loss=9.9, ppl=955.4, wps=900, num_updates=10, lr=1e-06\n")
    assert run.series["train_loss"].unit == "bits"
    run = read("epoch 001:  10%|█  | 10/100 [00:05<00:50, 2.4it/s, loss=12.5, nll_loss=9.9, num_updates=10, lr=1e-06]\n")
    assert run.series["train_loss"].values.tolist() == [12.5]
