"""The report as PDF, set by Typst: tagged, with fonts embedded, and with the report as JSON inside. Needs the extra `pdf`."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from importlib.resources import as_file, files
from typing import TYPE_CHECKING, Any

import typst

from advisor.locale import strings
from advisor.report.charts import picture
from advisor.report.glyphs import showable
from advisor.report.json import render as as_json
from advisor.report.model import Report

if TYPE_CHECKING:
    from typst import PDFStandard

STANDARDS: list[PDFStandard] = ["a-3a", "ua-1"]
"""For archives, with the attachment, and for screen readers. Typst refuses to write what would break them."""

SHORT_TITLE = 70
"""Characters of the title that stand in the head of each page."""

DATE = re.compile(r"(\d{4})-(\d\d)-(\d\d)")

NO_TIME = 0
"""Written as the time of making: the same report gives the same bytes, and its date stands in it."""

SETTINGS = ("normal", "tight", "whole")
LEAST_FILLED = 0.2
"""How close the pages are set (see the template): the first way that fills so much of the last page, so that nobody turns it in
vain; where none does, the one that fills most."""

NAMED = 12
"""Characters without a glyph that are listed one by one."""


def render(reports: Sequence[Report]) -> bytes:
    """Return the PDF of the report in the language that was asked for."""
    return _set(reports[0], "pdf")[0]


def pages(report: Report, dots_per_inch: float = 96.0) -> list[bytes]:
    """Return the pages of `report` as PNG."""
    return _set(report, "png", dots_per_inch)


def _set(report: Report, form: str, dots_per_inch: float = 96.0) -> list[bytes]:
    words = strings(report.language, "picture")
    pictures = [picture(chart, "svg", words).decode() if chart.lines else "" for chart in report.charts]
    given = _inputs(report, pictures, words)
    folder = files("advisor.report")
    with as_file(folder / "fonts") as fonts, as_file(folder / "template.typ") as template:

        def compiler(inputs: dict[str, str]) -> typst.Compiler:
            return typst.Compiler(str(template), font_paths=[str(fonts)], ignore_system_fonts=True, sys_inputs=inputs)

        way = _best_filled([{**given, "setting": setting} for setting in SETTINGS], compiler)
        if form == "png":
            made = compiler(way).compile(format="png", ppi=dots_per_inch, timestamp=NO_TIME)
        else:
            made = _strict(compiler(way), way, words)
    return made if isinstance(made, list) else [made or b""]


def _best_filled(ways: Sequence[dict[str, str]], compiler: Callable[[dict[str, str]], typst.Compiler]) -> dict[str, str]:
    """Return the first of `ways` whose last page is filled well. What is laid out for this is not laid out again for the PDF."""
    filled = []
    for way in ways:
        filled.append(float(json.loads(compiler(way).query("<end>", field="value", one=True))["filled"]))
        if filled[-1] >= LEAST_FILLED:
            break
    return ways[filled.index(max(filled))]


def _strict(compiler: typst.Compiler, given: dict[str, str], words: Mapping[str, str]) -> bytes:
    """Return the PDF by the standards; where Typst refuses, one without them that says so: a reader needs the report today."""

    def compiled(inputs: dict[str, str], standards: list[PDFStandard]) -> bytes:
        made = compiler.compile(format="pdf", sys_inputs=inputs, pdf_standards=standards, timestamp=NO_TIME)
        assert isinstance(made, bytes)
        return made

    try:
        return compiled(given, STANDARDS)
    except typst.TypstError as refusal:
        remark = words["without_standards"].format(reason=showable(refusal.message, set()))
        remarks = [*json.loads(given["remarks"]), remark]
        return compiled({**given, "remarks": json.dumps(remarks, ensure_ascii=False)}, [])


def _inputs(report: Report, pictures: list[str], words: Mapping[str, str]) -> dict[str, str]:
    """Return what the template reads, as text. What the fonts cannot show is replaced, and that is said."""
    whole = report.as_dict()
    replaced: set[str] = set()
    charts = [{**chart, "lines": [], "bands": []} for chart in whole["charts"]]  # the curves are in the pictures
    shown = _shown({**whole, "charts": charts}, replaced)
    remarks = [words["replaced"].format(count=len(replaced), characters=_named(replaced, report.language))] if replaced else []
    given = {
        "report": json.dumps(shown, ensure_ascii=False),
        "pictures": json.dumps(pictures),
        "short": shorter(shown["title"]),
        "remarks": json.dumps(remarks, ensure_ascii=False),
        "attached": as_json([report]).decode(),
    }
    if date := DATE.match(report.date):
        given |= dict(zip(("year", "month", "day"), date.groups(), strict=True))
    return given


def shorter(title: str) -> str:
    """Return a title that fits on one line."""
    return title if len(title) <= SHORT_TITLE else title[:SHORT_TITLE] + "…"


def _shown(value: Any, replaced: set[str]) -> Any:
    if isinstance(value, str):
        return showable(value, replaced)
    if isinstance(value, dict):
        return {key: _shown(inner, replaced) for key, inner in value.items()}
    return [_shown(inner, replaced) for inner in value] if isinstance(value, list) else value


def _named(characters: set[str], language: str) -> str:
    """Return characters that cannot be shown, by their numbers and names."""
    named = [f"U+{ord(c):04X} {unicodedata.name(c, '')}".strip() for c in sorted(characters)]
    rest = len(named) - NAMED
    more = [strings(language, "picture")["more_characters"].format(count=rest)] if rest > 0 else []
    return strings(language)["separator"].join([*named[:NAMED], *more])
