"""Opening files as binary streams: plain or compressed, and with somebody watching how far the reading is."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, cast

from advisor.errors import UnreadableLog

Watch = Callable[[int], None]
"""Called with the number of bytes read since the last call."""

_ZSTD = b"\x28\xb5\x2f\xfd"
MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"\x1f\x8b", "gzip"),
    (b"BZh", "bz2"),
    (b"\xfd7zXZ\x00", "xz"),
    (_ZSTD, "zstd"),
)
SUFFIXES = (".gz", ".bz2", ".xz", ".zst", ".zstd")

BROKEN_ARCHIVE = (EOFError, OSError, zlib.error, lzma.LZMAError)
"""What the decompressors raise in the middle of a file that is cut off or damaged."""

_BUFFER = 1 << 20


class _WatchedFile(io.FileIO):
    """A file that says how much of it has been read."""

    def __init__(self, path: Path, watch: Watch) -> None:
        super().__init__(path)
        self._watch = watch

    def readinto(self, buffer: object) -> int | None:
        count = super().readinto(buffer)  # type: ignore[arg-type]
        self._watch(count or 0)
        return count


def compression_of(head: bytes) -> str | None:
    """Return the compression of a file that begins with `head`, or None."""
    return next((name for magic, name in MAGIC if head.startswith(magic)), None)


def open_binary(path: Path, watch: Watch | None = None) -> BinaryIO:
    """Return the decompressed content of `path` as a stream.

    Raises UnreadableLog for zstd where nothing is installed that reads it, OSError where the file cannot be opened.
    """
    raw = cast("BinaryIO", io.BufferedReader(_WatchedFile(path, watch), _BUFFER)) if watch else path.open("rb")
    return decompressed(raw, str(path))


def decompressed(raw: BinaryIO, name: str) -> BinaryIO:
    """Return `raw`, decompressed where it is compressed."""
    head = raw.read(8)
    raw.seek(0)
    compression = compression_of(head)
    if compression == "gzip":
        return _closing(cast("BinaryIO", gzip.GzipFile(fileobj=raw)), raw)
    if compression == "bz2":
        return _closing(cast("BinaryIO", bz2.BZ2File(raw)), raw)
    if compression == "xz":
        return _closing(cast("BinaryIO", lzma.LZMAFile(raw)), raw)
    if compression == "zstd":
        return _closing(_zstd(raw, name), raw)
    return raw


def _closing(stream: BinaryIO, raw: BinaryIO) -> BinaryIO:
    """Return `stream`, which now closes the file below it as well: the decompressors leave a file they did not open alone."""
    close = stream.close

    def close_both() -> None:
        close()
        raw.close()

    stream.close = close_both  # type: ignore[method-assign]
    return stream


def _zstd(raw: BinaryIO, name: str) -> BinaryIO:
    try:
        from compression import zstd  # type: ignore[import-not-found]  # Python 3.14
    except ImportError:
        try:
            import backports.zstd as zstd
        except ImportError as error:
            raise UnreadableLog(
                f"{name}: compressed with zstd; `pip install finetune-advisor[zstd]`, or decompress it first"
            ) from error

    class Readable(io.RawIOBase):
        """The decompressed bytes; a damaged file raises EOFError, as the other decompressors do."""

        def __init__(self) -> None:
            self._inner = zstd.ZstdFile(raw)

        def readable(self) -> bool:
            return True

        def readinto(self, buffer: object) -> int:
            view = memoryview(buffer)  # type: ignore[arg-type]
            try:
                part = self._inner.read1(len(view))
            except zstd.ZstdError as error:
                raise EOFError(str(error)) from error
            view[: len(part)] = part
            return len(part)

    return cast("BinaryIO", io.BufferedReader(Readable(), _BUFFER))
