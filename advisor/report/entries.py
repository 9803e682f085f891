"""Findings, causes, changes, what is clean and what could not be judged: the diagnosis put into a report's words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Literal

from advisor.model import SEVERITIES, Cause, Diagnosis, Finding, NotJudged
from advisor.render.words import Words, value_text
from advisor.report.model import Action, CauseEntry, ChangeEntry, Checked, Decision, Evidence, FindingEntry, Source, Unjudged
from advisor.rulebook import Rule


def finding_entry(finding: Finding, words: Words, causes: Sequence[Cause] = (), of: Literal["run", "data"] = "run") -> FindingEntry:
    """Return one finding in words."""
    rule, hit = finding.rule, finding.hit
    cause = next((c.words[words.language]["title"] for c in causes if rule.id in c.findings), "")
    lists = rule.lists[words.language]
    return FindingEntry(
        rule=rule.id, slug=rule.slug, of=of, problem=rule.problem, problem_text=words(f"problem.{rule.problem}"),
        severity=rule.severity, severity_text=words(f"severity.{rule.severity}"),
        title=words.of(finding, "title"), message=words.of(finding, "message"), why=words.of(finding, "why"),
        remedy=words.of(finding, "remedy"), limits=words.of(finding, "limits"), cause=cause,
        evidence=tuple(Evidence(words.point(p), p.series, p.x, p.value, p.line) for p in hit.evidence),
        facts=dict(hit.facts), causes=tuple(lists["causes"]), checks=tuple(lists["checks"]),
        parameters=tuple(change.name for change in finding.changes),
        sources=tuple(Source(s.title, s.says[words.language], s.url) for s in rule.sources),
    )  # fmt: skip


def cause_entry(cause: Cause, words: Words) -> CauseEntry:
    """Return one cause in words."""
    own = cause.words[words.language]
    return CauseEntry(
        cause.name, own["title"], cause.confidence, words(f"confidence.{cause.confidence}"), own["meaning"],
        words.clues(cause.supports), words.clues(cause.against), own["experiment"], cause.findings,
    )  # fmt: skip


def change_entries(diagnosis: Diagnosis, action: Action, words: Words) -> tuple[ChangeEntry, ...]:
    """Return the suggested changes, the most important first; where `action` is one of them, that one."""
    facts = {f.rule.id: f.hit.facts for f in diagnosis.findings}
    unknown = words("unknown")
    aside = {c.chosen.parameter: words.conflict(c) for c in diagnosis.conflicts}
    entries = (
        ChangeEntry(
            parameter=c.name, old=value_text(c.old, unknown), new=value_text(c.new, unknown), trust=c.trust,
            trust_text=words(f"trust.{c.trust}"), rule=c.rule, reason=words.reason(c, facts[c.rule]), effect=words.effect(c),
            effect_low=c.effect.low if c.effect else None, effect_high=c.effect.high if c.effect else None,
            first=action.kind == "change" and c is diagnosis.first_change, aside=aside.get(c.parameter, ""),
        )
        for c in diagnosis.changes
    )  # fmt: skip
    return tuple(sorted(entries, key=lambda entry: not entry.first))


def checked(clean: Sequence[Rule], words: Words) -> tuple[Checked, ...]:
    """Return the rules that found nothing, by problem."""
    by_problem: dict[str, list[str]] = {}
    for rule in clean:
        by_problem.setdefault(rule.problem, []).append(rule.id)
    return tuple(Checked(problem, words(f"problem.{problem}"), tuple(ids)) for problem, ids in by_problem.items())


def unjudged(items: Sequence[NotJudged], words: Words) -> tuple[Unjudged, ...]:
    """Return what could not be judged, by what it lacks: first what the gravest and the most rules wait for."""
    ordered = sorted(items, key=lambda n: (n.missing[0], -n.need))
    groups = [list(group) for _, group in groupby(ordered, key=lambda n: n.missing[0])]
    groups.sort(key=lambda same: (min(SEVERITIES.index(n.rule.severity) for n in same), -len(same)))
    return tuple(
        Unjudged(
            same[0].missing[0], words.missing(same[0]), words.to_log(same[0]), words.problems(n.rule for n in same),
            tuple(n.rule.id for n in same),
        )
        for same in groups
    )  # fmt: skip


def decisions(findings: Iterable[Finding], words: Words) -> tuple[Decision, ...]:
    """Return how each finding was decided: once for each rule."""
    rules = dict.fromkeys(f.rule.id for f in findings)
    first = {id_: next(f for f in findings if f.rule.id == id_) for id_ in rules}
    return tuple(_decision(finding, words) for finding in first.values())


def _decision(finding: Finding, words: Words) -> Decision:
    rule = finding.rule
    shown = words("separator").join(f"{name} = {value_text(value, '')}" for name, value in rule.thresholds.items())
    floor = words("separator").join(words.floor(name, count) for name, count in rule.evidence.items())
    return Decision(
        rule.id, words.of(finding, "title"), rule.status, dict(rule.thresholds), shown, floor, words.of(finding, "limits")
    )
