"""Reading data files: one pass, in bounded memory, every record judged by itself. What `advisor train` reads with, too."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, islice
from typing import Any

from advisor.data.fits import fits
from advisor.data.malformed import Cause
from advisor.data.parse import with_pairs
from advisor.data.raw import Raw, Report
from advisor.data.records import Explain, Record
from advisor.data.schemas import BY_NAME, ENOUGH_TO_TELL, Schema, detect
from advisor.data.shapes import Flaw, flaws
from advisor.data.sources import File
from advisor.errors import UnreadableData

_FEW_KEYS = 100

ANY = "any"
"""The name of the schema that asks for nothing but valid JSON."""


class Reading:
    """The good records of one file. While it is read, `report` hears of every other one.

    schema: that of the file, known once the first record has been given out; None where no key is known, or with `any`.
    records: how many were read, good or not. on_line hears of every cause together with the whole line it stands on.
    """

    def __init__(self, file: File, report: Report, *, spec: str = "auto", on_line: Explain | None = None) -> None:
        if spec not in ("auto", ANY) and spec not in BY_NAME:
            raise UnreadableData(f"no schema `{spec}`; expected auto, any, {', '.join(BY_NAME)}")
        self.file = file
        self.schema: Schema | None = BY_NAME.get(spec)
        self.records = 0
        self._spec = spec
        self._raw = Raw(file, report, self.schema, on_line)

    @property
    def kind(self) -> str:
        """What the file is, by its content; see `sources.kind_of`."""
        return self._raw.kind

    def __iter__(self) -> Iterator[Record]:
        """Yield (line, offset, line as it stands, value) of every record that its schema accepts."""
        with self.file.open() as stream:
            raw = self._raw.records(stream)
            if self._spec == "auto":
                first = list(islice(raw, ENOUGH_TO_TELL))
                self.schema = detect([record[3] for record in first])
                raw = chain(first, raw)
                if self.schema is None and first:
                    self._unknown(first[0])
            if self.schema is None:
                yield from self._without_schema(raw)
                return
            fit, flat = fits(self.schema), self.schema.shape != "chat"
            json = self.kind in ("json-lines", "json-array", "json-wrapped")
            count = 0
            # Of all the code of this module only this loop runs for every record.
            for record in raw:
                count += 1
                keys = fit(record[3])
                if keys:
                    if json:
                        # All keys and values are in quotes, but the list of turns; more quotes stand in a text or in a key twice.
                        quotes = 4 * keys if flat else 4 * keys - 2
                        if record[2].count(b'"') != quotes and record[2].count(b'":') != keys:
                            self._repeated_keys(record)
                    yield record
                elif self._is_good(record):
                    yield record
            self.records = count

    def _unknown(self, record: Record) -> None:
        number, offset, line, value = record
        keys = ", ".join(map(str, value)) if isinstance(value, dict) else type(value).__name__
        self._raw.say(Cause("unknown-schema", 0, {"found": keys[:120] or "{}"}), (number, offset, line))

    def _without_schema(self, raw: Iterator[Record]) -> Iterator[Record]:
        for record in raw:
            self.records += 1
            self._repeated_keys(record)
            if self._spec == ANY:
                yield record

    def _is_good(self, record: Record) -> bool:
        """Report everything that is wrong with a record; return whether that is nothing."""
        assert self.schema is not None
        found = list(flaws(self.schema, record[3]))
        for flaw in found:
            self._flawed(flaw, record)
        self._repeated_keys(record)
        return not found

    def _flawed(self, flaw: Flaw, record: Record) -> None:
        number, offset, line, _ = record
        at = len(line.rstrip()) - 1 if flaw.nth < 0 and not flaw.key else 0
        if flaw.key:
            needle, found = f'"{flaw.key}"'.encode(), -1
            for _ in range(max(flaw.nth, 0) + 1):
                found = line.find(needle, found + 1)
            at = max(found, 0)
        self._raw.say(Cause(flaw.cause, at, flaw.facts), (number, offset, line))

    def _repeated_keys(self, record: Record) -> None:
        number, offset, line, value = record
        keys = _keys(value)
        # Counting is cheap for the few keys that records have, and hopeless for the millions of a hostile one.
        if len(keys) < _FEW_KEYS and not any(line.count(f'"{key}"'.encode()) > 1 for key in keys):
            return
        twice: list[str] = []

        def hook(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
            value = dict(pairs)
            if len(value) < len(pairs):
                seen: set[str] = set()
                twice.extend(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
            return value

        try:
            with_pairs(line, hook)
        except (ValueError, RecursionError):
            return
        if twice:
            needle = f'"{twice[0]}"'.encode()
            second = line.find(needle, line.find(needle) + 1)
            self._raw.say(Cause("repeated-key", max(second, 0), {"key": twice[0]}), (number, offset, line))


def _keys(value: Any) -> set[str]:
    """Return the keys of a record and of its turns."""
    outer = value if isinstance(value, list) else list(value.values()) if isinstance(value, dict) else []
    inner = [turn for item in outer for turn in (item if isinstance(item, list) else (item,)) if isinstance(turn, dict)]
    return {*(value if isinstance(value, dict) else ()), *(key for turn in inner for key in turn)}
