"""All checks of one row, in one place: which of them it fails, where, and how it ends."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator, Mapping
from itertools import islice

from advisor.data.model import Example
from advisor.data.quality.endings import ending
from advisor.data.quality.instructions import broken_json, broken_length
from advisor.data.quality.mojibake import garbled, script_shares
from advisor.data.quality.personal import personal
from advisor.model import Term

CHECKS = (
    "mojibake", "cut-off-answer", "garbled-characters", "emoji-run", "newline-run", "markup-residue", "answer-language", "refusal",
    "placeholder-answer", "personal-data", "contact-data", "broken-length-limit", "broken-json", "repetitive-answer",
    "copied-prompt",
)  # fmt: skip
"""Names of the checks; the bit of each in a row's flags is its place here."""

ENDED, PROSE, REASONED, CHINESE = 1, 2, 4, 8
"""Bits of a row's terms: its answer ends as prose does; it is prose at all; it shows its reasoning in `<think>`; it is Chinese."""

Found = tuple[str, str, int, Mapping[str, str | int | float]]
"""(check, the text it looked at, where in it, facts for the sentence)."""

_CONTROL = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ue000-\uf8ff\ufff9-\ufffb\ufffe\uffff\u202a-\u202e\u2066-\u2069\u200b\ufeff]"
)
_ASCII_CONTROLS = bytes(code for code in (*range(32), 127) if chr(code) not in "\t\n\r")
_EMOJI = re.compile("[\U0001f300-\U0001faff\u2600-\u27bf]")
_EMOJI_RUN = re.compile(f"(?:{_EMOJI.pattern}\ufe0f?\\s?){{5,}}")
_FEWEST_NEWLINES = 4
_EMPTY_LINES = b"\n" * _FEWEST_NEWLINES
_NEWLINES = re.compile(r"(?:\r?\n[ \t]*){4,}")
_FENCE = re.compile(r"```.*?(?:```|\Z)|`[^`\n]*`", re.DOTALL)
_MARKUP = re.compile(
    r"</?(?:div|span|p|br|table|tbody|tr|td|th|a|font|img|script|style|ul|ol|li|b|i|em|strong|h[1-6]|body|html|sup|sub)"
    r"(?:\s[^<>]{0,300})?/?>|&(?:nbsp|amp|lt|gt|quot|ldquo|rdquo|mdash|hellip|#\d{2,5}|#x[0-9a-fA-F]{2,5});"
)
_ABOUT_MARKUP = re.compile(r"html|xml|markup|markdown|web ?page|website|css|svg|vue|react|网页|标签|前端|代码|<\w+", re.IGNORECASE)
_OTHER_LANGUAGE = re.compile(
    r"translat|in (?:english|chinese|french|german|spanish|japanese|korean|russian)|english|chinese|mandarin|"
    r"翻译|译成|译为|英文|英语|中文|汉语|法语|德语|日语|韩语|俄语|双语|代码|程序|函数|python|java|sql|script|json|html|latex|公式|拼音",
    re.IGNORECASE,
)
_REFUSAL = re.compile(
    r"\b(?:I(?:'m| am) (?:sorry|unable|not able)|I (?:can(?:no|')t|won't)|I apologi[sz]e)\b.{0,80}?"
    r"\b(?:can(?:no|')t|unable|not able|won't|assist|provide|help|fulfil|comply|answer)|"
    r"\b[Aa]s an AI(?: language)? model\b|作为(?:一个|一名)?(?:AI|人工智能|语言模型|大模型)|"
    r"抱歉.{0,6}我?(?:无法|不能|没有办法)",
    re.DOTALL,
)
_SIGNS_OF_REFUSAL = ("sorry", "unable", "cannot", "can't", "won't", "apolog", "not able", "s an AI", "作为", "抱歉")
_REFUSAL_HEAD = 240
_PLACEHOLDER = re.compile(
    r"\W*(?:todo|tbd|fixme|placeholder|lorem ipsum.*|x{3,}|nan|null|undefined|待补充|待填写|待完善|同上|略|"
    r"占位符?|insert (?:answer|text) here|your answer here|answer goes here)\W*|[.…·\-_*?？]+",
    re.IGNORECASE | re.DOTALL,
)
_LONGEST_PLACEHOLDER = 60
_LETTERS = 20
_MOSTLY, _HARDLY = 0.5, 0.05
_LEAST_TO_COMPRESS = 600
_REPETITIVE = 12.0
"""How many times smaller a repetitive answer becomes; prose 2 to 3 times, tables and code up to 8."""

_LEAST_TO_COPY = 40


def examine(example: Example) -> tuple[int, int, list[Found]]:
    """Return the flags, the terms and the findings of one row."""
    found = list(_all(example))
    flags = 0
    for check, *_ in found:
        flags |= 1 << CHECKS.index(check)
    how, missing = ending(example.answer) if example.turns[-1][0] == "assistant" else ("other", "")
    if how == "open":
        found.append(("cut-off-answer", example.answer, len(example.answer.rstrip()), {"missing": Term(f"ending-{missing}")}))
        flags |= 1 << CHECKS.index("cut-off-answer")
    terms = ENDED | PROSE if how == "ended" else PROSE if how == "open" and missing == "sentence" else 0
    han, others = (0, 0) if example.answer.isascii() else script_shares(example.answer)
    terms |= (REASONED if "<think>" in example.answer else 0) | (CHINESE if han > _MOSTLY * (han + others) else 0)
    return flags, terms, found


def _all(example: Example) -> Iterator[Found]:
    for _, text in example.turns:
        yield from _of_text(text)
    role, answer = example.turns[-1]
    if role != "assistant":
        return
    prompt = example.prompt
    yield from _of_answer(prompt, answer)


def _of_text(text: str) -> Iterator[Found]:
    if wrong := garbled(text):
        yield "mojibake", text, wrong[0], {"how": Term(f"mojibake-{wrong[1]}")}
    if _may_hold_controls(text) and (control := _CONTROL.search(text)):
        yield "garbled-characters", text, control.start(), {"found": f"U+{ord(control[0]):04X}"}
    if not text.isascii() and _EMOJI.search(text) and (emoji := _EMOJI_RUN.search(text)):
        yield "emoji-run", text, emoji.start(), {"count": len(emoji[0])}
    # Without the blanks between them the line ends stand together: told much faster than by a search.
    many = text.count("\n") >= _FEWEST_NEWLINES and _EMPTY_LINES in text.encode("utf-8", "replace").translate(None, b" \t\r")
    if many and (newlines := _NEWLINES.search(text)):
        yield "newline-run", text, newlines.start(), {"count": newlines[0].count("\n")}
    seen: set[str] = set()
    for where, kind in personal(text):
        check = "contact-data" if kind in ("email", "phone") else "personal-data"
        if check not in seen:
            seen.add(check)
            yield check, text, where, {"kind": Term(f"personal-{kind}")}


def _may_hold_controls(text: str) -> bool:
    """Tell whether a control character may stand in `text`; of ASCII its bytes say so several times faster than a search."""
    return not text.isascii() or len(text.encode().translate(None, _ASCII_CONTROLS)) < len(text)


def _of_answer(prompt: str, answer: str) -> Iterator[Found]:
    if ("<" in answer or "&" in answer) and not _ABOUT_MARKUP.search(prompt):
        outside = _FENCE.sub("", answer) if "`" in answer else answer
        markup = list(islice(_MARKUP.finditer(outside), 2))
        # One tag alone is mostly a placeholder in angle brackets; an entity is never anything else.
        if len(markup) > 1 or (markup and markup[0][0].startswith("&")):
            yield "markup-residue", outside, markup[0].start(), {"found": markup[0][0][:24]}
    if _in_another_language(prompt, answer):
        yield "answer-language", answer, 0, {}
    head = answer[:_REFUSAL_HEAD]
    if any(sign in head for sign in _SIGNS_OF_REFUSAL) and (refusal := _REFUSAL.search(head)):
        yield "refusal", answer, refusal.start(), {}
    if len(answer) < _LONGEST_PLACEHOLDER and _PLACEHOLDER.fullmatch(answer.strip()):
        yield "placeholder-answer", answer, 0, {"found": answer.strip()[:24]}
    if broken := broken_length(prompt, answer):
        yield "broken-length-limit", answer, 0, broken
    if broken_json(prompt, answer):
        yield "broken-json", answer, 0, {}
    if len(answer) >= _LEAST_TO_COMPRESS:
        raw = answer.encode("utf-8", "replace")
        times = len(raw) / len(zlib.compress(raw, 1))
        if times >= _REPETITIVE:
            yield "repetitive-answer", answer, 0, {"times": times}
    if len(answer) >= _LEAST_TO_COPY and answer.strip() == prompt.strip():
        yield "copied-prompt", answer, 0, {}


def _in_another_language(prompt: str, answer: str) -> bool:
    """Tell whether a Chinese question has an answer without Chinese, or the other way round, and nothing asked for it."""
    if prompt.isascii() and answer.isascii():
        return False
    han, others = script_shares(prompt)
    han_then, others_then = script_shares(answer)
    if han + others < _LETTERS / 2 or han_then + others_then < _LETTERS:
        return False
    asked, came = han / (han + others), han_then / (han_then + others_then)
    other_way = (asked > _MOSTLY and came < _HARDLY) or (asked < _HARDLY and came > _MOSTLY)
    return other_way and not _OTHER_LANGUAGE.search(prompt) and "```" not in answer
