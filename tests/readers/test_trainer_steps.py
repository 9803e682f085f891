"""Steps of the Trainer's console, which prints epochs: off the bar, or worked out, or left alone."""

from pathlib import Path

import numpy as np
import pytest

from advisor.readers import read_bytes, read_path

SAMPLES = Path(__file__).parents[2] / "sample_logs"
BOTH = sorted({p.parent for p in SAMPLES.glob("*/*/console.log")} & {p.parent for p in SAMPLES.glob("*/*/trainer_state.json")})
BANNER = (
    "***** Running training *****\n  Num examples = {rows}\n  Num Epochs = {epochs}\n"
    "  Total train batch size (w. parallel, distributed & accumulation) = 8\n  Total optimization steps = {steps}\n"
)
CLOSING = "{{'train_runtime': {runtime}, 'train_samples_per_second': 80.0, 'train_steps_per_second': {speed}, 'epoch': {epoch}}}\n"


def read(text):
    (run,) = read_bytes(text.encode(), "console.log")
    return run


def dicts(steps, per_epoch, *, evals=(), digits=2, rate=True):
    """Print what the Trainer prints at these steps, with epochs of so many decimals."""
    lines = []
    for step in sorted({*steps, *evals}):
        epoch = round(step / per_epoch, digits)
        if step in steps:
            lr = f", 'learning_rate': {1e-4 * (1 - step / max(steps)) + 1e-7:.3e}" if rate else ""
            lines.append(f"{{'loss': {3 - step / 1e4:.4f}{lr}, 'epoch': {epoch}}}\n")
        if step in evals:
            lines.append(f"{{'eval_loss': {3.1 - step / 1e4:.4f}, 'epoch': {epoch}}}\n")
    return "".join(lines)


def bar(done, total):
    return f"{100 * done // total:3d}%|##        | {done}/{total} [00:01<00:09,  9.1it/s]"


@pytest.mark.parametrize("folder", BOTH, ids=lambda p: p.name)
def test_the_console_and_the_state_of_a_run_give_the_same_run(folder, judged):
    (console,), (state,) = judged(folder / "console.log"), judged(folder / "trainer_state.json")
    assert console.run.axis == state.run.axis == "step"
    assert console.run.series.keys() == state.run.series.keys()
    for name, series in state.run.series.items():
        shown = console.run.series[name]
        assert shown.x.tolist() == series.x.tolist()
        assert np.allclose(shown.values, series.values, rtol=6e-4, atol=1e-12, equal_nan=True)
        assert shown.unit == series.unit
    assert console.run.config["max_steps"] == state.run.config["max_steps"]
    assert console.verdict == state.verdict
    assert "steps-by-bar" in console.run.notes


def test_the_bar_that_is_drawn_again_below_a_dictionary_tells_its_step():
    text = bar(0, 60) + "\n"
    for step in (10, 20, 30, 40):
        text += f"{{'loss': {3 - step / 20}, 'epoch': {step / 20}}}\r{bar(step, 60)}\r{bar(step + 3, 60)}\n"
        if step % 20 == 0:
            # Both bars are drawn again below an evaluation, that of the evaluation first.
            text += f"{bar(1, 70)}\r{{'eval_loss': {3 - step / 25}, 'epoch': {step / 20}}}\n{bar(70, 70)}\r{bar(step, 60)}\r"
    run = read(text)
    assert run.series["train_loss"].x.tolist() == [10, 20, 30, 40]
    assert run.series["eval_loss"].x.tolist() == [20, 40]
    assert run.config["max_steps"] == 60
    assert "steps-by-bar" in run.notes


def test_a_dictionary_without_a_bar_below_it_takes_the_step_that_its_epoch_leaves():
    text = "".join(f"{{'loss': {3 - step / 50}, 'epoch': {step / 20}}}\n{bar(step, 60)}\n" for step in range(5, 60, 5))
    run = read(text + "{'loss': 1.8, 'epoch': 3.0}\n")
    assert run.series["train_loss"].x.tolist() == [*map(float, range(5, 65, 5))]


def test_a_buffered_console_has_its_steps_worked_out_from_its_bar_and_its_end():
    steps, evals = range(10, 1751, 10), range(200, 1755, 200)
    bars = "".join(bar(step, 1755) + "\r" + (bar(984, 984) + "\r" if step % 200 == 0 else "") for step in range(0, 1756, 5))
    closing = CLOSING.format(runtime=39860.6, speed=0.044, epoch=3.0)
    run = read(bars + "\n" + dicts(steps, 585, evals=evals) + closing)
    assert run.series["train_loss"].x.tolist() == [*steps]
    assert run.series["eval_loss"].x.tolist() == [*evals]
    assert run.config["max_steps"] == 1755
    assert "steps-worked-out" in run.notes


def test_a_resumed_run_keeps_the_steps_of_the_whole():
    steps = range(1650, 3251, 50)
    run = read(dicts(steps, 1626, digits=3) + bar(3252, 3252) + "\n" + CLOSING.format(runtime=7476.0, speed=0.435, epoch=2.0))
    assert run.series["train_loss"].x.tolist() == [*steps]


def test_the_first_step_may_be_logged_beside_the_round_ones():
    steps = [1, *range(20, 400, 20)]
    run = read(dicts(steps, 400) + CLOSING.format(runtime=100.0, speed=4.0, epoch=1.0))
    assert run.series["train_loss"].x.tolist() == steps


@pytest.mark.parametrize("per_epoch", [125, 1250])
def test_the_banner_tells_the_steps_of_a_run_that_has_not_ended(per_epoch):
    steps = range(5, 2 * per_epoch, 5)
    head = BANNER.format(rows=8 * per_epoch, epochs=4, steps=4 * per_epoch)
    run = read(head + dicts(steps, per_epoch, evals=range(50, 2 * per_epoch, 50), rate=False))
    assert run.series["train_loss"].x.tolist() == [*steps]
    assert run.series["eval_loss"].x.tolist() == [*range(50, 2 * per_epoch, 50)]


def test_a_banner_of_planned_steps_and_not_of_epochs_is_not_trusted():
    # 150 steps of 100 an epoch print "Num Epochs = 2": 75 steps an epoch would fit the epochs as well.
    run = read(BANNER.format(rows=800, epochs=2, steps=150) + dicts(range(20, 120, 20), 100, rate=False))
    assert (run.axis, run.notes) == ("epoch", ("epochs-without-steps",))


def test_a_run_that_may_have_stopped_early_stays_on_epochs():
    # It was planned for 1,000 steps and ended at 500 of them: its last epoch says nothing of the steps of an epoch.
    text = dicts(range(10, 501, 10), 100, rate=False) + CLOSING.format(runtime=100.0, speed=10.0, epoch=5.0)
    run = read(text)
    assert (run.axis, run.notes) == ("epoch", ("epochs-without-steps",))


def test_steps_that_several_spacings_fit_are_not_told():
    # Three lines: epochs of two decimals leave several distances between them open.
    run = read(dicts(range(700, 2101, 700), 7000) + CLOSING.format(runtime=1000.0, speed=7.0, epoch=1.0))
    assert run.axis == "epoch"


def test_bars_that_do_not_agree_with_the_epochs_tell_nothing():
    text = "".join(f"{{'loss': {3 - e}, 'epoch': {e}}}\n{bar(7 + 2 * i, 60)}\n" for i, e in enumerate((0.5, 1.0, 1.5, 2.0)))
    assert read(text).axis == "epoch"


def test_a_last_smaller_accumulation_leaves_the_steps_whole():
    # Ten batches an epoch, four to a step: steps stand at 0.4, 0.8 and 1.0 of an epoch.
    epochs = [epoch + part for epoch in range(4) for part in (0.4, 0.8, 1.0)]
    text = "".join(f"{{'loss': {3 - e / 4:.4f}, 'learning_rate': {1e-4 - e * 2.4e-5:.3e}, 'epoch': {e}}}\n" for e in epochs)
    run = read(text + CLOSING.format(runtime=3.0, speed=4.0, epoch=4.0))
    assert run.series["train_loss"].x.tolist() == [*map(float, range(1, 13))]


def test_two_runs_on_one_console_have_their_own_steps():
    text = dicts(range(10, 101, 10), 50) + CLOSING.format(runtime=10.0, speed=10.0, epoch=2.0)
    text += dicts(range(5, 41, 5), 20) + CLOSING.format(runtime=10.0, speed=4.0, epoch=2.0)
    first, second = read_bytes(text.encode(), "two.log")
    assert first.series["train_loss"].x.tolist() == [*range(10, 101, 10)]
    assert second.series["train_loss"].x.tolist() == [*range(5, 41, 5)]


def test_a_console_whose_dictionaries_begin_late_is_still_one():
    bars = "".join(bar(step % 100, 100) + "\r" for step in range(3000))
    run = read(bars + "\n" + dicts(range(10, 101, 10), 50) + CLOSING.format(runtime=10.0, speed=10.0, epoch=2.0))
    assert run.reader == "hf-console"
    assert len(run.series["train_loss"]) == 10
    assert np.all(np.isfinite(run.series["train_loss"].epoch))


def test_the_console_of_a_trl_run_stands_on_the_steps_of_its_state():
    for console in sorted((SAMPLES / "formats/hf-console").glob("trl-*.log")):
        (shown,), (state,) = read_path(console), read_path(SAMPLES / f"formats/hf-trainer-state/{console.stem}.json")
        for name, series in state.series.items():
            assert shown.series[name].x.tolist() == series.x.tolist(), (console.name, name)


def test_an_evaluation_that_names_no_epoch_belongs_to_the_step_before_it():
    head = BANNER.format(rows=800, epochs=2, steps=200)
    run = read(head + dicts(range(10, 101, 10), 100, rate=False) + "{'eval_loss': 2.5, 'eval_runtime': 1.0}\n")
    assert run.series["eval_loss"].x.tolist() == [100]
