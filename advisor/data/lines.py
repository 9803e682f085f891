"""Lines of a text file of any size in bounded memory, each with its number and its place in bytes."""

from __future__ import annotations

import codecs
import io
from collections.abc import Callable, Iterator
from typing import BinaryIO, cast

from advisor.data.sources import BROKEN_ARCHIVE

BLOCK = 1 << 17
"""Bytes read at once: lines that are parsed soon after they were split are still in the cache of the processor."""

LONGEST = 16 << 20
"""Bytes of a line that are read. The longest documented sample has 32,768 tokens; this is fifty times more."""

BOMB_SIZE, BOMB_RATIO = 256 << 20, 200
"""A compressed file is given up where it yields more than this many bytes, at more than this many times its size on disk."""

Line = tuple[int, int, bytes]
"""(line number from 1, offset in bytes of the decompressed file, the line without its end)."""

Block = tuple[int, int, list[bytes]]
"""(number of the first line, its offset, whole lines that follow one another)."""

Trouble = Callable[[str, int, int, bytes], None]
"""Called with (cause, line, offset, head of the line) where a line cannot be given out."""


def lines_of(stream: BinaryIO, trouble: Trouble, *, size: int = 0, end: bytes = b"\n") -> Iterator[Line]:
    """Yield the lines of `stream`; see `blocks_of`."""
    for number, offset, lines in blocks_of(stream, trouble, size=size, end=end):
        for line in lines:
            yield number, offset, line
            number += 1
            offset += len(line) + 1


def blocks_of(stream: BinaryIO, trouble: Trouble, *, size: int = 0, end: bytes = b"\n") -> Iterator[Block]:
    r"""Yield the lines of `stream` in blocks; the last line too where no line end follows it.

    size: bytes on disk where the file is compressed, else 0. end: the line end, `\r` in files of old Macintosh programs.
    trouble hears of lines longer than `LONGEST`, of a damaged archive and of one that inflates without end.
    """
    number, offset, read = 1, 0, 0
    carried: list[bytes] = []
    length = 0
    skipping = False
    while True:
        try:
            block = stream.read(BLOCK)
        except BROKEN_ARCHIVE:
            trouble("damaged-archive", number, offset, b"".join(carried)[:200])
            return
        if not block:
            break
        read += len(block)
        lines = block.split(end)
        length += len(lines[0])
        if not skipping:
            carried.append(lines[0])
            if length > LONGEST:
                trouble("line-too-long", number, offset, b"".join(carried)[:200])
                skipping, carried = True, []
        if len(lines) > 1:
            last = lines.pop()
            if skipping:
                number, offset = number + 1, offset + length + 1
                del lines[0]
            else:
                lines[0] = b"".join(carried)
            yield number, offset, lines
            number += len(lines)
            offset += sum(map(len, lines)) + len(lines)
            carried, length, skipping = [last], len(last), False
        if size and read > BOMB_SIZE and read > BOMB_RATIO * size:
            trouble("archive-bomb", number, offset, b"".join(carried)[:200])
            return
    if length and not skipping:
        yield number, offset, [b"".join(carried)]


class Transcoded:
    """A stream in another encoding, read as UTF-8. Bytes that the encoding does not know become U+FFFD."""

    def __init__(self, stream: BinaryIO, encoding: str) -> None:
        self._stream = stream
        self._decoder = codecs.getincrementaldecoder(encoding)(errors="replace")

    def read(self, count: int) -> bytes:
        """Return about `count` bytes of UTF-8; nothing at the end."""
        while True:
            block = self._stream.read(count)
            text = self._decoder.decode(block, final=not block)
            if text or not block:
                return text.encode("utf-8", "replace")


class Resumed:
    """A stream that cannot be rewound, with what was read of it already put in front again."""

    def __init__(self, head: bytes, stream: BinaryIO) -> None:
        self._head, self._stream = head, stream

    def read(self, count: int = -1) -> bytes:
        """Return the next bytes, first of all those that were put in front."""
        if not self._head:
            return self._stream.read(count)
        part, self._head = (self._head, b"") if count < 0 else (self._head[:count], self._head[count:])
        return part + self._stream.read(-1) if count < 0 else part


def rewound(stream: BinaryIO, head: bytes) -> BinaryIO:
    """Return `stream` from its beginning, after `head` was read of it."""
    if stream.seekable():
        stream.seek(0)
        return stream
    return cast("BinaryIO", Resumed(head, stream))


def seekable(stream: BinaryIO) -> BinaryIO:
    """Return a stream that is read from its end, as Parquet is: one that cannot be is read into memory."""
    return io.BytesIO(stream.read()) if isinstance(stream, Resumed) else stream
