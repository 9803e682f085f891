"""The elements of one JSON array that fills a file, each with its line and its place, in bounded memory."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO

from advisor.data.lines import BOMB_RATIO, BOMB_SIZE, LONGEST, Line, Trouble
from advisor.data.sources import BROKEN_ARCHIVE

BLOCK = 1 << 20

_TOKEN = re.compile(rb'"(?:[^"\\\n]|\\.)*"|[\[\]{},]|[^\s\[\]{},"]+|"')
_OPENS = {b"]": b"[", b"}": b"{"}


class Elements:
    """Yields the elements of the array in `stream` as (line, offset, text).

    A string that is not closed on its line does not swallow the lines that follow, and a bracket that closes another one ends
    the element. trouble hears of a missing or a needless comma between elements, of text after the array, of an array that is
    not closed, and of what `lines_of` says about archives and size. before: what was read of the file before the array; an object
    that it opens may close after the array.
    """

    def __init__(self, stream: BinaryIO, trouble: Trouble, *, size: int = 0, before: bytes = b"") -> None:
        self._stream, self._trouble, self._size = stream, trouble, size
        self._buffer = b""
        self._base = len(before)
        self._line, self._counted = 1 + before.count(b"\n"), 0
        self._wrapped = bool(before)
        self._opened: list[bytes] = []
        self._start = -1
        self._separated, self._commas = True, False

    def __iter__(self) -> Iterator[Line]:
        read = position = 0
        while True:
            try:
                block = self._stream.read(BLOCK)
            except BROKEN_ARCHIVE:
                self._say("damaged-archive", position)
                return
            read += len(block)
            if self._size and read > BOMB_SIZE and read > BOMB_RATIO * self._size:
                self._say("archive-bomb", position)
                return
            position = self._forget(position)
            self._buffer += block
            if len(self._buffer) > LONGEST + BLOCK:
                self._say("line-too-long", max(self._start, 0))
                return
            for token in _TOKEN.finditer(self._buffer, position):
                if token.end() == len(self._buffer) and block:
                    break
                element = self._take(token[0], token.start(), token.end())
                position = token.end()
                if element:
                    yield element
                if not self._opened:
                    if not self._wrapped and self._buffer[position:].strip():
                        self._say("text-after-record", position)
                    return
            if not block:
                if self._start >= 0:
                    yield self._element(len(self._buffer))
                else:
                    self._say("truncated-record", len(self._buffer))
                return

    def _forget(self, position: int) -> int:
        """Drop what stands before the element that is being read; return where `position` is now."""
        keep = self._start if self._start >= 0 else position
        self._line_at(keep)
        self._base += keep
        self._buffer = self._buffer[keep:]
        self._start = min(self._start, 0)
        self._counted = 0
        return position - keep

    def _line_at(self, position: int) -> int:
        self._line += self._buffer.count(b"\n", self._counted, position)
        self._counted = max(position, self._counted)
        return self._line

    def _say(self, cause: str, position: int) -> None:
        self._trouble(cause, self._line_at(position), self._base + position, self._buffer[position : position + 100])

    def _element(self, end: int) -> Line:
        element = self._line_at(self._start), self._base + self._start, self._buffer[self._start : end]
        self._start = -1
        return element

    def _take(self, token: bytes, start: int, end: int) -> Line | None:
        """Take one token; return the element that it ends."""
        if len(self._opened) == 1 and self._start < 0:
            if token in b",]":
                if self._separated and (token == b"," or self._commas):
                    self._say("trailing-comma", start)
                self._separated = self._commas = True
                if token == b"]":
                    self._opened.pop()
                return None
            self._line_at(start)
            self._start = start
            if not self._separated:
                self._say("missing-comma", start)
            self._separated = False
        if token in (b"{", b"["):
            self._opened.append(token)
            return None
        if token in _OPENS:
            while len(self._opened) > 1 and self._opened.pop() != _OPENS[token]:
                pass
        return self._element(end) if len(self._opened) == 1 and self._start >= 0 else None
