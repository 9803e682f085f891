"""From symptoms to causes: `rules/causes/*.toml` say what speaks for and against a cause, and the odds are added up.

Each piece of evidence carries a weight: the base-2 logarithm of how many times likelier it is where the cause is at work than
where it is not. A cause starts at its prior (a negative number) and is stated once its evidence makes it more likely than not; the
sum is its log-odds.
Weights are judged, not fitted; how often the stated confidence is right is measured and stands in docs/calibration.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from advisor.book_cache import parse_book, parse_toml
from advisor.detectors import DETECTORS, thresholds_of
from advisor.errors import BadRule
from advisor.model import CAUSES, Cause, Change, Clue, Confidence, Finding, Hit, NotMeasurable
from advisor.rulebook import LANGUAGES, built_in_folder, check_thresholds
from advisor.signals import Measurements

FOLDER = "causes"
PRIOR = -2.0
"""Log-odds of a cause before any evidence: one in five."""

LEAST = ((3.0, "high"), (1.0, "medium"), (0.25, "low"))
"""Log-odds from which a confidence is stated: 8 to 1, 2 to 1, more likely than not."""

MOST_STATED = 3
USUAL = ("sft", "classification")
"""Objectives for which a cause is weighed unless its file says otherwise: the loss of a policy means something else."""

TEXTS = ("title", "meaning", "experiment")
_KEYS = {"cause", "prior", "quiet", "parameters", "evidence", "objectives", "cases", *LANGUAGES}
_EVIDENCE_KEYS = {"finding", "clue", "weight", "thresholds", *LANGUAGES}


@dataclass(frozen=True)
class Evidence:
    """One entry of a cause: findings (any of them) or a clue that only this cause looks at, and its weight."""

    weight: float
    findings: tuple[str, ...]
    clue: str
    thresholds: Mapping[str, Any]
    words: Mapping[str, str]


@dataclass(frozen=True)
class CauseRule:
    """One cause: its words, its evidence, and the parameters that mend it, the best first.

    quiet: the log-odds it needs where no finding warns and none supports it; a setting alone makes no run ill.
    """

    name: str
    words: Mapping[str, Mapping[str, str]]
    parameters: tuple[str, ...]
    evidence: tuple[Evidence, ...]
    prior: float
    quiet: float
    objectives: tuple[str, ...]
    path: Path

    @property
    def cases(self) -> tuple[Mapping[str, Any], ...]:
        """The runs in which this cause comes first, is among those stated, or is absent."""
        return tuple(parse_toml(self.path).get("cases", ()))


@lru_cache(maxsize=1)
def load_causes() -> tuple[CauseRule, ...]:
    """Return the causes of the rule book, in the order of the closed vocabulary. Raises BadRule."""
    content = parse_book(built_in_folder())
    found = [parse_cause(Path(name), data) for name, data in content.items() if Path(name).parent.name == FOLDER]
    return tuple(sorted(found, key=lambda cause: CAUSES.index(cause.name)))


def parse_cause(path: Path, content: Mapping[str, Any] | None = None) -> CauseRule:
    """Return the cause in the file `path`, or in its content where that is known. Raises BadRule, which names the file."""
    data = parse_toml(path) if content is None else content
    if unknown := data.keys() - _KEYS:
        raise BadRule(f"{path}: unknown key `{min(unknown)}`; expected {', '.join(sorted(_KEYS))}")
    if data.get("cause") not in CAUSES:
        raise BadRule(f"{path}: `cause` is {data.get('cause')!r}; expected one of {', '.join(CAUSES)}")
    for language in LANGUAGES:
        if set(data.get(language, ())) != set(TEXTS):
            raise BadRule(f"{path}: [{language}] needs exactly {', '.join(TEXTS)}")
    return CauseRule(
        name=data["cause"],
        words={language: data[language] for language in LANGUAGES},
        parameters=tuple(data.get("parameters", ())),
        evidence=tuple(_evidence(entry, path) for entry in data.get("evidence", ())),
        prior=float(data.get("prior", PRIOR)),
        quiet=float(data.get("quiet", LEAST[-1][0])),
        objectives=tuple(data.get("objectives", ())),
        path=path,
    )


def _evidence(entry: Mapping[str, Any], path: Path) -> Evidence:
    if unknown := entry.keys() - _EVIDENCE_KEYS:
        raise BadRule(f"{path}: unknown key `{min(unknown)}` in [[evidence]]; expected {', '.join(sorted(_EVIDENCE_KEYS))}")
    if ("finding" in entry) == ("clue" in entry) or not isinstance(entry.get("weight"), int | float):
        raise BadRule(f"{path}: an [[evidence]] entry needs a weight and either `finding` or `clue`")
    clue, thresholds = entry.get("clue", ""), entry.get("thresholds", {})
    if clue:
        if clue not in DETECTORS:
            raise BadRule(f"{path}: no detector `{clue}`")
        check_thresholds(thresholds, thresholds_of(DETECTORS[clue]), f"{path}: {clue}")
        if missing := set(LANGUAGES) - entry.keys():
            raise BadRule(f"{path}: the clue `{clue}` lacks words in {', '.join(sorted(missing))}")
    named = entry.get("finding", ())
    findings = (named,) if isinstance(named, str) else tuple(named)
    return Evidence(float(entry["weight"]), findings, clue, thresholds, {lang: entry[lang] for lang in LANGUAGES if lang in entry})


def weigh(causes: Iterable[CauseRule], findings: Sequence[Finding], measured: Measurements) -> tuple[Cause, ...]:
    """Return the causes that are more likely than not, the likeliest first.

    findings: all that fired, those too that a graver finding of the same run makes needless to say.
    """
    fired = {finding.rule.id: finding for finding in findings}
    quiet = all(finding.rule.severity == "info" for finding in findings)
    objective = str(measured["objective"])
    stated = []
    for cause in causes:
        if objective not in (cause.objectives or USUAL) and "any" not in cause.objectives:
            continue
        clues = [clue for evidence in cause.evidence if (clue := _seen(evidence, fired, measured)) is not None]
        odds = cause.prior + sum(clue.weight for clue in clues)
        confidence: Confidence | None = next((name for least, name in LEAST if odds >= least), None)  # type: ignore[misc]
        if confidence is None or not any(clue.weight > 0 for clue in clues):
            continue
        if quiet and odds < cause.quiet and not any(clue.finding and clue.weight > 0 for clue in clues):
            continue
        ordered = sorted(clues, key=lambda clue: -abs(clue.weight))
        supports = tuple(clue for clue in ordered if clue.weight > 0)
        against = tuple(clue for clue in ordered if clue.weight < 0)
        stated.append(Cause(cause.name, cause.words, odds, confidence, supports, against, cause.parameters))
    return tuple(sorted(stated, key=lambda cause: -cause.odds)[:MOST_STATED])


def _seen(evidence: Evidence, fired: Mapping[str, Finding], measured: Measurements) -> Clue | None:
    """Return the evidence as it was seen in this run, or None where it was not there to see."""
    for rule_id in evidence.findings:
        if rule_id in fired:
            finding = fired[rule_id]
            words = evidence.words or {lang: finding.rule.words[lang]["title"] for lang in LANGUAGES}
            return Clue(evidence.weight, words, finding.hit.facts, rule_id)
    if not evidence.clue:
        return None
    try:
        with np.errstate(all="ignore"):
            hit = measured.call(DETECTORS[evidence.clue], evidence.thresholds)
    except NotMeasurable:
        return None
    return Clue(evidence.weight, evidence.words, hit.facts, "") if isinstance(hit, Hit) else None


def recommended(causes: Sequence[Cause], changes: Sequence[Change]) -> Change | None:
    """Return the one change to make first: that which mends the likeliest cause, else the first of all.

    None where a cause is known and none of the changes mends it: then the cause's experiment comes first.
    """
    for cause in causes[:1]:
        for parameter in cause.parameters:
            if change := next((c for c in changes if c.parameter == parameter), None):
                return change
        return None
    return changes[0] if changes else None
