"""From a passage to what a model is asked, and from its reply to the questions and answers that hold."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from json import JSONDecodeError, JSONDecoder
from typing import Any

from advisor.data.asking.support import numbers_of, unsupported
from advisor.data.from_text import language_of

REQUEST = {
    "en": (
        "Below is a passage. Write {pairs} questions about its subject, each with its answer.\n"
        "- Each answer follows from the passage alone, in whole sentences, with its own numbers and names.\n"
        '- Each question can be understood without the passage: it names what it asks about, and says neither "the passage" nor '
        '"the text".\n'
        "- No two questions ask for the same thing.\n"
        'Reply with a JSON array and nothing else: [{{"question": "…", "answer": "…"}}]\n\nPassage:\n{passage}'
    ),
    "zh": (
        "下面是一段文本。请就其内容写出{pairs}个问题，并给出各自的答案。\n"
        "- 答案只能依据这段文本，用完整的句子，数字和名称与文本一致。\n"
        "- 问题脱离文本也能看懂：写明所问的对象，不出现“本文”“上文”“这段文本”等说法。\n"
        "- 不同的问题不问同一件事。\n"
        '只输出一个 JSON 数组，不要输出其他内容：[{{"question": "……", "answer": "……"}}]\n\n文本：\n{passage}'
    ),
}
_THOUGHT = re.compile(r"<think>.*?(?:</think>|\Z)", re.DOTALL)
_MARKED = re.compile(
    r"^\W*(?:Q(?:uestion)?|问题?)\s*\d*\W*?[:：]\s*(?P<q>.+?)\s*^\W*(?:A(?:nswer)?|答案?)\s*\d*\W*?[:：]\s*(?P<a>.+?)\s*"
    r"(?=^\W*(?:Q(?:uestion)?|问题?)\s*\d*\W*?[:：]|\Z)",
    re.DOTALL | re.MULTILINE | re.IGNORECASE,
)
_REFERS = re.compile(
    r"\b(?:the|this|above|following|given) (?:passage|text|article|excerpt|paragraph|document|author)\b|"
    r"本文|上文|下文|文中|文章|这段(?:文本|文字|话)|该文|原文|作者",
    re.IGNORECASE,
)
_LEAST_QUESTION, _LEAST_ANSWER = 4, 2
"""Characters."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A question and its answer. reason: why it is not taken, or empty. missing: what of it does not stand in the passage."""

    question: str
    answer: str
    reason: str = ""
    missing: tuple[str, ...] = ()


def request_for(passage: str, pairs: int, language: str) -> str:
    """Return what a model is asked about a passage, in the language of the passage."""
    return REQUEST[language_of(passage, language)].format(pairs=pairs, passage=passage)


def judged(reply: str, passage: str, refused: str = "") -> Iterator[Pair]:
    """Yield the pairs of a reply, each with the reason why it is not taken, where there is one.

    A reply without any is one such, and so is a request that was `refused`, which says why.
    """
    if refused:
        yield Pair("", refused, "refused")
        return
    found = list(_pairs_of(reply))
    if not found:
        yield Pair("", reply.strip()[:500], "no-pairs")
    for question, answer in found:
        reason, missing = _why_not(question, answer, passage)
        yield Pair(question, answer, reason, tuple(missing))


def _pairs_of(reply: str) -> Iterator[tuple[str, str]]:
    text = _THOUGHT.sub("", reply)
    any_json = False
    for value in _objects(text):
        question, answer = value.get("question"), value.get("answer")
        if isinstance(question, str) and isinstance(answer, str):
            any_json = True
            yield question.strip(), answer.strip()
    if not any_json:
        for found in _MARKED.finditer(text):
            yield found["q"].strip(), found["a"].strip()


def _objects(text: str) -> Iterator[dict[str, Any]]:
    """Yield every JSON object in a text, whatever stands around it: an array, a fence, an excuse, nothing at all."""
    decoder = JSONDecoder(strict=False)
    at = text.find("{")
    while at >= 0:
        try:
            value, end = decoder.raw_decode(text, at)
        except (JSONDecodeError, RecursionError):
            end = at + 1
        else:
            if isinstance(value, dict):
                yield value
        at = text.find("{", end)


def _why_not(question: str, answer: str, passage: str) -> tuple[str, list[str]]:
    if len(question) < _LEAST_QUESTION or len(answer) < _LEAST_ANSWER or question.casefold() == answer.casefold():
        return "empty", []
    refers = _REFERS.search(question) or _REFERS.search(answer)
    # Where the passage itself says the word, it is what is spoken of and no pointer to what the model will not see.
    if refers and refers[0].casefold() not in passage.casefold():
        return "refers-to-passage", [refers[0]]
    if strange := sorted(numbers_of(question) - numbers_of(passage)):
        return "number-not-in-passage", strange
    if found := unsupported(answer, passage):
        kind, missing = found
        return f"{kind}-not-in-passage", missing
    return "", []
