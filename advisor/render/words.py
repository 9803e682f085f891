"""Sentences: the templates of rules and locale filled with facts, in one language."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING

from advisor.locale import strings
from advisor.model import (
    SEVERITIES,
    At,
    Cause,
    Change,
    Clue,
    Conflict,
    Cost,
    Diagnosis,
    Facts,
    Finding,
    Forecast,
    NotJudged,
    NotMeasurable,
    Outlook,
    Point,
    Run,
    Term,
    Value,
)  # fmt: skip
from advisor.rulebook import Rule

if TYPE_CHECKING:
    from advisor.engine import Examination

LEAST_HOURS = 0.1
"""A shorter run is not worth a word, unless a price is given."""

SAME_LENGTH = 0.02
"""Runs whose lengths differ by less take equally long."""

MINUTE = 60.0

LARGE = 1e4
"""A position from here on is said to the unit: four digits of it would need an exponent."""


class Words:
    """The words of one run in one language; topics are further files of strings that a command needs."""

    def __init__(self, language: str, run: Run | None = None, *topics: str) -> None:
        self.language = language
        self.axis = run.axis if run else "step"
        self._strings = {**strings(language)}
        for topic in topics:
            self._strings |= strings(language, topic)

    def __call__(self, key: str, **values: object) -> str:  # noqa: D102  the string of this key, filled
        return self._strings[key].format(**values)

    def has(self, key: str) -> bool:
        """Tell whether there is a string of this key."""
        return key in self._strings

    def at(self, x: float) -> str:
        """Return a position on the axis in words: `step 300`."""
        if math.isnan(x):
            return self("at.unknown")
        return self(f"at.{self.axis}", x=f"{x:.0f}" if x == int(x) or abs(x) >= LARGE else f"{x:.4g}")

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

    def clues(self, clues: Iterable[Clue]) -> tuple[str, ...]:
        """Return what speaks for or against a cause, each once: one fact may speak with two weights."""
        return tuple(dict.fromkeys(self.fill(clue.words[self.language], clue.facts) for clue in clues))

    def cause(self, cause: Cause) -> str:
        """Return a cause in one line with its confidence."""
        return self("cause_line", title=cause.words[self.language]["title"], confidence=self(f"confidence.{cause.confidence}"))

    def conflict(self, conflict: Conflict) -> str:
        """Return why one of two contradicting changes was set aside."""
        aside, unknown = conflict.aside, self("unknown")
        old, new = value_text(aside.old, unknown), value_text(aside.new, unknown)
        return self("conflict", parameter=aside.name, old=old, new=new, rule=aside.rule)

    def effect(self, change: Change) -> str:
        """Return what a change is expected to bring."""
        if change.effect is None:
            return self("effect.direction")
        return self(f"effect.{change.effect.basis}", low=change.effect.low, high=change.effect.high)

    def point(self, point: Point) -> str:
        """Return one piece of evidence: `eval_loss 0.9 at step 300 (line 12)`."""
        line = self("line", line=point.line) if point.line else ""
        if not point.series:
            return line if math.isnan(point.x) else self("point_event", line=line or self("event"), at=self.at(point.x))
        text = self("point", series=point.series, value=number_text(point.value), at=self.at(point.x))
        return text + self("point_line", line=line) if line else text

    def duration(self, seconds: float) -> str:
        """Return a time as it is read: `1 h 12 min`, `45 s`; empty where there is none."""
        if not math.isfinite(seconds) or seconds <= 0:
            return ""
        hours, minutes = divmod(round(seconds / MINUTE), 60)
        if hours:
            return self("duration.hours" if minutes else "duration.whole_hours", hours=hours, minutes=minutes)
        if seconds >= 2 * MINUTE:
            return self("duration.minutes", minutes=minutes)
        return self("duration.seconds", seconds=f"{seconds:.3g}")

    def floor(self, series: str, count: int) -> str:
        """Return how many points of a series a rule judges from at least."""
        return self("evidence_point" if count == 1 else "evidence_points", series=series, count=count)

    def problems(self, rules: Iterable[Rule], most: int | None = None) -> str:
        """Return the problems that `rules` are about, each once: `overfitting, divergence`; with `most`, only so many and `…`."""
        names = list(dict.fromkeys(self(f"problem.{rule.problem}") for rule in rules))
        shown = self("separator").join(names[:most])
        return shown + " …" if most is not None and len(names) > most else shown

    def forecast(self, forecast: Forecast | NotMeasurable | None) -> str:
        """Return where the run will end, and with twice the epochs; or why that cannot be said."""
        if forecast is None:
            return ""
        if isinstance(forecast, NotMeasurable):
            return self("forecast.abstained", reason=self.missing(forecast))
        series = self("curve.eval_loss" if forecast.series == "eval_loss" else "curve.train_loss")
        coverage = f"{forecast.coverage:.0%}"
        said = [] if forecast.finished else [
            self("forecast.planned", series=series, at=self.at(forecast.at), coverage=coverage, **_numbers(forecast.end))
        ]  # fmt: skip
        for longer in forecast.longer:
            if longer.factor == 2:  # noqa: PLR2004  the length that is said; the others stand in the JSON
                more = {"series": series, "coverage": coverage, "end": f"{forecast.end.value:.4g}"} if forecast.finished else {}
                key = "forecast.finished" if forecast.finished else "forecast.longer"
                said.append(self(key, **more, **_numbers(longer)))
        return " ".join(said)

    def cost(self, cost: Cost | None) -> str:
        """Return what the run took, how much of it after its best evaluation, and what the next one will take."""
        if cost is None or (cost.hours < LEAST_HOURS and math.isnan(cost.price)):
            return ""
        said = self("cost.hours", hours=self._hours(cost.hours, cost.price))
        if cost.after_best > 0:
            said += self("clause") + self("cost.after_best", hours=self._hours(cost.after_best, cost.price))
        if not math.isclose(cost.next_try, cost.hours, rel_tol=SAME_LENGTH):
            said += self("clause") + self("cost.next", hours=self._hours(cost.next_try, cost.price))
        return said + self("stop")

    def health(self, examination: Examination) -> str:
        """Return the share of a dataset's rows without a fault; empty where it cannot be told."""
        try:
            health = examination.measured["health"]
        except NotMeasurable:
            return ""
        return self("health", normal=health.normal, of=health.of, share=health.normal / max(health.of, 1))

    def _hours(self, hours: float, price: float) -> str:
        text = f"{hours:.2g}" if hours < 10 else f"{hours:.0f}"  # noqa: PLR2004  two digits
        return text if math.isnan(price) else self("cost.money", hours=text, money=f"{hours * price:,.2f}")

    def name_of(self, item: NotJudged | NotMeasurable) -> str:
        """Return the name of what a rule lacked."""
        name = item.missing[0].removeprefix("config:")
        return self(f"missing.{name}") if self.has(f"missing.{name}") else name

    def missing(self, item: NotJudged | NotMeasurable) -> str:
        """Return what a rule lacked, and how many of it where there were some."""
        shown = self.name_of(item)
        if item.missing[0].startswith("forecast:"):
            return shown
        if item.need:
            return self("missing.need", name=shown, need=item.need, have=item.have)
        return self("missing.absent", name=shown)

    def to_log(self, item: NotJudged) -> str:
        """Return what to log next time."""
        name = item.missing[0].removeprefix("config:")
        other = "log.other" if name == item.missing[0] else "log.setting"
        key = f"log.{name}" if self.has(f"log.{name}") else other
        return self(key, need=item.need or 5, name=name)


def _numbers(outlook: Outlook) -> dict[str, str]:
    return {name: f"{getattr(outlook, name):.4g}" for name in ("value", "low", "high")}


def number_text(value: float) -> str:
    """Return a number in four digits; what is none as frameworks name it."""
    return "NaN" if math.isnan(value) else f"{value:.4g}"


def value_text(value: Value | None, unknown: str) -> str:
    """Return a setting as it would be written in a configuration."""
    if value is None:
        return unknown
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:.3g}"
    return str(value)


IN_FULL = 3
"""Up to so many runs are shown in full; of more, a table and the gravest one."""


def gravest(diagnoses: Sequence[Diagnosis]) -> Diagnosis:
    """Return the first of the diagnoses whose gravest finding is gravest."""
    return min(diagnoses, key=lambda d: min((SEVERITIES.index(f.rule.severity) for f in d.findings), default=len(SEVERITIES)))


def short_sources(diagnoses: Sequence[Diagnosis]) -> list[str]:
    """Return where each run comes from, without the folders and the file name that all of them share."""
    parts = [Path(diagnosis.run.source).parts for diagnosis in diagnoses]
    begin = _shared(parts)
    end = _shared([path[:begin:-1] for path in parts])
    return [str(Path(*(path[begin : len(path) - end] or path[-1:]))) for path in parts]


def _shared(paths: Sequence[Sequence[str]]) -> int:
    """Return how many parts from the beginning are the same in all paths."""
    return sum(1 for _ in takewhile(lambda parts: len(set(parts)) == 1, zip(*paths, strict=False)))


def verdict_counts(diagnoses: Sequence[Diagnosis], words: Words) -> str:
    """Return how many runs got each verdict, the most frequent first: `12 healthy, 3 overfitting`."""
    counted = Counter(diagnosis.verdict for diagnosis in diagnoses).most_common()
    return words("separator").join(words("verdict_counts", count=n, problem=words(f"problem.{verdict}")) for verdict, n in counted)


def outlook(diagnosis: Diagnosis, words: Words) -> str:
    """Return where the run will end; nothing where that cannot be said, which stands in the JSON, or a finding says it."""
    said = any("forecast" in finding.hit.facts for finding in diagnosis.findings)
    return words.forecast(diagnosis.forecast) if isinstance(diagnosis.forecast, Forecast) and not said else ""


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
        kind: run.series[name].summary().points if name in run.series else 0
        for kind, name in (("train", "train_loss"), ("eval", "eval_loss"))
    }
