"""Reports as one line: the state, the rules that fired, and what to do first."""

from collections.abc import Sequence

from advisor.report.model import Report


def render(reports: Sequence[Report]) -> bytes:
    """Return the line. reports: the same report in every language, the one that was asked for first."""
    report = reports[0]
    rules = " ".join(finding.rule for finding in report.findings)
    return f"{report.verdict.state}: {rules} -> {report.verdict.action.text}\n".encode()
