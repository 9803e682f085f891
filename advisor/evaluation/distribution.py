"""Whether two sets of prompts are alike: a classifier is asked to tell them apart, and what it goes by is said.

The classifier two-sample test (Lopez-Paz and Oquab, 2017) with naive Bayes over words and lengths, in five folds: an area under
the curve of 0.5 means that nothing tells the sets apart, 1 that everything does.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from advisor.data.keys import without_numbers
from advisor.evaluation.bootstrap import Array
from advisor.evaluation.text import tokens
from advisor.model import NotMeasurable

FOLDS, SEED = 5, 0
MOST = 5000
"""Prompts of a side that are looked at; of more, so many are drawn."""

NAMED = 5
"""Words that are named."""


@dataclass(frozen=True)
class Contrast:
    """How well two sets of prompts can be told apart. auc: 0.5 not at all, 1 always; low: lower end of its 95 % interval.

    only_there: words that are much more frequent in the other set. length, length_there: median words of a prompt.
    """

    auc: float
    low: float
    here: int
    there: int
    only_there: tuple[str, ...]
    length: int
    length_there: int


def contrast(prompts: Sequence[str], others: Sequence[str]) -> Contrast:
    """Return how well `prompts` and `others` can be told apart, each different prompt counted once. Raises NotMeasurable."""
    draw = np.random.default_rng(SEED)
    sides = [_distinct(texts, draw) for texts in (prompts, others)]
    if not all(sides):
        raise NotMeasurable("prompts")
    bags = [_bag(text) for side in sides for text in side]
    there = np.array([0] * len(sides[0]) + [1] * len(sides[1]))
    scores = _scores(bags, there, draw)
    auc = _auc(scores, there)
    lengths = [int(np.median([len(tokens(text)) for text in side])) for side in sides]
    low = auc - 1.96 * _error(auc, len(sides[0]), len(sides[1]))
    return Contrast(auc, low, len(sides[0]), len(sides[1]), _telling(bags, there), *lengths)


def _distinct(texts: Sequence[str], draw: np.random.Generator) -> list[str]:
    distinct = list(dict.fromkeys(text.strip() for text in texts if text.strip()))
    if len(distinct) > MOST:
        distinct = [distinct[i] for i in np.sort(draw.choice(len(distinct), MOST, replace=False))]
    return distinct


def _bag(text: str) -> frozenset[str]:
    """Return the words of a prompt, pairs of Chinese characters among them, and its length in powers of two."""
    words = tokens(without_numbers(text).decode("utf-8", "surrogatepass"))
    pairs = [a + b for a, b in pairwise(words) if len(a) == len(b) == 1 and not a.isascii()]
    return frozenset((*words, *pairs, f"\x00length-{len(words).bit_length()}"))


def _scores(bags: Sequence[frozenset[str]], there: Array, draw: np.random.Generator) -> Array:
    """Return for each prompt how much it looks like one of the other set, judged by the prompts of the other folds."""
    fold = draw.permutation(len(bags)) % FOLDS
    scores = np.zeros(len(bags))
    for part in range(FOLDS):
        others = [np.flatnonzero((fold != part) & (there == side)).tolist() for side in (0, 1)]
        counts = [Counter(word for row in rows for word in bags[row]) for rows in others]
        totals = [len(rows) for rows in others]
        for row in np.flatnonzero(fold == part).tolist():
            scores[row] = sum(_weight(word, counts, totals) for word in bags[row])
    return scores


def _weight(word: str, counts: Sequence[Counter[str]], totals: Sequence[int]) -> float:
    shares = [(counts[side][word] + 0.5) / (totals[side] + 1) for side in (0, 1)]
    return math.log(shares[1] / shares[0])


def _auc(scores: Array, there: Array) -> float:
    """Return the share of pairs that are in the right order, ties half (Mann–Whitney)."""
    _, inverse, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[inverse]
    positive = int(there.sum())
    negative = len(there) - positive
    if not positive or not negative:
        return 0.5
    return float((ranks[there == 1].sum() - positive * (positive + 1) / 2) / (positive * negative))


def _error(auc: float, n: int, m: int) -> float:
    """Return the standard error of an area under the curve (Hanley and McNeil, 1982)."""
    q1, q2 = auc / (2 - auc), 2 * auc * auc / (1 + auc)
    return math.sqrt(max(auc * (1 - auc) + (m - 1) * (q1 - auc * auc) + (n - 1) * (q2 - auc * auc), 0) / max(n * m, 1))


def _telling(bags: Sequence[frozenset[str]], there: Array) -> tuple[str, ...]:
    counts = [Counter(w for bag, t in zip(bags, there, strict=True) if t == side for w in bag) for side in (0, 1)]
    totals = [int((there == side).sum()) for side in (0, 1)]
    common = [w for w, n in counts[1].items() if n > 1 and not w.startswith("\x00")]
    gain = {w: counts[1][w] / max(totals[1], 1) - counts[0][w] / max(totals[0], 1) for w in common}
    return tuple(sorted((w for w in gain if gain[w] > 0), key=lambda w: (-gain[w], w))[:NAMED])
