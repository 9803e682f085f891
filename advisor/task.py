"""What is known of a task that a model is wanted for: the questions there are, their answers, and which way an answer leans."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from advisor.errors import BadAnswers
from advisor.model import NotMeasurable

Answer = str | float


@dataclass(frozen=True, slots=True)
class Fact:
    """One question. values: the answers there are to choose from; none where a number is asked for.

    rises: whether the values, or the number, are ordered towards fine-tuning (True), away from it (False), or not at all (None).
    asked: whether it is put to a person; the others are only measured. most: the largest number that makes sense.
    """

    name: str
    values: tuple[str, ...] = ()
    rises: bool | None = True
    asked: bool = True
    most: float = math.inf

    @property
    def is_number(self) -> bool:
        """Whether the answer is a number."""
        return not self.values


FACTS: Mapping[str, Fact] = {
    fact.name: fact
    for fact in (
        Fact("task", ("knowledge-qa", "domain-task", "general-task", "preference"), rises=None),
        Fact("prompting", ("none", "basic", "extensive")),
        Fact("prompt_result", ("good-enough", "close", "far")),
        Fact("wish", ("none", "cheaper")),
        Fact("knowledge", ("fast-changing", "private", "none")),
        Fact("retrieval", ("untried", "not-enough")),
        Fact("model", ("chat", "base", "fine-tuned"), rises=None),
        Fact("style", ("none", "some", "strict")),
        Fact("difficulty", ("easy", "medium", "hard")),
        Fact("rows"),
        Fact("raw_tokens"),
        Fact("pairs"),
        Fact("quality", ("poor", "mixed", "good")),
        Fact("lengths", ("too-long", "fit")),
        Fact("budget", ("one-gpu", "several-gpus")),
        Fact("base_score", rises=False, asked=False, most=1.0),
        Fact("health", asked=False, most=1.0),
    )
}
"""Every fact by name. In which order they are asked for is the rules' business."""


@dataclass(frozen=True)
class Task:
    """The facts of one task that are known. Asking for another raises NotMeasurable, which names it."""

    known: Mapping[str, Answer] = field(default_factory=dict)

    def has(self, name: str) -> bool:
        """Tell whether a fact is known."""
        return name in self.known

    def word(self, name: str) -> str:
        """Return the answer chosen for a fact."""
        return str(self._answer(name))

    def number(self, name: str) -> float:
        """Return the number answered."""
        return float(self._answer(name))

    def at_least(self, name: str, value: str) -> bool:
        """Tell whether the answer is `value` or stands after it."""
        values = FACTS[name].values
        return values.index(self.word(name)) >= values.index(value)

    def with_answer(self, name: str, answer: Answer) -> Task:
        """Return the task with one fact more, or another."""
        return Task({**self.known, name: answer})

    def _answer(self, name: str) -> Answer:
        if name not in self.known:
            raise NotMeasurable(name)
        return self.known[name]


_NUMBER = re.compile(r"^\s*(\d+(?:[.,_]\d+)*(?:e\+?\d+)?)\s*([kmb万亿]?)\s*$", re.IGNORECASE)
_UNITS = {"": 1.0, "k": 1e3, "m": 1e6, "b": 1e9, "万": 1e4, "亿": 1e8}
_THOUSANDS = re.compile(r"^\d{1,3}(?:,\d{3})+$")


def amount(text: str) -> float | None:
    """Return the number a person wrote (`12k`, `1.5M`, `1e9`, `10,000`, `2亿`), or None where it is none."""
    found = _NUMBER.match(text)
    if not found:
        return None
    digits = found[1].replace("_", "")
    digits = digits.replace(",", "") if _THOUSANDS.match(digits) else digits
    try:
        return float(digits) * _UNITS[found[2].lower()]
    except ValueError:
        return None


def answered(name: str, given: object, where: str) -> Answer:
    """Return the answer that `given` stands for. Raises BadAnswers, whose message names the place and what was expected."""
    fact = FACTS.get(name)
    if fact is None:
        raise BadAnswers(f"{where}: unknown fact `{name}`{_did_you_mean(name, FACTS)}; there are {', '.join(FACTS)}")
    if not fact.is_number:
        if given not in fact.values:
            near = _did_you_mean(str(given), fact.values)
            raise BadAnswers(f"{where}: `{name}` is {given!r}{near}; expected one of {', '.join(fact.values)}")
        return str(given)
    number = amount(given) if isinstance(given, str) else given
    if isinstance(number, bool) or not isinstance(number, int | float) or not 0 <= number <= fact.most or math.isinf(number):
        expected = "a number from 0 to 1" if fact.most == 1 else "a number from 0 on, such as 1200, 12k or 1.5M"
        raise BadAnswers(f"{where}: `{name}` is {given!r}; expected {expected}")
    return float(number)


def _did_you_mean(word: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(word, list(known), n=1, cutoff=0.5)
    return f"; did you mean `{close[0]}`?" if close else ""
