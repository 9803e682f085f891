"""What two rows must share to be called the same: their text as it is, normalised, or with the numbers taken out."""

from __future__ import annotations

import re
import unicodedata

from advisor.data.model import Example

_DIGITS_ALIKE = bytes.maketrans(b"123456789", b"000000000")
_NUMBER = re.compile(rb"0(?:[.,:]?0)+")
"""A number of more than one digit, once all digits are alike."""
_BETWEEN = "\x1f"


def normalised(text: str) -> str:
    """Return `text` without what is not content: compatibility forms, case, and the amount of white space (NFKC, casefold)."""
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
    return " ".join(text.casefold().split())


def without_numbers(text: str) -> bytes:
    """Return `text` with every number replaced by the same sign: rows that differ in nothing else are made from one template."""
    # No byte of a character beyond ASCII is a digit.
    return _NUMBER.sub(b"0", text.encode("utf-8", "surrogatepass").translate(_DIGITS_ALIKE))


OPENING_WORDS, OPENING_CHARACTERS = 4, 8
"""How much of a question says of what kind it is: words, and in a text without gaps between words characters."""


def opening_of(example: Example) -> int:
    """Return the hash of how the question begins, numbers taken out; 0 where there is no question."""
    begin = example.prompt[:OPENING_LOOKED_AT].casefold()
    joined = "".join(begin.split()[:OPENING_WORDS])
    return hash(without_numbers(joined if begin.isascii() else joined[:OPENING_CHARACTERS])) if joined else 0


OPENING_LOOKED_AT = 120


def keys_of(example: Example) -> tuple[int, int, int, int, int, int]:
    """Return the hashes of a row: exact, normalised, normalised without numbers, prompt, answer, opening (0 where it has none).

    The hashes are of 64 bits and differ from one process to the next: they are compared within one run only.
    """
    turns = example.turns
    exact = hash((tuple(turns), example.others))
    texts = [f"{role}\x1e{normalised(text)}" for role, text in turns]
    whole = _BETWEEN.join((*texts, *map(normalised, example.others)))
    prompt = hash(_BETWEEN.join(texts[:-1])) if len(texts) > 1 else 0
    # Of several answers to one prompt in one row, all are its answer.
    answer = hash(texts[-1]) if not example.others else hash((texts[-1], *map(normalised, example.others)))
    return exact, hash(whole), hash(without_numbers(whole)), prompt, answer, opening_of(example)


def text_of(example: Example) -> str:
    """Return the whole text of a row, for the search of rows that are nearly the same."""
    return "\n".join((*(text for _, text in example.turns), *example.others))
