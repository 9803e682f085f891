"""Texts that go round in a circle: a run of the same words again and again, or sentences that keep coming back."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from advisor.evaluation.text import folded, tokens

LONGEST_UNIT = 60
"""Words of the longest unit that is looked for."""

LEAST_TIMES = 4
"""Times that a unit stands in a row from which it is a loop: lists and refrains say things twice or three times."""

LEAST_LOOPED = 8
"""Words that a loop must cover."""

LEAST_SHARE = 0.3
"""Share of the text that a loop, or sentences that come back, must cover."""

LEAST_LETTERS = 16
"""Characters of one word that goes round: `hahahahahahahaha`."""

_SENTENCES = re.compile(r"(?<=[.!?])\s+|[。！？；\n]+")
LEAST_SENTENCE = 4
"""Words from which a sentence that comes back counts."""

SENTENCE_TIMES = 3
_ONE_PIECE = re.compile(r"([^\s\d=\-_*.#~+|]{1,12}?)\1{5,}")


def loop(text: str) -> tuple[str, int] | None:
    """Return (the unit, times in a row) of the longest loop that covers enough of `text`, or None."""
    words = tokens(text)
    best = (0, 0, 0)
    for size in range(1, min(LONGEST_UNIT, len(words) // LEAST_TIMES) + 1):
        length, end = _longest_run([a == b for a, b in zip(words, words[size:], strict=False)])
        times = length // size + 1
        covered = length + size
        if times >= LEAST_TIMES and covered > best[0]:
            best = (covered, end + size - covered, size)
    covered, start, size = best
    if covered >= LEAST_LOOPED and covered >= LEAST_SHARE * len(words) and not _counts(words[start : start + size]):
        return " ".join(words[start : start + size])[:40], covered // size
    one = _ONE_PIECE.search(folded(text))
    if one and len(one[0]) >= max(LEAST_LETTERS, LEAST_SHARE * len(text)):
        return one[1], len(one[0]) // len(one[1])
    return None


def _counts(unit: Sequence[str]) -> bool:
    """Tell whether a unit is digits alone: tables and sequences of numbers repeat by nature."""
    return all(word.isdigit() for word in unit)


def _longest_run(flags: Sequence[bool]) -> tuple[int, int]:
    """Return the length of the longest run of true values, and where it ends."""
    best = end = run = 0
    for index, flag in enumerate(flags):
        run = run + 1 if flag else 0
        if run > best:
            best, end = run, index + 1
    return best, end


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
