"""The log format of LevelDB, in which W&B and SwanLab keep a run: records that may be cut into chunks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

MAX_RECORD_BYTES = 1 << 28
_FILE_HEADER_BYTES = 7
"""What both write before the first block: their mark, and a version."""

_BLOCK_BYTES = 1 << 15
_CHUNK_HEADER_BYTES = 7
_FULL, _FIRST, _MIDDLE, _LAST = 1, 2, 3, 4


def records(stream: BinaryIO) -> Iterator[bytes]:
    """Yield the records of a LevelDB log: blocks of 32 kB, in them chunks (checksum, length, kind) that make whole records."""
    stream.read(_FILE_HEADER_BYTES)
    room, parts, size = _BLOCK_BYTES - _FILE_HEADER_BYTES, list[bytes](), 0
    while True:
        if room < _CHUNK_HEADER_BYTES:
            stream.read(room)
            room = _BLOCK_BYTES
        header = stream.read(_CHUNK_HEADER_BYTES)
        if len(header) < _CHUNK_HEADER_BYTES:
            return
        length, kind = int.from_bytes(header[4:6], "little"), header[6]
        room -= _CHUNK_HEADER_BYTES + length
        chunk = stream.read(length)
        if len(chunk) < length or room < 0:
            return
        if kind in (_FULL, _FIRST):
            parts, size = [], 0
        size += length
        if size <= MAX_RECORD_BYTES:
            parts.append(chunk)
        if kind in (_FULL, _LAST):
            yield b"".join(parts)
            parts, size = [], 0
        elif kind not in (_FIRST, _MIDDLE):
            # Zeros: the rest of the block was never written.
            stream.read(room)
            room, parts, size = _BLOCK_BYTES, [], 0
