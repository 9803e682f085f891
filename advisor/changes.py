"""From findings to changes of the configuration: at most one for each parameter, and what contradicts it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from advisor.dialects import ABSENT, name_in
from advisor.effects import effect_of
from advisor.model import Change, Conflict, Finding, Hit, NotMeasurable
from advisor.recipes import RECIPES, Context
from advisor.signals import Measurements

if TYPE_CHECKING:
    from advisor.rulebook import Rule


def propose(rule: Rule, hit: Hit, measured: Measurements, reader: str = "") -> tuple[Change, ...]:
    """Return the changes of `rule` that have a number on this run and can be made in the tool whose log `reader` read."""
    context = Context(measured, hit)
    found = []
    for proposal in rule.changes:
        name = name_in(reader, proposal.parameter)
        if name == ABSENT:
            continue
        try:
            edit = RECIPES[proposal.to](context)
        except NotMeasurable:
            continue
        if edit is not None:
            effect = effect_of(proposal.parameter, *edit, proposal.to, measured)
            found.append(Change(proposal.parameter, *edit, proposal.trust, rule.id, proposal.reason, effect, name))  # type: ignore[arg-type]
    return tuple(found)


def merge(findings: Sequence[Finding], explained: Sequence[Sequence[str]] = ()) -> tuple[list[Change], list[Conflict]]:
    """Return at most one change for each parameter, and the changes that contradict a chosen one.

    explained: the findings behind each cause, the likeliest cause first. A change that mends a likelier cause comes first; among
    equals the graver finding decides. Two changes contradict each other where one raises what the other lowers.
    """
    rank = {rule: i for i, rules in reversed(list(enumerate(explained))) for rule in rules}
    ordered = sorted(findings, key=lambda finding: rank.get(finding.rule.id, len(explained)))
    chosen: dict[str, Change] = {}
    conflicts = []
    for finding in ordered:
        for change in finding.changes:
            first = chosen.setdefault(change.parameter, change)
            if _direction(first) * _direction(change) < 0:
                conflicts.append(Conflict(first, change))
    return list(chosen.values()), conflicts


def _direction(change: Change) -> int:
    """Return 1 where a change raises its parameter, -1 where it lowers it, 0 where neither can be said."""
    old, new = change.old, change.new
    if isinstance(old, bool) or not isinstance(old, int | float) or not isinstance(new, int | float):
        return 0
    return (new > old) - (new < old)
