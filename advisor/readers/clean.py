"""Lines as terminals and launchers leave them, and the numbers in them."""

from __future__ import annotations

import re

_ANSI = re.compile(r"\x1b(?:\[[0-9;?]*[ -/]*[@-~]|[@-Z\\-_])|\x1b")
_RANK = re.compile(r"\s*(?:(\d{1,4}):\s|\[?(?:default|rank|worker)[-_ ]?(\d{1,4})\]?\s?[:>|]\s?)", re.IGNORECASE)

NUMBER = r"[-+]?(?:\d[\d_]*\.?\d*|\.\d+)(?:[eE][-+]?\d+)?|[-+]?(?:nan|inf(?:inity)?)"
"""A decimal number, `nan` or `inf`, as a regular expression (to be used case-insensitively)."""


def strip_ansi(line: str) -> str:
    """Return `line` without colours and cursor movements."""
    return _ANSI.sub("", line) if "\x1b" in line else line


def split_rank(line: str) -> tuple[int | None, str]:
    """Return the rank that a launcher put before `line` (`[rank1]: …`, `[default7]:…`, `0: …`) and the rest."""
    found = _RANK.match(line)
    if not found:
        return None, line
    return int(found[1] or found[2]), line[found.end() :]


def number(text: str) -> float | None:
    """Return the number that `text` is, or None. Knows `1,234.5`, `1.2e-05`, `nan`, `-Infinity`, `12.5%` (as 12.5)."""
    try:
        return float(text)
    except ValueError:
        try:
            return float(text.strip().strip("'\"").rstrip("%").replace(",", ""))
        except ValueError:
            return None
