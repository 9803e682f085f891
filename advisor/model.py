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
Trust = Literal["safe", "try", "ask"]
Value = float | int | str | bool
Facts = Mapping[str, Value]

PROBLEMS = (
    "healthy", "overfitting", "underfitting", "divergence", "instability", "plateau", "non-finite", "zero-loss",
    "schedule", "data", "throughput", "crash", "unjudgeable",
)  # fmt: skip
"""The closed vocabulary of verdicts."""


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
    """

    kind: str
    line: int
    text: str
    x: float = float("nan")
    final: bool = True


@dataclass(frozen=True, slots=True)
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


@dataclass(frozen=True, slots=True)
class Hit:
    """What a detector saw: the numbers for the rule's sentences, and the points or the records that show it."""

    facts: Facts
    evidence: tuple[Point, ...] = ()
    places: tuple[Place, ...] = ()


@dataclass(frozen=True, slots=True)
class Change:
    """One concrete edit of the training configuration.

    old is None where neither the log nor a configuration says what was set.
    """

    parameter: str
    old: Value | None
    new: Value
    trust: Trust
    rule: str
    reason: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Finding:
    """A rule that fired: the rule itself (words, sources), what it saw, and what to change."""

    rule: Rule
    hit: Hit
    changes: tuple[Change, ...] = ()


@dataclass(frozen=True, slots=True)
class NotJudged:
    """A rule that could not look: which series or settings it lacks, or how many points it has and needs."""

    rule: Rule
    missing: tuple[str, ...]
    need: int = 0
    have: int = 0


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """Everything the rule book says about one run.

    verdict: one word of `PROBLEMS`. clean: rules that looked and found nothing.
    changes: the findings' changes merged to at most one for each parameter, most important first.
    """

    run: Run
    verdict: str
    objective: str
    findings: tuple[Finding, ...]
    clean: tuple[Rule, ...]
    not_judged: tuple[NotJudged, ...]
    changes: tuple[Change, ...]
