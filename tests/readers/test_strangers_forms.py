"""Forms met in logs of strangers, told again in made lines: what stands in them, and what only looks as if it did."""

import numpy as np
import pytest

from advisor.readers import read_bytes
from advisor.readers.events import event_in


def _run(text):
    (run,) = read_bytes(text.encode(), "train.log")
    return run


def test_words_told_apart_by_their_capitals_are_words():
    run = _run("".join(f"Epoch {e}, Loss: {2 - 0.1 * e:.3f}, ValLoss: {2.2 - 0.1 * e:.3f}\n" for e in range(1, 6)))
    assert len(run.series["train_loss"]) == len(run.series["eval_loss"]) == 5
    assert run.series["eval_loss"].values[0] == pytest.approx(2.1)


def test_megatron_leaves_a_loss_out_that_is_not_a_number():
    line = " iteration {:8d}/    900 | consumed samples: {:8d} | learning rate: 1.000E-04 | {}loss scale: 1.0 | grad norm: {} |\n"
    text = "".join(line.format(i, 8 * i, f"lm loss: {5 - i / 10:.4f} | ", 1.5) for i in range(1, 4))
    text += "".join(line.format(i, 8 * i, "", "nan") for i in range(4, 7))
    loss = _run(text).series["train_loss"]
    assert list(np.isfinite(loss.values)) == [True] * 3 + [False] * 3


def test_another_trainer_may_print_a_gradient_without_a_loss():
    text = "step 1 loss: 2.0 grad norm: 1.0\nstep 2 grad norm: nan\nstep 3 loss: 1.9 grad norm: 1.0\n"
    assert np.all(np.isfinite(_run(text).series["train_loss"].values))


def test_an_evaluation_that_each_training_step_says_again_is_one():
    line = "Training epoch 0, iteration {i}/99 | lr: 1e-05 | global_step: {i} | reduced_train_loss: {t:.3f} | val_loss: {v:.3f}\n"
    text = "".join(line.format(i=i, t=2 - i / 50, v=2.5 if i < 10 else 2.25) for i in range(5, 15))
    evaluations = _run(text).series["eval_loss"]
    assert list(evaluations.values) == [2.5, 2.25]
    assert list(evaluations.x) == [5, 10]


def test_an_evaluation_that_does_not_move_from_epoch_to_epoch_is_one_each():
    run = _run("".join(f"Epoch {e}: train_loss: {0.7 - e / 1e4:.4f} val_loss: 0.6931\n" for e in range(1, 9)))
    assert run.axis == "epoch"
    assert list(run.series["eval_loss"].values) == [0.6931] * 8


def test_steps_of_one_rounded_epoch_with_like_losses_are_several():
    text = "".join(
        f"{{'loss': 0.0, 'grad_norm': nan, 'learning_rate': {9.7e-06 - i * 4e-10!r}, 'epoch': 0.53}}\n" for i in range(3)
    )
    assert len(_run("{'loss': 0.21, 'grad_norm': nan, 'learning_rate': 9.8e-06, 'epoch': 0.53}\n" + text).series["train_loss"]) == 4


def test_a_row_that_a_callback_printed_rounded_is_one():
    text = "".join(
        f"{{'loss': {2 - i / 10:.4f}, 'learning_rate': {5e-5 / (i + 1):.4e}, 'epoch': {i / 2:.2f}}}\n"
        f"{{'loss': {2 - i / 10:.4f}, 'learning_rate': {5e-5 / (i + 1)!r}, 'epoch': {i / 2:.2f}}}\n"
        for i in range(1, 5)
    )
    assert len(_run(text).series["train_loss"]) == 4


def test_the_epoch_stands_in_a_heading_after_the_mark_of_a_logger():
    text = "".join(
        f"2026-01-0{e} 10:00:00,123 P42 INFO ***** Epoch={e} start *****\n"
        f"2026-01-0{e} 10:05:00,123 P42 INFO Train loss: {0.5 - e / 50:.6f}\n"
        f"2026-01-0{e} 10:06:00,123 P42 INFO [Metrics] logloss: {0.49 - e / 50:.6f} - AUC: 0.8{e}\n"
        for e in range(1, 5)
    )
    run = _run(text)
    assert run.axis == "epoch"
    assert list(run.series["eval_loss"].values) == pytest.approx([0.47, 0.45, 0.43, 0.41])
    assert list(run.series["train_loss"].x) == [1, 2, 3, 4]


def test_the_batch_of_the_first_opennmt_py_is_a_step_and_the_mean_of_an_epoch_no_point():
    rows = "".join(
        f"Epoch {e:2d}, {b:5d}/  200; acc:  40.00; ppl:  {9 - e - b / 100:.2f}; 5000 src tok/s; {b:6d} s elapsed\n"
        + ("Train perplexity: 8.1234\nValidation perplexity: 7.5000\n" if b == 200 else "")
        for e in (1, 2)
        for b in (50, 100, 150, 200)
    )
    run = _run(rows)
    assert run.axis == "step"
    assert (len(run.series["train_loss"]), len(run.series["eval_loss"])) == (8, 2)
    assert run.series["train_loss"].x[-1] == 400


def test_yolov5_and_yolov7_name_the_parts_without_the_word_loss():
    header = "     Epoch   gpu_mem       box       obj       cls     total    labels  img_size\n"
    rows = "".join(
        f"{header}     {e}/9     3.5G    0.10   0.20   0.0{9 - e}   0.3{9 - e}   12   640: 100%|███| 9/9 [00:04<00:00]\n"
        for e in range(4)
    )
    loss = _run(rows).series["train_loss"]
    assert list(loss.values) == pytest.approx([0.39, 0.38, 0.37, 0.36])


def test_the_loss_of_metriclogger_may_be_called_closs():
    text = "".join(
        f"[05:19:4{i}.3] Epoch: [1]  [{10 * i}/90]  lr: 0.00001  closs: 0.9{9 - i} (0.95)  time: 4.3\n" for i in range(5)
    )
    assert list(_run(text).series["train_loss"].values) == pytest.approx([0.99, 0.98, 0.97, 0.96, 0.95])


QUOTED = (
    "> [E ProcessGroupNCCL.cpp:481] [Rank 3] Watchdog caught collective operation timeout: WorkNCCL(SeqNum=7) ran for 600001 ms"
)


def test_an_error_is_one_in_a_quotation_too():
    assert event_in(QUOTED, 1).kind == "collective-timeout"


def test_a_line_of_source_code_in_a_quotation_is_none():
    assert event_in(">       raise RuntimeError('CUDA out of memory')", 1) is None


def test_a_trainer_that_tells_its_run_time_in_every_line_has_not_ended():
    row = "{{'loss': '{:.2f}', 'grad_norm': '2.5', 'learning_rate': '0.0001', 'epoch': '{:.4f}', 'train_runtime': '{:.1f}'}}\n"
    text = "".join(row.format(3 - i / 10, i / 100, 10.0 * i) for i in range(1, 6))
    closing = "{'train_runtime': '55.1', 'train_samples_per_second': '3.1', 'train_loss': '2.7', 'epoch': '0.05'}\n"
    loss = _run(text + closing).series["train_loss"]
    assert list(loss.values) == pytest.approx([2.9, 2.8, 2.7, 2.6, 2.5])


def test_zeros_of_an_epoch_that_was_not_validated_are_no_evaluation():
    rows = [(1, 1.5, 2.4, 0, 0, 0), (2, 1.4, 2.0, 0, 0, 0), (3, 1.3, 1.7, 0.6, 1.2, 1.6)]
    text = "epoch,train/box_loss,train/cls_loss,metrics/mAP50(B),val/box_loss,val/cls_loss\n" + "".join(
        ",".join(map(str, row)) + "\n" for row in rows
    )
    series = _run(text).series
    assert (len(series["train_loss"]), list(series["eval_loss"].values)) == (3, pytest.approx([2.8]))
    assert len(series["eval_mAP50(B)"]) == 1


def test_rwkv_counts_its_mini_epochs_and_steps():
    text = "".join(
        f"miniE {e} s {90 * e} prog {10 * e}.00% : ppl 5.4 loss {2 - e / 10:.4f} lr 1e-4: 100%|██| 90/90 [00:21<00:00, 4.1it/s]\n"
        for e in range(1, 5)
    )
    loss = _run(text).series["train_loss"]
    assert list(loss.x) == [90, 180, 270, 360]


KILLED = "slurmstepd: error: Exceeded job memory limit\n"


@pytest.mark.parametrize(("rows_after", "final"), [(1, True), (6, False)])
def test_a_run_that_was_killed_may_still_print_what_it_had(rows_after, final):
    rows = [f"Epoch 0 | Steps: {n} | Loss: {30 - n / 10:.3f}\n" for n in range(1, 20)]
    run = _run("".join([*rows[:-rows_after], KILLED, *rows[-rows_after:]]))
    assert [event.final for event in run.events if event.kind == "killed-for-memory"] == [final]


VALIDATION = "Epoch: {e} Val loss: {v:.2f}\n"
TEST_SET = "Epoch: {e} Test loss: {t:.2f}\n"


@pytest.mark.parametrize("order", [VALIDATION + TEST_SET, TEST_SET + VALIDATION])
def test_a_test_set_beside_a_validation_set_is_a_curve_of_its_own(order):
    line = "Epoch: {e} Train loss: {v:.2f}\n" + order
    series = _run("".join(line.format(e=e, v=2 - e / 10, t=3 - e / 10) for e in range(1, 7))).series
    assert list(series["eval_loss"].values) == pytest.approx([2 - e / 10 for e in range(1, 7)])
    assert list(series["eval_test_loss"].values) == pytest.approx([3 - e / 10 for e in range(1, 7)])


def test_a_test_set_that_stands_alone_is_the_evaluation():
    line = "Epoch: {e} Train loss: {v:.2f}\n" + TEST_SET
    series = _run("".join(line.format(e=e, v=2 - e / 10, t=3 - e / 10) for e in range(1, 7))).series
    assert len(series["eval_loss"]) == 6
    assert not any("test" in name for name in series)


def test_the_test_loss_at_the_end_is_no_rise_of_the_validation_loss():
    text = "".join(f"Epoch: {e} Train loss: {2 - e / 10:.2f}\nEpoch: {e} Val loss: {2 - e / 10:.2f}\n" for e in range(1, 10))
    assert len(_run(text + "Epoch: 9 Test loss: 1.95\n").series["eval_loss"]) == 9


def test_the_final_loss_of_each_epoch_is_its_loss_and_that_of_the_run_is_told_again():
    text = "".join(f"Epoch {e} | Final Loss: {3 - e / 10:.4f}\n" for e in range(1, 6)) + "Final loss: 2.5\n"
    assert list(_run(text).series["train_loss"].values) == pytest.approx([2.9, 2.8, 2.7, 2.6, 2.5])


def test_the_name_of_a_logger_does_not_say_which_set_a_line_tells_of():
    line = "2026-01-01 10:00:0{e},1 - src.training.loop - INFO - "
    text = "".join(
        f"{line}Epoch {{e}}/9 - Train Loss: {{t:.4f}}, Train F1: 0.5\n{line}Validation - Loss: {{v:.4f}}, F1: 0.4\n".format(
            e=e, t=1 - e / 10, v=1.2 - e / 10
        )
        for e in range(1, 6)
    )
    series = _run(text).series
    assert (len(series["train_loss"]), len(series["eval_loss"])) == (5, 5)


@pytest.mark.parametrize("before", ["", "  0%|          | 7/900 [00:00<13:16,  1.4it/s]"])
def test_the_step_stands_in_a_line_of_its_own(before):
    text = "".join(
        f"{before}Iter: {n}\nTrain_loss: {1 - n / 1e3:.4f}\nTest_loss: {1.1 - n / 1e3:.4f}\n\n" for n in (0, 100, 200, 300)
    )
    run = _run(text)
    assert run.axis == "step"
    assert list(run.series["train_loss"].x) == list(run.series["eval_loss"].x) == [0, 100, 200, 300]


def test_the_steps_of_a_recipe_are_no_steps_of_the_training():
    text = "Step 1: loading the data\nStep 2: training\n" + "".join(f"Epoch {e} loss: {2 - e / 10:.2f}\n" for e in range(1, 5))
    assert _run(text).axis == "epoch"
