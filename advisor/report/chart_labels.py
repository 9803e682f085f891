"""The words in a chart: names beside the ends of their curves, labels at marks, epochs along the foot. Measured before placed.

Everything here counts in millimetres of the figure: text is measured with other pixels than those an SVG is drawn with.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.transforms import Affine2D

from advisor.model import FloatArray
from advisor.report.chart_style import FRAME, INK, MUTED, SMALL
from advisor.report.glyphs import showable
from advisor.report.placing import Box, covered, place, spread

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.text import Text

MM_PER_INCH = 25.4

SWATCH = (1.6, 5.2)
"""Begin and end of the sample of a curve beside its name, from the frame."""

NAME = 6.2
"""Where the name begins, from the frame."""

AIR = 0.35
"""Left free around a label."""

INK_STEP = 0.4
"""Distance of the points by which it is known where a curve runs."""

WIDEST = 0.36
"""Share of the frame's width beyond which a label is broken into lines."""

STRIP = 3.0
"""Height of the strip in which epochs are numbered."""

OPENING, CLOSING = "（《【「", "）》】」，。；：、！？"

EPOCH_ROOM = 5.0
"""The least distance between two epochs' numbers."""


class Name(NamedTuple):
    """The name of a curve or a band: where it would stand, and how a sample of it is drawn (arguments of matplotlib's plot)."""

    text: str
    y: float
    colour: str
    sample: Mapping[str, Any]


class Labels:
    """Puts words into one frame. Each finds the room that the curves and the words before it left."""

    def __init__(self, axes: Axes, curves: Sequence[tuple[FloatArray, FloatArray]]) -> None:
        self._axes = axes
        self._per_pixel = MM_PER_INCH / axes.figure.dpi
        self._transform = Affine2D().scale(1 / MM_PER_INCH) + axes.figure.dpi_scale_trans
        left, bottom, right, top = (float(edge) * self._per_pixel for edge in axes.bbox.extents)
        self.frame: Box = (left, bottom, right, top)
        parts = [self._run(x, y) for x, y in curves]
        self._ink = np.concatenate(parts) if parts else np.empty((0, 2))
        self._taken: list[Box] = []

    def _points(self, x: FloatArray, y: FloatArray) -> FloatArray:
        points: FloatArray = self._axes.transData.transform(np.column_stack([x, y])) * self._per_pixel
        return points

    def _point(self, x: float, y: float) -> tuple[float, float]:
        across, up = self._points(np.array([x]), np.array([y]))[0].tolist()
        return across, up

    def _run(self, x: FloatArray, y: FloatArray) -> FloatArray:
        """Return the points, a little apart, through which a curve runs."""
        points = self._points(x, y)
        points = points[np.isfinite(points).all(axis=1)]
        if len(points) < 2:  # noqa: PLR2004  a line needs two ends
            return points
        along = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(points, axis=0).T))])
        fine = np.linspace(0.0, along[-1], min(int(along[-1] / INK_STEP) + 2, 20_000))
        return np.column_stack([np.interp(fine, along, points[:, i]) for i in range(2)])

    def _text(self, words: str, width: float, lines: int = 3, **look: Any) -> tuple[Text, float, float]:
        """Write words, broken to `width` and cut after so many lines; return the text with the width and the height it takes."""
        text = self._axes.text(0, 0, "", transform=self._transform, linespacing=1.15, **look)
        canvas = self._axes.figure.canvas
        assert isinstance(canvas, FigureCanvasAgg)  # text is measured by drawing it
        renderer = canvas.get_renderer()  # type: ignore[no-untyped-call]

        def extent(candidate: str) -> tuple[float, float]:
            text.set_text(candidate)
            box = text.get_window_extent(renderer)
            return box.width * self._per_pixel, box.height * self._per_pixel

        broken = [""]
        for piece in _pieces(showable(words, set()).replace("\n", " ")):
            if broken[-1] and extent(broken[-1] + piece.rstrip())[0] > width:
                broken.append("")
            broken[-1] += piece
        if len(broken) > lines:
            broken = [*broken[: lines - 1], broken[lines - 1] + broken[lines]]
        broken = [_cut(line.rstrip(), lambda s: extent(s)[0] <= width) for line in broken]
        return text, *extent("\n".join(broken))

    def names(self, names: Sequence[Name], room: float) -> None:
        """Write the names of curves to the right of the frame, each beside a sample of its curve."""
        right = self.frame[2]
        made = [self._text(n.text, room - NAME, fontsize=SMALL, color=n.colour, va="center", ha="left") for n in names]
        heights = [height + 3 * AIR for _, _, height in made]
        wanted = [min(max(self._point(0.0, n.y)[1], self.frame[1]), self.frame[3]) for n in names]
        for name, (text, _, _), y in zip(names, made, spread(wanted, heights, self.frame[1], self.frame[3]), strict=True):
            text.set_position((right + NAME, y))
            begin, end = (right + edge for edge in SWATCH)
            self._draw([begin, (begin + end) / 2, end], [y] * 3, clip_on=False, markevery=[1], **name.sample)

    def lane(self, words: str, begin: float, end: float, y: float, room: float, colour: str) -> None:
        """Write a finding above the stretch it speaks of, which is drawn as a bar; begin, end: on the axis."""
        left, right = self._point(begin, 1.0)[0], self._point(end, 1.0)[0]
        right = max(right, left + 1.0)
        self._draw([left, right], [y, y], color=colour, linewidth=1.8, solid_capstyle="butt", clip_on=False)
        text, width, _ = self._text(
            words, self.frame[2] + room - self.frame[0], 1, fontsize=SMALL, color=colour, va="bottom", ha="left"
        )
        text.set_position((max(min(left, self.frame[2] + room - width), self.frame[0]), y + 2 * AIR))

    def mark(self, x: float, y: float, words: str, colour: str = INK) -> None:
        """Write what a point is, as near to it as there is room, with a line that leads to it."""
        point = self._point(x, y)
        width = WIDEST * (self.frame[2] - self.frame[0])
        text, across, up = self._text(words, width, fontsize=SMALL, color=colour, ha="center", va="center", zorder=6)
        spot = place(point, (across + 2 * AIR, up + 2 * AIR), self.frame, self._ink, self._taken)
        left, bottom, right, top = spot.box
        text.set_position(((left + right) / 2, (bottom + top) / 2))
        text.set_bbox({"facecolor": "white", "alpha": 0.8, "edgecolor": "none", "pad": 0.5})
        self._draw([point[0], spot.lead[0]], [point[1], spot.lead[1]], color=FRAME, linewidth=0.6, zorder=5)
        self._taken.append(spot.box)

    def keep_off(self, x: float, y: float, size: float = 2.0) -> None:
        """Keep labels off what is drawn at a point."""
        across, up = self._point(x, y)
        self._taken.append((across - size / 2, up - size / 2, across + size / 2, up + size / 2))

    def epochs(self, ends: Sequence[float], every: int, word: str) -> None:
        """Number the ends of epochs along the foot or the head of the frame; those are left out for which there is no room."""
        left, bottom, right, top = self.frame
        at_foot = covered(self._ink, (left, bottom, right, bottom + STRIP)) <= covered(self._ink, (left, top - STRIP, right, top))
        y, align = (bottom + AIR, "bottom") if at_foot else (top - AIR, "top")
        free, shown = left, False
        for i, end in enumerate(ends, 1):
            at = self._point(end, 1.0)[0] - AIR
            words = f"{i * every}" if shown else word.format(number=i * every)
            text, width, height = self._text(words, math.inf, fontsize=SMALL - 0.6, color=MUTED, ha="right", va=align)
            box = (at - width, y, at, y + height) if at_foot else (at - width, y - height, at, y)
            if at - width < free or covered(self._ink, box):
                text.remove()
                continue
            text.set_position((at, y))
            self._taken.append(box)
            free, shown = at - width + max(EPOCH_ROOM, width + 4 * AIR), True

    def _draw(self, x: Sequence[float], y: Sequence[float], **look: Any) -> None:
        self._axes.plot(x, y, transform=self._transform, scalex=False, scaley=False, **look)


def _pieces(text: str) -> list[str]:
    """Return the parts of a text between which a line may end: after a blank, and after an ideograph.

    No line ends with an opening bracket, and none begins with a closing one or a stop.
    """
    pieces, current = [], ""
    for character, following in zip(text, text[1:] + " ", strict=True):
        current += character
        if character == " " or (character > "\u2e7f" and character not in OPENING and following not in CLOSING):
            pieces.append(current)
            current = ""
    return [*pieces, current] if current else pieces


def _cut(text: str, fits: Any) -> str:
    """Return `text`, its end replaced by `…` where it does not fit."""
    if fits(text):
        return text
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if fits(text[:middle] + "…") else (low, middle - 1)
    return text[:low] + "…"
