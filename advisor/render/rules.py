"""Pages of the rule book, always under the same headings: what it sees, why it matters, what to do, when it is wrong, source."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from advisor.causes import CauseRule, Evidence
from advisor.render.words import Words
from advisor.rulebook import Rule

_PLACEHOLDER = re.compile(r"\{(\w+)[^{}]*\}")


def plain(template: str) -> str:
    """Return a template for reading: placeholders as ‹name›, doubled braces as single ones."""
    return _PLACEHOLDER.sub(r"‹\1›", template.replace("{{", "\0").replace("}}", "\1")).replace("\0", "{").replace("\1", "}")


def page(rule: Rule, language: str) -> str:
    """Return the page of one rule as Markdown, which reads well at a terminal too."""
    words, text = Words(language), rule.words[language]
    kind = f"{words(f'severity.{rule.severity}')} · {words(f'problem.{rule.problem}')}"
    head = f"{kind} · {words('status')}: {rule.status} · {rule.since}"
    blocks = [f"## {rule.id} {rule.slug}: {text['title']}", head]
    for heading, key in (("sees", "sees"), ("why_heading", "why")):
        blocks.append(f"**{words(heading)}.** {plain(text[key])}")
    for key, items in rule.lists[language].items():
        if items:
            blocks.append(f"**{words(key)}.**\n\n" + "\n".join(f"{n}. {item}" for n, item in enumerate(items, 1)))
    for heading, key in (("remedy_heading", "remedy"), ("limits", "limits")):
        blocks.append(f"**{words(heading)}.** {plain(text[key])}")
    if rule.changes:
        lines = [f"- `{c.parameter}`, {words(f'trust.{c.trust}')}: {plain(c.reason[language])}" for c in rule.changes]
        blocks.append(f"**{words('changes')}.**\n\n" + "\n".join(lines))
    thresholds = ", ".join(f"`{name} = {value}`" for name, value in rule.thresholds.items())
    if thresholds:
        blocks.append(f"**{words('thresholds')}.** {thresholds}")
    if rule.evidence:
        floors = ", ".join(words.floor(name, count) for name, count in rule.evidence.items())
        blocks.append(f"**{words('evidence_floor')}.** {floors}")
    lines = [f"- {s.title}{f' <{s.url}>' if s.url else ''}: {s.says[language]}" for s in rule.sources]
    blocks.append(f"**{words('sources')}.**\n\n" + "\n".join(lines))
    return "\n\n".join(blocks)


def cause_page(cause: CauseRule, language: str) -> str:
    """Return the page of one cause: its meaning, the deciding experiment, and every piece of evidence with its weight."""
    words, text = Words(language), cause.words[language]
    blocks = [f"## {cause.name}: {text['title']}", text["meaning"], f"**{words('cause_test')}.** {text['experiment']}"]
    for heading, sign in (("cause_for", 1), ("cause_against", -1)):
        lines = [_evidence(entry, language) for entry in cause.evidence if entry.weight * sign > 0]
        if lines:
            blocks.append(f"**{words(heading)}.**\n\n" + "\n".join(lines))
    if cause.parameters:
        blocks.append(f"**{words('changes')}.** " + ", ".join(f"`{name}`" for name in cause.parameters))
    return "\n\n".join(blocks)


def _evidence(entry: Evidence, language: str) -> str:
    said = plain(entry.words[language]) if entry.words else ""
    known = ", ".join(entry.findings)
    limits = ", ".join(f"`{name} = {value}`" for name, value in entry.thresholds.items())
    return f"- {entry.weight:+g}: " + " · ".join(filter(None, (known, said, limits)))


def book(rules: Iterable[Rule], language: str, family: str | None = None) -> str:
    """Return all pages, or those of one family."""
    return _bound((page(rule, language) for rule in rules), language, family)


def causes(known: Iterable[CauseRule], language: str) -> str:
    """Return the pages of all causes."""
    return _bound((cause_page(cause, language) for cause in known), language, "causes")


def _bound(pages: Iterable[str], language: str, family: str | None) -> str:
    words = Words(language)
    which = f"--family {family}" if family else "--all"
    title = words("rules_title") + (f": {family}" if family else "")
    command = f"advisor rules show {which} --lang {language}"
    return f"# {title}\n\n{words('generated', command=command)}\n\n" + "\n\n".join(pages)


def as_dict(rule: Rule, language: str) -> dict[str, Any]:
    """Return one rule as plain data."""
    return {
        "id": rule.id,
        "slug": rule.slug,
        "family": rule.family,
        "status": rule.status,
        "since": rule.since,
        "severity": rule.severity,
        "problem": rule.problem,
        "detector": rule.detector,
        "thresholds": dict(rule.thresholds),
        "evidence": dict(rule.evidence),
        **{key: plain(text) for key, text in rule.words[language].items()},
        **{key: list(items) for key, items in rule.lists[language].items()},
        "changes": [
            {"parameter": c.parameter, "recipe": c.to, "trust": c.trust, "reason": plain(c.reason[language])} for c in rule.changes
        ],
        "sources": [{"title": s.title, "url": s.url, "says": s.says[language]} for s in rule.sources],
        "cases": len(rule.cases),
    }
