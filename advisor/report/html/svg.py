"""A chart of a report as SVG: what is seen without scripts and on paper. Colours come from the page's style sheet."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from rich.cells import cell_len

from advisor.model import FloatArray
from advisor.report.html.markup import Html, el, joined
from advisor.report.model import Chart, Line

WIDTH, HEIGHT = 960.0, 300.0
LEFT, RIGHT, TOP, BOTTOM = 62.0, 62.0, 26.0, 36.0
TICKS = 6
MOST_DOTS = 80
"""Evaluations that are drawn as dots too; of more, the line alone."""


@dataclass(frozen=True, slots=True)
class Scale:
    """From a value to a coordinate."""

    low: float
    high: float
    begin: float
    end: float
    log: bool = False

    def __call__(self, values: FloatArray) -> FloatArray:  # noqa: D102  the coordinates of values
        low, high = (math.log(self.low), math.log(self.high)) if self.log else (self.low, self.high)
        with np.errstate(divide="ignore", invalid="ignore"):
            share = ((np.log(values) if self.log else values) - low) / ((high - low) or 1.0)
        return np.clip(self.begin + np.nan_to_num(share, nan=0.0, neginf=0.0, posinf=1.0) * (self.end - self.begin), 0.0, WIDTH)

    def one(self, value: float) -> float:
        """Return the coordinate of one value."""
        return float(self(np.array([value]))[0])


def ticks(low: float, high: float, *, log: bool = False, most: int = TICKS) -> list[float]:
    """Return round numbers between two ends: 1, 2 or 5 times a power of ten, or the powers of ten on a logarithmic axis."""
    if log:
        lowest, highest = math.ceil(math.log10(low)), math.floor(math.log10(high))
        powers = [10.0**n for n in range(lowest, highest + 1, max(1, math.ceil((highest - lowest + 1) / most)))]
        return powers if len(powers) > 1 else ticks(low, high, most=most)
    rough = (high - low) / most
    if not math.isfinite(rough) or rough <= 0:
        return [low]
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1.0, 2.0, 5.0, 10.0) if power * factor >= rough)
    first = math.ceil(low / step)
    return [float(f"{n * step:.12g}") for n in range(first, math.floor(high / step) + 1)]


def chart_svg(chart: Chart, identity: str) -> Html:
    """Return the drawing, its caption as the text alternative. identity: of its title in the document."""
    x = Scale(chart.x_from, chart.x_to, LEFT, WIDTH - RIGHT)
    left = Scale(chart.y_low, chart.y_high, HEIGHT - BOTTOM, TOP, chart.log)
    rights = [line for line in chart.lines if line.axis == "right"]
    right = _right(rights)
    alone = all(line.role != "smooth" for line in chart.lines)
    body = [
        *_spans(chart, x), *_grid(chart, x, left), *_right_ticks(right, rights),
        *(_band(band.x, band.low, band.high, band.name, x, left) for band in chart.bands),
        *(piece for line in chart.lines for piece in _line(line, x, right if line.axis == "right" else left, alone=alone)),
        *_marks(chart, x, left, right), *_legend(chart),
    ]  # fmt: skip
    return el(
        "svg", el("title", chart.caption, id=identity), joined(body), role="img", aria_labelledby=identity,
        viewBox=f"0 0 {WIDTH:g} {HEIGHT:g}", class_="static",
    )  # fmt: skip


SMALL_WIDTH, SMALL_HEIGHT, RIM = 132.0, 34.0, 3.0
"""Size of the curve in a row of an index, and the room around it."""


def small_svg(xs: FloatArray, ys: FloatArray, best: float | None, caption: str) -> Html | None:
    """Return a curve without axes for a row of a table, its best point marked; None where there is no curve."""
    if len(xs) < 2:  # noqa: PLR2004  a line
        return None
    x = Scale(float(xs[0]), float(xs[-1]), RIM, SMALL_WIDTH - RIM)
    y = Scale(float(np.min(ys)), float(np.max(ys)), SMALL_HEIGHT - RIM, RIM)
    across, down = x(xs), y(ys)
    dot = None
    if best is not None:
        at = f"{x.one(best):.1f}", f"{float(np.interp(best, xs, down)):.1f}"
        dot = el("circle", cx=at[0], cy=at[1], r="2.5", class_="mark m-best")
    line = el("path", d=_path(across, down), class_="line l-points")
    box = f"0 0 {SMALL_WIDTH:g} {SMALL_HEIGHT:g}"
    return el("svg", el("title", caption), line, dot, role="img", aria_label=caption, viewBox=box, class_="small")


def _right(lines: list[Line]) -> Scale:
    values = np.concatenate([line.y for line in lines]) if lines else np.array([0.0, 1.0])
    high = float(np.max(values))
    return Scale(min(0.0, float(np.min(values))), high * 1.05 if high > 0 else 1.0, HEIGHT - BOTTOM, TOP)


def _grid(chart: Chart, x: Scale, left: Scale) -> Iterator[Html]:
    on_left = any(line.axis == "left" for line in chart.lines)
    for value in ticks(chart.y_low, chart.y_high, log=chart.log) if on_left else ():
        y = left.one(value)
        yield el("line", x1=f"{LEFT:g}", x2=f"{WIDTH - RIGHT:g}", y1=f"{y:.1f}", y2=f"{y:.1f}", class_="grid")
        yield el("text", f"{value:.4g}", x=f"{LEFT - 6:g}", y=f"{y + 4:.1f}", class_="tick end")
    for boundary in chart.epochs:
        at = f"{x.one(boundary):.1f}"
        yield el("line", x1=at, x2=at, y1=f"{TOP:g}", y2=f"{HEIGHT - BOTTOM:g}", class_="epoch")
    for value in ticks(chart.x_from, chart.x_to, most=8):
        yield el("text", f"{value:g}", x=f"{x.one(value):.1f}", y=f"{HEIGHT - BOTTOM + 16:g}", class_="tick middle")
    yield el("text", chart.x_label, x=f"{WIDTH - RIGHT:g}", y=f"{HEIGHT - 4:g}", class_="tick end")


def _right_ticks(right: Scale, lines: list[Line]) -> Iterator[Html]:
    for value in ticks(right.low, right.high) if lines else ():
        yield el("text", f"{value:.2g}", x=f"{WIDTH - RIGHT + 6:g}", y=f"{right.one(value) + 4:.1f}", class_="tick n-learning_rate")


def _spans(chart: Chart, x: Scale) -> Iterator[Html]:
    for span in chart.spans:
        if span.whole:
            continue
        begin, end = x.one(span.begin), x.one(span.end)
        yield el(
            "rect", x=f"{begin:.1f}", y=f"{TOP:g}", width=f"{max(end - begin, 2.0):.1f}", height=f"{HEIGHT - TOP - BOTTOM:g}",
            class_=f"span s-{span.severity}",
        )  # fmt: skip


def _path(xs: FloatArray, ys: FloatArray) -> str:
    return "M" + "L".join(f"{a:.1f} {b:.1f}" for a, b in zip(xs.tolist(), ys.tolist(), strict=True))


def _clipped(y: Scale) -> Callable[[FloatArray], FloatArray]:
    return lambda values: np.clip(y(values), TOP, HEIGHT - BOTTOM)


def _line(line: Line, x: Scale, y: Scale, *, alone: bool) -> Iterator[Html]:
    xs, ys = x(line.x), _clipped(y)(line.y)
    kind = f"l-{line.role} n-{line.name}" + (" alone" if alone else "")
    if len(xs) > 1:
        yield el("path", d=_path(xs, ys), class_=f"line {kind}")
    if (line.role == "points" and len(xs) <= MOST_DOTS) or len(xs) == 1:
        for a, b in zip(xs.tolist(), ys.tolist(), strict=True):
            yield el("circle", cx=f"{a:.1f}", cy=f"{b:.1f}", r="2.5", class_=f"dot {kind}")


def _band(xs: FloatArray, low: FloatArray, high: FloatArray, name: str, x: Scale, y: Scale) -> Html:
    scaled, clip = x(xs), _clipped(y)
    outline = np.concatenate([scaled, scaled[::-1]]), np.concatenate([clip(high), clip(low)[::-1]])
    return el("path", d=_path(*outline) + "Z", class_=f"band b-{name}")


def _marks(chart: Chart, x: Scale, left: Scale, right: Scale) -> Iterator[Html]:
    bottom = HEIGHT - BOTTOM
    for mark in chart.marks:
        at = x.one(mark.x)
        scale = right if chart.axis_of(mark) == "right" else left
        y = bottom if mark.y is None else min(max(scale.one(mark.y), TOP), bottom)
        yield el("circle", cx=f"{at:.1f}", cy=f"{y:.1f}", r="5" if mark.kind == "best" else "4", class_=f"mark m-{mark.kind}")
        if mark.kind == "best":
            anchor, shift = ("end", -9) if at > WIDTH / 2 else ("start", 9)
            yield el("text", mark.label, x=f"{at + shift:.1f}", y=f"{max(y - 9, TOP + 10):.1f}", class_=f"tick {anchor} m-best")


def _legend(chart: Chart) -> Iterator[Html]:
    at = LEFT
    for line in chart.lines:
        yield el(
            "text",
            "□ " if line.role == "raw" else "■ ",
            line.label,
            x=f"{at:.0f}",
            y="14",
            class_=f"tick n-{line.name} legend l-{line.role}",
        )
        at += 30 + 7 * cell_len(line.label)
