"""Texts that go round in a circle: a run of the same words again and again, or sentences that keep coming back."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from advisor.evaluation.text import folded, tokens

LONGEST_UNIT = 60
"""Words of the longest unit that is looked for."""

LEAST_TIMES = 4
"""Times that a unit stands in a row from which it is a loop: lists and refrains say things twice or three times."""

LEAST_LOOPED = 8
"""Words that a loop must cover."""

LEAST_SHARE = 0.3
"""Share of the text that a loop, or sentences that come back, must cover."""

LEAST_RUNS, MOSTLY_REPEATED = 16, 0.4
"""Runs of four words from which their repetition is measured, and the share that was there before. Prose has hardly any."""

LEAST_LETTERS = 16
"""Characters of one word that goes round: `hahahahahahahaha`."""

_SENTENCES = re.compile(r"(?<=[.!?])\s+|[。！？；\n]+")
LEAST_SENTENCE = 4
"""Words from which a sentence that comes back counts."""

SENTENCE_TIMES = 3
_ONE_PIECE = re.compile(r"([^\s\d=\-_*.#~+|]{1,12}?)\1{5,}")


@lru_cache(maxsize=1 << 14)
def loop(text: str) -> tuple[str, int] | None:
    """Return (the unit, times) of what a text goes round in, in a row or mixed, or None."""
    words = tokens(text)
    found = _in_a_row(words) or _mixed(words)
    if found:
        return found
    one = _ONE_PIECE.search(folded(text))
    if one and len(one[0]) >= max(LEAST_LETTERS, LEAST_SHARE * len(text)):
        return one[1], len(one[0]) // len(one[1])
    return None


def _in_a_row(words: Sequence[str]) -> tuple[str, int] | None:
    """Return (the unit, times in a row) of the longest loop that covers enough of the words, or None."""
    number = {word: index for index, word in enumerate(dict.fromkeys(words))}
    ids = np.array([number[word] for word in words], dtype=np.int64)
    best = (0, 0, 0)
    for size in range(1, min(LONGEST_UNIT, len(ids) // LEAST_TIMES) + 1):
        length, end = _longest_run(ids[:-size] == ids[size:])
        covered = length + size
        if length // size + 1 >= LEAST_TIMES and covered > best[0]:
            best = (covered, end + size - covered, size)
    covered, start, size = best
    unit = words[start : start + size]
    if covered >= LEAST_LOOPED and covered >= LEAST_SHARE * len(words) and not _counts(unit):
        return " ".join(unit)[:40], covered // size
    return None


def _mixed(words: Sequence[str]) -> tuple[str, int] | None:
    """Return (the run of four words that comes most often, how often) where most such runs were there before (seq-rep-4), or None.

    The measure is that of Welleck et al., Neural Text Generation with Unlikelihood Training (2019).
    """
    runs = Counter(zip(words, words[1:], words[2:], words[3:], strict=False))
    total = sum(runs.values())
    if total < LEAST_RUNS or 1 - len(runs) / total < MOSTLY_REPEATED:
        return None
    most, times = runs.most_common(1)[0]
    return (" ".join(most)[:40], times) if not _counts(most) else None


def _counts(unit: Sequence[str]) -> bool:
    """Tell whether a unit is digits alone: tables and sequences of numbers repeat by nature."""
    return all(word.isdigit() for word in unit)


def _longest_run(flags: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> tuple[int, int]:
    """Return the length of the longest run of true values, and where it ends."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], flags, [False]))))
    if not len(edges):
        return 0, 0
    lengths = edges[1::2] - edges[::2]
    best = int(np.argmax(lengths))
    return int(lengths[best]), int(edges[1::2][best])


def returning(text: str) -> tuple[str, int] | None:
    """Return (the sentence, how often) of one that comes back, not in a row, over enough of `text`, or None."""
    sentences = [part.strip() for part in _SENTENCES.split(text) if part.strip()]
    counted = Counter(" ".join(tokens(sentence)) for sentence in sentences)
    long = {sentence: times for sentence, times in counted.items() if len(sentence.split()) >= LEAST_SENTENCE}
    back = {sentence: times for sentence, times in long.items() if times >= SENTENCE_TIMES}
    words = sum(len(sentence.split()) * times for sentence, times in counted.items())
    if not back or sum(len(sentence.split()) * times for sentence, times in back.items()) < LEAST_SHARE * words:
        return None
    most = max(back, key=lambda sentence: back[sentence])
    return most[:40], back[most]
