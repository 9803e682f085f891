"""Answers beside the training data: questions that were trained on, answers that are training answers word for word."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from advisor.data.keys import normalised
from advisor.evaluation.bootstrap import difference
from advisor.evaluation.metrics import token_f1
from advisor.evaluation.model import Answer, Estimate
from advisor.evaluation.text import overlap, same, tokens

LEAST_WORDS = 4
"""Words of an answer that is specific to its question; a label or a number is not."""

MOST_COMMON = 0.01
"""Share of the training rows that may have one answer before it belongs to no question in particular."""

ALIKE = 0.5
"""Overlap of two training answers to one question below which it has no one right answer, and is left out."""


def key(answer: Answer) -> str:
    """Return what two questions must share to be the same: the last question, case and blanks apart, and what was said before."""
    return same("\n".join(normalised(text) for role, text in answer.turns if role != "system"))


@dataclass(frozen=True)
class Seen:
    """Rows whose question was trained on, with how well they are answered, and the others.

    rows: numbers of the rows. scores: overlap of each answer with the answer that was trained. gap: mean overlap with the
    reference of seen rows − unseen rows, None where one side has no row.
    """

    rows: tuple[int, ...]
    scores: tuple[float, ...]
    seen_mean: float
    unseen_mean: float
    unseen: int
    gap: Estimate | None


def seen_rows(answers: Sequence[Answer], train: Sequence[Answer]) -> Seen:
    """Return the rows whose question stands in the training data, and how much better than the others they are answered."""
    taught: dict[str, list[str]] = defaultdict(list)
    for row in train:
        taught[key(row)].append(row.references[0])
    rows, scores, own, others = [], [], [], []
    for number, answer in enumerate(answers):
        right = taught.get(key(answer))
        score = token_f1(answer.prediction, answer.references or right or ("",)) if answer.references or right else None
        if right is None:
            if score is not None:
                others.append(score)
            continue
        if min(overlap(tokens(right[0]), tokens(other)) for other in right) < ALIKE:
            continue
        rows.append(number)
        scores.append(token_f1(answer.prediction, [*right, *answer.references]))
        own.append(scores[-1])
    gap = difference(np.array(own), np.array(others)) if own and others else None
    return Seen(
        tuple(rows), tuple(scores), float(np.mean(own)) if own else 0.0, float(np.mean(others)) if others else 0.0, len(others), gap
    )


@dataclass(frozen=True)
class Parroted:
    """Answers to questions that were not trained on which are training answers word for word, and not the right ones.

    rows: (row, row of the training data). references: how many of the references stand in the training data that way.
    """

    rows: tuple[tuple[int, int], ...]
    of: int
    references: int


def parroted(answers: Sequence[Answer], train: Sequence[Answer]) -> Parroted:
    """Return the rows that were answered with an answer learnt for another question."""
    known = {key(row) for row in train}
    texts = [same(row.references[0]) for row in train]
    counted = Counter(texts)
    most = max(1, MOST_COMMON * len(train))
    first = {text: number for number, text in reversed(list(enumerate(texts)))}
    specific = {text for text, times in counted.items() if times <= most and len(tokens(text)) >= LEAST_WORDS}
    rows, of, references = [], 0, 0
    for number, answer in enumerate(answers):
        if key(answer) in known:
            continue
        of += 1
        right = {same(reference) for reference in answer.references}
        references += bool(right & specific)
        said = same(answer.prediction)
        if said in specific and said not in right:
            rows.append((number, first[said]))
    return Parroted(tuple(rows), of, references)


@dataclass(frozen=True)
class Frame:
    """What all training prompts begin and end with, and the share of training and of evaluated prompts that do so."""

    begin: str
    end: str
    train: float
    evaluated: float


LEAST_FRAME = 6
"""Characters that training prompts must share at one end before it is a template."""

USUAL = 0.9
"""Share of the training prompts that must share it."""


def frame_of(answers: Sequence[Answer], train: Sequence[Answer]) -> Frame | None:
    """Return the template of the training prompts, a system message included, or None where they have none."""
    asked = [_whole(row) for row in train]
    begin, end = _shared(asked, from_end=False), _shared(asked, from_end=True)
    if len(begin.strip()) < LEAST_FRAME and len(end.strip()) < LEAST_FRAME:
        return None
    begin = begin if len(begin.strip()) >= LEAST_FRAME else ""
    end = end if len(end.strip()) >= LEAST_FRAME else ""

    def framed(texts: Sequence[str]) -> float:
        return sum(text.startswith(begin) and text.endswith(end) for text in texts) / max(len(texts), 1)

    return Frame(begin, end, framed(asked), framed([_whole(answer) for answer in answers]))


def _whole(answer: Answer) -> str:
    system = next((text for role, text in answer.turns if role == "system"), "")
    return f"{system}\n{answer.prompt}" if system else answer.prompt


def _shared(texts: Sequence[str], *, from_end: bool) -> str:
    """Return the longest beginning (or end) that most of `texts` share, found by the text in the middle of their order."""
    step = -1 if from_end else 1
    ordered = sorted(text[::step] for text in texts)
    if not ordered:
        return ""
    need = USUAL * len(ordered)
    middle = ordered[len(ordered) // 2]
    low, high = 0, len(middle)
    while low < high:
        length = (low + high + 1) // 2
        if sum(text.startswith(middle[:length]) for text in ordered) >= need:
            low = length
        else:
            high = length - 1
    return middle[:low][::step]
