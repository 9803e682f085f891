"""Keras on the console."""

import pytest

from advisor.readers import read_bytes


def runs(text):
    return read_bytes(text.encode(), "keras.log")


def read(text):
    (run,) = runs(text)
    return run


def losses(run):
    return run.series["train_loss"].values.tolist()


BARS = (
    "Epoch 1/2\n"
    "\r\x1b[1m1/6\x1b[0m \x1b[32m━━\x1b[0m \x1b[1m0s\x1b[0m 49ms/step - accuracy: 0.4 - loss: 0.9" + "\x08" * 60 + "\r"
    "\x1b[1m6/6\x1b[0m \x1b[32m━━━━\x1b[0m \x1b[1m0s\x1b[0m 49ms/step - loss: 0.7 - val_loss: 0.65\n"
    "Epoch 2/2\n"
    "\r1/6 [=>....] - ETA: 5s - loss: 0.80\x08\x08\x08\r"
    "6/6 [======] - 5s 3ms/step - loss: 0.6 - accuracy: 0.6 - val_loss: 0.64 - val_auc: 0.7\n"
)


def test_the_last_figures_of_a_bar_are_the_point_of_the_epoch():
    run = read(BARS)
    assert (run.axis, losses(run), run.series["train_loss"].x.tolist()) == ("epoch", [0.7, 0.6], [1, 2])
    assert run.series["train_loss"].line.tolist() == [2, 4]
    assert run.series["eval_loss"].values.tolist() == [0.65, 0.64]
    assert run.series["eval_auc"].values.tolist() == [0.7]


@pytest.mark.parametrize(
    "line",
    [
        "1875/1875 - 5s - loss: {l} - accuracy: 0.91 - val_loss: {v}",
        " - 5s - loss: {l} - acc: 0.91 - val_loss: {v}",
        "60000/60000 [==============================] - 5s 78us/sample - loss: {l} - acc: 0.9146 - val_loss: {v}",
        "   1875/Unknown - 5s 3ms/step - loss: {l} - val_loss: {v}",
    ],
)
def test_every_version_of_the_line_is_read(line):
    run = read("".join(f"Epoch {e}/3\n{line.format(l=1 / e, v=2 / e)}\n" for e in (1, 2, 3)))
    assert losses(run) == pytest.approx([1, 1 / 2, 1 / 3], abs=1e-3)
    assert run.series["eval_loss"].x.tolist() == [1, 2, 3]


def test_an_evaluation_after_the_last_epoch_is_no_point():
    run = read(BARS + "\r1/8 ━━ 0s 4ms/step - accuracy: 0.6 - loss: 0.3\r8/8 ━━━━ 0s 2ms/step - accuracy: 0.5 - loss: 0.2\n")
    assert losses(run) == [0.7, 0.6]


def test_the_validation_that_comes_a_line_later_belongs_to_the_epoch():
    run = read("Epoch 1/2\n2/6 ━ 0s - loss: 0.9\n6/6 ━━ 0s - loss: 0.7\n6/6 ━━ 1s - loss: 0.7 - val_loss: 0.6\nEpoch 2/2\n")
    assert (losses(run), run.series["eval_loss"].values.tolist()) == ([0.7], [0.6])


def test_an_epoch_that_was_interrupted_early_is_no_point():
    run = read(BARS.replace("/2\n", "/3\n") + "Epoch 3/3\n1/6 ━━ 0s 4ms/step - loss: 0.3\nKeyboardInterrupt\n")
    assert (losses(run), [e.kind for e in run.events]) == ([0.7, 0.6], ["interrupted"])


def test_another_fit_is_another_run_and_single_epochs_in_a_loop_are_one():
    assert [losses(run) for run in runs(BARS * 2)] == [[0.7, 0.6]] * 2
    text = "".join(f"Epoch 1/1\n6/6 ━━ 0s 4ms/step - loss: {loss}\n" for loss in (0.7, 0.6, 0.5))
    assert read(text).series["train_loss"].x.tolist() == [1, 2, 3]
