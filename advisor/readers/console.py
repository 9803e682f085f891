"""Text that a training printed and another tool kept: a notebook's cell, the console of a W&B run."""

from __future__ import annotations

import re
from collections.abc import Iterator

from advisor.readers import hf_console, keras_console, text
from advisor.readers.base import Record, Source

PRINTED_DICT = re.compile(hf_console.FORMAT.head[0])
"""The dictionaries that the Trainer prints, anywhere in the text."""


def printed(whole: str) -> Iterator[Record]:
    """Read printed lines by the format of the console that they look like."""
    if not whole.strip():
        return iter(())
    source = Source("console", data=whole.encode("utf-8", errors="replace"))
    if PRINTED_DICT.search(whole):
        return hf_console.read(source)
    return next(f for f in (keras_console.FORMAT, text.FORMAT) if f.recognises(source)).read(source)
