"""The analysis as JSON, schema `advisor.analysis/1`: everything that any other rendering shows."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from advisor.model import Cause, Change, Clue, Diagnosis, Finding, Forecast, NotMeasurable, Series
from advisor.render.words import Words, notes

SCHEMA = "advisor.analysis/1"


def render(diagnoses: Sequence[Diagnosis], language: str, data: Mapping[str, Any] | None = None) -> str:
    """Return the JSON document. It is strict: what is not a finite number is null or the text `Infinity`.

    data: what was found in the training data, where they were given.
    """
    document: dict[str, Any] = {"schema": SCHEMA, "runs": [_run(d, language) for d in diagnoses]}
    if data is not None:
        document["data"] = data
    return json.dumps(strict(document), ensure_ascii=False, indent=1, allow_nan=False)


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
        "findings": [finding_dict(finding, words) for finding in diagnosis.findings],
        "causes": [_cause(cause, words) for cause in diagnosis.causes],
        "first_change": _change(diagnosis.first_change) if diagnosis.first_change else None,
        "changes": [_change(change) for change in diagnosis.changes],
        "conflicts": [{"chosen": _change(c.chosen), "aside": _change(c.aside)} for c in diagnosis.conflicts],
        "clean": [rule.id for rule in diagnosis.clean],
        "not_judged": [
            {"rule": n.rule.id, "missing": list(n.missing), "need": n.need, "have": n.have, "to_log": words.to_log(n)}
            for n in diagnosis.not_judged
        ],
        "forecast": _forecast(diagnosis.forecast, words),
        "cost": {**asdict(diagnosis.cost), "text": words.cost(diagnosis.cost)} if diagnosis.cost else None,
        "events": [{"kind": e.kind, "line": e.line, "text": e.text, "after": e.x, "count": e.count} for e in run.events],
        "config": dict(run.config),
        "unread": {"count": run.unread_count, "lines": list(run.unread)},
        "notes": notes(run, words),
    }


def _forecast(forecast: Forecast | NotMeasurable | None, words: Words) -> dict[str, Any] | None:
    if forecast is None:
        return None
    text = words.forecast(forecast)
    if isinstance(forecast, NotMeasurable):
        return {"abstained": words.missing(forecast), "missing": list(forecast.missing), "text": text}
    end = asdict(forecast.end)
    del end["factor"]
    return {**asdict(forecast), "end": end, "longer": [asdict(o) for o in forecast.longer], "text": text}


def _series(series: Series) -> dict[str, Any]:
    summary = series.summary()
    return {
        "points": summary.points,
        "unit": series.unit,
        "finite": summary.finite,
        "first": summary.first,
        "last": summary.last,
        "min": summary.lowest,
        "max": summary.highest,
        "from": summary.begin,
        "to": summary.end,
    }


def finding_dict(finding: Finding, words: Words) -> dict[str, Any]:
    """Return a finding as plain data, its sentences filled."""
    rule, facts = finding.rule, finding.hit.facts
    return {
        "rule": rule.id,
        "slug": rule.slug,
        "problem": rule.problem,
        "severity": rule.severity,
        **{key: words.of(finding, key) for key in ("title", "message", "why", "remedy", "limits")},
        **{key: list(items) for key, items in rule.lists[words.language].items()},
        "facts": dict(facts),
        "evidence": [{"series": p.series, "x": p.x, "value": p.value, "line": p.line} for p in finding.hit.evidence],
        "changes": [{**_change(c), "reason": words.reason(c, facts), "expected": words.effect(c)} for c in finding.changes],
        "sources": [{"title": s.title, "url": s.url, "says": s.says[words.language]} for s in rule.sources],
    }


def _change(change: Change) -> dict[str, Any]:
    effect = change.effect
    return {
        "parameter": change.parameter,
        "name": change.name,
        "old": change.old,
        "new": change.new,
        "trust": change.trust,
        "rule": change.rule,
        "effect": {"eval_loss": [effect.low, effect.high], "basis": effect.basis} if effect else None,
    }


def _cause(cause: Cause, words: Words) -> dict[str, Any]:
    def clues(found: Sequence[Clue]) -> list[dict[str, Any]]:
        return [
            {"says": words.fill(c.words[words.language], c.facts), "weight": c.weight, "rule": c.finding or None} for c in found
        ]

    own = cause.words[words.language]
    return {
        "cause": cause.name,
        "confidence": cause.confidence,
        "odds": round(cause.odds, 2),
        "findings": list(cause.findings),
        "title": own["title"],
        "meaning": own["meaning"],
        "experiment": own["experiment"],
        "for": clues(cause.supports),
        "against": clues(cause.against),
    }


def strict(value: Any) -> Any:
    """Return `value` with what JSON has no number for: NaN as null, infinity as text."""
    if isinstance(value, dict):
        return {k: strict(v) for k, v in value.items()}
    if isinstance(value, list):
        return [strict(v) for v in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None if math.isnan(value) else ("Infinity" if value > 0 else "-Infinity")
    return value
