"""Questions at a terminal: one at a time, answered with the arrow keys or numbers, with a way back."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import click
from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

AROUND = 6
"""Lines of the screen that a question takes beside its choices, and some to spare."""


class Back(Exception):
    """The question before is to be asked again."""


@dataclass(frozen=True, slots=True)
class Question:
    """One question. choices: value → words; none where a line of text is asked for, which `read` turns into an answer or None.

    hint: which keys there are. refused: what is said where `read` does not understand. at: the choice that is marked at first.
    """

    text: str
    help: str
    choices: Mapping[str, str]
    hint: str
    read: Callable[[str], float | None] = lambda _: None
    refused: str = ""
    at: int = 0


_NAMES = {
    "\x1b[A": "up", "\x1bOA": "up", "\x1b[B": "down", "\x1bOB": "down", "\t": "down", "\r": "enter",
    "\n": "enter", "\x1b[D": "left", "\x1bOD": "left", "\x1b[C": "right", "\x1bOC": "right", "\x7f": "rubout", "\x08": "rubout",
    "\xe0H": "up", "\xe0P": "down", "\xe0K": "left", "\xe0M": "right",
}  # fmt: skip


def keys(read: str) -> list[str]:
    """Return the keys in what was read from a terminal, which may be several: names of the special ones, else characters."""
    found: list[str] = []
    at = 0
    while at < len(read):
        size = 3 if read[at] == "\x1b" and read[at + 1 : at + 2] in ("[", "O") else 2 if read[at : at + 2] in _NAMES else 1
        found.append(_NAMES.get(read[at : at + size], read[at : at + size]))
        at += size
    return found


class Terminal:
    """Puts questions on a terminal. What was answered stays above the question, and nothing stays on the screen at the end."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.waiting: list[str] = []

    def ask(self, question: Question, before: Sequence[str]) -> str | float:
        """Return the answer. Raises Back, or KeyboardInterrupt and EOFError where the person ends it."""
        with Live(console=self.console, auto_refresh=False, transient=True, redirect_stdout=False, redirect_stderr=False) as live:
            return (self._choose if question.choices else self._type)(question, before, live)

    def _key(self) -> str:
        while not self.waiting:
            self.waiting = keys(click.getchar())
        return self.waiting.pop(0)

    def _choose(self, question: Question, before: Sequence[str], live: Live) -> str:
        values = list(question.choices)
        at = question.at
        while True:
            lines = [
                Text(f"{'❯' if i == at else ' '} {i + 1}  {words}", style="bold cyan" if i == at else "")
                for i, words in enumerate(question.choices.values())
            ]
            live.update(_page(question, before, lines, self.console.height), refresh=True)
            key = self._key()
            if key == "enter":
                return values[at]
            if key in ("up", "down"):
                at = (at + (1 if key == "down" else -1)) % len(values)
            elif key in ("left", "rubout", "b"):
                raise Back
            elif key.isdecimal() and 1 <= int(key) <= len(values):
                at = int(key) - 1

    def _type(self, question: Question, before: Sequence[str], live: Live) -> float:
        typed, said = "", ""
        while True:
            lines = [Text(f"❯ {typed}▏", style="bold cyan"), Text(said, style="yellow")]
            live.update(_page(question, before, lines, self.console.height), refresh=True)
            key = self._key()
            if key == "enter":
                answer = question.read(typed)
                if answer is not None:
                    return answer
                said = question.refused
            elif key == "left" or (key == "rubout" and not typed):
                raise Back
            elif key == "rubout":
                typed = typed[:-1]
            elif len(key) == 1 and key.isprintable():
                typed, said = typed + key, ""


def _page(question: Question, before: Sequence[str], lines: Sequence[Text], height: int) -> Group:
    """Return what stands on the screen: as many of the answers given as there is room for, and the question."""
    room = max(height - len(lines) - AROUND, 0)
    last = before[len(before) - min(room, len(before)) :]
    said = [Text(f"✓ {line}", style="dim", no_wrap=True, overflow="ellipsis") for line in last]
    return Group(
        *said, Text(question.text, style="bold"), Text(question.help, style="dim"), *lines, Text(question.hint, style="dim")
    )


def is_terminal() -> bool:
    """Tell whether a person can be asked: what is read and what is written is a terminal."""
    return sys.stdin.isatty() and sys.stdout.isatty()
