"""What was found in a dataset as JSON, schema `advisor.dataset/1`: all that any other rendering shows, every record named."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from advisor.data.survey import Split
from advisor.engine import Examination
from advisor.model import Finding, NotMeasurable, Place
from advisor.render.words import Words

SCHEMA = "advisor.dataset/1"


def render(examination: Examination, language: str) -> str:
    """Return the JSON document."""
    return json.dumps(document(examination, language), ensure_ascii=False, indent=1, allow_nan=False)


def document(examination: Examination, language: str) -> dict[str, Any]:
    """Return the document as plain data."""
    words = Words(language)
    survey = examination.measured.survey
    return {
        "schema": SCHEMA,
        "train": _split(survey.train),
        "evaluation": _split(survey.evaluation) if survey.evaluation else None,
        "health": _health(examination),
        "findings": [_finding(finding, words, survey.train) for finding in examination.findings],
        "clean": [rule.id for rule in examination.clean],
        "not_judged": [
            {"rule": n.rule.id, "missing": list(n.missing), "need": n.need, "have": n.have, "to_log": words.to_log(n)}
            for n in examination.not_judged
        ],
    }


def _health(examination: Examination) -> dict[str, Any] | None:
    """Return how many records are sound: readable, not repeated, not garbled."""
    try:
        health = examination.measured["health"]
    except NotMeasurable:
        return None
    return {"normal": health.normal, "of": health.of, "share": health.normal / max(health.of, 1)}


def _split(split: Split) -> dict[str, Any]:
    return {
        "files": [
            {"name": f.name, "kind": f.kind, "schema": f.schema, "bytes": f.size, "records": f.records, "good": f.good}
            for f in split.files
        ],
        "records": split.records,
        "good": sum(file.good for file in split.files),
    }


def _finding(finding: Finding, words: Words, train: Split) -> dict[str, Any]:
    rule, hit = finding.rule, finding.hit
    return {
        "rule": rule.id,
        "slug": rule.slug,
        "problem": rule.problem,
        "severity": rule.severity,
        **{key: words.of(finding, key) for key in ("title", "message", "why", "remedy", "limits")},
        "facts": dict(hit.facts),
        "listed": len(hit.places),
        "complete": _is_complete(finding),
        "places": [_place(place, finding, words) for place in hit.places],
        "lines": _lines(finding, train),
        "sources": [{"title": s.title, "url": s.url, "says": s.says[words.language]} for s in rule.sources],
    }


def _place(place: Place, finding: Finding, words: Words) -> dict[str, Any]:
    facts: Mapping[str, Any] = {**finding.hit.facts, **place.facts, "line": place.line}
    return {
        "file": place.source,
        "line": place.line,
        "column": place.column or None,
        "byte": place.offset if place.offset >= 0 else None,
        "excerpt": place.excerpt,
        "caret": place.caret,
        "message": words.fill(finding.rule.words[words.language]["message"], facts),
        "facts": dict(place.facts),
    }


def _is_complete(finding: Finding) -> bool:
    """Tell whether `lines` names every record that was found; of very many repeated rows only the first are named."""
    counted = "cause" in finding.rule.thresholds or "check" in finding.rule.thresholds
    return counted or int(finding.hit.facts.get("count", 0)) <= len(finding.hit.places)


def _lines(finding: Finding, train: Split) -> dict[str, list[int]]:
    """Return the lines of every record that was found, by file: of all, where only the first ones are kept as places."""
    cause = finding.rule.thresholds.get("cause") or finding.rule.thresholds.get("check")
    found = train.problems.get(str(cause)) or train.findings.get(str(cause))
    lines: dict[str, list[int]] = {}
    if found:
        for file, line in found.lines():
            lines.setdefault(train.sources[file].name, []).append(line)
    else:
        for place in finding.hit.places:
            lines.setdefault(place.source, []).append(place.line)
    return lines
