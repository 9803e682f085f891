"""Robust statistics: what they are blind to, and what they see."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from advisor.signals.stats import block_medians, curvature_noise, mann_kendall, robust_noise, running_median, theil_sen

NOISE = np.random.default_rng(1).normal(0, 0.1, 400)
finite = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=80).map(np.array)


@pytest.mark.parametrize("noise", [robust_noise, curvature_noise])
def test_noise_is_estimated_whatever_the_trend_and_despite_outliers(noise):
    values = NOISE + np.linspace(5, 1, 400)
    values[[50, 150, 250]] += 30
    assert noise(values) == pytest.approx(0.1, rel=0.15)


def test_a_straight_line_has_no_noise():
    assert robust_noise(np.linspace(5, 1, 50)) == pytest.approx(0, abs=1e-12)


def test_a_bend_is_no_noise_for_second_differences():
    bend = 3 / np.arange(1, 12)
    assert curvature_noise(bend) < robust_noise(bend)


def test_the_slope_is_that_of_the_line_under_the_outliers():
    values = np.linspace(0, 10, 101)
    values[::7] += 50
    assert theil_sen(values) == pytest.approx(0.1, rel=0.1)


def test_a_long_series_has_the_slope_of_its_parts():
    assert theil_sen(np.linspace(0, 10, 10_001)) == pytest.approx(0.001, rel=0.01)


def test_a_trend_is_told_from_noise():
    assert mann_kendall(NOISE) > 0.05
    assert mann_kendall(NOISE + np.linspace(0, 0.3, 400)) < 0.001
    assert mann_kendall(np.array([3.0, 2.0, 1.0])) == 1.0


@given(finite, st.integers(0, 20))
def test_a_running_median_keeps_length_and_range(values, half):
    smooth = running_median(values, half)
    assert len(smooth) == len(values)
    assert values.min() <= smooth.min()
    assert smooth.max() <= values.max()


@given(finite, st.integers(1, 30))
def test_blocks_are_no_more_than_asked_and_stay_in_range(values, blocks):
    reduced = block_medians(values, blocks)
    assert len(reduced) == min(len(values), blocks)
    assert values.min() <= reduced.min()
    assert reduced.max() <= values.max()


@given(finite, st.floats(0.001, 1000))
def test_noise_scales_with_the_values(values, factor):
    assert robust_noise(values * factor) == pytest.approx(robust_noise(values) * factor, rel=1e-6, abs=1e-9)
