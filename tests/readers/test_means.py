"""Means of training that a log tells besides the curve are kept apart from it."""

from advisor.readers import read_bytes


def read(text):
    (run,) = read_bytes(text.encode(), "train.log")
    return run


def points(run, name):
    return list(zip(run.series[name].x.tolist(), run.series[name].values.tolist(), strict=True))


def test_the_estimate_beside_an_evaluation_is_no_point_where_its_step_has_one():
    run = read("iter 10: loss 2.5\niter 20: loss 2.4\nstep 20: train loss 2.6, val loss 2.7\niter 30: loss 2.3\n")
    assert points(run, "train_loss") == [(10, 2.5), (20, 2.4), (30, 2.3)]
    assert (points(run, "train_mean_loss"), points(run, "eval_loss")) == ([(20, 2.6)], [(20, 2.7)])


def test_without_other_points_the_loss_beside_an_evaluation_is_the_curve():
    run = read("".join(f"step {s}: train loss {3 - s / 10}, val loss {3.1 - s / 10}\n" for s in (1, 2, 3)))
    assert len(points(run, "train_loss")) == 3


def test_the_mean_of_an_epoch_is_no_point_among_its_steps():
    run = read(
        "".join(
            f"Epoch {e}, Step {s}/20, Loss: {3 - e / 2 - s / 100}\n" * (s > 0) + f"Epoch {e} | Train Loss: 9.9\n" * (s == 20)
            for e in (1, 2)
            for s in (10, 20)
        )
    )
    assert (len(points(run, "train_loss")), [v for _, v in points(run, "train_mean_loss")]) == (4, [9.9, 9.9])


def test_steps_that_begin_anew_in_each_epoch_are_not_taken_for_the_same():
    rows = [(e, s, 3 - e / 2 - s / 100) for e in (0, 1) for s in (10, 20)]
    text = "".join(f"Epoch {e}, Step {s}/20, Loss: {v}" + (f", val_loss: {v + 1}" if s == 20 else "") + "\n" for e, s, v in rows)
    assert [v for _, v in points(read(text), "train_loss")] == [v for _, _, v in rows]


def test_entries_that_name_their_data_set_are_told_apart():
    for form in (
        '{{"split": "{split}", "step": {s}, "loss": {v}}}\n',
        "{{'step': {s}, 'phase': '{split}', 'loss': {v}}}\n",
        '{{"mode": "{split}", "iter": {s}, "loss": {v}, "lr": 0.1}}\n',
    ):
        text = "".join(form.format(split=split, s=s, v=v) for s in (1, 2, 3) for split, v in (("train", 3 - s), ("val", 4 - s)))
        run = read(text)
        assert (points(run, "train_loss"), points(run, "eval_loss")) == ([(1, 2), (2, 1), (3, 0)], [(1, 3), (2, 2), (3, 1)])


def test_the_type_of_an_event_that_is_no_evaluation_changes_nothing():
    run = read("".join(f'{{"type": "log", "step": {s}, "loss": {3 - s / 10}}}\n' for s in range(1, 30)))
    assert len(points(run, "train_loss")) == 29
