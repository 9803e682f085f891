"""The body of a report in one language: sections in the order of the report, each heading in its place."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from advisor.report.html.markup import Content, Html, address, el, joined
from advisor.report.html.svg import chart_svg
from advisor.report.model import (
    Chart,
    Comparison,
    DataCheck,
    FindingEntry,
    Report,
)

SYMBOLS = {"pass": "✓", "warning": "!", "failure": "✕", "not-judged": "?", "error": "✕", "info": "i"}
OPEN_FINDINGS = 12
"""Findings that stand open; of more, the rest are folded to their titles."""


def body(report: Report) -> Html:
    """Return everything that stands between the header and the footer of the page."""
    label = report.labels
    return joined(
        _verdict(report),
        _section(report, "figures", _figures(report)),
        _section(report, "lights", _lights(report)),
        _section(report, "charts", [_chart(chart, report) for chart in report.charts], _paragraph(report.forecast)),
        _section(report, "findings", _findings(report)),
        _section(report, "causes", _causes(report)) if report.causes else None,
        _section(report, "changes", _changes(report), _configuration(report)),
        _section(report, "data", _data(report.data, label)) if report.data else None,
        _section(report, "comparison", _comparison(report.comparison, label)) if report.comparison else None,
        _section(report, "facts", _terms((e.label, e.value) for e in report.facts), class_="facts"),
        _section(report, "clean", _paragraph(report.clean_text), _clean(report)) if report.clean else None,
        _section(report, "not_judged", _not_judged(report)) if report.not_judged else None,
        _section(report, "decided", _decided(report)),
        _section(report, "reproduce", _reproduce(report)),
    )


def shown_sections(report: Report) -> tuple[str, ...]:
    """Return the names of the sections that the navigation offers."""
    present = {"data": report.data, "comparison": report.comparison, "not_judged": report.not_judged}
    names = ("charts", "findings", "changes", "data", "comparison", "facts", "not_judged")
    return tuple(name for name in names if present.get(name, True))


def _section(report: Report, name: str, *content: Content, class_: str = "") -> Html:
    identity = f"{name}-{report.language}"
    return el(
        "section", el("h2", report.labels[name], id=identity), *content, aria_labelledby=identity, class_=f"{name} {class_}".strip()
    )


def _paragraph(text: str, class_: str | None = None) -> Html | None:
    return el("p", text, class_=class_) if text else None


def badge(state: str, text: str) -> Html:
    """Return a state as symbol, word and colour."""
    return el("span", el("span", SYMBOLS[state], aria_hidden="true", class_="sign"), " ", text, class_=f"badge s-{state}")


def table(caption: str, headings: Sequence[str], rows: Iterable[Sequence[Content]], *, class_: str = "") -> Html:
    """Return a table that scrolls by itself where it is too wide; the first cell of a row is its heading.

    On a narrow screen each row stands as a block, and each cell says what it is.
    """
    head = el("thead", el("tr", [el("th", heading, scope="col") for heading in headings]))
    lines = [
        el(
            "tr",
            el("th", first, scope="row"),
            [el("td", cell, data_label=name) for name, cell in zip(headings[1:], rest, strict=True)],
        )
        for first, *rest in rows
    ]
    whole = el("table", el("caption", caption, class_="known"), head, el("tbody", lines), class_=class_ or None)
    return el("div", whole, class_="scroll", tabindex=0, role="group", aria_label=caption)  # fmt: skip


def rule_names(rules: Iterable[str]) -> list[Content]:
    """Return ids of rules, none of which is broken over two lines."""
    return [[el("span", rule, class_="id"), " "] for rule in rules]


_OPTION = re.compile(r"(--[a-z][a-z-]+)")


def unbroken(words: str) -> list[Content]:
    """Return words in which no option is broken over two lines."""
    return [el("span", part, class_="option") if _OPTION.fullmatch(part) else part for part in _OPTION.split(words)]


def _terms(pairs: Iterable[tuple[str, Content]]) -> Html:
    return el("dl", [[el("dt", name), el("dd", value)] for name, value in pairs])


def _listed(items: Iterable[Content], tag: str = "ul") -> Html | None:
    found = [el("li", item) for item in items]
    return el(tag, found) if found else None


def _verdict(report: Report) -> Html:
    label, verdict = report.labels, report.verdict
    identity = f"verdict-{report.language}"
    return el(
        "section",
        el("h2", label["verdict"], id=identity),
        el("p", badge(verdict.state, label[f"state_{verdict.state}"]), " ", el("strong", verdict.sentence), class_="sentence"),
        el("p", verdict.confidence_text, class_="confidence"),
        el("p", el("span", verdict.action.label, class_="label"), " ", verdict.action.text, class_="action"),
        aria_labelledby=identity, class_=f"verdict s-{verdict.state}",
    )  # fmt: skip


def _figures(report: Report) -> Html:
    return el("ul", [
        el("li", el("span", f.label, class_="label"), el("span", f.value, class_="value"), el("span", f.detail, class_="detail"),
           class_=f"figure s-{f.state}", data_figure=f.name)
        for f in report.figures
    ], class_="figures")  # fmt: skip


def _lights(report: Report) -> Html:
    return el("ul", [
        el("li", el("span", light.label, class_="label"), badge(light.state, light.state_text),
           el("span", unbroken(light.reason), class_="detail"), class_=f"light s-{light.state}", data_aspect=light.aspect)
        for light in report.lights
    ], class_="lights")  # fmt: skip


def _chart(chart: Chart, report: Report) -> Html:
    identity = f"chart-{chart.name}-{report.language}"
    if chart.missing:
        return el("figure", el("figcaption", chart.title), el("p", chart.missing, class_="missing"), class_="chart", id=identity)
    spans = _listed([el("a", f"{span.rule} {span.label}", href=f"#{finding_id(span.rule, report)}") for span in chart.spans])
    return el(
        "figure", el("figcaption", chart.title, id=f"{identity}-title"),
        el("div", chart_svg(chart, f"{identity}-svg"), class_="plot", data_chart=chart.name), _paragraph(chart.caption, "caption"),
        el("div", el("span", report.labels["shaded"], class_="label"), spans, class_="spans") if spans else None,
        el("details", el("summary", report.labels["table"]), el("div", class_="values"), class_="data", data_table=chart.name),
        class_="chart", id=identity, aria_labelledby=f"{identity}-title",
    )  # fmt: skip


def finding_id(rule: str, report: Report) -> str:
    """Return the identity of a finding in the document."""
    return f"finding-{rule}-{report.language}"


def _findings(report: Report) -> Iterator[Content]:
    if not report.findings:
        yield _paragraph(report.labels["no_findings"])
    for finding in report.findings[:OPEN_FINDINGS]:
        yield _finding(finding, report)
    for finding in report.findings[OPEN_FINDINGS:]:
        yield el("details", el("summary", f"{finding.rule} {finding.title}"), _finding(finding, report), class_="more")


def _finding(finding: FindingEntry, report: Report) -> Html:
    label = report.labels
    places = [e.x for e in finding.evidence if e.series]
    spot = None
    if places:
        spot = el("button", label["show"], type="button", class_="spot", data_begin=repr(min(places)), data_end=repr(max(places)),
                  data_rule=finding.rule)  # fmt: skip
    pairs: list[tuple[str, Content]] = []
    if finding.evidence:
        pairs.append((label["evidence"], _listed([e.text for e in finding.evidence if e.text])))
    pairs += [(label[key], value) for key, value in (("cause", finding.cause), ("why", finding.why)) if value]
    pairs += [
        (label[key], _listed(items, "ol"))
        for key, items in (("error_causes", finding.causes), ("error_checks", finding.checks))
        if items
    ]
    pairs.append((label["remedy"], el("strong", finding.remedy)))
    changes = [f"{c.parameter} {c.old} → {c.new}" for c in report.changes if c.rule == finding.rule]
    if changes:
        pairs.append((label["changes"], _listed(el("code", change) for change in changes)))
    title = el("h3", badge(finding.severity, finding.severity_text), " ", el("code", finding.rule), " ", finding.title)
    rest = el("details", el("summary", f"{label['limits']} · {label['source']}"), _paragraph(finding.limits), _sources(finding))
    return el(
        "article", title, _paragraph(finding.message, "message"), spot, _terms(pairs), rest,
        class_=f"finding s-{finding.severity}", id=finding_id(finding.rule, report) if finding.of == "run" else None,
        data_rule=finding.rule,
    )  # fmt: skip


def _sources(finding: FindingEntry) -> Html | None:
    return _listed(
        [el("a", s.title, href=link, rel="noreferrer") if (link := address(s.url)) else s.title, ": ", s.says]
        for s in finding.sources
    )


def _causes(report: Report) -> Iterator[Content]:
    label = report.labels
    for cause in report.causes:
        pairs = [(label["supports"], _listed(cause.supports)), (label["against"], _listed(cause.against))]
        pairs.append((label["experiment"], el("strong", cause.experiment)))
        title = el("h3", cause.title, " ", el("span", cause.confidence_text, class_=f"badge c-{cause.confidence}"))
        yield el("article", title, _paragraph(cause.meaning), _terms(pair for pair in pairs if pair[1]), class_="cause")


def _changes(report: Report) -> Iterator[Content]:
    label = report.labels
    if not report.changes:
        yield _paragraph(label["no_changes"])
        return
    rows = [
        (
            [el("code", c.parameter), el("span", label["first"], class_="first") if c.first else None],
            el("code", c.old), el("code", el("strong", c.new)), [c.reason, f" {c.aside}" if c.aside else None],
            c.trust_text, c.effect,
            el("a", c.rule, href=f"#{finding_id(c.rule, report)}", class_="id"),
        )
        for c in report.changes
    ]  # fmt: skip
    headings = [label[key] for key in ("parameter", "old", "new", "reason", "trust", "effect", "rule")]
    yield table(label["changes"], headings, rows)


def _configuration(report: Report) -> Iterator[Content]:
    label, configuration = report.labels, report.configuration
    yield el("h3", label["configuration"])
    yield _paragraph(configuration.note)
    if configuration.text:
        copy = el("button", label["copy"], type="button", class_="copy")
        yield el("div", copy, el("pre", el("code", configuration.text), tabindex=0), class_="code")
    if configuration.waiting:
        yield el("h4", label["waiting"])
        yield _listed(el("code", line) for line in configuration.waiting)


def _data(data: DataCheck, label: Mapping[str, str]) -> Iterator[Content]:
    yield el("p", badge(data.state, label[f"state_{data.state}"]), " ", el("strong", data.sentence), " ", data.health)
    yield _listed((*data.files, *data.explains))
    for found in data.findings:
        finding = found.finding
        title = el("h3", badge(finding.severity, finding.severity_text), " ", el("code", finding.rule), " ", finding.title)
        examples = [
            [el("code", e.where), f" ≈ {e.like}" if e.like else None, el("pre", e.text) if e.text else None] for e in found.examples
        ]
        pairs = [(label["examples"], _listed(examples)), (label["why"], finding.why), (label["remedy"], finding.remedy)]
        yield el(
            "article", title, _paragraph(finding.message, "message"), _terms(pair for pair in pairs if pair[1]),
            el("details", el("summary", f"{label['limits']} · {label['source']}"), _paragraph(finding.limits), _sources(finding)),
            class_=f"finding s-{finding.severity}", data_rule=finding.rule,
        )  # fmt: skip
    yield _listed(data.not_judged)


def _comparison(compared: Comparison, label: Mapping[str, str]) -> Iterator[Content]:
    yield el("p", badge(compared.state, label[f"state_{compared.state}"]), " ", compared.sentence)
    headings = [label["value"], f"{label['earlier']} ({compared.earlier})", label["now"]]
    yield table(label["comparison"], headings, compared.rows)
    if compared.settings:
        yield table(label["settings"], [label["parameter"], *headings[1:]], compared.settings)
    rules = (("gone", compared.gone), ("stayed", compared.stayed), ("new_findings", compared.new))
    yield _terms((label[key], ", ".join(ids)) for key, ids in rules if ids)


def _clean(report: Report) -> Html:
    return el("details", el("summary", report.labels["rule"]), _terms((c.label, rule_names(c.rules)) for c in report.clean))


def _not_judged(report: Report) -> Html:
    label = report.labels
    rows = [(n.label, unbroken(n.to_log), n.problems, el("span", rule_names(n.rules), class_="rules")) for n in report.not_judged]
    return table(label["not_judged"], [label[key] for key in ("missing", "how_to_log", "problem", "rule")], rows)


def _decided(report: Report) -> Iterator[Content]:
    label = report.labels
    yield _listed((*report.decided, *report.notes))
    if report.decisions:
        rows = [(el("code", d.rule), d.thresholds_text, d.floor, d.limits) for d in report.decisions]
        yield table(label["decided"], [label[key] for key in ("rule", "thresholds", "floor", "limits")], rows)


def _reproduce(report: Report) -> Iterator[Content]:
    again = report.reproduce
    yield _paragraph(again.text)
    yield el("pre", el("code", again.command), tabindex=0)
