"""Signs of what is wrong, answer by answer; the same signs are looked for in the references and in the base model's answers.

Each check says yes or no of one text. How many are too many, the rules say: they compare with what the references show themselves.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from advisor.data.keys import normalised, without_numbers
from advisor.data.model import Example
from advisor.data.quality.checks import CHECKS as TEXT_CHECKS
from advisor.data.quality.checks import examine
from advisor.data.quality.instructions import broken_length
from advisor.evaluation.endings import LIMITED, Habit, cut_off
from advisor.evaluation.garbling import Vocabulary, foreign_script, garbled_at
from advisor.evaluation.instructions import broken_fields, broken_json, broken_other
from advisor.evaluation.model import Answer, printable
from advisor.evaluation.repetition import loop, returning
from advisor.evaluation.text import same, tokens
from advisor.model import Facts, Term

Flags = np.ndarray[tuple[int], np.dtype[np.bool_]]

SYMPTOMS = (
    "repetition", "returning-topic", "garbled", "foreign-script", "cut-off", "empty", "constraint", "json", "json-fields",
    "refusing",
)  # fmt: skip
"""Names of the checks."""


@dataclass(frozen=True)
class Symptom:
    """Where one sign was seen: a flag a row for the answers, the references and the base model's answers; where, and how.

    Rows to which a check does not apply (no constraint in the prompt, no JSON asked for) are not in `applies`.
    """

    name: str
    own: Flags
    applies: Flags
    references: Flags | None = None
    base: Flags | None = None
    where: Mapping[int, int] = field(default_factory=dict)
    facts: Mapping[int, Facts] = field(default_factory=dict)

    @property
    def of(self) -> int:
        """Rows that can show it."""
        return int(self.applies.sum())

    def share(self, flags: Flags | None) -> float:
        """Return the share of rows that show it."""
        return float("nan") if flags is None or not self.of else float(flags[self.applies].mean())


Found = tuple[int, Mapping[str, Any]] | None
"""Where in the text, and what the sentences say of it; None where the sign is not there."""


def look(answers: Sequence[Answer], vocabulary: Mapping[str, Vocabulary], habit: Habit) -> dict[str, Symptom]:
    """Return every symptom. vocabulary: what `own`, `references` and `base` texts are judged by."""
    has_references = any(answer.references for answer in answers)
    has_base = all(answer.base is not None for answer in answers)
    sides: dict[str, list[str]] = {"own": [answer.prediction for answer in answers]}
    if has_references:
        sides["references"] = [answer.references[0] if answer.references else "" for answer in answers]
    if has_base:
        sides["base"] = [answer.base or "" for answer in answers]
    topics = {side: _one_for_many(answers, texts) for side, texts in sides.items()}
    found: dict[str, Symptom] = {}
    for name in SYMPTOMS:
        flags = {side: np.zeros(len(answers), dtype=bool) for side in sides}
        applies = np.ones(len(answers), dtype=bool)
        where: dict[int, int] = {}
        facts: dict[int, Facts] = {}
        for side, texts in sides.items():
            for row, (text, answer) in enumerate(zip(texts, answers, strict=True)):
                if side == "references" and not answer.references:
                    continue
                seen = _check(name, text, answer, vocabulary[side], habit, topics[side].get(row), own=side == "own")
                if seen is False:
                    applies[row] &= side != "own"
                elif seen is not None and seen is not True:
                    flags[side][row] = True
                    if side == "own":
                        where[row], facts[row] = seen
        found[name] = Symptom(name, flags["own"], applies, flags.get("references"), flags.get("base"), where, facts)
    return found


def _check(
    name: str, text: str, answer: Answer, vocabulary: Vocabulary, habit: Habit, topic: Facts | None, *, own: bool
) -> Found | bool:
    if name == "empty":
        return None if text.strip() else (0, {})
    if not text.strip():
        return None
    looked: Mapping[str, Callable[[], Found | bool]] = {
        "repetition": lambda: _repeating(text),
        "returning-topic": lambda: _on_one_topic(text, topic),
        "garbled": lambda: _garbled(text, vocabulary),
        "foreign-script": lambda: _in_other_script(text, answer),
        "cut-off": lambda: _cut(text, answer, habit, own=own),
        "constraint": lambda: _constraint(text, answer),
        "json": lambda: broken_json(text, answer),
        "json-fields": lambda: broken_fields(text, answer),
        "refusing": lambda: _refusing(text, answer),
    }
    return looked[name]()


def _repeating(text: str) -> Found:
    said = loop(text)
    return (0, {"unit": said[0], "times": said[1]}) if said else None


def _on_one_topic(text: str, topic: Facts | None) -> Found:
    back = returning(text) if loop(text) is None else None
    if back:
        return 0, {"what": back[0], "times": back[1]}
    return (0, topic) if topic else None


def _garbled(text: str, vocabulary: Vocabulary) -> Found:
    wrong = garbled_at(text, vocabulary)
    return (wrong[0], {"how": Term(f"garbled-{wrong[1]}")}) if wrong else None


def _in_other_script(text: str, answer: Answer) -> Found:
    script = foreign_script(text, answer) or _answer_language(text, answer)
    return (0, {"script": Term(f"script-{script}")}) if script else None


def _cut(text: str, answer: Answer, habit: Habit, *, own: bool) -> Found:
    if _is_right(text, answer):
        return None
    stated = answer.finish.lower() if own else ""
    how = "limit" if stated in LIMITED else cut_off(text, answer, habit, 0 if stated else answer.tokens if own else 0)
    return (max(len(text) - TAIL, 0), {"how": Term(f"cut-{how}")}) if how else None


TAIL = 40
"""Characters of the end of a cut-off answer that are shown."""


def _is_right(text: str, answer: Answer) -> bool:
    return any(same(text) == same(reference) for reference in answer.references)


def _answer_language(text: str, answer: Answer) -> str:
    """Return `other` where a Chinese question has an answer without Chinese, or the other way round."""
    flags, _, _ = examine(Example([*answer.turns[-1:], ("assistant", text)]))
    return "other" if flags & (1 << TEXT_CHECKS.index("answer-language")) else ""


def _refusing(text: str, answer: Answer) -> Found:
    flags, _, found = examine(Example([*answer.turns[-1:], ("assistant", text)]))
    if not flags & (1 << TEXT_CHECKS.index("refusal")):
        return None
    return next((start for check, _, start, _ in found if check == "refusal"), 0), {}


def _constraint(text: str, answer: Answer) -> Found | bool:
    prompt = "\n".join(said for role, said in answer.turns if role in ("system", "user"))
    broken = broken_length(prompt, text)
    if broken:
        return 0, {**broken, "kind": Term("constraint-length")}
    other = broken_other(prompt, text)
    if other:
        return 0, other
    # An empty text breaks every lower limit and an endless one every upper limit: so it is seen whether there is one.
    limited = broken_length(prompt, "") or broken_length(prompt, "x " * ENDLESS)
    return None if limited or other is None else False


ENDLESS = 120_000

LEAST_TO_BE_A_TOPIC = 6
"""Words of an answer that is more than a label."""

FEWEST_TIMES = 3


def _one_for_many(answers: Sequence[Answer], texts: Sequence[str]) -> dict[int, Facts]:
    """Return the rows whose answer is given to other questions too, where the references say something else each time."""
    keys = [without_numbers(normalised(text)) for text in texts]
    counted = Counter(keys)
    often = {
        key
        for key, times in counted.items()
        if times >= FEWEST_TIMES and len(tokens(key.decode("utf-8", "surrogatepass"))) >= LEAST_TO_BE_A_TOPIC
    }
    rows: dict[int, Facts] = {}
    for key in often:
        members = [row for row, other in enumerate(keys) if other == key]
        prompts = {normalised(answers[row].prompt) for row in members}
        right = Counter(without_numbers(normalised(answers[row].references[0])) for row in members if answers[row].references)
        # Where the references of these rows are one and the same sentence, the answers are meant to be.
        if len(prompts) < FEWEST_TIMES or (right and max(right.values()) * 2 > len(members)):
            continue
        for row in members:
            rows[row] = {"what": printable(texts[row][:40]), "times": len(members)}
    return rows
