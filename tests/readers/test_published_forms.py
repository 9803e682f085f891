"""Forms of consoles as they stand in published logs, each told with the invented run of the samples."""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest

from advisor.readers import read_bytes

MAKE = Path(__file__).parents[2] / "sample_logs/make"


def _maker():
    sys.path.insert(0, str(MAKE))
    try:
        spec = importlib.util.spec_from_file_location("make_console_logs", MAKE / "make_console_logs.py")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(str(MAKE))
    return module


CURVE = list(_maker().curve())
STEPS = [c["step"] for c in CURVE]
TRAIN = {
    "epoch and batch": "Epoch {epoch}, Batch {batch}/{batches}, Loss: {loss:.4f}\n",
    "ep and batch": "ep: {epoch0}, batch: {batch}, time: 9.17, ntokens: 485.20/513, loss: {loss:.6f}\n",
    "batch beside its size": "Epoch {epoch} Batch {batch} Loss {loss:.4f} batch size 32\n",
    "llama2.c": "{step} | loss {loss:.4f} | lr {lr:e} | 123.45ms | mfu 12.34%\n",
    "Megatron-DeepSpeed, with = signs": "[2026-01-01 10:00:00][INFO][training_log:661] -  iteration={step:8d}/{steps:8d} | "
    "consumed_samples={samples:12d} | learning_rate={lr:.6g} | lm loss={loss:.6f} | loss_scale=1.0 | grad_norm={norm:.3f} |\n",
    "MindFormers' pair": "2026-01-01 - INFO - {{ Epoch:[{epoch:3d}/  3], step:[{batch:5d}/{batches:5d}], loss:[{loss:5.4f}/"
    "{near:5.4f}], time:123.4 ms, lr:[{lr}], overflow cond: False, loss_scale: 1.0\n",
    "Chinese, 为 before a colon": "当前步数:{step},loss为:{loss:.4f}\n",
    "Chinese, 当前 before each word": "当前Batch：{batch}/{batches} | 当前epoch:{epoch0}/3 | "
    "当前损失值：{loss:.4f} | 当前准确率：{percent:.2f}%\n",
    "Chinese mean": "epoch {epoch} step {step} 平均损失 {loss:.4f}\n",
    "Paddle's fit": "Epoch {epoch}/3\nstep {batch}/{batches} - loss: {loss:.4f} - acc: {acc:.4f} - 12ms/step\n",
    "Composer": "[epoch={epoch}/3][batch={batch}/{batches}]:\n\t Train loss/train/total: {loss:.4f}\n",
}
EVALUATION = {
    "mmengine by steps": (
        "01/01 10:00:00 - mmengine - INFO - Iter(train) [{step:3d}/{steps}]  lr: {lr:.4e}  time: 0.1  loss: {loss:.4f}\n",
        "01/01 10:00:00 - mmengine - INFO - Iter(val) [10/10]    accuracy: 0.9  loss: {val:.4f}  time: 0.1\n",
    ),
    "a step of the evaluation": (
        "[INFO] Train Step {step}/{steps} | Epoch {epoch0} | train_loss: {loss:.4f} | lr: {lr:.8f}\n",
        "[INFO] Val Step 157/157 | Epoch {epoch0} | val_loss: {val:.4f} | Profiling [ GPU Util 30.0% ]\n",
    ),
    "Paddle's fit": (
        TRAIN["Paddle's fit"],
        "Eval begin...\nstep 10/10 - loss: {val:.4f} - acc: {acc:.4f} - 5ms/step\nEval samples: 200\n",
    ),
    "OpenCLIP": (
        "2026-01-01,10:00:00 | INFO | Train Epoch: {epoch0} step: {step} Batch (t): 0.2 Loss: {loss:.5f} ({near:.5f})\n",
        "2026-01-01,10:00:00 | INFO | Eval Epoch: {epoch} clip_val_loss: {val:.4f}\n",
    ),
    "bars of the evaluation": (
        "Iter {step}: Train loss {loss:.3f}, It/sec 0.912\n",
        "Calculating loss...:  20%|##   | 1/5 [00:02<00:09]\r\nIter {step}: Val loss {val:.3f}, Val took 8.312s\n",
    ),
}


def _read(train, evaluation=""):
    lines = []
    for fields in CURVE:
        lines.append(train.format(**fields))
        if evaluation and fields["step"] % 100 == 0:
            lines.append(evaluation.format(**fields))
    (run,) = read_bytes("".join(lines).encode(), "train.log")
    return run


@pytest.mark.parametrize("train", TRAIN.values(), ids=TRAIN)
def test_a_line_gives_its_step_and_its_loss(train):
    run = _read(train)
    assert run.axis == "step"
    assert run.series["train_loss"].x.tolist() == STEPS
    assert np.allclose(run.series["train_loss"].values, [c["loss"] for c in CURVE], atol=6e-4)


@pytest.mark.parametrize("forms", EVALUATION.values(), ids=EVALUATION)
def test_an_evaluation_stands_at_the_step_before_it(forms):
    run = _read(*forms)
    assert run.series["train_loss"].x.tolist() == STEPS
    assert np.allclose(run.series["train_loss"].values, [c["loss"] for c in CURVE], atol=6e-4)
    assert run.series["eval_loss"].x.tolist() == [100, 200, 300]
    assert np.allclose(run.series["eval_loss"].values, [c["val"] for c in CURVE if c["step"] % 100 == 0], atol=6e-4)


def test_chinese_words_beside_english_ones_name_both_sets():
    run = _read("Epoch:{count},训练loss:{loss:.4f},验证loss:{val:.4f}\n")
    assert (len(run.series["train_loss"]), len(run.series["eval_loss"])) == (30, 30)


def test_points_that_name_only_their_epoch_are_spread_over_it():
    run = _read("##### Epoch {epoch} #####\nEpoch {epoch} - Batch loss: {loss:.4f}\n", "Epoch {epoch} - val loss: {val:.4f}\n")
    assert (run.axis, run.notes) == ("epoch", ("spread-over-epochs",))
    assert np.allclose(run.series["train_loss"].x, np.arange(1, 31) / 10)
    assert run.series["eval_loss"].x.tolist() == [1, 2, 3]
    # The last epoch of a log that goes on is as long as the one before it.
    run = _read_first(25, "Epoch {epoch0} loss {loss:.4f}\n")
    assert np.allclose(run.series["train_loss"].x, np.arange(1, 26) / 10)


def _read_first(count, train):
    (run,) = read_bytes("".join(train.format(**fields) for fields in CURVE[:count]).encode(), "train.log")
    return run


def test_a_point_an_epoch_stays_where_it_is():
    run = _read("Epoch {count}, Loss {loss:.4f}, Time 2.95s\n")
    assert run.series["train_loss"].x.tolist() == [*range(1, 31)]
    assert "spread-over-epochs" not in run.notes


def test_olmo_core_evaluates_a_set_by_its_name():
    step = "2026-01-01T00:00:00Z INFO [step={step}/{steps},epoch={epoch}]\n    train/CE loss={loss:.4f}\n"
    run = _read(step, "    eval/lm/c4-validation/CE loss={val:.4f}\n")
    assert run.series["train_loss"].x.tolist() == STEPS
    assert run.series["eval_loss"].x.tolist() == [100, 200, 300]
