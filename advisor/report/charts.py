"""The charts of a report as pictures: one style, readable without a legend and by those who see few colours.

matplotlib is loaded here and nowhere else: import this only where a picture is asked for. The same chart gives the same bytes.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from functools import lru_cache
from importlib.resources import as_file, files
from typing import TYPE_CHECKING, Any, Literal

import matplotlib as mpl
import numpy as np
from matplotlib import font_manager
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, Locator, LogLocator, MaxNLocator, NullLocator

from advisor.model import FloatArray
from advisor.report.chart_labels import MM_PER_INCH, Labels, Name
from advisor.report.chart_style import COLOUR, FAINT, FORECAST, FRAME, INK, MUTED, SEVERITY, STRONG, settings
from advisor.report.glyphs import showable
from advisor.report.model import Band, Chart, Line, Mark

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WIDTH = 174.0
"""Width of a picture in millimetres: that of the text on a page."""

LEFT, RIGHT, TOP, BOTTOM = 13.0, 31.0, 1.5, 9.2
"""Room around the frames in millimetres. On the right stand the names of the curves; it is the same in all charts."""

Y_LABEL = 3.4
"""Where the name of the vertical axis ends, from the left rim."""

LANE = 4.4
"""Height of the line above the frame in which a finding stands over the stretch it speaks of."""

HEIGHT: Mapping[str, float] = {"loss": 66.0, "reward": 66.0, "gradient": 25.0, "right": 16.0}
"""Height of a frame in millimetres, by the name of its chart; of one for the right axis, which stands under it."""

GAP = 4.0
"""Between two frames of one chart."""

DOTS_PER_INCH = 160
MOST_LANES = 4
MOST_NAMED = 4
"""Marks that get a label: those of the gravest finding. The rest are only drawn, and the report's text names them."""

ROOM = 0.01
"""Share of the axis that is left free at either end."""

CROWDED = 600
"""Points from which on a raw curve is drawn finer, since it fills the frame."""

DECADES = 1.5
"""A logarithmic axis over less than this shows 1, 2 and 5 of each decade."""


def picture(chart: Chart, form: Literal["svg", "png"], said: Mapping[str, str]) -> bytes:
    """Return a chart that has lines as a picture. said: the strings of the topic `picture`."""
    _load_fonts()
    with mpl.rc_context():
        mpl.rcdefaults()  # a matplotlibrc of the user changes no report
        mpl.rcParams.update(settings())  # type: ignore[arg-type]  # its keys are a closed list of words
        figure = _draw(chart, said)
        stream = io.BytesIO()
        metadata = {"Date": None, "Creator": None} if form == "svg" else {"Software": None}
        figure.savefig(stream, format=form, dpi=DOTS_PER_INCH, metadata=metadata)
    return stream.getvalue()


@lru_cache(maxsize=1)
def _load_fonts() -> None:
    """Make the bundled fonts known by their names."""
    for font in sorted((files("advisor.report") / "fonts").iterdir(), key=lambda f: f.name):
        if font.name.endswith(".ttf"):
            with as_file(font) as path:
                font_manager.fontManager.addfont(path)


def _draw(chart: Chart, said: Mapping[str, str]) -> Figure:
    # Two scales in one frame invite misreading: what belongs to the right axis gets a frame of its own.
    panels = [axis for axis in ("left", "right") if any(line.axis == axis for line in chart.lines)]
    heights = [HEIGHT["right"] if axis == "right" else HEIGHT[chart.name] for axis in panels]
    lanes = chart.spans[:MOST_LANES] if chart.name != "gradient" else ()
    total = BOTTOM + sum(heights) + GAP * (len(heights) - 1) + LANE * len(lanes) + TOP
    figure = Figure(figsize=(WIDTH / MM_PER_INCH, total / MM_PER_INCH))
    FigureCanvasAgg(figure)
    top = total - TOP - LANE * len(lanes)
    for axis, height in zip(panels, heights, strict=True):
        axes = figure.add_axes((LEFT / WIDTH, (top - height) / total, 1 - (LEFT + RIGHT) / WIDTH, height / total))
        top -= height + GAP
        _panel(axes, chart, axis, said)
        if axis == panels[-1]:
            axes.set_xlabel(showable(chart.x_label, set()), labelpad=1.5)
        else:
            axes.tick_params(labelbottom=False)
    return figure


def _panel(axes: Axes, chart: Chart, axis: str, said: Mapping[str, str]) -> None:
    lines = [line for line in chart.lines if line.axis == axis]
    left = axis == "left"
    room = ROOM * (chart.x_to - chart.x_from)
    axes.set_xlim(chart.x_from - room, chart.x_to + room)
    _scale(axes, chart, lines, left=left)
    axes.set_ylabel(showable(chart.left_label if left else chart.right_label, set()))
    axes.yaxis.set_label_coords(-(LEFT - Y_LABEL) / (WIDTH - LEFT - RIGHT), 0.5)
    for span in chart.spans:
        if span.severity != "info" and not span.whole:
            axes.axvspan(span.begin, span.end, color=SEVERITY[span.severity], alpha=0.06, linewidth=0, zorder=0)
    for x in chart.epochs:
        axes.axvline(x, color=FRAME, linewidth=0.5, linestyle=(0, (1, 2.5)), zorder=0.5)
    bands = chart.bands if left else ()
    for band in bands:
        axes.fill_between(band.x, band.low, band.high, color=_colour_of_band(band, lines), alpha=0.16, linewidth=0, zorder=1)
    looks = [_look(line, lines) for line in lines]
    for line, look in zip(lines, looks, strict=True):
        axes.plot(line.x, line.y, **look)
    words = Labels(axes, [(line.x, line.y) for line in lines])
    names = [Name(line.label, float(line.y[-1]), _colour(line), look) for line, look in zip(lines, looks, strict=True)]
    words.names([*names, *(_name_of_band(band, lines) for band in bands)], RIGHT - 0.5)
    if left and chart.name != "gradient":
        words.epochs(chart.epochs, chart.epochs_every, said["epoch"])
        for i, span in enumerate(chart.spans[:MOST_LANES]):
            y = words.frame[3] + 0.8 + LANE * (min(len(chart.spans), MOST_LANES) - 1 - i)
            words.lane(f"{span.rule}  {span.label}", span.begin, span.end, y, RIGHT - 1.0, SEVERITY[span.severity])
    _marks(axes, words, [mark for mark in chart.marks if chart.axis_of(mark) == axis])
    _clipped(axes, words, lines, said)


def _scale(axes: Axes, chart: Chart, lines: Sequence[Line], *, left: bool) -> None:
    low, high = (chart.y_low, chart.y_high) if left else _from_zero(lines)
    if chart.log and left:
        axes.set_yscale("log")
        axes.yaxis.set_minor_locator(NullLocator())
        locator: Locator = LogLocator(subs=(1.0, 2.0, 5.0) if high / low < 10**DECADES else (1.0,), numticks=6)
    else:
        locator = MaxNLocator(5 if left and chart.name != "gradient" else 3, steps=[1, 2, 2.5, 5, 10])
    ticks = np.asarray(locator.tick_values(low, high), dtype=np.float64)
    ticks = ticks[(ticks >= low) & (ticks <= high)]
    axes.set_yticks(ticks, labels=_numbers(ticks))
    axes.set_ylim(low, high)
    axes.xaxis.set_major_locator(MaxNLocator(8, steps=[1, 2, 5, 10], integer=chart.x_to - chart.x_from > 5))  # noqa: PLR2004
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.10g}".replace(",", "\u202f")))


def _from_zero(lines: Sequence[Line]) -> tuple[float, float]:
    low, high = min(float(np.min(line.y)) for line in lines), max(float(np.max(line.y)) for line in lines)
    return min(0.0, low), (high * 1.1 if high > 0 else 1.0)


def _numbers(ticks: FloatArray) -> list[str]:
    """Return the numbers of ticks, with as many digits as it takes for no two to be the same."""
    texts: list[str] = []
    for digits in range(3, 12):
        texts = [_number(value, digits) for value in ticks.tolist()]
        if len(set(texts)) == len(texts):
            break
    return texts


def _number(value: float, digits: int) -> str:
    """Return a number in short: `0.0002` as `2e-4`."""
    text = f"{value:.{digits}g}"
    if "e" in text or 0 < abs(value) < 1e-3:  # noqa: PLR2004  where zeros are harder to count than an exponent to read
        mantissa, exponent = f"{value:.{digits - 1}e}".split("e")
        text = f"{float(mantissa):g}e{int(exponent)}"
    return text.replace("-", "\N{MINUS SIGN}")


def _colour(line: Line) -> str:
    return FORECAST if line.role == "dashed" else COLOUR.get(line.name, INK)


def _look(line: Line, lines: Sequence[Line]) -> dict[str, Any]:
    """Return how a curve is drawn; kinds of curves differ in more than colour. A raw one is faint where it lies under another."""
    colour = _colour(line)
    raw = (
        {"linewidth": FAINT, "alpha": 0.45}
        if any(line.role == "smooth" for line in lines)
        else {"linewidth": 0.9 if len(line.x) < CROWDED else 0.3}
    )
    alone = {"marker": "o", "markersize": 3.2} if len(line.x) == 1 else {}
    looks: Mapping[str, dict[str, Any]] = {
        "raw": {**raw, "zorder": 2},
        "smooth": {"linewidth": STRONG, "zorder": 3},
        "points": {"linewidth": 0.9, "marker": "o", "markersize": 2.6 if len(line.x) < 80 else 0, "zorder": 4},  # noqa: PLR2004
        "step": {"linewidth": STRONG, "zorder": 3},
        "dashed": {"linewidth": 1.1, "linestyle": (0, (3, 2)), "zorder": 3},
    }
    return {"color": colour, **looks[line.role], **alone}


def _name_of_band(band: Band, lines: Sequence[Line]) -> Name:
    colour = _colour_of_band(band, lines)
    return Name(
        band.label, float(band.low[-1]), colour, {"color": colour, "alpha": 0.25, "linewidth": 5.0, "solid_capstyle": "butt"}
    )


def _colour_of_band(band: Band, lines: Sequence[Line]) -> str:
    if band.name == "forecast":
        return FORECAST
    return next((_colour(line) for line in lines if line.role == "points"), INK)


def _marks(axes: Axes, words: Labels, marks: Sequence[Mark]) -> None:
    """Draw the marks, then name the most important of them; a point that is marked twice is named once."""
    foot = axes.get_ylim()[0]
    shapes: Mapping[str, dict[str, Any]] = {
        "best": {"marker": "*", "markersize": 9, "markerfacecolor": COLOUR["learning_rate"], "markeredgecolor": "white"},
        "evidence": {"marker": "o", "markersize": 6, "markerfacecolor": "none", "markeredgecolor": INK},
        "non-finite": {"marker": "X", "markersize": 6, "markerfacecolor": SEVERITY["error"], "markeredgecolor": "white"},
        "event": {"marker": "^", "markersize": 5.5, "markerfacecolor": SEVERITY["error"], "markeredgecolor": "white"},
    }
    ranked = sorted(marks, key=lambda m: ("best", "non-finite", "event", "evidence").index(m.kind))
    once: dict[tuple[float, float | None], Mark] = {}
    for mark in ranked:
        once.setdefault((mark.x, mark.y), mark)
    for mark in once.values():
        y = foot if mark.y is None else mark.y
        axes.plot([mark.x], [y], linestyle="none", markeredgewidth=0.8, zorder=5, clip_on=False, **shapes[mark.kind])
        words.keep_off(mark.x, y)
    first = next((mark for mark in once.values() if mark.kind == "non-finite"), None)
    rule = next((mark.rule for mark in once.values() if mark.rule), "")
    named = [mark for mark in once.values() if mark is first or (mark.kind != "non-finite" and mark.rule in ("", rule))]
    for mark in named[:MOST_NAMED]:
        colour = SEVERITY["error"] if mark.kind in ("non-finite", "event") else MUTED if mark.y is None else INK
        words.mark(mark.x, foot if mark.y is None else mark.y, mark.label, colour)


def _clipped(axes: Axes, words: Labels, lines: Sequence[Line], said: Mapping[str, str]) -> None:
    """Point at what lies above the frame, and say how far the highest reaches."""
    top = axes.get_ylim()[1]
    beyond = [(float(x), float(y)) for line in lines for x, y in zip(line.x, line.y, strict=True) if y > top]
    if not beyond:
        return
    axes.plot([x for x, _ in beyond], [top] * len(beyond), linestyle="none", marker="^", markersize=3.5, color=MUTED, clip_on=False)
    x, y = max(beyond, key=lambda point: point[1])
    words.mark(x, top, said["clipped"].format(value=f"{y:.4g}"), MUTED)
