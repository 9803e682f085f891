"""Ultralytics' results.csv."""

import pytest

from advisor.readers import read_bytes

HEADER = "epoch,time,train/box_loss,train/cls_loss,train/dfl_loss,metrics/mAP50(B),val/box_loss,val/cls_loss,val/dfl_loss,lr/pg0\n"


def read(text):
    (run,) = read_bytes(text.encode(), "results.csv")
    return run


def test_the_parts_are_summed_and_a_note_says_so():
    run = read(HEADER + "1,12.3,1.0,2.0,0.5,0.3,1.5,2.5,0.5,0.01\n2,24.1,0.5,1.5,0.5,0.4,1.0,2.0,0.5,0.009\n")
    assert run.series["train_loss"].values.tolist() == [3.5, 2.5]
    assert run.series["eval_loss"].values.tolist() == [4.5, 3.5]
    assert (run.series["eval_loss"].unit, run.notes, run.axis) == ("", ("sum-of-losses",), "epoch")
    assert run.series["eval_mAP50(B)"].values.tolist() == [0.3, 0.4]
    assert run.series["train_box_loss"].values.tolist() == [1.0, 0.5]


def test_a_part_that_is_missing_or_not_finite_makes_no_smaller_sum():
    run = read(HEADER + "1,12.3,1.0,,0.5,0.3,1.5,2.5,0.5,0.01\n2,24.1,nan,1.5,0.5,0.4,1.0,2.0,0.5,0.009\n3,30\n")
    assert str(run.series["train_loss"].values.tolist()) == "[nan]"
    assert run.unread == (4,)


def test_padded_columns_are_read():
    run = read("   epoch,  train/box_loss,  train/obj_loss,  val/box_loss,  x/lr0\n   0,   0.1,  0.05,  0.2,  0.01\n")
    assert run.series["train_loss"].values.tolist() == pytest.approx([0.15])
    assert run.series["learning_rate"].values.tolist() == [0.01]


def test_the_rate_is_that_of_the_weights_and_not_of_the_biases_which_warm_up_from_above():
    columns = "epoch,  train/box_loss,  train/obj_loss,  val/box_loss,  x/lr0,  x/lr1,  x/lr2\n"
    yolov5 = columns + "0,  0.1,  0.05,  0.2,  0.0865,  0.0015,  0.0015\n"
    assert read(yolov5).series["learning_rate"].values.tolist() == [0.0015]
    groups = HEADER.replace("lr/pg0", "lr/pg0,lr/pg1,lr/pg2") + "1,12.3,1.0,2.0,0.5,0.3,1.5,2.5,0.5,0.07,0.003,0.003\n"
    assert read(groups).series["learning_rate"].values.tolist() == [0.003]
