"""The analysis as JSON, schema `advisor.analysis/1`: everything that any other rendering shows."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from advisor.model import Diagnosis, Finding, Series
from advisor.render.words import Words, notes

SCHEMA = "advisor.analysis/1"


def render(diagnoses: Sequence[Diagnosis], language: str, data: Mapping[str, Any] | None = None) -> str:
    """Return the JSON document. It is strict: what is not a finite number is null or the text `Infinity`.

    data: what was found in the training data, where they were given.
    """
    document: dict[str, Any] = {"schema": SCHEMA, "runs": [_run(d, language) for d in diagnoses]}
    if data is not None:
        document["data"] = data
    return json.dumps(_strict(document), ensure_ascii=False, indent=1, allow_nan=False)


def _run(diagnosis: Diagnosis, language: str) -> dict[str, Any]:
    run, words = diagnosis.run, Words(language, diagnosis.run)
    return {
        "source": run.source,
        "reader": run.reader,
        "axis": run.axis,
        "objective": diagnosis.objective,
        "verdict": diagnosis.verdict,
        "verdict_text": words(f"verdict.{diagnosis.verdict}"),
        "series": {name: _series(series) for name, series in run.series.items()},
        "findings": [_finding(finding, words) for finding in diagnosis.findings],
        "causes": [],
        "changes": [
            {"parameter": c.parameter, "old": c.old, "new": c.new, "trust": c.trust, "rule": c.rule} for c in diagnosis.changes
        ],
        "clean": [rule.id for rule in diagnosis.clean],
        "not_judged": [
            {"rule": n.rule.id, "missing": list(n.missing), "need": n.need, "have": n.have, "to_log": words.to_log(n)}
            for n in diagnosis.not_judged
        ],
        "events": [{"kind": e.kind, "line": e.line, "text": e.text, "after": e.x} for e in run.events],
        "config": dict(run.config),
        "unread": {"count": run.unread_count, "lines": list(run.unread)},
        "notes": notes(run, words),
    }


def _series(series: Series) -> dict[str, Any]:
    finite = series.finite.values
    return {
        "points": len(series),
        "unit": series.unit,
        "finite": len(finite),
        "first": float(series.values[0]),
        "last": float(series.values[-1]),
        "min": float(np.min(finite)) if len(finite) else None,
        "max": float(np.max(finite)) if len(finite) else None,
        "from": float(series.x[0]),
        "to": float(series.x[-1]),
    }


def _finding(finding: Finding, words: Words) -> dict[str, Any]:
    rule, facts = finding.rule, finding.hit.facts
    return {
        "rule": rule.id,
        "slug": rule.slug,
        "problem": rule.problem,
        "severity": rule.severity,
        **{key: words.of(finding, key) for key in ("title", "message", "why", "remedy", "limits")},
        "facts": dict(facts),
        "evidence": [{"series": p.series, "x": p.x, "value": p.value, "line": p.line} for p in finding.hit.evidence],
        "changes": [
            {
                "parameter": c.parameter,
                "old": c.old,
                "new": c.new,
                "trust": c.trust,
                "reason": words.reason(c, facts),
            }
            for c in finding.changes
        ],
        "sources": [{"title": s.title, "url": s.url, "says": s.says[words.language]} for s in rule.sources],
    }


def _strict(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _strict(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_strict(v) for v in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None if math.isnan(value) else ("Infinity" if value > 0 else "-Infinity")
    return value
