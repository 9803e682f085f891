"""Conversations of several rounds: whether answers get worse as rounds grow, and whether what was said before is kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from advisor.evaluation.bootstrap import difference
from advisor.evaluation.metrics import token_f1
from advisor.evaluation.model import Answer, Estimate
from advisor.evaluation.text import tokens

EARLY = 2
"""Rounds that count as the beginning of a conversation."""

RARE = 0.2
"""Share of the conversations that may hold a word before it is no fact of one conversation."""

HELD = 0.3
"""Share of the facts that an answer must hold to have kept them."""


@dataclass(frozen=True)
class Rounds:
    """How well answers of the first rounds and of later ones match their references. fall: early − late, with its interval."""

    early: int
    late: int
    early_mean: float
    late_mean: float
    most: int
    fall: Estimate | None


def by_rounds(answers: Sequence[Answer]) -> Rounds:
    """Return the overlap with the reference in the first two rounds and in later ones."""
    judged = [(answer.rounds, token_f1(answer.prediction, answer.references)) for answer in answers if answer.references]
    early = np.array([score for rounds, score in judged if rounds <= EARLY])
    late = np.array([score for rounds, score in judged if rounds > EARLY])
    fall = difference(early, late) if len(early) and len(late) else None
    means = [float(part.mean()) if len(part) else 0.0 for part in (early, late)]
    return Rounds(len(early), len(late), means[0], means[1], max((rounds for rounds, _ in judged), default=0), fall)


@dataclass(frozen=True)
class Carried:
    """Answers whose reference needs something that was said in an earlier round, and those that lack it.

    rows: (row, a word that is lacking). other: share of rows without such a need that are answered wrongly, of `others`.
    """

    rows: tuple[tuple[int, str], ...]
    of: int
    others: int
    other_wrong: float


def carried(answers: Sequence[Answer]) -> Carried:
    """Return the answers that lack what only an earlier round said."""
    frequency = Counter(word for answer in answers for word in {w for _, text in answer.turns for w in tokens(text)})
    lost, of = [], 0
    rest: list[bool] = []
    for row, answer in enumerate(answers):
        if not answer.references:
            continue
        right = set(tokens(answer.references[0]))
        before = {word for text in answer.earlier for word in tokens(text)}
        needed = {w for w in right & before - set(tokens(answer.prompt)) if frequency[w] <= max(RARE * len(answers), 1)}
        said = set(tokens(answer.prediction))
        if not needed:
            rest.append(token_f1(answer.prediction, answer.references) < HELD)
            continue
        of += 1
        if len(needed & said) < HELD * len(needed):
            lost.append((row, min(needed - said)))
    return Carried(tuple(lost), of, len(rest), float(np.mean(rest)) if rest else 0.0)
