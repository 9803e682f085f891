"""Where labels go: apart from each other, near to their points, inside the frame."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from advisor.report.placing import place, spread

HEIGHTS = st.lists(st.floats(1, 9), min_size=1, max_size=9)


@given(HEIGHTS, st.data())
def test_boxes_in_a_column_never_touch_and_stay_inside_where_they_fit(heights, data):
    room = sum(heights) + data.draw(st.floats(0, 50))
    wanted = data.draw(st.lists(st.floats(-20, room + 20), min_size=len(heights), max_size=len(heights)))
    middles = spread(wanted, heights, 0.0, room)
    edges = sorted((m - h / 2, m + h / 2) for m, h in zip(middles, heights, strict=True))
    assert all(below[1] <= above[0] + 1e-6 for below, above in pairwise(edges))
    assert edges[0][0] >= -1e-6
    assert edges[-1][1] <= room + 1e-6


@given(HEIGHTS, st.data())
def test_boxes_keep_the_order_of_what_they_name(heights, data):
    wanted = data.draw(st.lists(st.floats(0, 100), min_size=len(heights), max_size=len(heights), unique=True))
    middles = spread(wanted, heights, 0.0, 1000.0)
    assert np.argsort(wanted).tolist() == np.argsort(middles, kind="stable").tolist()


def test_a_box_that_has_room_stays_where_it_belongs():
    assert spread([10.0, 50.0], [4.0, 4.0], 0.0, 100.0) == [10.0, 50.0]


FRAME = (0.0, 0.0, 100.0, 60.0)
NO_INK = np.empty((0, 2))


@pytest.mark.parametrize("point", [(0, 0), (100, 60), (50, 30), (100, 0), (0, 60)])
def test_a_label_lies_inside_the_frame_and_does_not_cover_its_point(point):
    left, bottom, right, top = place(point, (20.0, 3.0), FRAME, NO_INK, []).box
    assert left >= 0
    assert bottom >= 0
    assert right <= 100
    assert top <= 60
    assert not (left < point[0] < right and bottom < point[1] < top)


def test_a_label_gives_way_to_one_that_stands_already_and_to_a_curve():
    first = place((50, 30), (20.0, 3.0), FRAME, NO_INK, [])
    second = place((50, 30), (20.0, 3.0), FRAME, NO_INK, [first.box])
    assert (
        second.box[0] >= first.box[2]
        or second.box[2] <= first.box[0]
        or second.box[1] >= first.box[3]
        or second.box[3] <= first.box[1]
    )
    curve = np.column_stack([np.linspace(0, 100, 400), np.full(400, first.box[1] + 1)])
    around = place((50, 30), (20.0, 3.0), FRAME, curve, [])
    assert around.box[1] > curve[0, 1] or around.box[3] < curve[0, 1]
