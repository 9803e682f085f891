"""The report: everything that any format shows, in one language, as frozen values. No format adds, computes or judges anything.

Sentences are complete and numbers stand beside them, so a renderer only arranges. `Report.as_dict()` is the JSON document.
Positions (`x`) are on the run's axis; see `Report.axis`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from typing import Any, Literal

import numpy as np

from advisor.model import Axis, FloatArray, Severity, Trust, Value

SCHEMA = "advisor.report/1"
"""Its number changes when a reader of the old form would misread a new document; new keys do not change it."""

State = Literal["pass", "warning", "failure", "not-judged"]
STATES: tuple[State, ...] = ("failure", "warning", "not-judged", "pass")
"""From the gravest to the lightest."""

Aspect = Literal["generalisation", "stability", "optimisation", "schedule", "data", "throughput"]
ASPECTS: tuple[Aspect, ...] = ("generalisation", "stability", "optimisation", "schedule", "data", "throughput")
"""The traffic lights, always these and in this order."""


@dataclass(frozen=True, slots=True)
class Action:
    """The one thing to do first. kind: `change` a setting, make an `experiment`, follow a `remedy`, `log` more, or do `nothing`.

    label: what stands before the text.
    parameter, old, new: of a change, else empty; rule: the finding it belongs to, empty where there is none.
    """

    kind: Literal["change", "experiment", "remedy", "log", "nothing"]
    label: str
    text: str
    parameter: str = ""
    old: str = ""
    new: str = ""
    rule: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer in one sentence. problem: one word of `advisor.model.PROBLEMS`; word: the same in the report's language.

    confidence: `high`, `medium` or `low`, with confidence_text: why it is so.
    """

    state: State
    problem: str
    word: str
    sentence: str
    confidence: Literal["high", "medium", "low"]
    confidence_text: str
    action: Action


@dataclass(frozen=True, slots=True)
class Figure:
    """One of the four numbers on top: `best`, `final`, `rise`, `cost`.

    value: the text shown large, `–` where there is none. detail: what stands under it. numbers: the same, unrounded, by name;
    empty where it was not logged. state: `not-judged` where there is no number; `warning` where the number speaks of a problem.
    """

    name: Literal["best", "final", "rise", "cost"]
    label: str
    value: str
    detail: str
    state: State
    numbers: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Light:
    """One traffic light. reason: what made it so, or why it could not be judged and how to get it judged."""

    aspect: Aspect
    label: str
    state: State
    state_text: str
    reason: str
    rules: tuple[str, ...]


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


@dataclass(frozen=True, slots=True)
class Evidence:
    """One piece of evidence: the sentence, and the logged value behind it. line: of the log, 0 where it stands on none."""

    text: str
    series: str
    x: float
    value: float
    line: int


@dataclass(frozen=True, slots=True)
class Source:
    """What a rule rests on."""

    title: str
    says: str
    url: str


@dataclass(frozen=True, slots=True)
class FindingEntry:
    """A finding in words. cause: the likeliest cause that explains it, empty where none does.

    of: `run`, or `data` where the training data show it. parameters: the settings that it asks to change.
    causes, checks: what a known error comes from, and how to tell.
    """

    rule: str
    slug: str
    of: Literal["run", "data"]
    problem: str
    problem_text: str
    severity: Severity
    severity_text: str
    title: str
    message: str
    why: str
    remedy: str
    limits: str
    cause: str
    evidence: tuple[Evidence, ...]
    facts: Mapping[str, Value]
    causes: tuple[str, ...]
    checks: tuple[str, ...]
    parameters: tuple[str, ...]
    sources: tuple[Source, ...]


@dataclass(frozen=True, slots=True)
class CauseEntry:
    """A likely cause: what it means, what speaks for and against it, and the experiment that would decide."""

    name: str
    title: str
    confidence: Literal["high", "medium", "low"]
    confidence_text: str
    meaning: str
    supports: tuple[str, ...]
    against: tuple[str, ...]
    experiment: str
    rules: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ChangeEntry:
    """A suggested change of one setting. first: the one to make first. aside: another finding asks for the opposite, in words."""

    parameter: str
    old: str
    new: str
    trust: Trust
    trust_text: str
    rule: str
    reason: str
    effect: str
    effect_low: float | None
    effect_high: float | None
    first: bool
    aside: str


@dataclass(frozen=True, slots=True)
class Configuration:
    """The configuration ready to copy, with the safe changes made. text is empty where nothing is known and nothing to change.

    form: `yaml`, or that of the configuration that was given. changed: parameters that differ from what was. waiting: changes that
    need a decision, a line each; in YAML they stand in the text as comments. whole: it holds every known setting.
    """

    form: str
    text: str
    note: str
    changed: tuple[str, ...]
    waiting: tuple[str, ...]
    whole: bool


@dataclass(frozen=True, slots=True)
class Example:
    """A record of the training data that shows a finding. where: `file:line`, with the column where one is meant.

    like: the record that it repeats, else empty.
    """

    where: str
    file: str
    line: int
    column: int
    text: str
    like: str
    message: str


@dataclass(frozen=True, slots=True)
class DataFinding:
    """What was found in the training data: the finding, how many records, and some of them."""

    finding: FindingEntry
    count: int
    examples: tuple[Example, ...]


@dataclass(frozen=True, slots=True)
class DataCheck:
    """The check of the training data.

    files: name, kind and counts in a line each. explains: which findings of the run it explains, in words.
    """

    state: State
    sentence: str
    records: int
    good: int
    files: tuple[str, ...]
    health: str
    explains: tuple[str, ...]
    findings: tuple[DataFinding, ...]
    clean: tuple[str, ...]
    not_judged: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """A labelled line: a fact of the run. name: a stable word for it."""

    name: str
    label: str
    value: str


@dataclass(frozen=True, slots=True)
class Checked:
    """Rules of one problem that looked and found nothing."""

    problem: str
    label: str
    rules: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Unjudged:
    """Rules that could not look, all for want of one thing: what it is, how much of it, and how to get them judged."""

    missing: str
    label: str
    to_log: str
    problems: str
    rules: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Decision:
    """How one finding was decided: the detector, its thresholds as they were in force, and when the rule is wrong."""

    rule: str
    title: str
    status: str
    thresholds: Mapping[str, Value]
    thresholds_text: str
    floor: str
    limits: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """This run beside an earlier one. sentence: what became of it, within noise or beyond.

    rows: label, earlier value, this run's value; settings: the same for the settings that differ. gone, stayed, new: rule ids.
    """

    earlier: str
    state: State
    sentence: str
    rows: tuple[tuple[str, str, str], ...]
    settings: tuple[tuple[str, str, str], ...]
    gone: tuple[str, ...]
    stayed: tuple[str, ...]
    new: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Reproduce:
    """What makes the same report again. command: without paths of a machine. log_sha256: empty where the log was a stream."""

    version: str
    command: str
    log: str
    log_sha256: str
    rules: int
    text: str


@dataclass(frozen=True, slots=True)
class Report:
    """A report in one language.

    date: `2026-11-24` or with a time, empty where nothing says it. labels: the headings and words around the content by name,
    in the report's language. source: the log as seen from the folder where the report was asked for, never a path of the machine.
    """

    schema: str
    language: Literal["en", "zh"]
    title: str
    date: str
    date_text: str
    source: str
    reader: str
    objective: str
    axis: Axis
    points: str
    verdict: Verdict
    figures: tuple[Figure, ...]
    lights: tuple[Light, ...]
    charts: tuple[Chart, ...]
    forecast: str
    findings: tuple[FindingEntry, ...]
    causes: tuple[CauseEntry, ...]
    changes: tuple[ChangeEntry, ...]
    conflicts: tuple[str, ...]
    configuration: Configuration
    data: DataCheck | None
    facts: tuple[Entry, ...]
    clean: tuple[Checked, ...]
    clean_text: str
    not_judged: tuple[Unjudged, ...]
    decisions: tuple[Decision, ...]
    decided: tuple[str, ...]
    comparison: Comparison | None
    notes: tuple[str, ...]
    reproduce: Reproduce
    labels: Mapping[str, str]

    def as_dict(self) -> dict[str, Any]:
        """Return the report as plain data for strict JSON: NaN is None, and infinity the text `Infinity`."""
        document = plain(self)
        assert isinstance(document, dict)
        return document


def plain(value: Any) -> Any:
    """Return a value of this module as what strict JSON can hold."""
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, tuple | list):
        return [plain(inner) for inner in value]
    if isinstance(value, np.ndarray):
        return [plain(inner) for inner in value.tolist()]
    if isinstance(value, bool) or value is None or isinstance(value, int):
        return value
    if isinstance(value, float):
        return float(value) if np.isfinite(value) else None if np.isnan(value) else ("Infinity" if value > 0 else "-Infinity")
    return str(value)
