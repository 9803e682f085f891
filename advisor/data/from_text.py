"""Questions and answers made of plain text by the documented rules: write from a title, continue, expand, fill in.

The source (Pangu FAQ, "the unlabelled text is too little for incremental pre-training") has the model write, continue or expand a
passage to at least as many words as it has; the passage itself is the answer. Filling in asks for the sentence or the paragraph
that was taken out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from random import Random
from typing import Any

from advisor.data.model import Example
from advisor.data.passages import Passage, paragraphs, sentences
from advisor.data.quality.mojibake import script_shares
from advisor.errors import UnreadableData

ROUND = 10
"""The length that a question demands is rounded down to a multiple of this."""

LEAST_WORDS, LEAST_CHARACTERS = 4, 6
"""Words, in Chinese characters, of the shortest piece that a question is made of."""

LEAST = 20
"""Words, in Chinese characters, of the shortest passage that tasks are made of."""

TEMPLATES: Mapping[str, Mapping[str, Sequence[str]]] = {
    "continue-sentence": {
        "en": (
            "Here is the first sentence of a text:\n{part}\nContinue it, in at least {count} words.",
            "A text begins with this sentence:\n{part}\nWrite the text, in at least {count} words.",
        ),
        "zh": (
            "以下是一篇文章的第一个句子：\n{part}\n请根据以上内容续写一段不少于{count}字的文本。",
            "一段文本以下面这句话开头：\n{part}\n请接着写下去，不少于{count}字。",
        ),
    },
    "continue-paragraph": {
        "en": (
            "Here is the first paragraph of a text:\n{part}\nContinue it, in at least {count} words.",
            "A text begins with this paragraph:\n{part}\nWrite the whole text, in at least {count} words.",
        ),
        "zh": (
            "以下是一篇文章的第一个段落：\n{part}\n请根据以上内容续写一段不少于{count}字的文本。",
            "一篇文章以下面这个段落开头：\n{part}\n请写出全文，不少于{count}字。",
        ),
    },
    "expand-sentence": {
        "en": (
            "Here is one sentence of a text:\n{part}\nExpand it to a text of at least {count} words.",
            "Write a text of at least {count} words that this sentence stands in:\n{part}",
        ),
        "zh": (
            "以下是一篇文章的某个句子：\n{part}\n请根据以上内容扩写成一段不少于{count}字的文本。",
            "请写一段不少于{count}字的文本，其中包含下面这句话：\n{part}",
        ),
    },
    "expand-paragraph": {
        "en": (
            "Here is one paragraph of a text:\n{part}\nExpand it to a text of at least {count} words.",
            "Write a text of at least {count} words that this paragraph stands in:\n{part}",
        ),
        "zh": (
            "以下是一篇文章的某个段落：\n{part}\n请根据以上内容扩写成一段不少于{count}字的文本。",
            "请写一篇不少于{count}字的文章，其中包含下面这个段落：\n{part}",
        ),
    },
    "fill-in-sentence": {
        "en": (
            "A sentence is missing from this text, where it says ____:\n{part}\nWrite the missing sentence.",
            "Read the text and write the sentence that belongs in place of ____:\n{part}",
        ),
        "zh": (
            "下面的文本缺少一个句子，位置以____标出：\n{part}\n请写出缺少的句子。",
            "阅读下面的文本，写出____处应有的句子：\n{part}",
        ),
    },
    "fill-in-paragraph": {
        "en": (
            "A paragraph is missing from this text, where it says ____:\n{part}\nWrite the missing paragraph.",
            "Read the text and write the paragraph that belongs in place of ____:\n{part}",
        ),
        "zh": (
            "下面的文本缺少一个段落，位置以____标出：\n{part}\n请写出缺少的段落。",
            "阅读下面的文本，写出____处应有的段落：\n{part}",
        ),
    },
    "write-from-title": {
        "en": (
            "Write a text of at least {count} words. {part}",
            "{part}\nWrite the text that belongs to it, in at least {count} words.",
        ),
        "zh": ("请写一段不少于{count}字的文本。{part}", "{part}\n请据此写一段不少于{count}字的文本。"),
    },
}
RULES = tuple(TEMPLATES)
GAP = "____"

FIELDS = {
    "title": ("Title: ", "标题："), "keywords": ("Keywords: ", "关键词："), "abstract": ("Abstract: ", "摘要："),
    "summary": ("Summary: ", "摘要："), "introduction": ("Introduction: ", "简介："),
}  # fmt: skip
"""What may be known of a text beside it, and how a question says it."""


def language_of(text: str, otherwise: str) -> str:
    """Return the language that is asked in: that of the text, or `otherwise` where the text has no letters."""
    han, letters = script_shares(text)
    return otherwise if not han + letters else "zh" if han > letters else "en"


def tasks_of(passage: Passage, rules: Sequence[str], *, most: int | None, seed: int, language: str) -> Iterator[Example]:
    """Yield the questions and answers that `rules` make of a passage, at most `most`; none where it is too short.

    What is left to chance (which rules, which sentence, which wording) depends on `seed` and the passage alone, not on what stands
    around it. Raises UnreadableData where the only rule needs a title and there is none.
    """
    chance = Random(f"{seed}:{passage.text}")  # noqa: S311  no secret hangs on it
    tongue = language_of(passage.text, language)
    length = len("".join(passage.text.split())) if tongue == "zh" else len(passage.text.split())
    if length < LEAST:
        return
    chosen = chance.sample(list(rules), len(rules)) if most is not None and most < len(rules) else rules
    made = 0
    for rule in chosen:
        task = _task(passage, rule, tongue, chance, alone=len(rules) == 1)
        if task is not None and (most is None or made < most):
            part, answer = task
            wording = chance.choice(TEMPLATES[rule][tongue])
            yield Example([("user", wording.format(part=part, count=length // ROUND * ROUND)), ("assistant", answer)])
            made += 1


def _task(passage: Passage, rule: str, tongue: str, chance: Random, *, alone: bool) -> tuple[str, str] | None:
    """Return what the question shows and what the answer is, or None where the passage is too short for this rule."""
    if rule == "write-from-title":
        part = _what_is_known(passage.about, tongue)
        if not part and alone:
            raise UnreadableData(
                f"{passage.source}:{passage.line}: `--rule {rule}` needs one of {', '.join(FIELDS)} beside the text"
            )
        return (part, passage.text) if part else None
    pieces = paragraphs(passage.text) if rule.endswith("paragraph") else sentences(passage.text)
    if rule.startswith("continue"):
        return (pieces[0], passage.text) if len(pieces) > 1 and _says_something(pieces[0], tongue) else None
    if rule.startswith("expand"):
        later = [piece for piece in pieces[1:] if _says_something(piece, tongue)]
        return (chance.choice(later), passage.text) if later else None
    # The first says what it is about and the last has nothing behind it: what is missing stands between them.
    between = [piece for piece in pieces[1:-1] if _says_something(piece, tongue)]
    if not between:
        return None
    missing = chance.choice(between)
    return passage.text.replace(missing, GAP, 1), missing


def _says_something(piece: str, tongue: str) -> bool:
    """Tell whether a piece is more than a heading or a number: nothing can be continued from `Apache License`."""
    return len("".join(piece.split())) >= LEAST_CHARACTERS if tongue == "zh" else len(piece.split()) >= LEAST_WORDS


def _what_is_known(about: Mapping[str, Any], tongue: str) -> str:
    inner = about.get("meta")
    known = {**(inner if isinstance(inner, dict) else {}), **about}
    said = []
    for key, names in FIELDS.items():
        value = known.get(key)
        text = ", ".join(map(str, value)) if isinstance(value, list) else str(value or "")
        if text.strip():
            said.append(f"{names[tongue == 'zh']}{text.strip()}")
    return "\n".join(said)
