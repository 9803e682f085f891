"""Whether an answer follows from a passage, as far as its words and numbers can tell."""

from __future__ import annotations

import re
import unicodedata

WORDS_SUPPORTED = 0.75
"""Share of the different content words of an answer that must stand in the passage; what is left is the freedom to rephrase."""

CHARACTERS_SUPPORTED, PAIRS_SUPPORTED = 0.85, 0.5
"""The same of Chinese characters, and of pairs of neighbouring ones."""

_STEM = 4
"""Letters from the beginning that two forms of a word share at least; longer words share all but their last three."""

_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")
_HAN = re.compile("[\u3400-\u9fff\uf900-\ufaff]+")
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_NAME = re.compile(r"(?<=[a-z,;:)\d] )[A-ZÀ-Þ][\w’'-]+")
_SMALL = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
)  # fmt: skip
_SMALL_ZH = "零一二三四五六七八九十"
_EMPTY_WORDS = (
    "a about after all also an and any are as at be because been before being between both but by can could did do does "
    "during each every for from had has have he her here him his how i if in into is it its just many may might more most "
    "much must my no nor not of off on once one only onto or other our out over own per rather same she should since so "
    "some such than that the their them then there these they this those though through thus to too under until up upon us "
    "use used using very was we were what when where which while who whom whose why will with within without would yes you "
    "your "
)
_EMPTY = frozenset(_EMPTY_WORDS.split())
_EMPTY_HAN = frozenset("的了是在和与及为对或而且也都就可以会能被把从到于其这那之所有个们时后前中上下因此如果并但很更最")


def unsupported(answer: str, passage: str) -> tuple[str, list[str]] | None:
    """Return why an answer does not follow from its passage (`number`, `name`, `words`) and what is not in it, or None."""
    answer, passage = unicodedata.normalize("NFKC", answer), unicodedata.normalize("NFKC", passage)
    known = numbers_of(passage) | _spelt_numbers(passage)
    if missing := sorted(numbers_of(answer) - known):
        return "number", missing
    words = {word.casefold() for word in _WORD.findall(passage)}
    stems = {_stem(word) for word in words}
    if missing := sorted({name for name in _NAME.findall(answer) if not _known(name.casefold(), words, stems)}):
        return "name", missing
    asked = {word.casefold() for word in _WORD.findall(_HAN.sub(" ", answer))} - _EMPTY
    missing = sorted(word for word in asked if not _known(word, words, stems))
    if asked and len(missing) > (1 - WORDS_SUPPORTED) * len(asked):
        return "words", missing
    return _unsupported_han(answer, passage)


def numbers_of(text: str) -> set[str]:
    """Return the numbers in a text, written in one way: 1,000 and 1000 are the same, 2.50 and 2.5 too."""
    found = set()
    for number in _NUMBER.findall(text):
        plain = re.sub(r",(?=\d{3}(?:\D|$))", "", number).replace(",", ".")
        found.add((plain.rstrip("0").rstrip(".") if plain.count(".") == 1 else plain).lstrip("0") or "0")
    return found


def _spelt_numbers(text: str) -> set[str]:
    lower = set(text.casefold().split())
    return {str(n) for n, word in enumerate(_SMALL) if word in lower} | {str(n) for n, sign in enumerate(_SMALL_ZH) if sign in text}


def _stem(word: str) -> str:
    return word[: max(_STEM, len(word) - 3)]


def _known(word: str, words: set[str], stems: set[str]) -> bool:
    return word in words or word.removesuffix("'s").removesuffix("’s") in words or (len(word) >= _STEM and _stem(word) in stems)


def _unsupported_han(answer: str, passage: str) -> tuple[str, list[str]] | None:
    runs = _HAN.findall(answer)
    content = {char for run in runs for char in run} - _EMPTY_HAN
    missing = sorted(char for char in content if char not in passage)
    if content and len(missing) > (1 - CHARACTERS_SUPPORTED) * len(content):
        return "words", missing
    pairs = {run[at : at + 2] for run in runs for at in range(len(run) - 1)}
    apart = sorted(pair for pair in pairs if pair not in passage)
    if pairs and len(apart) > (1 - PAIRS_SUPPORTED) * len(pairs):
        return "words", apart
    return None
