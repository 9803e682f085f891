"""Sentences: the templates of rules and locale filled with facts, in one language."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

from advisor.locale import strings
from advisor.model import At, Change, Facts, Finding, NotJudged, Point, Run, Term, Value
from advisor.rulebook import Rule


class Words:
    """The words of one run in one language."""

    def __init__(self, language: str, run: Run | None = None) -> None:
        self.language = language
        self.axis = run.axis if run else "step"
        self._strings = strings(language)

    def __call__(self, key: str, **values: object) -> str:  # noqa: D102  the string of this key, filled
        return self._strings[key].format(**values)

    def has(self, key: str) -> bool:
        """Tell whether there is a string of this key."""
        return key in self._strings

    def at(self, x: float) -> str:
        """Return a position on the axis in words: `step 300`."""
        if math.isnan(x):
            return self("at.unknown")
        return self(f"at.{self.axis}", x=f"{x:.0f}" if x == int(x) else f"{x:.4g}")

    def term(self, term: Term) -> str:
        """Return a word in this language; one that the interface does not know stands as it is."""
        return self(f"term.{term}") if self.has(f"term.{term}") else str(term)

    def fill(self, template: str, facts: Facts) -> str:
        """Return `template` with its placeholders filled; positions are put into words first."""
        values = {k: self.at(v) if isinstance(v, At) else self.term(v) if isinstance(v, Term) else v for k, v in facts.items()}
        return template.format(**values)

    def of(self, finding: Finding, key: str) -> str:
        """Return a text of the rule (`title`, `message`, `why` …) filled with what it saw."""
        return self.fill(finding.rule.words[self.language][key], finding.hit.facts)

    def reason(self, change: Change, facts: Facts) -> str:
        """Return why a change is proposed."""
        return self.fill(change.reason[self.language], facts)

    def point(self, point: Point) -> str:
        """Return one piece of evidence: `eval_loss 0.9 at step 300 (line 12)`."""
        line = self("line", line=point.line) if point.line else ""
        if not point.series:
            return line
        text = self("point", series=point.series, value=f"{point.value:.4g}", at=self.at(point.x))
        return text + self("point_line", line=line) if line else text

    def problems(self, rules: Iterable[Rule]) -> str:
        """Return the problems that `rules` are about, each once: `overfitting, divergence`."""
        names = dict.fromkeys(self(f"problem.{rule.problem}") for rule in rules)
        return self("separator").join(names)

    def missing(self, item: NotJudged) -> str:
        """Return what a rule lacked."""
        name = item.missing[0]
        shown = self(f"missing.{name}") if self.has(f"missing.{name}") else name.removeprefix("config:")
        if item.need:
            return self("missing.need", name=shown, need=item.need, have=item.have)
        return self("missing.absent", name=shown)

    def to_log(self, item: NotJudged) -> str:
        """Return what to log next time."""
        name = item.missing[0].removeprefix("config:")
        key = f"log.{name}" if self.has(f"log.{name}") else "log.other"
        return self(key, need=item.need or 5)


def value_text(value: Value | None, unknown: str) -> str:
    """Return a setting as it would be written in a configuration."""
    if value is None:
        return unknown
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:.3g}"
    return str(value)


def notes(run: Run, words: Words) -> list[str]:
    """Return what the reader assumed, in words."""
    texts = [words(f"note.{note}") for note in run.notes]
    if run.axis == "row":
        texts.append(words("note.row-axis"))
    if run.unread_count:
        texts.append(words("unread", count=run.unread_count, line=run.unread[0]))
    return texts


def counts(run: Run) -> Mapping[str, int]:
    """Return how many train and eval points a run has."""
    return {
        "train": len(run.series["train_loss"]) if "train_loss" in run.series else 0,
        "eval": len(run.series["eval_loss"]) if "eval_loss" in run.series else 0,
    }
