"""Garbled answers: characters that no text has, a script that nobody asked for, words that stand nowhere else."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise

import numpy as np

from advisor.data.quality.mojibake import garbled
from advisor.evaluation.model import Answer
from advisor.evaluation.text import CJK, folded

_ODD = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ue000-\uf8ff\ufff9-\ufffd\ufffe\uffff]|<0x[0-9A-F]{2}>|<unk>|\\[UNK\\]")
_WORDS = re.compile(rf"[^\W\d_{CJK}]+(?:\d+[^\W\d_{CJK}]+)*")
_CJK_RUN = re.compile(f"[{CJK}]{{2,}}")
_SIGNS = re.compile(r"[^\w\s]")

_SCRIPTS = {
    "latin": re.compile("[A-Za-z\u00c0-\u024f]"), "han": re.compile("[\u3400-\u9fff\uf900-\ufaff]"),
    "kana": re.compile("[\u3040-\u30ff]"), "hangul": re.compile("[\u1100-\u11ff\uac00-\ud7af]"),
    "cyrillic": re.compile("[\u0400-\u052f]"), "greek": re.compile("[\u0370-\u03ff]{2}"), "arabic": re.compile("[\u0600-\u06ff]"),
    "hebrew": re.compile("[\u0590-\u05ff]"), "thai": re.compile("[\u0e00-\u0e7f]"), "devanagari": re.compile("[\u0900-\u097f]"),
}  # fmt: skip
LEAST_FOREIGN, FOREIGN_SHARE = 3, 0.05
"""Letters, and the share of all letters, of a script that neither the prompt nor the reference has."""

_ASKS = re.compile(
    r"translat|翻译|译[成为]|english|chinese|japanese|korean|russian|arabic|french|german|spanish|language|英[文语]|中文|汉语|日[文语]|韩[文语]|俄[文语]|拼音|code|代码|"
    r"python|sql|json|html",
    re.IGNORECASE,
)
"""Prompts that may ask for another script than their own."""

LEAST_NEW, NEW_SHARE = 4, 0.5
"""Words, and the share of an answer's words, that stand in no prompt, reference or other answer."""

FEWEST = 5
"""References from which the share of words that is new by nature is known; below it nothing is said of words."""

LONGER = 4
"""How many times longer than the longest reference an answer may be: a page of prose has words that terse references lack."""

SPREAD = 6
"""An answer's share must lie so many robust standard deviations above that of the references among themselves."""

LEAST_SIGNS = 0.45
"""Share of an answer's characters that are signs, beyond which it is no text, where the references have at most half of it."""


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """How many of the rows each word stands in, by where it stands, and the share of words that is new by nature.

    limit: the share of new words above which an answer is garbled; 1 where too few references tell what is usual. longest: words
    of an answer beyond which the references do not speak for it. signs: the share of signs that references have at most.
    """

    known: Counter[str]
    answers: Counter[str]
    limit: float
    longest: int
    signs: float

    def new(self, text: str) -> tuple[int, int, str]:
        """Return how many words stand in no prompt, no reference and no other answer, of how many, and the first of them."""
        pieces = words(text)
        strange = [piece for piece in pieces if not self.known[piece] and self.answers[piece] <= 1]
        return len(strange), len(pieces), strange[0] if strange else ""


@lru_cache(maxsize=1 << 14)
def words(text: str) -> tuple[str, ...]:
    """Return the words of letters, and pairs of Chinese characters, each at every place."""
    plain = folded(text)
    pairs = [] if plain.isascii() else [pair for run in _CJK_RUN.findall(plain) for pair in map("".join, pairwise(run))]
    return (*pairs, *_WORDS.findall(plain))


def vocabulary(answers: Sequence[Answer], more: Iterable[str] = ()) -> Vocabulary:
    """Return what prompts and references say, and `more`: further text, such as training data. No answer is in it yet."""
    prompts: Counter[str] = Counter()
    references: Counter[str] = Counter()
    for answer in answers:
        prompts.update({piece for _, text in answer.turns for piece in words(text)})
        references.update({piece for reference in answer.references for piece in words(reference)})
    for text in more:
        prompts.update(set(words(text)))
    right = [answer.references[0] for answer in answers if answer.references]
    own = [_share_of_new(reference, prompts, references) for reference in right]
    limit = max(NEW_SHARE, _beyond(own)) if len(own) >= FEWEST else 1.0
    longest = max((len(words(reference)) for reference in right), default=0)
    return Vocabulary(prompts + references, Counter(), limit, LONGER * longest, max(map(_share_of_signs, right), default=1.0))


def beside(known: Vocabulary, texts: Sequence[str]) -> Vocabulary:
    """Return a vocabulary with the answers of one model in it: what several of them say is no accident."""
    return replace(known, answers=Counter(piece for text in texts for piece in set(words(text))))


def _share_of_new(reference: str, prompts: Counter[str], references: Counter[str]) -> float:
    """Return the share of a reference's words that stand in no prompt and no other reference: what is new by nature."""
    pieces = words(reference)
    return sum(not prompts[piece] and references[piece] <= 1 for piece in pieces) / len(pieces) if pieces else 0.0


def _beyond(shares: Sequence[float]) -> float:
    values = np.array(shares)
    middle = float(np.median(values))
    spread = 1.4826 * float(np.median(np.abs(values - middle)))
    return min(middle + SPREAD * spread, 1.0) if spread else float(np.quantile(values, 0.99))


def _share_of_signs(text: str) -> float:
    return len(_SIGNS.findall(text)) / len(text) if text else 0.0


def garbled_at(text: str, known: Vocabulary) -> tuple[int, str] | None:
    """Return (where, how: `encoding`, `characters`, `words`, `signs`) of the first garbling, or None."""
    if odd := _ODD.search(text):
        return odd.start(), "characters"
    if wrong := garbled(text):
        return wrong[0], "encoding"
    strange, of, first = known.new(text)
    if strange >= LEAST_NEW and strange > known.limit * of and of <= known.longest:
        return max(folded(text).find(first), 0), "words"
    signs = _share_of_signs(text)
    if len(text) >= 2 * LEAST_NEW and signs > LEAST_SIGNS and signs > 2 * known.signs:
        return 0, "signs"
    return None


def foreign_script(text: str, answer: Answer) -> str:
    """Return the script of letters that neither the conversation nor a reference has, or nothing."""
    asked = "\n".join(said for _, said in answer.turns)
    if _ASKS.search(asked):
        return ""
    expected = asked + "\n".join(answer.references)
    letters = sum(map(str.isalpha, text)) or 1
    for name, script in _SCRIPTS.items():
        count = len(script.findall(text))
        if count >= LEAST_FOREIGN and count >= FOREIGN_SHARE * letters and not script.search(expected):
            return name
    return ""
