"""Everything that is said of one task: the decision, where its facts come from, and what would change it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from advisor.model import Finding
from advisor.rulebook import Rule
from advisor.suitability.decide import Change, Decision, decide, open_facts, outcomes_of_answers, what_would_change
from advisor.suitability.measure import BaseScore
from advisor.task import Answer, Task

RENEWED: Mapping[str, frozenset[str]] = {
    "prompt-engineering-first": frozenset({"prompting", "prompt_result", "base_score"}),
    "retrieval": frozenset({"retrieval"}),
    "collect-or-clean-data": frozenset({"rows", "raw_tokens", "pairs", "quality", "health", "lengths"}),
}
"""Outcome → facts that are other ones when the question is asked again after it was followed."""


@dataclass(frozen=True)
class Advice:
    """What is said of one task.

    changes: facts that would change the outcome. missing: facts still needed, the next one first; leaves: the outcomes that its
    answers lead to. origins: fact → `measured`, `in_file`, `given` or `asked`. base: what the untrained model scores. defects: what
    is wrong with the data, the gravest first. max_length: tokens the model reads, where that was given.
    """

    decision: Decision
    origins: Mapping[str, str]
    changes: tuple[Change, ...] = ()
    missing: tuple[str, ...] = ()
    leaves: Mapping[str, str] = field(default_factory=dict)
    base: BaseScore | None = None
    data: Path | None = None
    answers: Path | None = None
    defects: tuple[Finding, ...] = ()
    max_length: int | None = None

    def again(self, *, renewed: bool) -> str:
        """Return the options that give the known facts again; with `renewed`, without those that following the advice changes."""
        left_out = RENEWED.get(self.decision.outcome, frozenset()) if renewed else frozenset()
        known = {
            name: value
            for name, value in self.decision.task.known.items()
            if name not in left_out
            and self.origins.get(name) != "in_file"
            and not (self.data and self.origins.get(name) == "measured")
        }
        parts = [f"--answers {self.answers}"] if self.answers else []
        if self.data and not (renewed and "rows" in left_out):
            parts.append(f"--data {self.data}")
        if self.max_length:
            parts.append(f"--max-length {self.max_length}")
        parts += [f"{flag(name)} {_plain(value)}" for name, value in known.items()]
        return "".join(f" {part}" for part in parts)


def flag(name: str) -> str:
    """Return the option of a fact."""
    return f"--{name.replace('_', '-')}"


def _plain(value: Answer) -> str:
    return f"{value:.15g}" if isinstance(value, float) else value


def advise(known: Mapping[str, Answer], origins: Mapping[str, str], rules: Sequence[Rule]) -> Advice:
    """Return what the rules say of a task with these facts."""
    task = Task(known)
    decision = decide(task, rules)
    if decision.outcome:
        return Advice(decision, origins, what_would_change(decision, rules))
    return Advice(decision, origins, (), open_facts(task, rules), outcomes_of_answers(task, decision.missing, rules))
