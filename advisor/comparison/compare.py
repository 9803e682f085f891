"""Diagnoses → comparison: each run against the baseline, seeds of one configuration taken together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from advisor.comparison import settings
from advisor.comparison.model import Axis, Comparison, Pair, Side
from advisor.comparison.outcome import side
from advisor.comparison.verdict import decide
from advisor.model import Diagnosis, Value

Changed = Mapping[str, "tuple[Value | None, Value | None]"]


def compare(diagnoses: Sequence[Diagnosis], names: Sequence[str], baseline: int = 0) -> Comparison:
    """Return the comparison of all runs with the run number `baseline`."""
    sides = [side(name, diagnosis) for name, diagnosis in zip(names, diagnoses, strict=True)]
    groups = _groups(sides)
    of = {number: group for group in groups for number in group}
    pairs = []
    for number, run in enumerate(sides):
        if number != baseline:
            pairs.append(_pair(sides, baseline, number, of, run))
    return Comparison(tuple(sides), tuple(pairs), tuple(group for group in groups if len(group) > 1))


def _pair(sides: Sequence[Side], baseline: int, number: int, of: dict[int, tuple[int, ...]], run: Side) -> Pair:
    first = sides[baseline]
    apart = of[baseline] != of[number]
    peers = tuple([sides[n] for n in of[own] if n != own] if apart else [] for own in (baseline, number))
    verdict = decide(first, run, (peers[0], peers[1]))
    changed = settings.different(first.config, run.config)
    both = [set(one.findings) for one in (first, run)]
    assumed = ("evaluation-set",) if verdict.kind != "undecided" and settings.clash(settings.DATA, first.config, run.config) else ()
    return Pair(
        baseline, number, _axis(first, run, changed), changed, verdict, tuple(sorted(both[0] - both[1])),
        tuple(sorted(both[1] - both[0])), assumed,
    )  # fmt: skip


def _axis(first: Side, run: Side, changed: Changed) -> Axis:
    one, other = settings.models(first.config, run.config)
    if one and other and one != other:
        return "horizontal"
    return "vertical" if changed or not settings.clash(settings.SEEDS, first.config, run.config) else "seed"


def _groups(sides: Sequence[Side]) -> list[tuple[int, ...]]:
    """Return the runs by configuration: those that state the same settings, and different seeds, belong together."""
    groups: list[list[int]] = []
    for number, run in enumerate(sides):
        for group in groups:
            head = sides[group[0]]
            if (
                run.config
                and settings.clash(settings.SEEDS, head.config, run.config)
                and not settings.different(head.config, run.config)
            ):
                group.append(number)
                break
        else:
            groups.append([number])
    return [tuple(group) for group in groups]
