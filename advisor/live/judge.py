"""The rule book on a run that is not over: what is new, what no longer holds, and how often a look is afforded."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from advisor.engine import diagnose
from advisor.errors import UnreadableLog
from advisor.model import SEVERITIES, Diagnosis, Facts, Finding, Run, Severity
from advisor.readers import read_path
from advisor.rulebook import Rule

URGENT = frozenset({"non-finite", "zero-loss"})
"""Problems that are looked for at once when a number is none: their rules take a millisecond."""


@dataclass(frozen=True)
class News:
    """What a look showed that had not been said, and the ids of rules that were said and no longer hold."""

    diagnosis: Diagnosis
    new: tuple[Finding, ...]
    gone: tuple[str, ...]


@dataclass
class LiveJudge:
    """Says every finding at or above `least` once. said: rule id → step, as it is restored when a run is resumed."""

    rules: Sequence[Rule]
    least: Severity = "warning"
    said: dict[str, int] = field(default_factory=dict)

    def look(self, run: Run, step: int) -> News:
        """Judge the run as it stands by the whole rule book."""
        diagnosis = diagnose(run, self.rules)
        found = [f for f in diagnosis.findings if at_least(f, self.least)]
        gone = tuple(sorted(self.said.keys() - {f.rule.id for f in found}))
        return News(diagnosis, self._first_said(found, step), gone)

    def look_for_urgent(self, run: Run, step: int) -> News:
        """Judge the run only by the rules about numbers that are none; the others keep what was said of them."""
        diagnosis = diagnose(run, [rule for rule in self.rules if rule.problem in URGENT], ())
        found = [f for f in diagnosis.findings if at_least(f, self.least)]
        return News(diagnosis, self._first_said(found, step), ())

    def forget(self, rule_ids: Iterable[str]) -> None:
        """Let these rules be said again when they hold again."""
        for rule_id in rule_ids:
            self.said.pop(rule_id, None)

    def _first_said(self, found: Sequence[Finding], step: int) -> tuple[Finding, ...]:
        new = tuple(f for f in found if f.rule.id not in self.said)
        self.said.update({f.rule.id: step for f in new})
        return new


def at_least(finding: Finding, severity: Severity) -> bool:
    """Tell whether a finding is at least so grave."""
    return SEVERITIES.index(finding.rule.severity) <= SEVERITIES.index(severity)


def run_in(path: Path, config: Facts) -> Run:
    """Return the run that a log tells of so far: its last one, or one without a point where nothing was logged yet."""
    try:
        return read_path(path)[-1]
    except UnreadableLog:
        return Run(str(path), "advisor-log", {}, config=config)


@dataclass
class Budget:
    """How much time looks may take: a share of the time that passes, and `at_once` seconds at the beginning.

    A look is afforded when what was spent and what it will probably take stay below that.
    """

    share: float
    at_once: float
    clock: Callable[[], float] = time.monotonic
    began: float = field(init=False)
    spent: float = 0.0
    last: float = 0.0

    def __post_init__(self) -> None:
        self.began = self.clock()

    def affords(self) -> bool:
        """Tell whether there is time for a look that takes as long as the one before it."""
        return self.spent + self.last <= self.at_once + self.share * (self.clock() - self.began)

    def took(self, seconds: float) -> None:
        """Count a look."""
        self.spent += seconds
        self.last = seconds
