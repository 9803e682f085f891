"""What is said while a run goes on: findings as they appear, what no longer holds, and how it ended."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from advisor.model import Diagnosis, Finding
from advisor.render.words import Words, value_text

TOPIC = "live"


def finding_lines(finding: Finding, diagnosis: Diagnosis, step: float, language: str) -> str:
    """Return a new finding: what was seen, what to do, and the first change where there is one."""
    words = Words(language, diagnosis.run, TOPIC)
    rule = finding.rule
    lines = [
        words("live_finding", at=words.at(step), severity=words(f"severity.{rule.severity}"), rule=rule.id,
              title=words.of(finding, "title")),
        f"  {words.of(finding, 'message')}",
        f"  {words('remedy')}: {words.of(finding, 'remedy')}",
    ]  # fmt: skip
    for change in finding.changes[:1]:
        old, new = (value_text(value, words("unknown")) for value in (change.old, change.new))
        lines.append(f"  {words('change')}: {change.name} {old} → {new}")
    return "\n".join(lines)


def gone_line(rules: Sequence[str], step: float, language: str) -> str:
    """Return that these rules, which were said, no longer hold."""
    words = Words(language, None, TOPIC)
    return words("live_gone", at=words.at(step), rules=words("separator").join(rules))


def stopped_line(finding: Finding, step: float, language: str) -> str:
    """Return that training stops because of this finding."""
    words = Words(language, None, TOPIC)
    return words("live_stopped", at=words.at(step), rule=finding.rule.id)


def summary_lines(diagnosis: Diagnosis, log: Path, language: str) -> str:
    """Return how the run ended, in a few lines: the verdict, the likeliest cause, the first change, and where the rest stands."""
    words = Words(language, diagnosis.run, TOPIC)
    lines = [words("live_verdict", verdict=words(f"verdict.{diagnosis.verdict}"))]
    if diagnosis.causes:
        lines.append(f"  {words('cause')}: {words.cause(diagnosis.causes[0])}")
    if change := diagnosis.first_change:
        old, new = (value_text(value, words("unknown")) for value in (change.old, change.new))
        lines.append(f"  {words('first_change')}: {change.name} {old} → {new}")
    lines.append(f"  {words('live_more', path=log)}")
    return "\n".join(lines)


def waiting_line(path: Path, language: str) -> str:
    """Return that nothing was logged yet."""
    return Words(language, None, TOPIC)("live_waiting", path=path)
