"""Many runs in one folder: the page of each, and an index of them all."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from advisor.locale import strings
from advisor.model import FloatArray
from advisor.render.words import Words
from advisor.report.build import HEADING
from advisor.report.curves import thinned
from advisor.report.model import STATES, Figure, Report, State
from advisor.rulebook import LANGUAGES

SCHEMA = "advisor.report-index/1"
MOST_OF_NAME = 80
SMALL = 100
"""Points of the curve in a row of the index."""

SHOWN = ("points", "smooth", "raw")
"""Which curve stands in a row, the first that there is."""

_NO_FILE_NAME = re.compile(r"[^\w.-]+")


@dataclass(frozen=True, slots=True, eq=False)
class Row:
    """One run in the index. page: the file of its report. rules: its findings, the gravest first. action: what to do first.

    x, y: its main curve in few points, that of the evaluations where there are some; caption: the same in words.
    """

    title: str
    source: str
    page: str
    state: State
    state_text: str
    word: str
    sentence: str
    figures: tuple[Figure, ...]
    rules: tuple[str, ...]
    action: str
    x: FloatArray
    y: FloatArray
    caption: str


@dataclass(frozen=True, slots=True, eq=False)
class Index:
    """The index of many runs, in one language. counts: how many runs have each state, in words."""

    schema: str
    language: Literal["en", "zh"]
    title: str
    date: str
    counts: str
    rows: tuple[Row, ...]
    labels: dict[str, str]


def page_name(report: Report, suffix: str, taken: Iterable[str]) -> str:
    """Return a file name for the report of a run: its log's name as far as a file may have it, not one of `taken`."""
    base = _NO_FILE_NAME.sub("-", report.source.rsplit(".", 1)[0] if "." in report.source.rsplit("/", 1)[-1] else report.source)
    base = base.strip("-.")[-MOST_OF_NAME:].strip("-.") or "run"
    used, name, number = set(taken), f"{base}.{suffix}", 2
    while name in used:
        name, number = f"{base}-{number}.{suffix}", number + 1
    return name


def row(report: Report, page: str) -> Row:
    """Return the line of a report in the index."""
    verdict, chart = report.verdict, report.charts[0]
    drawn = sorted(
        (line for line in chart.lines if line.role in SHOWN and len(line.x) > 1), key=lambda line: SHOWN.index(line.role)
    )
    x, y = thinned(drawn[0].x, drawn[0].y, SMALL) if drawn else (np.array([]), np.array([]))
    return Row(
        report.title, report.source, page, verdict.state, report.labels[f"state_{verdict.state}"], verdict.word, verdict.sentence,
        report.figures, tuple(f.rule for f in report.findings), verdict.action.text, x, y, chart.caption,
    )  # fmt: skip


def index(rows: Sequence[Row], language: str, title: str, date: str) -> Index:
    """Return the index of these runs, the gravest first, else in their order."""
    assert language in LANGUAGES
    words = Words(language, None, "report")
    counted = [(sum(r.state == state for r in rows), words(f"state.{state}")) for state in STATES]
    counts = words("separator").join(words("state_count", state=word, count=count) for count, word in counted if count)
    ordered = sorted(rows, key=lambda r: STATES.index(r.state))
    labels = {key.removeprefix(HEADING): text for key, text in strings(language, "report").items() if key.startswith(HEADING)}
    return Index(SCHEMA, language, title or labels["index"], date, counts, tuple(ordered), labels)  # type: ignore[arg-type]
