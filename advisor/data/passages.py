"""Plain text in passages: whole paragraphs, as many as a task takes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from advisor.data.tokens import estimated

PASSAGE = 512
"""Tokens of a passage that are aimed at where nothing else is asked for: a screen of text, a few paragraphs."""

_LAST_JOINS = 0.25
"""A last piece of less than this share of a passage goes with the one before it."""

_WIDEST, _FILLED = 120, 0.6
"""Characters of the longest line of a paragraph that was broken into lines, and the share of it that its other lines have."""

_MOST_LINES = 500
"""Lines that are looked at together; files without empty lines are not held in memory whole."""

_WIDE = re.compile("[\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\uff00-\uffef]")
_END = r"(?:(?<!\b[A-Z])(?<!\bDr)(?<!\bMr)(?<!\bMrs)(?<!\bSt)(?<!\bNo)\.|[!?])[\"'”’)\]]*(?=\s+[^a-z\s]|\s*$)"
_SENTENCE = re.compile(rf".+?(?:{_END}|[。！？][”’」』）]*|\n|$)", re.DOTALL)
_PARAGRAPHS = re.compile(r"\n\s*\n|\n")


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of plain text, and where it begins. about: what is known of it beside its text: title, keywords, summary."""

    source: str
    line: int
    text: str
    about: Mapping[str, Any] = field(default_factory=dict)


def paragraphs(text: str) -> list[str]:
    """Return the paragraphs of a text, each without blanks around it."""
    return [piece.strip() for piece in _PARAGRAPHS.split(text) if piece.strip()]


def sentences(text: str) -> list[str]:
    """Return the sentences of a text, each without blanks around it."""
    return [found[0].strip() for found in _SENTENCE.finditer(text) if found[0].strip()]


def of_record(source: str, line: int, text: str, about: Mapping[str, Any], size: int) -> Iterator[Passage]:
    """Yield the passages of one record; what is known of the whole record is said of it only where it stays whole."""
    pieces = list(gathered(paragraphs(text), size))
    if len(pieces) == 1:
        yield Passage(source, line, text.strip(), about)
        return
    for piece in pieces:
        yield Passage(source, line, piece)


def gathered(pieces: Iterable[str], size: int) -> Iterator[str]:
    """Yield texts of about `size` tokens, made of whole pieces; a piece longer than that is divided at its sentences."""
    parts: list[str] = []
    full = 0
    before = ""
    for piece in _divided(pieces, size):
        length = estimated(piece)
        if parts and full + length > size:
            if before:
                yield before
            before, parts, full = "\n".join(parts), [], 0
        parts.append(piece)
        full += length
    last = "\n".join(parts)
    if before and last and full < _LAST_JOINS * size:
        yield f"{before}\n{last}"
        return
    yield from (text for text in (before, last) if text)


def _divided(pieces: Iterable[str], size: int) -> Iterator[str]:
    for piece in pieces:
        if estimated(piece) <= size:
            yield piece
            continue
        part = ""
        for sentence in sentences(piece):
            if part and estimated(part) + estimated(sentence) > size:
                yield part
                part = ""
            part += ("" if not part or _WIDE.match(part[-1]) else " ") + sentence
        if part:
            yield part


def of_lines(source: str, lines: Iterable[tuple[int, str]], size: int) -> Iterator[Passage]:
    """Yield the passages of a text file, given as its lines that are not empty, each with its number.

    Lines between two empty ones that are filled to about one width are one paragraph, broken into lines; else each is a paragraph.
    """
    begins: list[int] = []
    texts: list[str] = []
    full = 0
    for line, paragraph in _paragraphs_of(lines):
        length = estimated(paragraph)
        if texts and full + length > size:
            yield from _passages(source, begins, texts, size)
            begins, texts, full = [], [], 0
        begins.append(line)
        texts.append(paragraph)
        full += length
    if texts:
        yield from _passages(source, begins, texts, size)


def _passages(source: str, begins: Sequence[int], texts: Sequence[str], size: int) -> Iterator[Passage]:
    for piece in gathered(texts, size):
        yield Passage(source, begins[0], piece)


def _paragraphs_of(lines: Iterable[tuple[int, str]]) -> Iterator[tuple[int, str]]:
    block: list[str] = []
    first = last = 0
    for number, text in lines:
        if block and (number != last + 1 or len(block) >= _MOST_LINES):
            yield from _of_block(first, block)
            block = []
        if not block:
            first = number
        block.append(text.strip())
        last = number
    yield from _of_block(first, block)


def _of_block(first: int, block: Sequence[str]) -> Iterator[tuple[int, str]]:
    widest = max(map(len, block), default=0)
    if len(block) > 1 and widest <= _WIDEST and all(len(line) >= _FILLED * widest for line in block[:-1]):
        yield first, _joined(block)
        return
    for number, line in enumerate(block):
        yield first + number, line


def _joined(lines: Sequence[str]) -> str:
    text = lines[0]
    for line in lines[1:]:
        text += ("" if _WIDE.match(text[-1:]) and _WIDE.match(line[:1]) else " ") + line
    return text
