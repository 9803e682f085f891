"""A report as annotations of a GitHub workflow: a line for each finding, which the log of the job turns into a mark on the file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from advisor.report.model import FindingEntry, Report
from advisor.report.visible import visible

LEVEL = {"error": "error", "warning": "warning", "info": "notice"}


def render(reports: Sequence[Report]) -> bytes:
    """Return the annotations, the gravest first; of a run without findings, its verdict."""
    lines = list(_lines(reports[0])) or [
        _annotation("notice", _one(reports[0].source), reports[0].title, reports[0].verdict.sentence)
    ]
    return "".join(f"{line}\n" for line in lines).encode("utf-8", "replace")


def _lines(report: Report) -> Iterator[str]:
    for finding in report.findings:
        line = next((evidence.line for evidence in finding.evidence if evidence.line), 0)
        yield _of(finding, _one(report.source, line), report)
    for found in report.data.findings if report.data else ():
        places = [_one(e.file, e.line, e.column) for e in found.examples] or [{}]
        yield _of(found.finding, places[0], report)


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
