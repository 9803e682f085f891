"""Python tracebacks in a text: what was raised, through which frames, and which exception caused the one after it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from advisor.readers.clean import split_rank, strip_ansi

_BEGIN = re.compile(r"^\s*Traceback \(most recent call last\)")
_FRAME = re.compile(r'^\s*File "(?P<file>[^"]+)", line (?P<line>\d+)(?:, in (?P<function>.+?))?\s*$')
_EXCEPTION = re.compile(r"^(?P<kind>(?:[A-Za-z_]\w*\.)*[A-Z]\w*)(?:: ?(?P<message>.*))?$")
_LINK = re.compile(r"^\s*(?:During handling of the above exception|The above exception was the direct cause)")
_LIBRARY = re.compile(r"(?:site-packages|dist-packages)[/\\](?P<name>[^/\\]+)")
_STANDARD = re.compile(r"[/\\]lib(?:64)?[/\\]python3|^<|[/\\]Lib[/\\](?!site-packages)")
_MOST_MESSAGE = 700


@dataclass(frozen=True)
class Frame:
    """One call: the file, its line and the function; `library` is the package it belongs to, empty for the user's own code."""

    file: str
    line: int
    function: str
    library: str


@dataclass(frozen=True)
class Raised:
    """An exception with its frames. chained: it was raised while the one before it was handled. line: of the text, from 1."""

    kind: str
    message: str
    line: int
    frames: tuple[Frame, ...] = ()
    chained: bool = False

    @property
    def own_frame(self) -> Frame | None:
        """The innermost frame of the user's own code."""
        return next((f for f in reversed(self.frames) if not f.library), None)

    @property
    def library(self) -> str:
        """The library in which it was raised; empty where it was the user's own code or Python's."""
        outside = [f.library for f in self.frames if f.library and f.library != "python"]
        return outside[-1] if outside and self.frames[-1].library else ""


@dataclass
class _Open:
    """A traceback that is being read."""

    chained: bool
    frames: list[Frame] = field(default_factory=list)


def tracebacks(lines: Iterable[tuple[int, str]]) -> Iterator[Raised]:
    """Yield the exception of each traceback in (number, line) pairs, in their order; one that is cut off is left out."""
    reading: _Open | None = None
    chained = False
    for number, raw in lines:
        if reading is None and "Traceback" not in raw and "above exception" not in raw:
            continue
        text = split_rank(strip_ansi(raw))[1].rstrip()
        if _BEGIN.match(text):
            reading, chained = _Open(chained), False
        elif _LINK.match(text):
            chained = True
        elif reading is not None and (frame := _FRAME.match(text)):
            reading.frames.append(_frame(frame))
        elif reading is not None and text and not text[0].isspace() and (found := _EXCEPTION.match(text)):
            yield Raised(found["kind"], (found["message"] or "")[:_MOST_MESSAGE], number, tuple(reading.frames), reading.chained)
            reading = None


def _frame(found: re.Match[str]) -> Frame:
    file = found["file"]
    package = _LIBRARY.search(file)
    library = package["name"].removesuffix(".py") if package else "python" if _STANDARD.search(file) else ""
    return Frame(file, int(found["line"]), found["function"] or "", library)


def roots(raised: Iterable[Raised]) -> list[tuple[Raised, Raised]]:
    """Return (first, last) of each chain of exceptions: what began it, and what the program ended with."""
    chains: list[tuple[Raised, Raised]] = []
    for one in raised:
        if one.chained and chains:
            chains[-1] = (chains[-1][0], one)
        else:
            chains.append((one, one))
    return chains
