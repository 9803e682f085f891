"""The wire format of Protocol Buffers, as far as reading a log needs it: the fields of a message, without its schema."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from enum import IntEnum
from typing import TypeAlias

FieldValue: TypeAlias = int | bytes
_LONGEST_VARINT = 70
_WRAP = 1 << 64
_SIGN = 1 << 63
_KIND = 7


class Wire(IntEnum):
    """How a field is laid down."""

    VARINT = 0
    EIGHT_BYTES = 1
    LENGTH = 2
    FOUR_BYTES = 5


class BrokenMessage(ValueError):
    """The bytes are no message, or not a whole one."""


def fields(message: bytes) -> Iterator[tuple[int, FieldValue]]:
    """Yield (number, value) for each field: an int for a varint, else the bytes as they stand. Raises BrokenMessage."""
    position, end = 0, len(message)
    while position < end:
        key, position = _varint(message, position)
        number, kind = key >> 3, key & _KIND
        if kind == Wire.VARINT:
            value, position = _varint(message, position)
            yield number, value
            continue
        if kind == Wire.LENGTH:
            length, position = _varint(message, position)
        elif kind == Wire.EIGHT_BYTES:
            length = 8
        elif kind == Wire.FOUR_BYTES:
            length = 4
        else:
            raise BrokenMessage(f"wire type {kind}")
        if position + length > end:
            raise BrokenMessage("cut off")
        yield number, message[position : position + length]
        position += length


def _varint(message: bytes, position: int) -> tuple[int, int]:
    value = shift = 0
    while position < len(message) and shift < _LONGEST_VARINT:
        byte = message[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if not byte & 0x80:
            return value, position
        shift += 7
    raise BrokenMessage("cut off")


def signed(value: FieldValue) -> int:
    """Return a varint as the int64 it stands for."""
    if not isinstance(value, int):
        raise BrokenMessage("a number was expected")
    value %= _WRAP
    return value - _WRAP if value & _SIGN else value


def raw(value: FieldValue) -> bytes:
    """Return the bytes of a field that has a length: a text, a nested message."""
    if not isinstance(value, bytes):
        raise BrokenMessage("bytes were expected")
    return value


def text(value: FieldValue) -> str:
    """Return a string field; broken characters are replaced."""
    return raw(value).decode("utf-8", errors="replace")


def floating(value: FieldValue) -> float:
    """Return a float or double field, told apart by its length."""
    data = raw(value)
    try:
        found: float = struct.unpack("<d" if len(data) == struct.calcsize("d") else "<f", data)[0]
    except struct.error as error:
        raise BrokenMessage("no floating-point number") from error
    return found
