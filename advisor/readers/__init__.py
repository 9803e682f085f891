"""Reading logs: recognise the format, parse it, and assemble the runs."""

from __future__ import annotations

from advisor.readers.known import formats
from advisor.readers.registry import read_bytes, read_path, read_stream, units

__all__ = ["formats", "read_bytes", "read_path", "read_stream", "units"]
