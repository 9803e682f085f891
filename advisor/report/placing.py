"""Where the labels of a chart go: beside their point, on no curve and on no other label. Works in pixels of the canvas."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from advisor.model import FloatArray

Box = tuple[float, float, float, float]
"""Left, bottom, right, top."""

_DISTANCES = (0.9, 1.6, 2.6, 4.0, 6.0)
"""How far a label may stand from its point, in heights of it; near ones are tried first."""

_DIRECTIONS = tuple(math.radians(a) for a in (60, 120, 30, 150, 90, -60, -120, -30, -150, -90, 0, 180))

_ON_LABEL, _OUTSIDE, _ON_CURVE, _FAR = 1000.0, 1000.0, 5.0, 2.0
"""What is worse: to cover another label or leave the frame, then to cover a curve, then to be far away."""


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a label of a known size is put: its box, and the point of the box from which a line leads to what it names."""

    box: Box
    lead: tuple[float, float]


def place(point: tuple[float, float], size: tuple[float, float], frame: Box, ink: FloatArray, taken: Sequence[Box]) -> Spot:
    """Return the best spot for a label of `size` (width, height) that names `point`.

    frame: where labels may stand. ink: an (n, 2) array of pixels that curves cover. taken: boxes of labels that stand already.
    """
    width, height = size
    best: tuple[float, Box] | None = None
    for step, distance in enumerate(_DISTANCES):
        for turn, angle in enumerate(_DIRECTIONS):
            across, up = math.cos(angle), math.sin(angle)
            x = point[0] + across * distance * height + (width / 2) * _side(across)
            y = point[1] + up * distance * height + (height / 2) * _side(up)
            box = x - width / 2, y - height / 2, x + width / 2, y + height / 2
            cost = step * _FAR + turn * 0.01 + _cost(box, frame, ink, taken)
            if best is None or cost < best[0]:
                best = cost, box
    assert best is not None
    left, bottom, right, top = best[1]
    return Spot(best[1], (min(max(point[0], left), right), min(max(point[1], bottom), top)))


def _side(part: float) -> float:
    """Return to which side of its point a label grows in a direction: -1, 0 or 1, with the corners in between."""
    near_axis = 0.2
    return 0.0 if abs(part) < near_axis else math.copysign(1.0, part)


def _cost(box: Box, frame: Box, ink: FloatArray, taken: Sequence[Box]) -> float:
    left, bottom, right, top = box
    cost = _OUTSIDE * (left < frame[0] or bottom < frame[1] or right > frame[2] or top > frame[3])
    cost += _ON_LABEL * sum(left < b[2] and b[0] < right and bottom < b[3] and b[1] < top for b in taken)
    return cost + _ON_CURVE * math.sqrt(covered(ink, box))


def covered(ink: FloatArray, box: Box) -> int:
    """Return how many of the points lie in the box."""
    left, bottom, right, top = box
    return int(np.count_nonzero((ink[:, 0] > left) & (ink[:, 0] < right) & (ink[:, 1] > bottom) & (ink[:, 1] < top)))


def spread(wanted: Sequence[float], heights: Sequence[float], low: float, high: float) -> list[float]:
    """Return middles for boxes in a column, as near to those `wanted` as they can be without touching, within low and high.

    Boxes that would touch are moved apart about their common middle. More than fit are squeezed from the top downwards.
    """
    order = sorted(range(len(wanted)), key=lambda i: wanted[i])
    groups: list[tuple[list[int], float]] = []
    for i in order:
        groups.append(([i], min(max(wanted[i], low + heights[i] / 2), high - heights[i] / 2)))
        while len(groups) > 1 and _overlap(groups[-2], groups[-1], heights):
            (below, middle_below), (above, middle_above) = groups[-2:]
            joined = below + above
            half = sum(heights[j] for j in joined) / 2
            middle = (middle_below * len(below) + middle_above * len(above)) / len(joined)
            groups[-2:] = [(joined, max(min(middle, high - half), low + half))]
    middles = [0.0] * len(wanted)
    for members, middle in groups:
        bottom = middle - sum(heights[j] for j in members) / 2
        for j in members:
            middles[j] = bottom + heights[j] / 2
            bottom += heights[j]
    return middles


def _overlap(below: tuple[list[int], float], above: tuple[list[int], float], heights: Sequence[float]) -> bool:
    top = below[1] + sum(heights[j] for j in below[0]) / 2
    return top > above[1] - sum(heights[j] for j in above[0]) / 2
