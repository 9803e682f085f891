"""Configuration against log: arithmetic that must hold for every honest trainer."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from advisor.model import NotMeasurable, Run, Series
from advisor.signals import Measurements
from advisor.signals.consistency import COARSE, last_digit


def series(name, values, x=None, epoch=None):
    n = len(values)
    x = np.arange(1.0, n + 1) if x is None else np.asarray(x, float)
    epoch = np.full(n, np.nan) if epoch is None else np.asarray(epoch, float)
    return Series(name, np.asarray(values, float), x, epoch, np.zeros(n, dtype=np.int64))


def measured(config, *all_series):
    return Measurements(Run("x", "case", {s.name: s for s in all_series}, config=config))


def rates(kind, total, warmup, peak):
    steps = np.arange(1, total + 1)
    progress = np.clip((steps - warmup) / (total - warmup), 0, 1)
    shape = {"linear": 1 - progress, "cosine": (1 + np.cos(math.pi * progress)) / 2, "constant": np.ones(total)}[kind]
    return peak * np.where(steps <= warmup, steps / max(warmup, 1), shape)


@given(
    st.sampled_from(["linear", "cosine", "constant"]),
    st.integers(60, 400),
    st.floats(0, 0.2),
    st.floats(1e-6, 1e-2),
    st.integers(1, 7),
)
def test_a_schedule_that_is_followed_has_its_declared_shape_and_no_jump(kind, total, warmup, peak, every):
    steps = int(warmup * total)
    values = rates(kind, total, steps, peak)[every - 1 :: every]
    x = np.arange(1, total + 1)[every - 1 :: every]
    config = {"lr_scheduler_type": kind, "max_steps": total, "warmup_steps": steps}
    found = measured(config, series("learning_rate", values, x))
    assert found["lr_shape"].deviation < 0.01
    if last_digit(values) <= COARSE * peak:
        assert found["spent_tail"].share < 0.1
    if len(values) >= 28:
        assert found["rate_jump"].height < 5


@given(st.sampled_from([1, 2, 4, 8]), st.integers(10, 400), st.integers(1, 32), st.sampled_from([2, None]))
def test_epochs_of_an_honest_trainer_count_as_its_settings_say(accumulated, updates, batch, digits):
    rows = updates * batch * accumulated
    epoch = np.arange(1, updates + 1) / updates
    epoch = np.round(epoch, digits) if digits else epoch
    loss = series("train_loss", np.linspace(3, 2, updates), epoch=epoch)
    config = {"train_rows": rows, "per_device_train_batch_size": batch, "gradient_accumulation_steps": accumulated}
    pace = measured(config, loss)["epoch_pace"]
    assert abs(pace.ratio - 1) <= pace.uncertainty + 1e-9


def test_the_warm_up_of_a_log_that_still_climbs_is_not_over():
    config = {"max_steps": 100, "warmup_steps": 50}
    assert not measured(config, series("learning_rate", np.linspace(1e-6, 1e-5, 20)))["warm_up"].reached
    assert measured(config, series("learning_rate", rates("linear", 100, 50, 1e-5)))["warm_up"].logged == 50


@pytest.mark.parametrize(
    ("values", "digit"),
    [([4e-8, 3e-8, 0.0], 1e-8), ([0.0002, 0.0001, 0.0], 1e-4), ([3.33e-5, 2.41e-5, 1.7e-5], 0.0), ([1e-4], 0.0)],
)
def test_the_last_digit_of_printed_rates_is_known_from_their_values(values, digit):
    assert last_digit(np.array(values)) == pytest.approx(digit)


@pytest.mark.parametrize("peak", [1e-4, 2e-4, 3.7e-5])
def test_a_schedule_made_for_fewer_steps_is_spent_where_they_end(peak):
    values = np.concatenate([rates("linear", 100, 0, peak), np.zeros(50)])
    tail = measured({}, series("learning_rate", values))["spent_tail"]
    assert tail.share == pytest.approx(50 / 149)
    assert tail.begins == 99


def test_rates_printed_too_coarsely_do_not_say_when_they_are_spent():
    with pytest.raises(NotMeasurable):
        measured({}, series("learning_rate", [4e-8] * 20 + [1e-8] * 20 + [0.0] * 20))["spent_tail"]
