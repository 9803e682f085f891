"""From what the user names to the files to read: folders, globs, compression, and what kind of file each one is."""

from __future__ import annotations

import atexit
import glob
import io
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from advisor.data.parse import loads
from advisor.errors import UnreadableData
from advisor.readers.streams import BROKEN_ARCHIVE, MAGIC, SUFFIXES, compression_of, decompressed

DATA_SUFFIXES = (".jsonl", ".json", ".ndjson", ".csv", ".tsv", ".parquet", ".arrow", ".feather", ".txt", ".text")
"""Files that are taken from a folder; a file named by itself is read whatever its suffix."""

STANDARD_INPUT = Path("-")

NOT_RECORDS = frozenset({"dataset_info.json", "dataset_infos.json", "dataset_dict.json", "state.json"})
"""Files that the `datasets` library writes beside its Arrow files."""

HEAD = 1 << 16
"""Bytes at the beginning of a file by which its kind is told."""

# What is compressed within what was decompressed is as foreign as any archive.
_FOREIGN: tuple[tuple[bytes, str], ...] = (
    (b"PK\x03\x04", "zip"), (b"%PDF-", "pdf"), (b"SQLite format 3\x00", "sqlite"), (b"\x89PNG", "png"), (b"\xff\xd8\xff", "jpeg"),
    (b"7z\xbc\xaf\x27\x1c", "7z"), (b"Rar!", "rar"), (b"\x80\x02", "pickle"), (b"\x80\x04\x95", "pickle"), (b"ORC", "orc"),
    (b"\x93NUMPY", "npy"), (b"GGUF", "gguf"), (b"\xd0\xcf\x11\xe0", "xls"), *MAGIC,
)  # fmt: skip
_MARKS = (
    (b"\xff\xfe\x00\x00", "utf-32"), (b"\x00\x00\xfe\xff", "utf-32"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"),
)  # fmt: skip
WRAPPED = re.compile(rb'\s*\{\s*"(data|train|examples|instances|rows|records|items|samples|dataset)"\s*:\s*(?=\[\s*[{\[])')
"""A file that is one object, whose records stand in a list under one of these keys."""

_TAR_AT, _TAR = 257, b"ustar"
_NUL_SHARE = 0.25
"""Share of NUL bytes from which a text is taken for UTF-16 without its mark."""


@dataclass(frozen=True, slots=True)
class File:
    """One input file. name: as printed. size: bytes on disk. data: the content itself, where it comes from no file."""

    name: str
    path: Path | None
    size: int
    data: bytes | None = None

    @property
    def suffix(self) -> str:
        """The suffix that says the format: `.jsonl` of `train.jsonl.gz`."""
        name = self.name.lower()
        for packed in SUFFIXES:
            name = name.removesuffix(packed)
        return Path(name).suffix

    @contextmanager
    def open(self) -> Iterator[BinaryIO]:
        """Give the decompressed content. Raises UnreadableData where the file cannot be opened."""
        try:
            raw: BinaryIO = io.BytesIO(self.data) if self.data is not None else self._path.open("rb")
        except OSError as error:
            raise UnreadableData(f"{self.name}: cannot be opened ({error.strerror}); check its permissions") from error
        with raw, decompressed(raw, self.name) as stream:
            yield stream

    @property
    def _path(self) -> Path:
        assert self.path is not None
        return self.path

    @property
    def compressed(self) -> bool:
        """Whether the file on disk is compressed."""
        if self.path is None:
            return compression_of((self.data or b"")[:8]) is not None
        with self.path.open("rb") as stream:
            return compression_of(stream.read(8)) is not None


def files_of(paths: Iterable[Path]) -> list[File]:
    """Return the data files that `paths` name: files as they are, folders and globs by their data files, each once.

    `-` is standard input; it and other pipes are kept in a temporary file first.

    Raises UnreadableData, whose message names the path and what was expected.
    """
    found: dict[Path, File] = {}
    for path in paths:
        if path == STANDARD_INPUT or path.is_fifo():
            found.setdefault(path, _piped(path))
            continue
        for file in _expand(path):
            found.setdefault(file.resolve(), File(str(file), file, file.stat().st_size))
    return list(found.values())


def _piped(path: Path) -> File:
    """Return what comes through a pipe, kept in a temporary file until the program ends: data are read more than once."""
    handle, name = tempfile.mkstemp(prefix="advisor-")
    kept = Path(name)
    atexit.register(kept.unlink, missing_ok=True)
    try:
        with os.fdopen(handle, "wb") as out, nullcontext(sys.stdin.buffer) if path == STANDARD_INPUT else path.open("rb") as stream:
            shutil.copyfileobj(stream, out)
    except OSError as error:
        raise UnreadableData(f"{path}: cannot be read, or kept in {kept.parent} ({error.strerror})") from error
    return File("stdin" if path == STANDARD_INPUT else str(path), kept, kept.stat().st_size)


def _expand(path: Path) -> Iterator[Path]:
    if path.is_file():
        yield path
        return
    if path.is_dir():
        inside = sorted(p for p in path.rglob("*") if p.is_file() and _is_data(p.relative_to(path)))
        if not inside:
            raise UnreadableData(
                f"{path}: no data file in this folder; expected one of {', '.join(DATA_SUFFIXES)}, also compressed"
            )
        yield from inside
        return
    if glob.has_magic(str(path)):
        matches = sorted(Path(p) for p in glob.glob(str(path), recursive=True))  # noqa: PTH207  the pattern may be absolute
        if matches:
            for match in matches:
                if match.is_file():
                    yield match
            return
        raise UnreadableData(f"{path}: no file matches this pattern")
    raise UnreadableData(f"{path}: no such file or folder; give a data file, a folder or a pattern")


def _is_data(path: Path) -> bool:
    if any(part.startswith(".") for part in path.parts) or path.name in NOT_RECORDS:
        return False
    name = path.name.lower()
    for packed in SUFFIXES:
        name = name.removesuffix(packed)
    return name.endswith(DATA_SUFFIXES)


def kind_of(head: bytes, suffix: str) -> str:
    """Return what a file that begins with `head` is.

    A format (`json-lines`, `json-array`, `json-wrapped`, `csv`, `tsv`, `parquet`, `arrow`, `text`), `utf-16` for any encoding of
    two or four bytes, or what stands where data should: `empty`, `web-page`, `lfs-pointer`, or the name of a foreign format.
    """
    if head.startswith(b"PAR1"):
        return "parquet"
    if head.startswith((b"ARROW1", b"FEA1")) or head.startswith(b"\xff\xff\xff\xff"):
        return "arrow"
    for magic, name in _FOREIGN:
        if head.startswith(magic):
            return name
    if head[_TAR_AT : _TAR_AT + len(_TAR)] == _TAR:
        return "tar"
    if encoding_of(head) is not None:
        return "utf-16"
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if not text:
        # Blanks as far as was looked are an empty file only where there is no more of it.
        return "empty" if len(head) < HEAD else "json-lines"
    if text.startswith(b"version https://git-lfs"):
        return "lfs-pointer"
    if text[:64].lower().startswith((b"<!doctype", b"<html", b"<?xml", b"<head", b"<error")):
        return "web-page"
    if suffix in (".csv", ".tsv"):
        return suffix[1:]
    if text.startswith(b"["):
        return "json-array" if _is_array(text, suffix) else "json-lines"
    if WRAPPED.match(text):
        return "json-wrapped"
    if suffix in (".txt", ".text"):
        return "json-lines" if text.startswith((b"{", b"[")) else "text"
    return "json-lines"


_LOOKED_AT = 8
"""Lines after the first by which an array is told from broken lines."""


def _is_array(text: bytes, suffix: str) -> bool:
    """Tell whether a text that begins with `[` is one array of records, and not JSON lines that are arrays of turns."""
    first, _, rest = text.partition(b"\n")
    try:
        value = loads(first)
    except ValueError:
        lines = [line for line in rest.split(b"\n")[:_LOOKED_AT] if line.strip()]
        if not lines or first.strip() == b"[":
            return True
        # The first line of an array leads on to the next one; a whole record after it, and more after that, is a file of lines.
        leads_on = first.rstrip().endswith((b",", b"[", b"{"))
        return leads_on and not (len(lines) > 1 and _is_whole(lines[0]) and not lines[1].lstrip().startswith(b"]"))
    if rest.strip():
        return False
    return suffix == ".json" or not (isinstance(value, list) and value and isinstance(value[0], dict) and "context" in value[0])


def _is_whole(line: bytes) -> bool:
    try:
        return isinstance(loads(line), dict | list)
    except ValueError:
        return False


def encoding_of(head: bytes) -> str | None:
    """Return the encoding of a text in UTF-16 or UTF-32, with or without its mark, or None."""
    for mark, name in _MARKS:
        if head.startswith(mark):
            return name
    even, odd = head[::2], head[1::2]
    if len(head) < len(b"{}") * 2:
        return None
    if odd.count(0) > 2 * _NUL_SHARE * len(odd) and not even.count(0):
        return "utf-16-le"
    if even.count(0) > 2 * _NUL_SHARE * len(even) and not odd.count(0):
        return "utf-16-be"
    return None


__all__ = ["BROKEN_ARCHIVE", "DATA_SUFFIXES", "HEAD", "File", "encoding_of", "files_of", "kind_of"]
