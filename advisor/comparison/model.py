"""The nouns of a comparison."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from advisor.model import Diagnosis, Value

Kind = Literal["better", "worse", "same", "undecided"]
Basis = Literal["paired", "seeds", "unpaired"]
Axis = Literal["horizontal", "vertical", "seed"]


@dataclass(frozen=True)
class Result:
    """What a run reached by one evaluated quantity.

    best, final: final is the median of the last three evaluations. best_x: where the best one stands on the axis. first: the first
    evaluation. rise: of the final over the best, relative; noise: of one evaluation; evaluations: how many there are.
    """

    series: str
    best: float
    best_x: float
    final: float
    first: float
    rise: float
    noise: float
    evaluations: int


@dataclass(frozen=True)
class Side:
    """One run in a comparison. failed: its loss became something that is no number. NaN where the log does not say."""

    name: str
    diagnosis: Diagnosis
    result: Result | None
    failed: bool
    steps: float
    epochs: float
    seconds: float
    tokens: float

    @property
    def config(self) -> Mapping[str, Value]:
        """The settings of the run."""
        return self.diagnosis.run.config

    @property
    def findings(self) -> tuple[str, ...]:
        """Ids of the rules that fired at warning or above."""
        return tuple(f.rule.id for f in self.diagnosis.findings if f.rule.severity != "info")


@dataclass(frozen=True)
class Verdict:
    """What is said of a run against the baseline.

    reason: a key of the locale. series: what was compared. best, final: relative change, below 0 is better. margin: what the
    change must exceed. basis: what the margin rests on: runs of the same order, several seeds, or neither.
    """

    kind: Kind
    reason: str
    series: str = ""
    best: float = float("nan")
    final: float = float("nan")
    margin: float = float("nan")
    basis: Basis = "unpaired"


@dataclass(frozen=True)
class Pair:
    """A run against the baseline. axis: `horizontal` (another base model, the same data), `vertical` or `seed` (only the seed).

    settings: name → (baseline, run) where they differ, None where one is silent. gone, new: findings.
    """

    baseline: int
    run: int
    axis: Axis
    settings: Mapping[str, tuple[Value | None, Value | None]]
    verdict: Verdict
    gone: tuple[str, ...]
    new: tuple[str, ...]
    assumed: tuple[str, ...] = ()


@dataclass(frozen=True)
class Comparison:
    """Runs, and each of them against the baseline. groups: numbers of runs that differ in their seed alone."""

    sides: tuple[Side, ...]
    pairs: tuple[Pair, ...]
    groups: tuple[tuple[int, ...], ...]
