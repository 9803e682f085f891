"""Page one of a report: the verdict, the one thing to do, the four numbers and the lights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

State = Literal["pass", "warning", "failure", "not-judged"]
STATES: tuple[State, ...] = ("failure", "warning", "not-judged", "pass")
"""From the gravest to the lightest."""

Aspect = Literal["generalisation", "stability", "optimisation", "schedule", "data", "throughput"]
ASPECTS: tuple[Aspect, ...] = ("generalisation", "stability", "optimisation", "schedule", "data", "throughput")
"""The traffic lights, always these and in this order."""


@dataclass(frozen=True, slots=True)
class Action:
    """The one thing to do first. kind: `change` a setting, make an `experiment`, follow a `remedy`, `log` more, or do `nothing`.

    label: what stands before the text.
    parameter, old, new: of a change, else empty; rule: the finding it belongs to, empty where there is none.
    """

    kind: Literal["change", "experiment", "remedy", "log", "nothing"]
    label: str
    text: str
    parameter: str = ""
    old: str = ""
    new: str = ""
    rule: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer in one sentence. problem: one word of `advisor.model.PROBLEMS`; word: the same in the report's language.

    confidence: `high`, `medium` or `low`, with confidence_text: why it is so.
    """

    state: State
    problem: str
    word: str
    sentence: str
    confidence: Literal["high", "medium", "low"]
    confidence_text: str
    action: Action


@dataclass(frozen=True, slots=True)
class Figure:
    """One of the four numbers on top: `best`, `final`, `rise`, `cost`.

    value: the text shown large, `–` where there is none. detail: what stands under it. numbers: the same, unrounded, by name;
    empty where it was not logged. state: `not-judged` where there is no number; `warning` where the number speaks of a problem.
    """

    name: Literal["best", "final", "rise", "cost"]
    label: str
    value: str
    detail: str
    state: State
    numbers: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Light:
    """One traffic light. reason: what made it so, or why it could not be judged and how to get it judged."""

    aspect: Aspect
    label: str
    state: State
    state_text: str
    reason: str
    rules: tuple[str, ...]
