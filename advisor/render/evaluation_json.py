"""An evaluation as JSON, schema `advisor.evaluation/1`: all that any other rendering shows."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from advisor.engine import Assessment
from advisor.evaluation.metrics import Measured
from advisor.evaluation.model import Metric
from advisor.evaluation.symptoms import Symptom
from advisor.model import Finding
from advisor.render.evaluation import TOPIC, to_give
from advisor.render.json import finding_dict, strict
from advisor.render.words import Words

SCHEMA = "advisor.evaluation/1"


def render(assessment: Assessment, language: str) -> str:
    """Return the JSON document."""
    return json.dumps(strict(document(assessment, language)), ensure_ascii=False, indent=1, allow_nan=False)


def document(assessment: Assessment, language: str) -> dict[str, Any]:
    """Return the document as plain data."""
    words = Words(language, None, TOPIC)
    evaluated = assessment.measured.evaluated
    measured: Measured = assessment.measured["measured"]
    return {
        "schema": SCHEMA,
        "source": evaluated.answers[0].source,
        "answers": len(evaluated.answers),
        "references": sum(bool(answer.references) for answer in evaluated.answers),
        "base_predictions": sum(answer.base is not None for answer in evaluated.answers),
        "inference": dict(evaluated.inference),
        "want": evaluated.want or None,
        "resamples": evaluated.resamples,
        "seed": evaluated.seed,
        "metrics": [_metric(metric) for metric in measured.metrics],
        "metrics_absent": {name: words(f"reason.{reason}") for name, reason in measured.absent.items()},
        "symptoms": [_symptom(symptom) for symptom in assessment.measured["symptoms"].values() if symptom.of],
        "findings": [_finding(finding, words) for finding in assessment.findings],
        "changes": [
            {"parameter": c.parameter, "old": c.old, "new": c.new, "trust": c.trust, "rule": c.rule} for c in assessment.changes
        ],
        "clean": [rule.id for rule in assessment.clean],
        "not_judged": [
            {"rule": n.rule.id, "missing": list(n.missing), "need": n.need, "have": n.have, "to_give": to_give(n, words)}
            for n in assessment.not_judged
        ],
    }


def _metric(metric: Metric) -> dict[str, Any]:
    return {
        "name": metric.name, "unit": metric.unit, "better": metric.better, "rows": metric.rows, "own": asdict(metric.own),
        "base": asdict(metric.base) if metric.base else None, "gain": asdict(metric.gain) if metric.gain else None,
        "verdict": metric.verdict,
    }  # fmt: skip


def _symptom(symptom: Symptom) -> dict[str, Any]:
    return {
        "name": symptom.name, "of": symptom.of, "answers": symptom.share(symptom.own), "base": symptom.share(symptom.base),
        "references": symptom.share(symptom.references),
    }  # fmt: skip


def _finding(finding: Finding, words: Words) -> dict[str, Any]:
    """Return a finding with the answers that show it."""
    places = [{"file": p.source, "line": p.line, "excerpt": p.excerpt, "facts": dict(p.facts)} for p in finding.hit.places]
    return {**finding_dict(finding, words), "places": places}
