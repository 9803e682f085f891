"""The nouns of an evaluation: one answer with its prompt and reference, and a metric with its uncertainty."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from advisor.model import Place

if TYPE_CHECKING:
    from advisor.data.model import Turn

SHOWN = 72
"""Characters of an answer that are shown as evidence."""

LEAST_ROWS = 20
"""Rows below which the interval of a resampled mean is too narrow to be believed."""


def printable(text: str) -> str:
    """Return `text` with what controls a terminal replaced: an answer is shown, never obeyed."""
    return text if text.isprintable() else "".join(char if char.isprintable() else "\ufffd" for char in text)


@dataclass(frozen=True, slots=True)
class Answer:
    """One row: what was asked, what the model said, and what should have been said.

    turns: everything before the answer, the question last. references: right answers, none where the file gives none.
    base: the answer of the model before tuning. finish: why generation ended, as serving programs say it (`stop`, `length`).
    tokens: generated tokens, 0 where not known. loss: mean negative log-likelihood of the reference's tokens in nats, label_tokens
    their number, base_loss the same of the base model; NaN where not known.
    """

    source: str
    line: int
    offset: int
    turns: tuple[Turn, ...]
    prediction: str
    references: tuple[str, ...] = ()
    base: str | None = None
    finish: str = ""
    tokens: int = 0
    loss: float = math.nan
    label_tokens: int = 0
    base_loss: float = math.nan

    @property
    def prompt(self) -> str:
        """The last question."""
        return next((text for role, text in reversed(self.turns) if role == "user"), "")

    @property
    def earlier(self) -> tuple[str, ...]:
        """What was said before the last question, a system message left out."""
        said = [text for role, text in self.turns if role != "system"]
        return tuple(said[:-1])

    @property
    def rounds(self) -> int:
        """How many questions were asked, this one included."""
        return sum(role == "user" for role, _ in self.turns)

    def place(self, start: int = 0, **facts: float | str) -> Place:
        """Return this answer as evidence, from `start` on."""
        head = "…" if start else ""
        text = printable(" ".join(self.prediction[start : start + SHOWN].split()))
        return Place(self.source, self.line, 0, self.offset, head + text, len(head), facts)


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number with the ends of its 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric over all rows. base and gain (model − base, paired row by row) where the base model's answers are known.

    better: whether a higher value is better. unit: `share` (0–1) or `perplexity` or `points` (0–100). rows: rows it rests on.
    """

    name: str
    unit: str
    better: str
    rows: int
    own: Estimate
    base: Estimate | None = None
    gain: Estimate | None = None

    @property
    def verdict(self) -> str:
        """The gain in a word: `better`, `worse`, `same` (its interval holds 0), `few` rows, or `none`: no base model."""
        if self.gain is None:
            return "none"
        if self.rows < LEAST_ROWS:
            return "few"
        if self.gain.low <= 0 <= self.gain.high:
            return "same"
        return "better" if (self.gain.value > 0) == (self.better == "higher") else "worse"
