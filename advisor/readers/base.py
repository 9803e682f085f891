"""What every reader shares: the source it reads, the records it yields, and the description by which it is found."""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from copy import copy
from dataclasses import dataclass
from pathlib import Path
from typing import AnyStr, BinaryIO, TypeAlias

import numpy as np

from advisor.errors import UnreadableLog
from advisor.model import Event, FloatArray, Value
from advisor.readers.clean import LONGEST_TEXT, beginning, cleaned, shortened
from advisor.readers.encoding import UTF8, encoding_after_zeros
from advisor.readers.streams import BROKEN_ARCHIVE, SUFFIXES, Watch, decompressed, open_binary

HEAD_BYTES = 1 << 16
"""How much of a file recognition looks at."""

MAX_DOCUMENT_BYTES = 1 << 29
"""A larger file is not read as one document (a trainer state, a notebook), however small its compressed form is."""

PIECE_BYTES = 1 << 17
"""How much is read at once: enough for the cost of a call to vanish, little enough for what is made of it to stay in the cache."""

MAX_LINE_BYTES = 1 << 26
"""A longer line is no log line; reading stops there with a clear error instead of filling the memory."""


OF_TEST_SET = "of_test_set"
"""Quantity of a row, 1, that says that its evaluation is of a test set. It is taken off when runs are assembled."""


@dataclass(frozen=True, slots=True)
class Row:
    """The measurements of one line, by canonical name, `step` and `epoch` among them where the line names them."""

    line: int
    values: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Block:
    """Many rows at once, for readers that can parse them faster together.

    lines: the line of every row. values: by canonical name, (which rows of the block, counted from 0 and rising; their values).
    """

    lines: np.ndarray[tuple[int], np.dtype[np.int64]]
    values: Mapping[str, tuple[np.ndarray[tuple[int], np.dtype[np.int64]], FloatArray]]

    def between(self, begin: int, end: int) -> Block:
        """Return the rows from `begin` to before `end`."""
        cuts = {name: slice(*np.searchsorted(rows, (begin, end))) for name, (rows, _) in self.values.items()}
        parts = ((name, rows[cuts[name]] - begin, values[cuts[name]]) for name, (rows, values) in self.values.items())
        return Block(self.lines[begin:end], {name: (rows, values) for name, rows, values in parts if len(rows)})

    def rows(self) -> Iterator[Row]:
        """Yield the rows one by one."""
        values = [dict[str, float]() for _ in self.lines]
        for name, (rows, column) in self.values.items():
            for row, value in zip(rows.tolist(), column.tolist(), strict=True):
                values[row][name] = value
        for line, measured in zip(self.lines.tolist(), values, strict=True):
            yield Row(line, measured)


@dataclass(frozen=True)
class Settings:
    """Hyper-parameters found in the log."""

    values: Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class Unread:
    """A line that looks like a measurement and could not be read."""

    line: int


@dataclass(frozen=True)
class NewRun:
    """The log says that another run begins here."""

    line: int


@dataclass(frozen=True, slots=True)
class Note:
    """Something the reader assumed, by the key of a `note` sentence of the locale."""

    key: str


@dataclass(frozen=True, slots=True)
class Bar:
    """How far a progress bar has come."""

    done: int
    total: int


@dataclass(frozen=True)
class Closing:
    """What the Trainer's last line says: the epoch at the end, and the range in which the planned number of steps lies."""

    epoch: float
    least_steps: float
    most_steps: float


Record: TypeAlias = Row | Block | Event | Settings | Unread | NewRun | Note | Bar | Closing
Parser: TypeAlias = "Callable[[Source], Iterator[Record]]"
FolderParser: TypeAlias = Callable[[Path], Iterator[tuple[Path, Iterator[Record]]]]
"""From a folder to the runs in it: the file or folder of each, and its records. Empty where the folder is of another kind."""


@dataclass(frozen=True)
class Format:
    """A log format: how it is recognised (data) and how it is read (a pure function).

    file_names: patterns of names that settle it. head: regular expressions, one of which must match the first 64 kB; those that
    begin with plain characters are the fastest.
    magic: byte patterns, one of which begins every file of a binary format. Only formats that have one are given binary files.
    read_folder: how a folder of this format is read, where runs of it are folders.
    example: a few real lines, shown by `advisor formats`. serves: tools whose logs are read by this format.
    keeps_ranks_apart: its reader knows lines of several processes; others are given those of one.
    """

    name: str
    title: Mapping[str, str]
    read: Parser
    file_names: tuple[str, ...] = ()
    head: tuple[str, ...] = ()
    magic: tuple[bytes, ...] = ()
    read_folder: FolderParser | None = None
    example: str = ""
    serves: tuple[str, ...] = ()
    keeps_ranks_apart: bool = False

    @property
    def takes_any_text(self) -> bool:
        """Whether nothing is asked of a text for it to be read by this format."""
        return not (self.head or self.file_names or self.magic) and type(self).recognises is Format.recognises

    def recognises(self, source: Source) -> bool:
        """Tell whether the file name and the beginning of the file look like this format."""
        if self.magic:
            return any(re.match(p, source.raw_head, re.DOTALL) for p in self.magic)
        if self.file_names and not any(re.search(p, source.file_name) for p in self.file_names):
            return False
        return not self.head or any(re.search(p, source.head, re.MULTILINE) for p in self.head)


class Source:
    """A file or a stream to read: decoded text, by lines or whole, plain or compressed. Holds the bytes only of a stream.

    watch is told how many bytes of the file are read. broken: the compressed file ended or broke off in the middle.
    shortened: a line was longer than any that holds figures, and was read only in part.
    """

    def __init__(self, name: str, path: Path | None = None, data: bytes | None = None, watch: Watch | None = None) -> None:
        self.name = name
        self.path = path
        self.file_name = path.name if path else name
        for suffix in SUFFIXES:
            self.file_name = self.file_name.removesuffix(suffix)
        self._data = data
        self._watch = watch
        self.broken = self.shortened = False
        with self.open() as stream:
            self.raw_head = self._read(stream, HEAD_BYTES)
        self.encoding = encoding_after_zeros(self.raw_head)
        self.head = beginning(self.raw_head.decode(self.encoding, errors="replace"))

    def open(self) -> BinaryIO:
        """Return the source as a binary stream, from its beginning."""
        if self.path is None:
            return decompressed(io.BytesIO(self._data or b""), self.name)
        return open_binary(self.path, self._watch)

    def _read(self, stream: BinaryIO, size: int) -> bytes:
        """Return up to `size` bytes; of a compressed file that breaks off, what comes before."""
        parts: list[bytes] = []
        try:
            # `read1` gives what is decompressed so far, where `read` would raise before giving anything.
            while size > 0 and (part := stream.read1(min(size, 1 << 16))):  # type: ignore[attr-defined]
                parts.append(part)
                size -= len(part)
        except BROKEN_ARCHIVE:
            self.broken = True
        return b"".join(parts)

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing but white space at the beginning."""
        return not self.head.strip("\ufeff\0 \t\r\n")

    @property
    def is_binary(self) -> bool:
        """Whether the beginning is no text: control characters that no log prints."""
        sample = self.head[:4096]
        odd = sum((c < " " and c not in "\t\n\r\x1b\x08\x0c") or c == "\ufffd" for c in sample)
        return odd > len(sample) // 20

    def further_on(self) -> Source | None:
        """Return the source with what stands further on in it for its beginning; None where the beginning is all."""
        if len(self.raw_head) < HEAD_BYTES:
            return None
        with self.open() as stream:
            parts = list(self._samples(stream))
        view = copy(self)
        view.raw_head = b"\n".join(parts)
        view.head = beginning(view.raw_head.decode(self.encoding, errors="replace"))
        return view

    def _samples(self, stream: BinaryIO) -> Iterator[bytes]:
        """Yield whole lines of the middle and of the end; of a compressed file those of the end."""
        if isinstance(stream, io.BufferedReader) and stream.seekable() and self.path is not None:
            size = self.path.stat().st_size
            for place in (size // 3, size * 2 // 3, size - HEAD_BYTES):
                stream.seek(max(place, 0) // 2 * 2)  # a character of UTF-16 has two bytes
                yield stream.read(HEAD_BYTES).partition(b"\n")[2]
            return
        latest = b""
        while piece := self._read(stream, PIECE_BYTES):
            latest = (latest + piece)[-HEAD_BYTES:]
        yield latest.partition(b"\n")[2]

    def text(self) -> str:
        """Return the whole source, decoded. Raises UnreadableLog where it is larger than any log of one document."""
        with self.open() as stream:
            data = self._read(stream, MAX_DOCUMENT_BYTES + 1)
        if len(data) > MAX_DOCUMENT_BYTES:
            raise UnreadableLog(
                f"{self.name}: one document of more than {MAX_DOCUMENT_BYTES >> 20} MB; give a log with a line for each step"
            )
        return data.decode(self.encoding, errors="replace").removeprefix("\ufeff")

    def lines(self) -> Iterator[tuple[int, str]]:
        """Yield (line number from 1, line without its end). Carriage returns inside a line are kept; blank lines may be left out.

        Raises UnreadableLog at a line longer than `MAX_LINE_BYTES`.
        """
        for first, block in self.blocks():
            for number, line in enumerate(block, first):
                yield number, cleaned(self.without_excess(line))

    def without_excess(self, line: str) -> str:
        """Return a line in which no text is longer than `LONGEST_TEXT`."""
        if len(line) <= LONGEST_TEXT:
            return line
        short, lost = shortened(line)
        self.shortened |= lost
        return short

    def blocks(self) -> Iterator[tuple[int, list[str]]]:
        """Yield (number of the first line, lines as they stand between the line feeds), many lines at a time.

        Where many lines are blank they may be left out.
        """
        for first, _, block in self._whole_lines(self._decoded(), "\n"):
            if block.isspace():
                continue
            lines = block.split("\n")
            if not lines[-1]:
                lines.pop()
            if first == 1:
                lines[0] = lines[0].removeprefix("\ufeff")
            yield first, lines

    def byte_blocks(self) -> Iterator[tuple[int, int, bytes]]:
        """Yield (number of the first line, count of lines, the lines as bytes), many at a time; each line of other encodings.

        The bytes are UTF-8, whatever the source is.
        """
        if self.encoding in UTF8:
            for first, count, block in self._whole_lines(self._pieces(), b"\n"):
                if block.isspace():
                    continue
                yield first, count, block.removeprefix(codecs.BOM_UTF8).lstrip(b"\0") if first == 1 else block
        else:
            for line, text in self.lines():
                yield line, 1, text.encode()

    def _pieces(self) -> Iterator[bytes]:
        """Yield the bytes; of a compressed file that breaks off, those before."""
        with self.open() as stream:
            while piece := self._read(stream, PIECE_BYTES):
                yield piece

    def _decoded(self) -> Iterator[str]:
        decoder = codecs.getincrementaldecoder(self.encoding)(errors="replace")
        for piece in self._pieces():
            yield decoder.decode(piece)
        yield decoder.decode(b"", final=True)

    def _whole_lines(self, pieces: Iterable[AnyStr], end: AnyStr) -> Iterator[tuple[int, int, AnyStr]]:
        """Yield (number of the first line, count of lines, lines) from `pieces` cut anywhere. The last line may lack its end.

        Where a compressed file breaks off, its last line is half a line, and is left out.
        """
        first, size = 1, 0
        begun: list[AnyStr] = []
        for piece in pieces:
            cut = piece.rfind(end) + 1
            if cut:
                begun.append(piece[:cut])
                block = end[:0].join(begun)
                count = _count(block, end)
                yield first, count, block
                first += count
                begun, size = [], 0
            begun.append(piece[cut:])
            size += len(piece) - cut
            if size >= MAX_LINE_BYTES:
                raise UnreadableLog(
                    f"{self.name}:{first}: a line of more than {MAX_LINE_BYTES >> 20} MB is no log line; "
                    "give the training log itself"
                )
        if size and not self.broken:
            yield first, 1, end[:0].join(begun)


def _count(text: AnyStr, sign: AnyStr) -> int:
    """Return how often a single sign stands in `text`; of bytes much faster than their own method."""
    return text.count(sign) if isinstance(text, str) else int(np.count_nonzero(np.frombuffer(text, dtype=np.uint8) == ord(sign)))
