"""What two rows must share to be called the same: their text as it is, normalised, or with the numbers taken out."""

from __future__ import annotations

import re
import unicodedata

from advisor.data.model import Example

_DIGITS = re.compile(r"\d+(?:[.,:]\d+)*")
_BETWEEN = "\x1f"


def normalised(text: str) -> str:
    """Return `text` without what is not content: compatibility forms, case, and the amount of white space (NFKC, casefold)."""
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
    return " ".join(text.casefold().split())


def without_numbers(text: str) -> str:
    """Return `text` with every number replaced by the same sign: rows that differ in nothing else are made from one template."""
    return _DIGITS.sub("0", text)


def keys_of(example: Example) -> tuple[int, int, int, int, int]:
    """Return the hashes of a row: exact, normalised, normalised without numbers, its prompt and its answer (0 where it has none).

    The hashes are of 64 bits and differ from one process to the next: they are compared within one run only.
    """
    turns = example.turns
    exact = hash((tuple(turns), example.others))
    texts = [f"{role}\x1e{normalised(text)}" for role, text in turns]
    whole = _BETWEEN.join((*texts, *map(normalised, example.others)))
    prompt = hash(_BETWEEN.join(texts[:-1])) if len(texts) > 1 else 0
    # Of several answers to one prompt in one row, all are its answer.
    answer = hash(texts[-1]) if not example.others else hash((texts[-1], *map(normalised, example.others)))
    return exact, hash(whole), hash(without_numbers(whole)), prompt, answer


def text_of(example: Example) -> str:
    """Return the whole text of a row, for the search of rows that are nearly the same."""
    return "\n".join((*(text for _, text in example.turns), *example.others))
