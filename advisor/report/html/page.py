"""The HTML document: both languages in one file, curves to zoom into, and a policy that lets nothing else run or load."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Sequence
from functools import lru_cache
from importlib.resources import files
from typing import Any

from advisor import __version__
from advisor.report.batch import Index, Row
from advisor.report.html.markup import Content, Html, el, joined
from advisor.report.html.sections import badge, body, rule_names, shown_sections
from advisor.report.html.svg import small_svg
from advisor.report.model import Chart, Report, plain
from advisor.report.visible import visible

LANGUAGE_NAMES = {"en": "English", "zh": "中文"}
DOCUMENT_LANGUAGE = {"en": "en", "zh": "zh-Hans"}


@lru_cache(maxsize=8)
def asset(name: str) -> str:
    """Return a file of this package."""
    return (files("advisor.report.html") / name).read_text(encoding="utf-8").strip()


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def policy(scripts: Sequence[str], style: str) -> str:
    """Return the content security policy: only these scripts and this style, and nothing is loaded from anywhere."""
    return (
        f"default-src 'none'; script-src {' '.join(map(_hash, scripts))}; style-src {_hash(style)}; "
        "base-uri 'none'; form-action 'none'"
    )


def document(language: str, title: str, scripts: Sequence[str], style: str, content: Html, data: Any) -> bytes:
    """Return the whole document. The data are a block that no browser runs; `<` in it is written so that it ends nothing."""
    packed = visible(json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))).replace("<", "\\u003c")
    head = el(
        "head", el("meta", charset="utf-8"),
        el("meta", http_equiv="Content-Security-Policy", content=policy(scripts, style)),
        el("meta", name="viewport", content="width=device-width, initial-scale=1"),
        el("meta", name="color-scheme", content="light dark"), el("meta", name="generator", content=f"advisor {__version__}"),
        el("title", title), el("style", Html(style)),
    )  # fmt: skip
    whole = el(
        "html", head,
        el("body", content, el("script", Html(packed), type="application/json", id="data"),
           [el("script", Html(script)) for script in scripts]),
        lang=DOCUMENT_LANGUAGE[language],
    )  # fmt: skip
    return f"<!DOCTYPE html>\n{whole}\n".encode("utf-8", "replace")


def render(reports: Sequence[Report]) -> bytes:
    """Return the document: the report in every language, the first one shown."""
    first = reports[0]
    style = f"{asset('uplot.min.css')}\n{asset('report.css')}"
    scripts = (asset("uplot.min.js"), asset("report.js"))
    content = joined(
        el("a", first.labels["skip"], href="#content", class_="skip"),
        el("div", _tools(reports), class_="bar"),
        el("div", [_article(report, hidden=report is not first) for report in reports], id="content", tabindex=-1),
    )
    data = {
        "charts": [_drawn(chart) for chart in first.charts],
        "text": {
            r.language: {"charts": [_said(chart) for chart in r.charts], "labels": _labels(r), "title": r.title} for r in reports
        },
        "languages": DOCUMENT_LANGUAGE,
    }
    return document(first.language, first.title, scripts, style, content, plain(data))


_OF_SCRIPT = (
    "reset", "zoom_in", "zoom_out", "raw", "smooth", "logarithmic", "table", "copied", "keys", "step", "theme", "value",
)  # fmt: skip
"""Words that the script of the page says."""


def _labels(report: Report) -> dict[str, str]:
    return {key: report.labels[key] for key in _OF_SCRIPT}


def _tools(reports: Sequence[Report]) -> Html:
    """Return the switches of the page, which the script brings to life; without scripts they are not shown."""
    languages = [
        el("button", LANGUAGE_NAMES[r.language], type="button", data_language=r.language, lang=DOCUMENT_LANGUAGE[r.language],
           aria_pressed="true" if r is reports[0] else "false")
        for r in reports
    ]  # fmt: skip
    theme = el("button", "◐", type="button", id="theme", aria_label=reports[0].labels["theme"])
    return el("div", languages, theme, class_="tools", role="group")


def _article(report: Report, *, hidden: bool) -> Html:
    label = report.labels
    facts = [report.date_text, report.source, report.reader, report.points]
    header = el(
        "header", el("p", label["report"], class_="kind"), el("h1", report.title),
        el("p", [el("span", fact) for fact in facts if fact], class_="about"),
    )  # fmt: skip
    links = [el("li", el("a", label[name], href=f"#{name}-{report.language}")) for name in shown_sections(report)]
    navigation = el("nav", el("ul", links), aria_label=label["contents"])
    footer = el("footer", el("p", f"advisor {report.reproduce.version}"))
    return el(
        "main", header, navigation, body(report), footer, lang=DOCUMENT_LANGUAGE[report.language], data_language=report.language,
        hidden=hidden,
    )  # fmt: skip


def _drawn(chart: Chart) -> dict[str, Any]:
    """Return what is drawn of a chart, the same in every language."""
    return {
        "name": chart.name, "log": chart.log, "from": chart.x_from, "to": chart.x_to, "low": chart.y_low, "high": chart.y_high,
        "lines": [{"name": n.name, "role": n.role, "axis": n.axis, "x": n.x, "y": n.y} for n in chart.lines],
        "bands": [{"name": b.name, "x": b.x, "low": b.low, "high": b.high} for b in chart.bands],
        "marks": [{"kind": m.kind, "x": m.x, "y": m.y, "axis": chart.axis_of(m), "rule": m.rule} for m in chart.marks],
        "spans": [{"rule": s.rule, "severity": s.severity, "begin": s.begin, "end": s.end, "whole": s.whole} for s in chart.spans],
        "epochs": chart.epochs,
    }  # fmt: skip


def _said(chart: Chart) -> dict[str, Any]:
    """Return the words of a chart, in one language."""
    return {
        "title": chart.title, "x": chart.x_label, "left": chart.left_label, "right": chart.right_label, "caption": chart.caption,
        "lines": [line.label for line in chart.lines], "marks": [mark.label for mark in chart.marks],
        "bands": [band.label for band in chart.bands],
    }  # fmt: skip


def render_index(indices: Sequence[Index]) -> bytes:
    """Return the index of many runs, in every language, as a table that can be sorted by each of its columns."""
    first = indices[0]
    style, scripts = asset("report.css"), (asset("index.js"),)
    languages = [
        el("button", LANGUAGE_NAMES[i.language], type="button", data_language=i.language, lang=DOCUMENT_LANGUAGE[i.language],
           aria_pressed="true" if i is first else "false")
        for i in indices
    ]  # fmt: skip
    theme = el("button", "◐", type="button", id="theme", aria_label=first.labels["theme"])
    content = joined(
        el("div", el("div", languages, theme, class_="tools", role="group"), class_="bar wide"),
        [_index(index, hidden=index is not first) for index in indices],
    )
    return document(first.language, first.title, scripts, style, content, {"languages": DOCUMENT_LANGUAGE})


def _index(index: Index, *, hidden: bool) -> Html:
    label = index.labels
    figures = [figure.name for figure in index.rows[0].figures]
    names = [label[key] for key in ("state", "verdict", *(f"column_{name}" for name in figures), "rule", "action")]
    sortable = [
        el("th", el("button", name, type="button", class_="sort"), scope="col", aria_sort="none") for name in (label["run"], *names)
    ]
    buttons = [sortable[0], el("th", label["charts"], scope="col"), *sortable[1:]]
    table = el(
        "table", el("caption", index.counts), el("thead", el("tr", buttons)), el("tbody", [_row(row) for row in index.rows]),
        class_="index",
    )  # fmt: skip
    header = el("header", el("h1", index.title), el("p", index.date, class_="about") if index.date else None)
    region = el("div", table, class_="scroll", tabindex=0, role="group", aria_label=index.title)
    return el(
        "main", header, region, lang=DOCUMENT_LANGUAGE[index.language], data_language=index.language, hidden=hidden, class_="wide"
    )


ORDER = {"failure": 0, "warning": 1, "not-judged": 2, "pass": 3}


def _row(row: Row) -> Html:
    run = el("a", row.title, href=row.page)
    cells: list[tuple[Content, object, str]] = [
        (small_svg(row.x, row.y, row.figures[0].numbers.get("x"), row.caption), "", "curve"),
        (badge(row.state, row.state_text), ORDER[row.state], "state"), (row.word, row.word, "word"),
        *((f.value, next(iter(f.numbers.values()), ""), f.name) for f in row.figures),
        (rule_names(row.rules), len(row.rules), "rules"), (row.action, row.action, "action"),
    ]  # fmt: skip
    head = el("th", run, el("span", row.source, class_="detail"), scope="row", data_sort=row.title)
    return el("tr", head, [el("td", content, data_sort=str(key), class_=name) for content, key, name in cells])
