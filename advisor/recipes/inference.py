"""Changes of inference parameters: one at a time, inside the documented ranges, in the documented direction."""

from __future__ import annotations

import math

from advisor.evaluation.parameters import RANGES, RECOMMENDED
from advisor.recipes.base import Context, Edit, recipe

STEP = {"temperature": 0.2, "presence_penalty": 0.5}
"""How far a parameter goes at once: far enough to be seen, near enough to come back from. Ours; no step is documented."""

PIECES_PER_WORD = 2
"""Tokens that a word may take: a limit of tokens is set generously."""

MET = "cut-limit"
"""How an answer ended that met the limit of tokens."""

WHOLE = 64
"""Limits of tokens are given in multiples of this."""


@recipe
def temperature_recommended(context: Context) -> Edit | None:
    """Temperature: down to the recommended value, where it is above it."""
    old = context.number("temperature")
    return (old, RECOMMENDED["temperature"]) if old is not None and old > RECOMMENDED["temperature"] else None


@recipe
def temperature_higher(context: Context) -> Edit | None:
    """Temperature: a step up, at least to the recommended value, inside the range."""
    old = context.number("temperature")
    if old is None:
        return None
    new = round(min(max(old + STEP["temperature"], RECOMMENDED["temperature"]), RANGES["temperature"][1]), 2)
    return (old, new) if new > old else None


@recipe
def temperature_higher_alone(context: Context) -> Edit | None:
    """Temperature: a step up where no presence penalty is known that would be changed instead: one thing at a time."""
    return None if context.number("presence_penalty") is not None else temperature_higher(context)


@recipe
def temperature_in_range(context: Context) -> Edit | None:
    """Temperature: the recommended value, where it is out of range."""
    return _in_range(context, "temperature")


@recipe
def top_p_in_range(context: Context) -> Edit | None:
    """top_p: the recommended value, where it is out of range."""
    return _in_range(context, "top_p")


@recipe
def presence_penalty_in_range(context: Context) -> Edit | None:
    """Presence penalty: the recommended value, where it is out of range."""
    return _in_range(context, "presence_penalty")


def _in_range(context: Context, name: str) -> Edit | None:
    old = context.number(name)
    low, high = RANGES[name]
    return (old, RECOMMENDED[name]) if old is not None and not low <= old <= high else None


@recipe
def top_p_recommended(context: Context) -> Edit | None:
    """top_p: back to 1, which leaves the choice to the temperature."""
    old = context.number("top_p")
    return (old, RECOMMENDED["top_p"]) if old is not None and old < RECOMMENDED["top_p"] else None


@recipe
def presence_penalty_higher(context: Context) -> Edit | None:
    """Presence penalty: 0 where it is negative, else a step up, inside the range."""
    old = context.number("presence_penalty")
    if old is None:
        return None
    new = RECOMMENDED["presence_penalty"] if old < 0 else min(old + STEP["presence_penalty"], RANGES["presence_penalty"][1])
    return (old, new) if new > old else None


@recipe
def max_tokens_higher(context: Context) -> Edit | None:
    """Limit of tokens: twice what it is, or enough for the longest reference; not where no answer met it, as far as is known."""
    old = context.number("max_tokens")
    told = any(answer.finish for answer in context.measured["answers"])
    met = any(place.facts.get("how") == MET for place in context.hit.places)
    if old is None or old <= 0 or (told and not met):
        return None
    need = context.measured["longest_reference"] * PIECES_PER_WORD
    return int(old), WHOLE * math.ceil(max(2 * old, need) / WHOLE)
