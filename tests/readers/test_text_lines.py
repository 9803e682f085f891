"""Lines of text in which a number is harder to find than beside its name."""

import pytest

from advisor.readers import read_bytes


@pytest.mark.parametrize(
    "line",
    [
        "第{step}轮 训练损失为{loss}",
        "epoch {step} loss为{loss}",
        "epoch {step}, loss 为 {loss}",
        "[bold]Epoch {step}[/bold] loss: [bold green]{loss}[/] lr [cyan]1e-4[/cyan]",
        "[dim]Epoch[/dim]=[red]{step}[/red] [b]loss[/b]=[#00ff00]{loss}[/#00ff00]",
    ],
)
def test_a_number_is_found_after_the_chinese_is_and_within_the_marks_of_rich(line):
    losses = [2.5, 2.25, 2.125]
    log = "\n".join(line.format(step=step, loss=loss) for step, loss in enumerate(losses, 1))
    (run,) = read_bytes(log.encode(), "run.log")
    assert run.series["train_loss"].values.tolist() == losses
    assert run.series["train_loss"].x.tolist() == [1, 2, 3]


def test_brackets_that_are_no_marks_of_rich_stay_in_a_line():
    log = "\n".join(f"[/data/run] Epoch [1][{step}/30] loss: {3 - step / 100:.2f} [/]" for step in (10, 20, 30))
    (run,) = read_bytes(log.encode(), "run.log")
    assert run.series["train_loss"].x.tolist() == [10, 20, 30]


def test_the_closing_means_of_a_run_are_no_points_of_its_curves():
    log = (
        "{'loss': 2.5, 'epoch': 1.0}\n{'loss': 2.4, 'epoch': 2.0}\n"
        "{'train_runtime': 9.1, 'train_samples_per_second': 3.1, 'train_steps_per_second': 0.5, 'train_loss': 2.45, 'epoch': 2.0}\n"
    )
    (run,) = read_bytes(log.encode(), "run.log")
    assert run.series.keys() == {"train_loss"}
    assert run.series["train_loss"].values.tolist() == [2.5, 2.4]


@pytest.mark.parametrize("line", ["Epoch: [{epoch}] [{batch}/8] loss: {loss}", "Epoch: [{epoch}][{batch:3d}/8]\tLoss {loss:.4e}"])
def test_a_batch_of_the_same_number_as_its_epoch_has_a_place_and_the_first_of_an_epoch_stands_behind_the_last(line):
    places = [(epoch, batch) for epoch in range(4) for batch in (0, 2, 4, 6)]
    log = "\n".join(line.format(epoch=epoch, batch=batch, loss=5 - epoch - batch / 10) for epoch, batch in places)
    (run,) = read_bytes(log.encode(), "run.log")
    assert run.series.keys() == {"train_loss"}
    assert run.series["train_loss"].x.tolist() == [8 * epoch + batch for epoch, batch in places]


def test_epochs_of_one_line_each_leave_no_place_undefined():
    log = "Epoch: [0] [4/8] loss: 2.5\nEpoch: [1] [2/8] loss: 2.4\nEpoch: [2] [0/8] loss: 2.3\n"
    (run,) = read_bytes(log.encode(), "run.log")
    assert run.series["train_loss"].x.tolist() == [4, 6, 8]
