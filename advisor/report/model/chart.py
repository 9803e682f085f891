"""What is drawn of a run: curves, bands, marks, and the stretches that findings speak of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from advisor.model import FloatArray, Severity


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """One curve of a chart. Spikes survive its thinning: each bucket keeps its lowest and its highest point.

    name: of the series it is drawn from. role: how it is drawn: `raw` (faint), `smooth` (strong), `points` (dots joined by a thin
    line), `step` (strong, belongs to the right axis), `dashed` (not measured: a forecast).
    x, y: as logged, finite. axis: `left` or `right`. total: how many points were logged.
    """

    name: str
    label: str
    role: Literal["raw", "smooth", "points", "step", "dashed"]
    axis: Literal["left", "right"]
    x: FloatArray
    y: FloatArray
    total: int


@dataclass(frozen=True, slots=True, eq=False)
class Band:
    """A band around a curve. name: `noise` (two standard deviations of one evaluation) or `forecast` (its interval)."""

    name: Literal["noise", "forecast"]
    label: str
    x: FloatArray
    low: FloatArray
    high: FloatArray


@dataclass(frozen=True, slots=True)
class Mark:
    """A point or an event to point at. kind: `best`, `evidence`, `non-finite`, `event`.

    y is None where there is no value: the mark then stands on the axis. rule: the finding it belongs to, else empty. series: that
    of which it is a point, else empty.
    """

    kind: Literal["best", "evidence", "non-finite", "event"]
    x: float
    y: float | None
    label: str
    rule: str = ""
    series: str = ""


@dataclass(frozen=True, slots=True)
class Span:
    """The stretch of the run that a finding speaks of. whole: nearly all of the axis; shading everything marks nothing."""

    rule: str
    severity: Severity
    begin: float
    end: float
    label: str
    whole: bool


@dataclass(frozen=True, slots=True)
class Chart:
    """What is drawn of a run over its axis.

    name: `loss` (or `reward`, where a policy is trained) or `gradient`. log: the left axis is better logarithmic.
    caption: the figure in words with its numbers, which is its text alternative too. y_low, y_high: the stretch of the left axis
    that shows the curves; single points beyond it are clipped. epochs: where they end, every so manyth of them (epochs_every).
    missing: why a chart has no line, else empty.
    """

    name: Literal["loss", "reward", "gradient"]
    title: str
    x_label: str
    left_label: str
    right_label: str
    log: bool
    x_from: float
    x_to: float
    y_low: float
    y_high: float
    lines: tuple[Line, ...]
    bands: tuple[Band, ...]
    marks: tuple[Mark, ...]
    spans: tuple[Span, ...]
    epochs: tuple[float, ...]
    epochs_every: int
    caption: str
    missing: str = ""

    def axis_of(self, mark: Mark) -> Literal["left", "right"]:
        """Return the axis on which the value of a mark stands: that of its series."""
        return next((line.axis for line in self.lines if line.name == mark.series), "left")
