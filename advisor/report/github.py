"""A report as annotations of a GitHub workflow: a line for each finding, which the log of the job turns into a mark on the file.

GitHub shows so many annotations of each level in a step and drops the rest: the last of them then names what is not shown.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from advisor.report.model import FindingEntry, Report
from advisor.report.visible import visible

LEVEL = {"error": "error", "warning": "warning", "info": "notice"}

MOST = 10
"""Annotations of one level that GitHub shows of a step."""


def render(reports: Sequence[Report]) -> bytes:
    """Return the annotations, the gravest first; of a run without findings, its verdict."""
    report = reports[0]
    lines = list(_lines(report)) or [_annotation("notice", _one(report.source), report.title, report.verdict.sentence)]
    return "".join(f"{line}\n" for line in lines).encode("utf-8", "replace")


def _lines(report: Report) -> Iterator[str]:
    found = sorted(_places(report), key=lambda pair: list(LEVEL).index(pair[0].severity))
    for severity, group in groupby(found, key=lambda pair: pair[0].severity):
        same = list(group)
        shown = len(same) if len(same) <= MOST else MOST - 1
        for finding, place in same[:shown]:
            yield _of(finding, place, report)
        if rest := [finding for finding, _ in same[shown:]]:
            names = "; ".join(f"{finding.rule} {finding.title}" for finding in rest)
            yield _annotation(LEVEL[severity], _one(report.source), f"+{len(rest)}", names)


def _places(report: Report) -> Iterator[tuple[FindingEntry, dict[str, str]]]:
    """Yield each finding with the place in a file that shows it."""
    for finding in report.findings:
        line = next((evidence.line for evidence in finding.evidence if evidence.line), 0)
        yield finding, _one(report.source, line)
    for found in report.data.findings if report.data else ():
        yield found.finding, next((_one(e.file, e.line, e.column) for e in found.examples), {})


def _of(finding: FindingEntry, place: dict[str, str], report: Report) -> str:
    changes = [f"{c.parameter} {c.old} → {c.new}" for c in report.changes if c.rule == finding.rule]
    text = " ".join([finding.message, finding.remedy, *(f"[{change}]" for change in changes)])
    return _annotation(LEVEL[finding.severity], place, f"{finding.rule} {finding.title}", text)


def _one(file: str, line: int = 0, column: int = 0) -> dict[str, str]:
    return {"file": file, **({"line": str(line)} if line else {}), **({"col": str(column)} if column else {})}


def _annotation(level: str, place: dict[str, str], title: str, text: str) -> str:
    properties = ",".join(f"{name}={_property(value)}" for name, value in {**place, "title": title}.items())
    return f"::{level} {properties}::{_data(' '.join(visible(text).split()))}"


def _data(text: str) -> str:
    """Return a message as workflow commands write it."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    """Return a property as workflow commands write it: a colon or a comma would end it."""
    return _data(visible(text)).replace(":", "%3A").replace(",", "%2C")
