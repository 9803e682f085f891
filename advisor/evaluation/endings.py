"""Answers that stop before they are finished: judged by how the references end, and by the limit of generated tokens."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from advisor.data.quality.endings import ending
from advisor.evaluation.model import Answer
from advisor.evaluation.text import tokens

HABIT = 0.95
"""Share of the references that must end with a closing sign before an answer without one is conspicuous."""

FEWEST = 20
"""References from which their endings are a habit."""

SHORTER = 0.9
"""An unfinished answer has at most this share of its reference's words; one that only lacks a full stop has all of them."""

LEAST_PREFIX = 3
"""Words that the beginning of a reference must have to be recognised in an answer."""

LIMITED = frozenset({"length", "max_tokens", "max_length", "model_length", "token_limit"})
"""What serving programs say where the limit of tokens ended an answer."""

CEILING = 3
"""Answers of the very same, and greatest, number of tokens that show a limit."""


@dataclass(frozen=True, slots=True)
class Habit:
    """How finished answers end.

    closed: whether they end with a closing sign. ceiling: the limit of tokens, 0 where unknown. given: whether it is a parameter,
    and not only guessed from a pile of answers of the same greatest length, which short answers make by nature.
    """

    closed: bool
    ceiling: int
    given: bool


def habit_of(answers: Sequence[Answer], limit: int = 0) -> Habit:
    """Return the habit of the references, and the limit of tokens: a parameter, else where answers pile up at the maximum."""
    references = [reference for answer in answers for reference in answer.references[:1] if reference.strip()]
    ended = sum(_closed(reference) for reference in references)
    counted = Counter(answer.tokens for answer in answers if answer.tokens)
    longest = max(counted, default=0)
    ceiling = limit or (longest if counted.get(longest, 0) >= CEILING else 0)
    return Habit(len(references) >= FEWEST and ended >= HABIT * len(references), ceiling, bool(limit))


def _closed(text: str) -> bool:
    last = text.rstrip()[-1:]
    return bool(last) and unicodedata.category(last) in ("Po", "Pe", "Pf", "So", "Sm", "Sc", "Sk") and last not in ",，、;；:："


def cut_off(text: str, answer: Answer, habit: Habit, tokens_of_text: int = 0) -> str:
    """Return the sign by which an answer was cut off (`limit`, `fence`, `bracket`, `sentence`, `beginning`, `open`), or nothing.

    tokens_of_text: generated tokens of this text, 0 where not known.
    """
    if not text.strip():
        return ""
    at_limit = bool(habit.ceiling) and tokens_of_text >= habit.ceiling
    how, missing = ending(text)
    if how == "open" and not any(ending(reference)[0] == "open" for reference in answer.references):
        return missing
    said = tokens(text)
    for reference in answer.references:
        right = tokens(reference)
        if (
            LEAST_PREFIX <= len(said) <= SHORTER * len(right)
            and right[: len(said) - 1] == said[:-1]
            and right[len(said) - 1].startswith(said[-1])
        ):
            return "beginning"
    if habit.closed and not _closed(text):
        if at_limit:
            return "limit"
        if answer.references and len(said) <= SHORTER * min(len(tokens(r)) for r in answer.references):
            return "open"
    return "limit" if at_limit and habit.given and not habit.closed and how != "ended" else ""
