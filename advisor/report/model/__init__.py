"""The report: everything that any format shows, in one language, as frozen values. No format adds, computes or judges anything.

Sentences are complete and numbers stand beside them, so a renderer only arranges. `Report.as_dict()` is the JSON document.
Positions (`x`) are on the run's axis; see `Report.axis`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from typing import Any, Literal

import numpy as np

from advisor.model import Axis
from advisor.report.model.answer import ASPECTS, STATES, Action, Aspect, Figure, Light, State, Verdict
from advisor.report.model.chart import Band, Chart, Line, Mark, Span
from advisor.report.model.findings import (
    CauseEntry,
    ChangeEntry,
    Checked,
    Configuration,
    Decision,
    Evidence,
    FindingEntry,
    Source,
    Unjudged,
)
from advisor.report.model.record import Comparison, DataCheck, DataFinding, Entry, Example, Reproduce

__all__ = [
    "ASPECTS", "SCHEMA", "STATES", "Action", "Aspect", "Band", "CauseEntry", "ChangeEntry", "Chart", "Checked", "Comparison",
    "Configuration", "DataCheck", "DataFinding", "Decision", "Entry", "Evidence", "Example", "Figure", "FindingEntry",
    "Light", "Line", "Mark", "Report", "Reproduce", "Source", "Span", "State", "Unjudged", "Verdict", "plain",
]  # fmt: skip

SCHEMA = "advisor.report/1"
"""Its number changes when a reader of the old form would misread a new document; new keys do not change it."""


@dataclass(frozen=True, slots=True)
class Report:
    """A report in one language.

    date: `2026-11-24` or with a time, empty where nothing says it. labels: the headings and words around the content by name,
    in the report's language. source: the log as seen from the folder where the report was asked for, never a path of the machine.
    """

    schema: str
    language: Literal["en", "zh"]
    title: str
    date: str
    date_text: str
    source: str
    reader: str
    objective: str
    axis: Axis
    points: str
    verdict: Verdict
    figures: tuple[Figure, ...]
    lights: tuple[Light, ...]
    charts: tuple[Chart, ...]
    forecast: str
    findings: tuple[FindingEntry, ...]
    causes: tuple[CauseEntry, ...]
    changes: tuple[ChangeEntry, ...]
    conflicts: tuple[str, ...]
    configuration: Configuration
    data: DataCheck | None
    facts: tuple[Entry, ...]
    clean: tuple[Checked, ...]
    clean_text: str
    not_judged: tuple[Unjudged, ...]
    decisions: tuple[Decision, ...]
    decided: tuple[str, ...]
    comparison: Comparison | None
    notes: tuple[str, ...]
    reproduce: Reproduce
    labels: Mapping[str, str]

    def as_dict(self) -> dict[str, Any]:
        """Return the report as plain data for strict JSON: NaN is None, and infinity the text `Infinity`."""
        document = plain(self)
        assert isinstance(document, dict)
        return document


def plain(value: Any) -> Any:
    """Return a value of this module as what strict JSON can hold."""
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, tuple | list):
        return [plain(inner) for inner in value]
    if isinstance(value, np.ndarray):
        return [plain(inner) for inner in value.tolist()]
    if isinstance(value, bool) or value is None or isinstance(value, int):
        return value
    if isinstance(value, float):
        return float(value) if np.isfinite(value) else None if np.isnan(value) else ("Infinity" if value > 0 else "-Infinity")
    return str(value)
