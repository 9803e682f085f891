"""Lines as terminals and launchers leave them, and the numbers in them."""

from __future__ import annotations

import re
from collections.abc import Sequence

LONGEST_TEXT = 1 << 16
"""Characters of a line, or of what carriage returns wrote over it, beyond which nothing is read: no figures stand there."""

_BLANK = re.compile(r"\n\s*\n")
_RETURNS = re.compile(r"\r{2,}")
_EXCESS = re.compile(rf"([^\r]{{{LONGEST_TEXT}}})[^\r]+")
_ANSI = re.compile(r"\x1b(?:\[[0-9;?]*[ -/]*[@-~]|[@-Z\\-_])|\x1b")
_COLOUR = r"(?:bright_)?(?:black|red|green|yellow|blue|magenta|cyan|white)|#[0-9a-f]{6}"
_STYLE = rf"(?:b|bold|dim|i|italic|u|underline|(?:on )?(?:{_COLOUR}))"
_MARKUP = re.compile(rf"\[/?{_STYLE}(?: {_STYLE})*\]|\[/\]")
_RANK = re.compile(
    r"\s*(?:(\d{1,4}):\s"
    r"|\[?(?:default|rank|worker|algo|node)[-_ ]?(\d{1,4})(?:-\w{5})?\]?\s*[:>|]\s?"
    r"|\[\d+,(?:mpirank:)?(\d{1,4})(?:,[\w-]+)?\]\s?<std(?:out|err)>:\s?"
    r"|\(\w+ pid=(\d+)(?:, ip=[\d.]+)?\)\s?)",
    re.IGNORECASE,
)
"""What Slurm, torchrun, SageMaker, `mpirun --tag-output` and Ray put before a line; Ray numbers its workers by process."""

_BEFORE_RANK = "0123456789[(dDrRwWaAnN \t"
"""What such a mark begins with: most lines need not be looked at further."""

_INNER_RANK = re.compile(r"\[Rank (\d{1,4})\]|\[RANK[: ](\d{1,4})\]|\bRank: (\d{1,4}),|\brank (\d{1,4})\s*$")
"""The rank that a line names itself: DeepSpeed's `[Rank 0]`, DeepSpeed-Chat's `Rank: 0,`, WeNet's `rank 0`."""

NUMBER = r"[-+]?(?:\d[\d_]*\.?\d*|\.\d+)(?:[eE][-+]?\d+)?|[-+]?(?:nan|inf(?:inity)?)"
"""A decimal number, `nan` or `inf`, as a regular expression (to be used case-insensitively)."""


def strip_ansi(line: str) -> str:
    """Return `line` without colours and cursor movements."""
    return _ANSI.sub("", line) if "\x1b" in line else line


def beginning(text: str) -> str:
    """Return the beginning of a log as recognition looks at it: without colours, leading zeros, carriage returns, blank lines."""
    return _BLANK.sub("\n\n", strip_ansi(text).replace("\r\n", "\n").lstrip("\0"))


def cleaned(line: str) -> str:
    """Return a line without the carriage returns at its end and the zeros at its beginning."""
    return line.rstrip("\r").lstrip("\0")


def shortened(line: str) -> tuple[str, bool]:
    """Return a line in which no text is longer than `LONGEST_TEXT`, and whether anything of it is lost."""
    return _EXCESS.sub(r"\1", _RETURNS.sub("\r", line)), _EXCESS.search(line) is not None


def strip_markup(line: str) -> str:
    """Return `line` without the colours that rich was to print: `[bold]0.5[/]`."""
    return _MARKUP.sub("", line)


def split_rank(line: str) -> tuple[int | None, str]:
    """Return the rank that a launcher put before `line` (`[rank1]: …`, `[default7]:…`, `0: …`) and the rest.

    A rank that the line itself names is returned with the whole line.
    """
    if line[:1] in _BEFORE_RANK and (found := _RANK.match(line)):
        return _rank(found), line[found.end() :]
    found = _INNER_RANK.search(line) if "ank" in line or "ANK" in line else None
    return (_rank(found) if found else None), line


def pieces(line: str) -> Sequence[tuple[int | None, str]]:
    """Return (rank, text) of what carriage returns wrote one over the other on `line`; a rank before the first is that of all."""
    if "\r" not in line:
        return (split_rank(strip_ansi(line) if "\x1b" in line else line),)
    of: int | None = None
    found = []
    for piece in line.split("\r"):
        rank, text = split_rank(strip_ansi(piece))
        of = of if rank is None else rank
        found.append((of, text))
    return found


def _rank(found: re.Match[str]) -> int:
    return int(next(group for group in found.groups() if group))


def number(text: str) -> float | None:
    """Return the number that `text` is, or None. Knows `1,234.5`, `1.2e-05`, `nan`, `-Infinity`, `12.5%` (as 12.5)."""
    try:
        return float(text)
    except ValueError:
        try:
            return float(text.strip().strip("'\"").rstrip("%").replace(",", ""))
        except ValueError:
            return None
