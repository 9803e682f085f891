"""Run × rule book → diagnosis. Each detector is handed exactly the signals it declares; what is missing is said, not guessed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, cast

import numpy as np

from advisor.causes import CauseRule, load_causes, recommended, weigh
from advisor.changes import merge, propose
from advisor.cost import cost_of
from advisor.model import SEVERITIES, Change, Diagnosis, Finding, Forecast, Hit, NotApplicable, NotJudged, NotMeasurable, Run, Value
from advisor.rulebook import Rule
from advisor.signals import Measurements
from advisor.signals.registry import Lazy

if TYPE_CHECKING:
    from advisor.data.signals import DatasetMeasurements
    from advisor.evaluation.signals import AnswerMeasurements


@dataclass(frozen=True, slots=True)
class Examination:
    """Everything the rule book says about one dataset. measured: the dataset and its measurements."""

    measured: DatasetMeasurements
    findings: tuple[Finding, ...]
    clean: tuple[Rule, ...]
    not_judged: tuple[NotJudged, ...]


LEAST_FOR_A_VERDICT = {"train_loss": 8, "eval_loss": 5, "reward": 20, "rewards/margins": 20}
"""A run is called healthy only where a rule that needs so many points of its curve has looked."""


def diagnose(run: Run, rules: Iterable[Rule], causes: Sequence[CauseRule] | None = None) -> Diagnosis:
    """Judge `run` by every rule that fits its objective, and join the findings into causes (those of the rule book by default)."""
    measured = Measurements(run)
    objective = str(measured["objective"])
    findings: list[Finding] = []
    clean: list[Rule] = []
    not_judged: list[NotJudged] = []
    for rule in rules:
        if rule.subject != "run" or (rule.objectives and objective not in rule.objectives):
            continue
        result = judge(rule, measured)
        if isinstance(result, NotJudged):
            not_judged.append(result)
        elif isinstance(result, Hit):
            findings.append(Finding(rule, result, propose(rule, result, measured, run.reader)))
        elif result is None:
            clean.append(rule)
    stated = weigh(load_causes() if causes is None else causes, findings, measured)
    findings = _without_superseded(findings)
    findings.sort(key=_gravity)
    changes, conflicts = merge(findings, [cause.findings for cause in stated])
    kept = [replace(f, changes=tuple(c for c in f.changes if c in changes)) for f in findings]
    with np.errstate(all="ignore"):
        cost = cost_of(measured, changes)
    return Diagnosis(
        run=run, verdict=_verdict(kept, clean), objective=objective, findings=tuple(kept), clean=tuple(clean),
        not_judged=tuple(not_judged), changes=tuple(changes), causes=stated, first_change=recommended(stated, changes),
        conflicts=tuple(conflicts), forecast=_forecast(measured, kept), cost=cost,
    )  # fmt: skip


NO_FORECAST = frozenset({"overfitting", "divergence", "non-finite", "zero-loss", "crash", "data", "schedule"})
"""Problems with which a run does not go on as it went."""


def _forecast(measured: Measurements, findings: list[Finding]) -> Forecast | NotMeasurable:
    """Return where the run will end, or why that cannot be said."""
    if any(f.rule.severity != "info" and f.rule.problem in NO_FORECAST for f in findings):
        return NotMeasurable("forecast:findings")
    try:
        with np.errstate(all="ignore"):
            forecast = measured["forecast"]
    except NotMeasurable as reason:
        return reason
    assert isinstance(forecast, Forecast)
    return forecast


def examine(measured: DatasetMeasurements, rules: Iterable[Rule]) -> Examination:
    """Judge a dataset by every rule that is about datasets and fits its training method."""
    method = measured["volume"].method
    chosen = (rule for rule in rules if rule.subject == "dataset" and (not rule.objectives or method in rule.objectives))
    return Examination(measured, *_judged(chosen, measured))


@dataclass(frozen=True, slots=True)
class Assessment:
    """Everything the rule book says about a model's answers. changes: of inference parameters, at most one for each."""

    measured: AnswerMeasurements
    findings: tuple[Finding, ...]
    clean: tuple[Rule, ...]
    not_judged: tuple[NotJudged, ...]
    changes: tuple[Change, ...]


def assess(measured: AnswerMeasurements, rules: Iterable[Rule]) -> Assessment:
    """Judge a model's answers by every rule that is about answers."""
    findings, clean, not_judged = _judged((rule for rule in rules if rule.subject == "answers"), measured)
    # The recipes of these rules ask for settings and for signals by name, which both kinds of measurements have.
    settings = cast("Measurements", measured)
    found = tuple(replace(f, changes=propose(f.rule, f.hit, settings)) for f in findings)
    changes, _ = merge(_one_of(found))
    kept = tuple(replace(f, changes=tuple(c for c in f.changes if c in changes)) for f in found)
    return Assessment(measured, kept, clean, not_judged, tuple(changes))


ALIKE_IN_EFFECT = frozenset({"temperature", "top_p"})
"""Inference parameters of which the documentation says to change one and leave the other."""


def _one_of(findings: Iterable[Finding]) -> list[Finding]:
    """Return the findings with the changes of only the first parameter of `ALIKE_IN_EFFECT`: the gravest finding decides."""
    chosen, kept = "", []
    for finding in findings:
        changes = []
        for change in finding.changes:
            if change.parameter in ALIKE_IN_EFFECT:
                chosen = chosen or change.parameter
                if change.parameter != chosen:
                    continue
            changes.append(change)
        kept.append(replace(finding, changes=tuple(changes)))
    return kept


def _judged(rules: Iterable[Rule], measured: Lazy) -> tuple[tuple[Finding, ...], tuple[Rule, ...], tuple[NotJudged, ...]]:
    """Return what was found, the gravest first, the rules that looked and found nothing, and those that could not look."""
    findings: list[Finding] = []
    clean: list[Rule] = []
    not_judged: list[NotJudged] = []
    for rule in rules:
        result = judge(rule, measured)
        if isinstance(result, NotJudged):
            not_judged.append(result)
        elif isinstance(result, Hit):
            findings.append(Finding(rule, result))
        elif result is None:
            clean.append(rule)
    findings = _without_superseded(findings)
    findings.sort(key=_gravity)
    return tuple(findings), tuple(clean), tuple(not_judged)


_OF_THE_RUN = ("num_train_epochs", "max_length", "max_seq_length", "cutoff_len")


def examine_with(
    dataset: DatasetMeasurements, diagnoses: Sequence[Diagnosis], extra: Mapping[str, Value], rules: Iterable[Rule]
) -> Examination:
    """Judge the training data under the settings of the first run, and for as many epochs as it had."""
    settings = {**(diagnoses[0].run.config if diagnoses else {}), **extra}
    config: dict[str, Value] = {name: settings[name] for name in _OF_THE_RUN if name in settings}
    limit = next((config[name] for name in _OF_THE_RUN[1:] if name in config), None)
    if limit is not None:
        config["max_length"] = limit
    if diagnoses and "num_train_epochs" not in config:
        with suppress(NotMeasurable):
            config["num_train_epochs"] = Measurements(diagnoses[0].run)["train_epochs"].total
    return examine(dataset.under(config), rules)


EXPLAINS: Mapping[str, frozenset[str]] = {
    "overfitting": frozenset({"exact-duplicates", "normalised-duplicates", "near-duplicates", "rows-below-minimum"}),
    "divergence": frozenset({"health-low", "mojibake", "garbled-characters", "conflicting-answers", "mixed-schemas"}),
    "instability": frozenset({"health-low", "mojibake", "garbled-characters", "conflicting-answers", "repetitive-answer"}),
    "plateau": frozenset({"conflicting-answers", "empty-answer", "health-low"}),
    "underfitting": frozenset({"conflicting-answers", "rows-below-minimum"}),
    "zero-loss": frozenset({"empty-answer", "exact-duplicates", "overlong-rows"}),
}
"""Problem of a run → slugs of the dataset's rules that are documented as its cause (Pangu FAQ on loss curves and poor results)."""

READING_FAILED = "read-example-failed"


def explained(diagnosis: Diagnosis, examination: Examination) -> tuple[tuple[Finding, Finding], ...]:
    """Return (finding of the run, finding of its data that explains it); a failed reading is explained by every broken record."""
    pairs = []
    for symptom in diagnosis.findings:
        known = EXPLAINS.get(symptom.rule.problem, frozenset())
        for cause in examination.findings:
            broken = cause.rule.detector == "record_problem" and cause.rule.severity == "error"
            if cause.rule.slug in known or (symptom.rule.slug == READING_FAILED and broken):
                pairs.append((symptom, cause))
    return tuple(pairs)


class _DoesNotApply:
    """The rule is about runs of another kind than this one."""


def judge(rule: Rule, measured: Lazy) -> Hit | NotJudged | _DoesNotApply | None:
    """Return what `rule` says of a run: a hit, nothing (it looked and is content), or that it could not look.

    Its `[evidence]` is the least number of points of a series below which it does not judge; its `[most]` the number above
    which another rule is in charge.
    """
    for name, most in rule.most.items():
        if (measured.points(name) or 0) > most:
            return _DoesNotApply()
    for name, need in rule.evidence.items():
        have = measured.points(name) or 0
        if have < need:
            return NotJudged(rule, (name,), need, have)
    try:
        # Logs hold values that overflow when squared; the comparison that follows then says no.
        with np.errstate(all="ignore"):
            hit = measured.call(rule.function, rule.thresholds)
    except NotApplicable:
        return _DoesNotApply()
    except NotMeasurable as reason:
        return NotJudged(rule, reason.missing, reason.need, reason.have)
    assert hit is None or isinstance(hit, Hit)
    return hit


def _without_superseded(findings: list[Finding]) -> list[Finding]:
    """Drop the findings that a graver one of the same run already says."""
    said = {other for finding in findings for other in finding.rule.supersedes}
    return [f for f in findings if f.rule.id not in said]


PRECEDENCE = (
    "crash", "non-finite", "zero-loss", "data", "divergence", "overfitting", "schedule", "instability", "plateau", "underfitting",
    "generation", "throughput", "suitability", "unjudgeable", "healthy",
)  # fmt: skip
"""Among findings of one severity, what is named first: what makes the rest of the curve meaningless comes before the rest."""


def _gravity(finding: Finding) -> tuple[int, int, str]:
    rule = finding.rule
    return SEVERITIES.index(rule.severity), PRECEDENCE.index(rule.problem), rule.id


def _verdict(findings: list[Finding], clean: list[Rule]) -> str:
    """Return the problem of the gravest finding; `healthy` if a curve was judged and nothing is wrong; else `unjudgeable`."""
    for finding in findings:
        if finding.rule.severity != "info":
            return finding.rule.problem
    judged = any(rule.evidence.get(name, 0) >= least for rule in clean for name, least in LEAST_FOR_A_VERDICT.items())
    return "healthy" if judged else "unjudgeable"
