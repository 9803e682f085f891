"""A report as Markdown for a pull request or an issue: the answer in one screen, the rest folded away."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from html import escape as html_escape

import numpy as np

from advisor.model import FloatArray
from advisor.render.markdown import escape as escape_markup
from advisor.report.model import Chart, Comparison, DataCheck, FindingEntry, Report
from advisor.report.visible import visible

SYMBOLS = {"pass": "✅", "warning": "⚠️", "failure": "❌", "not-judged": "◻️"}
SEVERITY_SYMBOLS = {"error": "❌", "warning": "⚠️", "info": "ℹ️"}
SPARKS = "▁▂▃▄▅▆▇█"
SPARK_WIDTH = 60
OPEN_FINDINGS = 10
"""Findings with a fold of their own; of more, the rest stand in one table."""


def render(reports: Sequence[Report]) -> bytes:
    """Return the Markdown document of the report in the language that was asked for."""
    return document(reports[0]).encode("utf-8", "replace")


def document(report: Report, pictures: Mapping[str, str] | None = None) -> str:
    """Return the document. pictures: chart name → address of a picture of it; without one a line of characters shows the curve."""
    return "\n\n".join(block for block in _blocks(report, pictures or {}) if block) + "\n"


def _blocks(report: Report, pictures: Mapping[str, str]) -> Iterator[str]:
    label, verdict = report.labels, report.verdict
    yield f"## {SYMBOLS[verdict.state]} {escape(report.title)}"
    yield " · ".join(filter(None, (f"`{_code(report.source)}`", escape(report.date_text), escape(report.points))))
    yield f"**{escape(verdict.sentence)}**  \n{escape(verdict.confidence_text)}"
    yield f"**{verdict.action.label}:** {escape(verdict.action.text)}"
    yield _table([f.label for f in report.figures], [[f"**{escape(f.value)}**<br>{escape(f.detail)}" for f in report.figures]])
    rows = [
        [f"{SYMBOLS[light.state]} {escape(light.state_text)}", escape(light.label), escape(light.reason)] for light in report.lights
    ]
    yield _table([label["state"], label["light"], label["reason"]], rows)
    for chart in report.charts:
        yield _chart(chart, pictures)
    if report.forecast:
        yield escape(report.forecast)
    yield from _findings(report)
    yield from _changes(report)
    if report.data:
        yield _folded(label["data"], _data(report.data, label), mark=SYMBOLS[report.data.state])
    if report.comparison:
        yield _folded(label["comparison"], _comparison(report.comparison, label), mark=SYMBOLS[report.comparison.state])
    yield _folded(label["facts"], _table(["", ""], [[escape(e.label), escape(e.value)] for e in report.facts]))
    yield _folded(label["not_judged"], _not_judged(report)) if report.not_judged else ""
    yield _folded(label["clean"], _list(f"{escape(c.label)}: {', '.join(c.rules)}" for c in report.clean)) if report.clean else ""
    yield _folded(label["decided"], _decided(report))
    yield _folded(label["reproduce"], _reproduce(report))


_MENTION = re.compile(r"(?<![\w.])@(?=\w)")


def escape(text: str) -> str:
    """Return `text` so that it is shown as it is: nothing of it is markup, and nobody is called by an `@name` of a log."""
    return _MENTION.sub("@<!-- -->", escape_markup(visible(text)))


def _code(text: str) -> str:
    """Return a text that may stand between back quotes in a line."""
    return " ".join(visible(text).replace("`", "'").split())


def _fence(text: str, kind: str) -> str:
    """Return a block of code whose fence is longer than any run of back quotes in it."""
    text, fence = visible(text), "```"
    while fence in text:
        fence += "`"
    return f"{fence}{kind}\n{text}\n{fence}"


def _folded(title: str, body: str, *, mark: str = "") -> str:
    return f"<details><summary>{mark + ' ' if mark else ''}{html_escape(visible(title))}</summary>\n\n{body}\n\n</details>"


def _table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table; the cells are Markdown already, the headings are not."""
    return "\n".join("| " + " | ".join(cells) + " |" for cells in [[*map(escape, headings)], ["---"] * len(headings), *rows])


def _list(items: Iterable[str]) -> str:
    return "\n".join(f"- {item}" for item in items)


def _chart(chart: Chart, pictures: Mapping[str, str]) -> str:
    if chart.missing:
        return escape(chart.missing)
    if chart.name in pictures:
        return f"![{escape(chart.caption)}]({pictures[chart.name]})"
    lines = [line for line in chart.lines if line.role != "smooth"]
    width = max(len(line.label) for line in lines)
    drawn = [f"{line.label:<{width}} {sparkline(line.y)} {line.y[0]:.4g} → {line.y[-1]:.4g}" for line in lines]
    return _fence("\n".join(drawn), "text")


def sparkline(values: FloatArray) -> str:
    """Return a curve as a line of blocks: each stands for the highest value of its part, so that a spike is seen."""
    parts = np.array_split(values, min(SPARK_WIDTH, len(values)))
    heights = np.array([float(np.max(part)) for part in parts])
    low, high = float(np.min(values)), float(np.max(heights))
    scaled = (heights - low) / ((high - low) or 1.0) * (len(SPARKS) - 1)
    return "".join(SPARKS[round(height)] for height in scaled.tolist())


def _findings(report: Report) -> Iterator[str]:
    label = report.labels
    yield f"### {label['findings']}"
    if not report.findings:
        yield label["no_findings"]
    for finding in report.findings[:OPEN_FINDINGS]:
        yield _finding(finding, report)
    rest = report.findings[OPEN_FINDINGS:]
    if rest:
        rows = [[f"{SEVERITY_SYMBOLS[f.severity]} {f.rule}", escape(f.title), escape(f.message)] for f in rest]
        yield _folded(f"+{len(rest)}", _table([label["rule"], label["findings"], label["evidence"]], rows))


def _finding(finding: FindingEntry, report: Report) -> str:
    label = report.labels
    shown = "; ".join(escape(e.text) for e in finding.evidence if e.text)
    lines = [escape(finding.message), ""]
    for key, text in (("evidence", shown), ("cause", escape(finding.cause)), ("why", escape(finding.why))):
        if text:
            lines.append(f"- **{label[key]}**: {text}")
    for key, items in (("error_causes", finding.causes), ("error_checks", finding.checks)):
        if items:
            lines.append(f"- **{label[key]}**: " + " ".join(f"{n}. {escape(item)}" for n, item in enumerate(items, 1)))
    lines += [f"- **{label['remedy']}**: {escape(finding.remedy)}", f"- **{label['limits']}**: {escape(finding.limits)}"]
    sources = "; ".join(f"[{escape(s.title)}](<{s.url}>)" if _is_address(s.url) else escape(s.title) for s in finding.sources)
    lines.append(f"- **{label['source']}**: {sources}")
    title = f"{SEVERITY_SYMBOLS[finding.severity]} {finding.rule} {finding.title}"
    return _folded(title, "\n".join(lines))


def _is_address(url: str) -> bool:
    return url.startswith(("https://", "http://")) and not set(url) & set(" <>\n")


def _changes(report: Report) -> Iterator[str]:
    label = report.labels
    yield f"### {label['changes']}"
    if not report.changes:
        yield label["no_changes"]
    else:
        headings = [label[key] for key in ("parameter", "old", "new", "reason", "trust", "effect", "rule")]
        rows = [
            [f"`{_code(c.parameter)}`{' **' + label['first'] + '**' if c.first else ''}", escape(c.old), f"**{escape(c.new)}**",
             escape(c.reason), escape(c.trust_text), escape(c.effect), c.rule]
            for c in report.changes
        ]  # fmt: skip
        yield _table(headings, rows)
        yield _list(map(escape, report.conflicts))
    for cause in report.causes:
        lines = [f"**{escape(cause.title)}** ({escape(cause.confidence_text)}): {escape(cause.meaning)}", ""]
        for key, items in (("supports", cause.supports), ("against", cause.against), ("experiment", (cause.experiment,))):
            if items:
                lines.append(f"- {label[key]}: " + "; ".join(map(escape, items)))
        yield _folded(f"{label['cause']}: {cause.title}", "\n".join(lines))
    if report.configuration.text:
        body = f"{escape(report.configuration.note)}\n\n{_fence(report.configuration.text, report.configuration.form)}"
        waiting = _list(escape(line) for line in report.configuration.waiting)
        yield _folded(label["configuration"], body + (f"\n\n{label['waiting']}\n\n{waiting}" if waiting else ""))


def _data(data: DataCheck, label: Mapping[str, str]) -> str:
    blocks = [f"**{escape(data.sentence)}** {escape(data.health)}", _list(map(escape, (*data.files, *data.explains)))]
    for found in data.findings:
        finding = found.finding
        lines = [f"**{SEVERITY_SYMBOLS[finding.severity]} {finding.rule} {escape(finding.title)}**: {escape(finding.message)}", ""]
        for example in found.examples:
            like = f" ≈ {escape(example.like)}" if example.like else ""
            lines.append(f"- `{_code(example.where)}`{like}: {escape(example.text)}")
        lines.append(f"- **{label['remedy']}**: {escape(finding.remedy)}")
        blocks.append("\n".join(lines))
    blocks.append(_list(escape(line) for line in data.not_judged))
    return "\n\n".join(block for block in blocks if block)


def _comparison(compared: Comparison, label: Mapping[str, str]) -> str:
    rows = [[escape(cell) for cell in row] for row in (*compared.rows, *compared.settings)]
    findings = (
        (label[key], rules) for key, rules in (("gone", compared.gone), ("stayed", compared.stayed), ("new_findings", compared.new))
    )
    lines = _list(f"{name}: {', '.join(rules)}" for name, rules in findings if rules)
    table = _table(["", f"{label['earlier']} ({compared.earlier})", label["now"]], rows)
    return "\n\n".join(filter(None, (escape(compared.sentence), table, lines)))


def _not_judged(report: Report) -> str:
    label = report.labels
    rows = [[escape(n.label), escape(n.to_log), escape(n.problems), ", ".join(n.rules)] for n in report.not_judged]
    return _table([label["missing"], label["how_to_log"], label["problem"], label["rule"]], rows)


def _decided(report: Report) -> str:
    label = report.labels
    blocks = [_list(map(escape, (*report.decided, *report.notes)))]
    if report.decisions:
        rows = [[d.rule, escape(d.thresholds_text), escape(d.floor), escape(d.limits)] for d in report.decisions]
        blocks.append(_table([label["rule"], label["thresholds"], label["floor"], label["limits"]], rows))
    return "\n\n".join(blocks)


def _reproduce(report: Report) -> str:
    again = report.reproduce
    return f"{escape(again.text)}\n\n{_fence(again.command, 'sh')}"
