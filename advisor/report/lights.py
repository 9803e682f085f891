"""The six traffic lights of a report: always the same, in the same order, and none is green without having looked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from advisor.model import SEVERITIES, Finding, NotJudged
from advisor.render.words import Words
from advisor.report.material import Material
from advisor.report.model import ASPECTS, Aspect, Light, State
from advisor.rulebook import Rule

PROBLEMS_OF: Mapping[Aspect, frozenset[str]] = {
    "generalisation": frozenset({"overfitting", "unjudgeable"}),
    "stability": frozenset({"divergence", "instability", "non-finite", "crash"}),
    "optimisation": frozenset({"underfitting", "plateau", "zero-loss"}),
    "schedule": frozenset({"schedule"}),
    "data": frozenset({"data"}),
    "throughput": frozenset({"throughput"}),
}
"""Which problems each light stands for."""

LOOKED_AT: Mapping[Aspect, frozenset[str]] = {
    "generalisation": frozenset({"eval_loss", "eval_reward", "eval_rewards/accuracies", "eval_accuracy"}),
    "stability": frozenset({"train_loss", "reward", "kl", "grad_norm"}),
    "optimisation": frozenset({"train_loss", "eval_loss", "reward", "rewards/margins"}),
    "schedule": frozenset({"learning_rate"}),
}
"""A light is green only where a rule that needs one of these has looked; of the others, where any rule has."""

LACKED_FIRST: Mapping[Aspect, tuple[str, ...]] = {
    "generalisation": ("eval_loss", "eval_reward"),
    "stability": ("train_loss", "reward"),
    "optimisation": ("train_loss", "reward", "eval_loss"),
    "schedule": ("learning_rate",),
    "throughput": ("step_time", "time"),
}
"""What is named as missing before anything else."""

NEEDS_A_CURVE: frozenset[Aspect] = frozenset({"generalisation", "optimisation"})
BROKEN = frozenset({"divergence", "non-finite", "zero-loss"})
"""Problems after which a curve says nothing of how well was learnt: those lights then stay dark."""

STATE_OF: Mapping[str, State] = {"error": "failure", "warning": "warning"}
"""Severity of the gravest finding → state; a remark alone leaves a light as it is."""


def lights(material: Material, words: Words) -> tuple[Light, ...]:
    """Return the six lights."""
    return tuple(_light(aspect, material, words) for aspect in ASPECTS)


def _light(aspect: Aspect, material: Material, words: Words) -> Light:
    found = _findings(aspect, material)
    grave = [f for f in found if f.rule.severity in STATE_OF]
    ids = tuple(f.rule.id for f in found)
    if grave:
        state = STATE_OF[grave[0].rule.severity]
        return _said(aspect, state, words.of(grave[0], "title"), ids, words)
    looked = _looked(aspect, material)
    if looked and aspect in NEEDS_A_CURVE and (broken := _broken(material)) is not None:
        return _said(aspect, "not-judged", words("light.broken", finding=words.of(broken, "title")), ids, words)
    if looked:
        reason = words.of(found[0], "title") if found else words("light.clean", count=len(looked))
        return _said(aspect, "pass", words("light.remark", remark=reason) if found else reason, ids, words)
    return _said(aspect, "not-judged", _why_not(aspect, material, found, words), ids, words)


def _said(aspect: Aspect, state: State, reason: str, rules: tuple[str, ...], words: Words) -> Light:
    return Light(aspect, words(f"aspect.{aspect}"), state, words(f"state.{state}"), reason, rules)


def _findings(aspect: Aspect, material: Material) -> list[Finding]:
    """Return the findings of this aspect, the gravest first; those of the training data are about the data."""
    found = [f for f in material.diagnosis.findings if f.rule.problem in PROBLEMS_OF[aspect]]
    if aspect == "data" and material.examination is not None:
        found += material.examination.findings
        found.sort(key=lambda f: SEVERITIES.index(f.rule.severity))
    return found


def _broken(material: Material) -> Finding | None:
    """Return the finding that leaves the rest of the curve without meaning, or None."""
    return next((f for f in material.diagnosis.findings if f.rule.problem in BROKEN and f.rule.severity in STATE_OF), None)


def _looked(aspect: Aspect, material: Material) -> Sequence[Rule]:
    """Return the rules that looked at this aspect and found nothing; none where what it takes to judge was not there."""
    if aspect == "data":
        return material.examination.clean if material.examination is not None else ()
    clean = [rule for rule in material.diagnosis.clean if rule.problem in PROBLEMS_OF[aspect]]
    needed = LOOKED_AT.get(aspect)
    if needed is None:
        return clean
    logged = {name for name, series in material.run.series.items() if len(series.finite)}
    return clean if any(needed & logged & rule.evidence.keys() for rule in clean) else ()


def _why_not(aspect: Aspect, material: Material, found: Sequence[Finding], words: Words) -> str:
    if aspect == "data":
        return words("light.no_data")
    waiting = [n for n in material.diagnosis.not_judged if n.rule.problem in PROBLEMS_OF[aspect]]
    if waiting:
        first = min(waiting, key=lambda n: _order(aspect, n))
        return words("light.lacks", missing=words.missing(first), log=words.to_log(first))
    return words.of(found[0], "title") if found else words("light.nothing")


def _order(aspect: Aspect, item: NotJudged) -> int:
    wanted = LACKED_FIRST.get(aspect, ())
    return min((wanted.index(name) for name in item.missing if name in wanted), default=len(wanted))
