"""Questions and answers made of plain text by the documented rules: write from a title, continue, expand.

The source (Pangu FAQ, "the unlabelled text is too little for incremental pre-training") has the model write, continue or expand a
passage to at least as many words as it has; the passage itself is the answer.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from advisor.data.model import Example
from advisor.data.quality.mojibake import script_shares
from advisor.errors import UnreadableData

_SENTENCE = re.compile(r".+?(?:[.!?](?=\s|$)|[。！？]|\n|$)", re.DOTALL)
_PARAGRAPHS = re.compile(r"\n\s*\n|\n")
_ROUND = 10

TEMPLATES: Mapping[str, Mapping[str, str]] = {
    "continue-sentence": {
        "en": "Here is the first sentence of a text:\n{part}\nContinue it, in at least {count} words.",
        "zh": "以下是一篇文章的第一个句子：\n{part}\n请根据以上内容续写一段不少于{count}字的文本。",
    },
    "continue-paragraph": {
        "en": "Here is the first paragraph of a text:\n{part}\nContinue it, in at least {count} words.",
        "zh": "以下是一篇文章的第一个段落：\n{part}\n请根据以上内容续写一段不少于{count}字的文本。",
    },
    "expand-sentence": {
        "en": "Here is one sentence of a text:\n{part}\nExpand it to a text of at least {count} words.",
        "zh": "以下是一篇文章的某个句子：\n{part}\n请根据以上内容扩写成一段不少于{count}字的文本。",
    },
    "expand-paragraph": {
        "en": "Here is one paragraph of a text:\n{part}\nExpand it to a text of at least {count} words.",
        "zh": "以下是一篇文章的某个段落：\n{part}\n请根据以上内容扩写成一段不少于{count}字的文本。",
    },
    "write-from-title": {
        "en": "Write a text of at least {count} words. {part}",
        "zh": "请写一段不少于{count}字的文本。{part}",
    },
}
FIELDS = {"title": ("Title: ", "标题："), "keywords": ("Keywords: ", "关键词："), "abstract": ("Abstract: ", "摘要：")}


def examples_of(example: Example, record: Mapping[str, Any], rule: str, language: str) -> Iterator[Example]:
    """Yield the question and answer that `rule` makes of a text; none where the text has only one sentence or paragraph.

    The question is in the language of the text; `language` decides where that cannot be told. Raises UnreadableData where the
    rule needs fields that the record lacks.
    """
    text = example.turns[0][1].strip()
    han, letters = script_shares(text)
    tongue = language if not han + letters else "zh" if han > letters else "en"
    length = len("".join(text.split())) if tongue == "zh" else len(text.split())
    count = max(_ROUND, length // _ROUND * _ROUND)
    if rule == "write-from-title":
        known = [(FIELDS[key][tongue == "zh"], str(record[key])) for key in FIELDS if record.get(key)]
        if not known:
            raise UnreadableData(f"`--rule {rule}` needs one of {', '.join(FIELDS)} beside the text")
        part = " ".join(f"{name}{value}" for name, value in known)
    else:
        pieces = _pieces(text, rule)
        if len(pieces) < 2:  # noqa: PLR2004  a part and something beyond it
            return
        part = pieces[0] if rule.startswith("continue") else max(pieces, key=len)
    question = TEMPLATES[rule][tongue].format(part=part.strip(), count=count)
    yield Example([("user", question), ("assistant", text)])


def _pieces(text: str, rule: str) -> list[str]:
    if rule.endswith("paragraph"):
        return [piece for piece in _PARAGRAPHS.split(text) if piece.strip()]
    return [found[0] for found in _SENTENCE.finditer(text) if found[0].strip()]
