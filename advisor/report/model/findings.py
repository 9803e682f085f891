"""What was found and what to change; what is clean, what could not be judged, and how it was decided."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from advisor.model import Severity, Trust, Value


@dataclass(frozen=True, slots=True)
class Evidence:
    """One piece of evidence: the sentence, and the logged value behind it. line: of the log, 0 where it stands on none."""

    text: str
    series: str
    x: float
    value: float
    line: int


@dataclass(frozen=True, slots=True)
class Source:
    """What a rule rests on."""

    title: str
    says: str
    url: str


@dataclass(frozen=True, slots=True)
class FindingEntry:
    """A finding in words. cause: the likeliest cause that explains it, empty where none does.

    of: `run`, or `data` where the training data show it. parameters: the settings that it asks to change.
    causes, checks: what a known error comes from, and how to tell.
    """

    rule: str
    slug: str
    of: Literal["run", "data"]
    problem: str
    problem_text: str
    severity: Severity
    severity_text: str
    title: str
    message: str
    why: str
    remedy: str
    limits: str
    cause: str
    evidence: tuple[Evidence, ...]
    facts: Mapping[str, Value]
    causes: tuple[str, ...]
    checks: tuple[str, ...]
    parameters: tuple[str, ...]
    sources: tuple[Source, ...]


@dataclass(frozen=True, slots=True)
class CauseEntry:
    """A likely cause: what it means, what speaks for and against it, and the experiment that would decide."""

    name: str
    title: str
    confidence: Literal["high", "medium", "low"]
    confidence_text: str
    meaning: str
    supports: tuple[str, ...]
    against: tuple[str, ...]
    experiment: str
    rules: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ChangeEntry:
    """A suggested change of one setting. first: the one to make first. aside: another finding asks for the opposite, in words."""

    parameter: str
    old: str
    new: str
    trust: Trust
    trust_text: str
    rule: str
    reason: str
    effect: str
    effect_low: float | None
    effect_high: float | None
    first: bool
    aside: str


@dataclass(frozen=True, slots=True)
class Configuration:
    """The configuration ready to copy, with the safe changes made. text is empty where nothing is known and nothing to change.

    form: `yaml`, or that of the configuration that was given. changed: parameters that differ from what was. waiting: changes that
    need a decision, a line each; in YAML they stand in the text as comments. whole: it holds every known setting.
    """

    form: str
    text: str
    note: str
    changed: tuple[str, ...]
    waiting: tuple[str, ...]
    whole: bool


@dataclass(frozen=True, slots=True)
class Checked:
    """Rules of one problem that looked and found nothing."""

    problem: str
    label: str
    rules: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Unjudged:
    """Rules that could not look, all for want of one thing: what it is, how much of it, and how to get them judged."""

    missing: str
    label: str
    to_log: str
    problems: str
    rules: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Decision:
    """How one finding was decided: the detector, its thresholds as they were in force, and when the rule is wrong."""

    rule: str
    title: str
    status: str
    thresholds: Mapping[str, Value]
    thresholds_text: str
    floor: str
    limits: str
