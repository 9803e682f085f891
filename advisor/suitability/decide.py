"""Facts × rule book → outcome.

The rules stand in one line, by their `order`. The first that fires with an outcome decides; what a rule before it lacks is the next
thing to ask for. Rules that argue for `training` are reasons to train at all: where none of them fires, a rule in the line says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from advisor.engine import judge
from advisor.errors import BadRule
from advisor.model import Finding, Hit, NotJudged, NotMeasurable
from advisor.rulebook import Rule, load
from advisor.signals.registry import Lazy
from advisor.task import FACTS, Answer, Task

STAY = ("prompt-engineering-first", "retrieval", "collect-or-clean-data")
TRAIN = (
    "fine-tune-lora", "fine-tune-full", "continued-pretraining-then-fine-tune", "make-supervised-mix-fine-tune",
    "preference-tuning",
)  # fmt: skip
OUTCOMES = (*STAY, *TRAIN)
"""The closed vocabulary of outcomes."""

REASON, NOTE = "training", "note"
"""What a rule may argue for beside an outcome: for training at all, or for something to mind."""


def task_rules(folders: Sequence[Path] = (), config: Mapping[str, Any] | None = None) -> tuple[Rule, ...]:
    """Return the rules about tasks. Raises BadRule where one does not say what it argues for, and in which order."""
    rules = load(folders, config, subject="task")
    allowed = (*OUTCOMES, REASON, NOTE)
    for rule in rules:
        argues = rule.thresholds.get("argues")
        if argues not in allowed or "order" not in rule.thresholds:
            raise BadRule(
                f"{rule.path}: {rule.id} argues for {argues!r}; expected `order`, and `argues`, one of {', '.join(allowed)}"
            )
    return rules


class TaskMeasurements(Lazy):
    """What detectors may ask for about a task: the facts, and which reasons to train apply by the rules given."""

    def __init__(self, task: Task, rules: Iterable[Rule]) -> None:
        super().__init__()
        self.task = task
        self.reason_rules = tuple(rule for rule in rules if rule.thresholds["argues"] == REASON)

    def _measure(self, name: str) -> Any:
        if name == "task":
            return self.task
        if name == "reasons":
            return self._reasons()
        raise NotMeasurable(name)

    def _reasons(self) -> tuple[str, ...]:
        """Return the ids of the reasons to train that apply; whether another applies is not asked where one does."""
        verdicts = [(rule, judge(rule, self)) for rule in _in_order(self.reason_rules)]
        found = tuple(rule.id for rule, verdict in verdicts if isinstance(verdict, Hit))
        for _, verdict in verdicts:
            if isinstance(verdict, NotJudged) and not found:
                raise NotMeasurable(*verdict.missing)
        return found

    @property
    def is_reasoned(self) -> bool:
        """Whether a reason to train is known to apply."""
        try:
            return bool(self["reasons"])
        except NotMeasurable:
            return False

    def points(self, name: str) -> int | None:
        """Tasks have no points."""
        return None if name else 0


@dataclass(frozen=True, slots=True)
class Change:
    """A fact that would change the outcome: its other answer, and the outcome then, or the fact that would then be missing."""

    fact: str
    answer: Answer
    outcome: str
    missing: str = ""


@dataclass(frozen=True, slots=True)
class Decision:
    """What is advised for a task.

    outcome: one of OUTCOMES, or empty where `missing`, the fact to ask for next, is needed first. deciding: the rules that
    argue for it, the one that decided first. reasons: why to train at all. also: what would be in the way next.
    notes: what to mind.
    """

    task: Task
    outcome: str
    missing: str = ""
    deciding: tuple[Finding, ...] = ()
    reasons: tuple[Finding, ...] = ()
    also: tuple[Finding, ...] = ()
    notes: tuple[Finding, ...] = ()

    @property
    def trains(self) -> bool:
        """Whether the outcome is a kind of training."""
        return self.outcome in TRAIN


def _in_order(rules: Iterable[Rule]) -> list[Rule]:
    return sorted(rules, key=lambda rule: (rule.thresholds["order"], rule.id))


def decide(task: Task, rules: Sequence[Rule]) -> Decision:
    """Return what is advised, or which fact is needed first."""
    measured = TaskMeasurements(task, rules)
    fired: list[Finding] = []
    outcome = ""
    for rule in _in_order(rule for rule in rules if rule.thresholds["argues"] in OUTCOMES):
        verdict = judge(rule, measured)
        if isinstance(verdict, NotJudged) and not outcome:
            return Decision(task, "", verdict.missing[0])
        if isinstance(verdict, Hit):
            outcome = outcome or str(rule.thresholds["argues"])
            fired.append(Finding(rule, verdict))
    if not outcome:
        raise BadRule("no rule in force decides; take the rules of the family suitability out of [ignore] in advisor.toml")
    same = [finding for finding in fired if finding.rule.thresholds["argues"] == outcome]
    reasons, notes = (_fired(rules, argues, measured) if outcome in TRAIN else () for argues in (REASON, NOTE))
    return Decision(task, outcome, "", tuple(same), reasons, _hurdles(fired, outcome), notes)


def _hurdles(fired: Sequence[Finding], outcome: str) -> tuple[Finding, ...]:
    """Return what would decide next if the outcome's own reasons fell away. Ways to train say nothing beside another way."""
    return tuple(f for f in fired if f.rule.thresholds["argues"] in STAY and f.rule.thresholds["argues"] != outcome)


def _fired(rules: Iterable[Rule], argues: str, measured: TaskMeasurements) -> tuple[Finding, ...]:
    found = ((rule, judge(rule, measured)) for rule in _in_order(rules) if rule.thresholds["argues"] == argues)
    return tuple(Finding(rule, verdict) for rule, verdict in found if isinstance(verdict, Hit))


def alternatives(name: str, rules: Iterable[Rule]) -> tuple[Answer, ...]:
    """Return the answers to a fact that could make a difference: its values, or for a number each threshold and just below it."""
    fact = FACTS[name]
    if not fact.is_number:
        return fact.values
    numbers = {
        float(value)
        for rule in rules
        for key, value in rule.thresholds.items()
        if key != "order" and isinstance(value, int | float) and not isinstance(value, bool)
    }
    step = 1.0 if fact.most > 1 else 0.01
    return tuple(sorted(v for v in numbers | {n - step for n in numbers} | {0.0} if 0 <= v <= fact.most))


def what_would_change(decision: Decision, rules: Sequence[Rule]) -> tuple[Change, ...]:
    """Return the single facts that would change the outcome, found by deciding again with each of them changed.

    Of a number the nearest value is given for each other outcome.
    """
    changes: list[Change] = []
    for name, now in decision.task.known.items():
        seen: dict[str, Change] = {}
        others = [answer for answer in alternatives(name, rules) if answer != now]
        if isinstance(now, float):
            others.sort(key=lambda answer: abs(float(answer) - now))
        for answer in others:
            new = decide(decision.task.with_answer(name, answer), rules)
            if new.outcome != decision.outcome:
                seen.setdefault(new.outcome or new.missing, Change(name, answer, new.outcome, new.missing))
        changes += seen.values()
    return tuple(changes)


def open_facts(task: Task, rules: Sequence[Rule]) -> tuple[str, ...]:
    """Return the facts that rules still lack: the one that is needed next, then those that may be needed after it."""
    measured = TaskMeasurements(task, rules)
    lacking = dict.fromkeys(filter(None, (decide(task, rules).missing,)))
    settled = (NOTE, REASON) if measured.is_reasoned else (NOTE,)
    for rule in _in_order(rule for rule in rules if rule.thresholds["argues"] not in settled):
        verdict = judge(rule, measured)
        if lacking and isinstance(verdict, NotJudged):
            lacking |= dict.fromkeys(verdict.missing)
    return tuple(lacking)


def outcomes_of_answers(task: Task, name: str, rules: Sequence[Rule]) -> Mapping[str, str]:
    """Return for each answer to a fact that is not known the outcome then; empty where another fact would be needed."""
    return {str(a): decide(task.with_answer(name, a), rules).outcome for a in FACTS[name].values}
