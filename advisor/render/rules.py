"""Pages of the rule book, always under the same headings: what it sees, why it matters, what to do, when it is wrong, source."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

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
        floors = ", ".join(words("evidence_points", series=n, count=c) for n, c in rule.evidence.items())
        blocks.append(f"**{words('evidence_floor')}.** {floors}")
    lines = [f"- {s.title}{f' <{s.url}>' if s.url else ''}: {s.says[language]}" for s in rule.sources]
    blocks.append(f"**{words('sources')}.**\n\n" + "\n".join(lines))
    return "\n\n".join(blocks)


def book(rules: Iterable[Rule], language: str) -> str:
    """Return all pages."""
    words = Words(language)
    command = f"advisor rules show --all --lang {language}"
    return f"# {words('rules_title')}\n\n{words('generated', command=command)}\n\n" + "\n\n".join(page(r, language) for r in rules)


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
