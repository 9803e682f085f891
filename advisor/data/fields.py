"""The fields of answers that are JSON objects: which there are, and in how many answers each one stands."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from advisor.data.parse import loads

MOST = 500
"""Different fields that are counted; where there are more, they are data and no form."""

_FENCED = re.compile(r"```(?:json)?\s*\n(.*?)```\s*", re.DOTALL | re.IGNORECASE)


@dataclass(slots=True)
class Fields:
    """Fields of the answers looked at so far.

    answers: how many were JSON objects. counts: field → answers that hold it. first: field → the first such row.
    """

    answers: int = 0
    counts: dict[str, int] = field(default_factory=dict)
    first: dict[str, int] = field(default_factory=dict)

    def add(self, answer: str, row: int) -> None:
        """Look at one more answer."""
        text = answer.lstrip()
        if text.startswith("```") and (fenced := _FENCED.fullmatch(text)):
            text = fenced[1].lstrip()
        if not text.startswith("{"):
            return
        try:
            value = loads(text.encode("utf-8", "replace"))
        except ValueError:
            return
        if not isinstance(value, dict):
            return
        self.answers += 1
        for name in value:
            if name in self.counts:
                self.counts[name] += 1
            elif len(self.counts) <= MOST:
                self.counts[name] = 1
                self.first[name] = row
