"""The nouns of the diagnosis: what readers produce, what rules judge, what renderers print.

Every class is a frozen value. A `Run` is what a log says; a `Finding` is what a rule says about it; an `Analysis` is the answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from advisor.rulebook import Rule

FloatArray = np.ndarray[tuple[int], np.dtype[np.float64]]

Severity = Literal["error", "warning", "info"]
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "info")
"""From the gravest to the lightest; the order in which findings are printed."""


class At(float):
    """A number that is a position on the run's axis; printed as `step 300`, `epoch 2.5` or `row 12`."""


class Term(str):
    """A word that the interface says in its own language: `role-order.start` is printed as the locale's `term.` of it."""

    __slots__ = ()


Axis = Literal["step", "epoch", "row"]
Confidence = Literal["high", "medium", "low"]
Trust = Literal["safe", "try", "ask"]
Value = float | int | str | bool
Facts = Mapping[str, Value]

PROBLEMS = (
    "healthy", "overfitting", "underfitting", "divergence", "instability", "plateau", "non-finite", "zero-loss",
    "schedule", "data", "generation", "throughput", "crash", "suitability", "unjudgeable",
)  # fmt: skip
"""The closed vocabulary of verdicts."""

CAUSES = (
    "learning_rate_too_high", "learning_rate_too_low", "no_warmup", "schedule_anomaly", "too_many_epochs", "too_little_data",
    "too_few_steps", "duplicated_data", "data_stuck", "noisy_labels", "corrupt_targets", "tokenizer_mismatch", "labels_masked",
    "truncation", "loss_on_prompt", "bad_batch", "unshuffled_data", "eval_leak", "eval_mismatch", "batch_too_small",
    "batch_too_large", "accumulation_bug", "precision_overflow", "nothing_trainable", "optimizer_ineffective",
    "optimizer_state_lost", "unclipped_gradient", "zero_grad_missing", "weight_decay_too_high", "dropout_too_high", "rank_too_low",
    "task_too_hard", "data_quality", "input_error", "resources",
)  # fmt: skip
"""The closed vocabulary of causes."""


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """One logged quantity over a run: parallel arrays, in the order of `x`.

    values: the numbers as logged; NaN and infinity are kept.
    x: position on the run's axis (optimizer step, epoch, or row number; see `Run.axis`).
    epoch: passes over the data at that point, NaN where the log does not say.
    line: line of the file the number stands on, counted from 1; 0 where it stands on none.
    unit: `nats` for a mean loss, `perplexity`, `bits` (per byte or per character) or empty for other quantities.
    """

    name: str
    values: FloatArray
    x: FloatArray
    epoch: FloatArray
    line: np.ndarray[tuple[int], np.dtype[np.int64]]
    unit: str = ""

    def __len__(self) -> int:
        return len(self.values)

    def take(self, which: np.ndarray[tuple[int], np.dtype[np.bool_]] | slice) -> Series:
        """Return the points that `which` selects, as a series of the same name."""
        return Series(self.name, self.values[which], self.x[which], self.epoch[which], self.line[which], self.unit)

    @property
    def finite(self) -> Series:
        """The points whose value is a finite number."""
        good = np.isfinite(self.values)
        return self if bool(good.all()) else self.take(good)

    def point(self, index: int) -> Point:
        """Return the point at `index` as evidence."""
        return Point(self.name, float(self.x[index]), float(self.values[index]), int(self.line[index]))

    def summary(self) -> Summary:
        """Return the figures that say what was logged. The series is not empty."""
        finite = self.finite.values
        return Summary(
            points=len(self),
            finite=len(finite),
            first=float(self.values[0]),
            last=float(self.values[-1]),
            lowest=float(np.min(finite)) if len(finite) else None,
            highest=float(np.max(finite)) if len(finite) else None,
            begin=float(self.x[0]),
            end=float(self.x[-1]),
        )


@dataclass(frozen=True)
class Summary:
    """A series in a few figures: its counts, values, extremes of what is finite, and where on the axis it begins and ends."""

    points: int
    finite: int
    first: float
    last: float
    lowest: float | None
    highest: float | None
    begin: float
    end: float


@dataclass(frozen=True, slots=True, eq=False)
class Thinned(Series):
    """A judged series with the points that a drawing needs; its summary is that of the whole series."""

    whole: Summary | None = None

    def summary(self) -> Summary:
        """Return the figures of the whole series."""
        assert self.whole is not None
        return self.whole


@dataclass(frozen=True, slots=True)
class Point:
    """One logged value, as evidence: where it stands on the axis and on which line of the file."""

    series: str
    x: float
    value: float
    line: int


@dataclass(frozen=True, slots=True)
class Event:
    """A line of the log that is a fact but not a number: an error, a checkpoint, an interruption.

    x: where the last measurement before it stands; NaN where there is none. final: no measurement follows it.
    count: how many lines it stands for: of very many of one kind, those in the middle are only counted.
    """

    kind: str
    line: int
    text: str
    x: float = float("nan")
    final: bool = True
    count: int = 1


@dataclass(frozen=True)
class Run:
    """What one training run left in a log.

    axis: what `Series.x` counts: `step`, `epoch`, or `row` where the log names neither.
    config: hyper-parameters by their transformers names, as far as the log or a given configuration says.
    unread: numbers of the lines that look like measurements and could not be read (the first hundred).
    notes: keys of `locale` sentences about what the reader assumed.
    """

    source: str
    reader: str
    series: Mapping[str, Series]
    axis: Axis = "step"
    events: tuple[Event, ...] = ()
    config: Facts = field(default_factory=dict)
    unread: tuple[int, ...] = ()
    unread_count: int = 0
    notes: tuple[str, ...] = ()


class NotMeasurable(Exception):
    """A signal cannot be computed: a series is absent or too short. Never an error, always said in the answer."""

    def __init__(self, *missing: str, need: int = 0, have: int = 0) -> None:
        super().__init__(", ".join(missing))
        self.missing = missing
        self.need = need
        self.have = have


class NotApplicable(NotMeasurable):
    """A signal has no meaning for this run, such as a place that comes back in a run of one pass: there is nothing to say."""


@dataclass(frozen=True, slots=True)
class Place:
    """A place in a dataset, as evidence: a record and the text in it that shows what was found.

    line: from 1; the row number in files without lines. column: in characters from 1, 0 where it is the whole record.
    offset: in bytes from the beginning of the decompressed file, -1 where it has none. excerpt: the text around the place,
    caret: the character of it that is meant. facts: what the rule's message says about this record.
    """

    source: str
    line: int
    column: int = 0
    offset: int = -1
    excerpt: str = ""
    caret: int = 0
    facts: Facts = field(default_factory=dict)


@dataclass(frozen=True)
class Hit:
    """What a detector saw: the numbers for the rule's sentences, and the points or the records that show it."""

    facts: Facts
    evidence: tuple[Point, ...] = ()
    places: tuple[Place, ...] = ()


@dataclass(frozen=True)
class Effect:
    """What a change is expected to do to the evaluation loss: an interval of relative change (below 0 is better).

    basis: `measured` in this run, or `sweep`, from published sweeps.
    """

    low: float
    high: float
    basis: Literal["measured", "sweep"]


@dataclass(frozen=True)
class Change:
    """One concrete edit of the training configuration.

    old is None where neither the log nor a configuration says what was set. effect is None where only the direction is known.
    name: what the tool that wrote the log calls `parameter`, which is its transformers name.
    """

    parameter: str
    old: Value | None
    new: Value
    trust: Trust
    rule: str
    reason: Mapping[str, str]
    effect: Effect | None = None
    name: str = ""

    def __post_init__(self) -> None:
        if not self.name:
            object.__setattr__(self, "name", self.parameter)


@dataclass(frozen=True)
class Finding:
    """A rule that fired: the rule itself (words, sources), what it saw, and what to change."""

    rule: Rule
    hit: Hit
    changes: tuple[Change, ...] = ()


@dataclass(frozen=True)
class NotJudged:
    """A rule that could not look: which series or settings it lacks, or how many points it has and needs."""

    rule: Rule
    missing: tuple[str, ...]
    need: int = 0
    have: int = 0


@dataclass(frozen=True)
class Clue:
    """One fact that speaks for a cause (weight above 0) or against it; finding is the rule that saw it, or empty."""

    weight: float
    words: Mapping[str, str]
    facts: Facts
    finding: str


@dataclass(frozen=True)
class Cause:
    """What most likely made the symptoms: odds is the base-2 logarithm of the odds that it is so.

    words: title, meaning, and the cheapest experiment that would decide, by language. parameters: what mends it, the best first.
    """

    name: str
    words: Mapping[str, Mapping[str, str]]
    odds: float
    confidence: Confidence
    supports: tuple[Clue, ...]
    against: tuple[Clue, ...]
    parameters: tuple[str, ...] = ()

    @property
    def findings(self) -> tuple[str, ...]:
        """Ids of the findings that this cause explains."""
        return tuple(clue.finding for clue in self.supports if clue.finding)


@dataclass(frozen=True)
class Conflict:
    """Two changes of one parameter that cannot both be made: the one chosen, and the one set aside."""

    chosen: Change
    aside: Change


@dataclass(frozen=True)
class Outlook:
    """A forecast loss: the median, and the ends of the interval. factor: length of the run, in lengths of the planned one."""

    factor: float
    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Forecast:
    """Where a loss will be at the planned end of a run, and at the end of a longer one under the same schedule stretched.

    series: which loss. at: the planned end on the axis. end: the loss there, whose interval is to hold it with the probability
    `coverage`. longer: the same for longer runs, none where the log cannot say. now: the fitted loss at the last logged point.
    noise: of a logged value around the curve. finished: `at` is reached. fitted_points: logged values that were fitted.
    """

    series: str
    at: float
    end: Outlook
    longer: tuple[Outlook, ...]
    coverage: float
    now: float
    noise: float
    finished: bool
    fitted_points: int


@dataclass(frozen=True)
class Cost:
    """What a run took, in hours of one device, and what the next one will take. NaN: the log does not say.

    hours: of the whole run so far. after_best: of these, those after the earliest evaluation that is as good as the best.
    next_try: of the whole next run, with the proposed changes of its length. price: of one device-hour, where the user gave it.
    """

    hours: float
    devices: float
    after_best: float
    next_try: float
    price: float


@dataclass(frozen=True)
class Diagnosis:
    """Everything the rule book says about one run.

    verdict: one word of `PROBLEMS`. clean: rules that looked and found nothing.
    causes: what made the symptoms, the likeliest first. changes: the findings' changes merged to at most one for each parameter,
    most important first; first_change: the one to make first; conflicts: changes that contradict a chosen one.
    forecast: where the run will end, or why that cannot be said. cost: None where no times were logged.
    """

    run: Run
    verdict: str
    objective: str
    findings: tuple[Finding, ...]
    clean: tuple[Rule, ...]
    not_judged: tuple[NotJudged, ...]
    changes: tuple[Change, ...]
    causes: tuple[Cause, ...] = ()
    first_change: Change | None = None
    conflicts: tuple[Conflict, ...] = ()
    forecast: Forecast | NotMeasurable | None = None
    cost: Cost | None = None
