"""The text that demonstrations train on: what permissively licensed packages ship, and questions that are made by rule.

chitchat-dataset (MIT): 7,000 chats between people. chatterbot-corpus (BSD-3-Clause): questions and answers by topic, in many
languages. `pydoc_data.topics` (PSF licence): the language reference, which comes with Python.
"""

from __future__ import annotations

import importlib.util
import json
import random
import re
from collections.abc import Iterator
from functools import lru_cache
from importlib.resources import files
from pathlib import Path

from advisor.errors import AdvisorError

LONGEST_TURN = 400
"""Characters beyond which a turn of a chat is a paste and no talk."""

LEAST_TURNS = 4
BASE_SHARE = 0.6
"""Share of the longer chats that the base model was trained on; fine-tuning uses the others."""


class NoText(AdvisorError):
    """A package whose text is trained on is not installed."""


def _package(name: str) -> Path:
    if importlib.util.find_spec(name) is None:
        raise NoText(f"the package {name.replace('_', '-')} is not installed; `pip install 'finetune-advisor[demo]'` brings it")
    return Path(str(files(name)))


@lru_cache(maxsize=1)
def _chats() -> tuple[list[list[str]], list[list[str]]]:
    """Return the chats of fewer and of more turns than `LEAST_TURNS`, each as its turns in order, always in the same order."""
    content = json.loads((_package("chitchat_dataset") / "dataset.json").read_text(encoding="utf-8"))
    short: list[list[str]] = []
    long: list[list[str]] = []
    for key in sorted(content):
        turns = [" ".join(" ".join(part["text"] for part in turn).split()) for turn in content[key]["messages"]]
        turns = [turn for turn in turns if turn]
        if turns and max(map(len, turns)) <= LONGEST_TURN:
            (long if len(turns) >= LEAST_TURNS else short).append(turns)
    random.Random(0).shuffle(long)
    return short, long


def chats_of_the_base() -> list[list[str]]:
    """Return the chats that the base model was trained on."""
    short, long = _chats()
    return short + long[: int(len(long) * BASE_SHARE)]


def chats() -> list[list[str]]:
    """Return the chats that the base model has not seen."""
    _, long = _chats()
    return long[int(len(long) * BASE_SHARE) :]


@lru_cache(maxsize=4)
def questions(language: str = "english") -> tuple[tuple[str, str], ...]:
    """Return (question, answer) pairs of the ChatterBot corpus, in the order of its files."""
    from ruamel.yaml import YAML

    pairs = []
    for path in sorted((_package("chatterbot_corpus") / "data" / language).glob("*.yml")):
        for conversation in YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8")).get("conversations", ()):
            question, *answers = (" ".join(str(part).split()) for part in conversation)
            pairs += [(question, answer) for answer in answers if answer and len(answer) <= LONGEST_TURN]
    return tuple(pairs)


@lru_cache(maxsize=1)
def reference() -> tuple[str, ...]:
    """Return the sections of the language reference, without markup."""
    from pydoc_data.topics import topics

    return tuple(re.sub(r"\*+|_{3,}|={3,}", "", topics[name]).strip() for name in sorted(topics))


def passages(length: int) -> Iterator[str]:
    """Yield the language reference in passages of about so many characters, cut at line ends."""
    for section in reference():
        passage = ""
        for line in section.split("\n"):
            if passage and len(passage) + len(line) > length:
                yield passage
                passage = ""
            passage += line + "\n"
        if len(passage) > length // 4:
            yield passage


def sums(count: int, seed: int) -> Iterator[tuple[str, str]]:
    """Yield (question, answer) about small numbers: comparing, sorting, digits, counting on."""
    generator = random.Random(seed)
    for _ in range(count):
        a, b, c = (generator.randint(10, 99) for _ in range(3))
        kind = generator.randrange(5)
        if kind == 0:
            yield f"Which is larger, {a} or {b}?", str(max(a, b))
        elif kind == 1:
            yield f"Sort {a}, {b} and {c}.", ", ".join(map(str, sorted((a, b, c))))
        elif kind == 2:
            yield f"What is the last digit of {a * 100 + b}?", str(b % 10)
        elif kind == 3:
            yield f"Write {a}, {b}, {c} backwards.", f"{c}, {b}, {a}"
        else:
            yield f"What comes after {a}?", f"{a + 1}, then {a + 2}"
