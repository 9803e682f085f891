"""Tables aligned with spaces."""

import pytest

from advisor.errors import UnreadableLog
from advisor.readers import read_bytes


def runs(text):
    return read_bytes(text.encode(), "table.log")


FASTAI = (
    "█\repoch     train_loss  valid_loss  accuracy  time    \n"
    "█\r\rEpoch 1/2 : |----| 0.00% [0/12 00:00<?]\r█\r0         1.5         1.3         0.6       00:12   \n"
    "1         1.2         #na#        0.7       00:12   \n"
)


def test_fastais_table_is_read_between_its_bars():
    (run,) = runs(FASTAI)
    assert (run.axis, run.series["train_loss"].values.tolist()) == ("epoch", [1.5, 1.2])
    assert (run.series["eval_loss"].values.tolist(), run.series["eval_loss"].line.tolist()) == ([1.3], [2])


def test_a_second_table_that_begins_anew_is_another_run():
    assert [len(run.series["train_loss"]) for run in runs(FASTAI * 2)] == [2, 2]


def test_a_header_repeated_within_a_table_begins_no_run():
    header = "step   train_loss   val_loss\n"
    (run,) = runs(header + "10   2.0   2.1\n20   1.9   2.0\n" + header + "30   1.8   1.9\n40   1.7   1.8\n")
    assert run.series["train_loss"].x.tolist() == [10, 20, 30, 40]


def test_a_table_with_rules_and_an_empty_last_column_is_read():
    (run,) = runs(
        "  epoch    train_loss    valid_acc    valid_loss    cp     dur\n"
        "-------  ------------  -----------  ------------  ----  ------\n"
        "      1        0.69       0.52        0.68     +  0.02\n      2        0.60       0.58        0.62        0.02\n"
    )
    assert run.series["train_loss"].values.tolist() == [0.69, 0.60]
    assert run.series["eval_loss"].values.tolist() == [0.68, 0.62]


def test_names_may_hold_a_space_where_gaps_are_wide():
    (run,) = runs("Step   Training Loss   Validation Loss\n10     2.0             2.1\n20     1.9             2.0\n")
    assert run.series["eval_loss"].values.tolist() == [2.1, 2.0]


def test_prose_about_a_loss_is_no_header():
    with pytest.raises(UnreadableLog):
        runs("the loss at each step\nwas never written down\n1 2 3\n")
