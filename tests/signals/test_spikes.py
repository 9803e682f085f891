"""Spikes: the quick look that rules out most points changes nothing."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from advisor.model import Series
from advisor.signals.curve import LEAST_Z, SPIKE_SIDE, train_curve, train_spikes


def spikes_of_every_point(values, noise):
    """The definition, without shortcuts: above the medians of the seven points before and the seven after."""
    found = []
    for i in range(SPIKE_SIDE, len(values) - SPIKE_SIDE):
        base = max(np.median(values[i - SPIKE_SIDE : i]), np.median(values[i + 1 : i + 1 + SPIKE_SIDE]))
        above = values[i] - base
        z = above / noise if noise > 0 else (np.inf if above > 0 else 0.0)
        if z > LEAST_Z:
            found.append((i, z))
    return found


def series(values):
    places = np.arange(1.0, len(values) + 1)
    return Series("train_loss", np.array(values, dtype=float), places, np.full(len(values), np.nan), places.astype(np.int64))


losses = st.lists(st.one_of(st.floats(0, 3), st.sampled_from([1.0, 1.0, 50.0])), min_size=21, max_size=80)


@settings(deadline=None)
@given(losses)
def test_spikes_are_what_their_definition_says(values):
    loss = series(values)
    curve = train_curve(loss)
    spikes = train_spikes(loss, curve)
    assert list(zip(spikes.at, spikes.z, strict=True)) == spikes_of_every_point(loss.values, curve.noise)


@pytest.mark.parametrize("width", [1, 2, 3])
def test_a_spike_of_up_to_three_points_is_seen(width):
    values = [2.0 + 0.01 * (-1) ** i for i in range(60)]
    values[30 : 30 + width] = [9.0] * width
    loss = series(values)
    assert train_spikes(loss, train_curve(loss)).at == tuple(range(30, 30 + width))
