"""The nouns of the dataset doctor: a problem of one record, and a record in the neutral form that all schemas share."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from advisor.model import Place

Role = Literal["system", "user", "assistant", "tool", "text"]
Turn = tuple[Role, str]

KEPT = 1000
"""Places kept with their excerpt for one cause; of further ones the line alone is kept, and counted."""


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with one record. cause: the name of the cause, which a rule puts into words.

    between: it stands between two records, and takes none away.
    """

    cause: str
    place: Place
    between: bool = False


@dataclass(slots=True)
class Occurrences:
    """All records in which one cause was found, in the order of the files."""

    count: int = 0
    places: list[Place] = field(default_factory=list)
    file: array[int] = field(default_factory=lambda: array("l"))
    line: array[int] = field(default_factory=lambda: array("q"))

    def add(self, place: Place, file: int) -> None:
        """Count one more record."""
        self.add_line(place.line, file)
        if not self.full:
            self.places.append(place)

    def add_line(self, line: int, file: int) -> None:
        """Count one more record without an excerpt of it."""
        self.count += 1
        self.file.append(file)
        self.line.append(line)

    @property
    def full(self) -> bool:
        """Whether no more excerpts are kept."""
        return len(self.places) >= KEPT

    def lines(self) -> Iterator[tuple[int, int]]:
        """Yield (file, line) of every record."""
        return zip(self.file, self.line, strict=True)


@dataclass(slots=True)
class Example:
    """One record, whatever its schema: the turns in order, the last assistant turn being what is learnt.

    others: worse answers to the same prompt (`rejected`, the rest of a ranking), best first.
    extra: what the schema does not know, as it stands in the record. lost: what of the record stands in none of these, in words:
    keys of single turns, pictures, calls of tools.
    """

    turns: list[Turn]
    others: tuple[str, ...] = ()
    extra: Mapping[str, Any] = field(default_factory=dict)
    lost: tuple[str, ...] = ()

    @property
    def answer(self) -> str:
        """The last assistant turn, or the text of a record that has no turns."""
        return self.turns[-1][1]

    @property
    def prompt(self) -> str:
        """The last user turn, or nothing."""
        return next((text for role, text in reversed(self.turns) if role == "user"), "")
