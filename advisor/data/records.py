"""From lines to records: every line is parsed by itself, and one that fails is explained and hides no other."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from advisor.data.lines import Block, Line
from advisor.data.malformed import BOM, Cause, cause_of
from advisor.data.parse import loads
from advisor.data.strict import first_fault

Record = tuple[int, int, bytes, Any]
"""(line from 1, offset in bytes, the line as it stands, its value)."""

Explain = Callable[[Cause, Line], None]
"""Called with the cause and the line for each line that is no record."""

MOST_LINES, MOST_BYTES = 1000, 1 << 20
"""Lines and bytes that one record is looked for in, where its own line is not all of it."""

VAIN = 20_000
"""Lines looked ahead at in vain in one file, after which only the next one is looked at."""


class Records:
    """The records of a file in JSON lines."""

    def __init__(self, blocks: Iterable[Block], explain: Explain) -> None:
        self._blocks = iter(blocks)
        self._pending: deque[Line] = deque()
        self._explain = explain
        self._vain = 0
        self._rest: Block | None = None

    def __iter__(self) -> Iterator[Record]:
        while True:
            while self._pending:
                line = self._pending.popleft()
                try:
                    value = loads(line[2])
                except ValueError:
                    self._broken(line)
                    continue
                yield (*line, value)
            block = self._next_block()
            if block is None:
                return
            number, offset, lines = block
            for index, raw in enumerate(lines):
                try:
                    value = loads(raw)
                except ValueError:
                    self._rest = (number + 1, offset + len(raw) + 1, lines[index + 1 :])
                    self._broken((number, offset, raw))
                    break
                yield number, offset, raw, value
                number += 1
                offset += len(raw) + 1

    def _next_block(self) -> Block | None:
        """Return what is left of the block in which a line was broken, else the next block."""
        block, self._rest = self._rest, None
        return block if block is not None and block[2] else next(self._blocks, None)

    def _broken(self, line: Line) -> None:
        number, offset, raw = line
        if not raw.strip():
            self._explain(Cause("blank-line", 0), line)
            return
        body = raw.removeprefix(BOM)
        unfinished = self._is_unfinished(body)
        if body is not raw and not unfinished:
            # The mark is one fault; what follows it may hold another.
            self._explain(Cause("byte-order-mark", 0), line)
            try:
                loads(body)
            except ValueError:
                self._explain(_moved(cause_of(body), len(BOM)), line)
            return
        if unfinished and (joined := self._rest_of(body, unfinished)):
            cause, lines = joined
            at = len(raw) if cause == "raw-newline" else 0
            self._explain(Cause(cause, at, {"lines": len(lines)}), (number, offset, b"\n".join([raw, *lines[1:]])))
            return
        self._explain(_moved(cause_of(body, last=self._at_end()), len(raw) - len(body)), line)

    def _is_unfinished(self, raw: bytes) -> str:
        """Return what the line ends within: `string`, `record`, or nothing."""
        try:
            fault = first_fault(raw.decode("utf-8"))
        except UnicodeDecodeError:
            return ""
        return {"open-string": "string", "end": "record"}.get(fault.what, "") if fault else ""

    def _at_end(self) -> bool:
        return self._ahead(0) is None

    def _ahead(self, count: int) -> Line | None:
        """Return the line that stands `count` lines after the next one."""
        while len(self._pending) <= count:
            block = self._next_block()
            if block is None:
                return None
            number, offset, lines = block
            self._pending.append((number, offset, lines[0]))
            self._rest = (number + 1, offset + len(lines[0]) + 1, lines[1:])
        return self._pending[count]

    def _rest_of(self, raw: bytes, unfinished: str) -> tuple[str, list[bytes]] | None:
        """Look for the rest of a record in the lines that follow; return (cause, all its lines), those lines used up."""
        texts = [raw]
        size, balance = len(raw), _balance(raw)
        most = MOST_LINES if self._vain < VAIN else 1
        while len(texts) <= most and size < MOST_BYTES and (line := self._ahead(len(texts) - 1)):
            text = line[2]
            if not text[:1].isspace() and _is_container(text):
                break
            texts.append(text)
            size += len(text)
            balance += _balance(text)
            if (balance <= 0 or (unfinished == "string" and b'"' in text)) and (found := _joined(texts)):
                for _ in texts[1:]:
                    self._pending.popleft()
                return found, texts
        self._vain += len(texts)
        return None


def _joined(texts: list[bytes]) -> str | None:
    """Return why these lines are one record: its text has raw line ends, or it was spread over lines."""
    for end, cause in ((b"\n", "record-over-several-lines"), (b"\\n", "raw-newline")):
        try:
            loads(end.join(text.rstrip(b"\r") for text in texts))
        except ValueError:
            continue
        return cause
    return None


def _balance(text: bytes) -> int:
    return text.count(b"{") + text.count(b"[") - text.count(b"}") - text.count(b"]")


def _is_container(text: bytes) -> bool:
    try:
        return isinstance(loads(text), dict | list)
    except ValueError:
        return False


def _moved(cause: Cause, by: int) -> Cause:
    return Cause(cause.name, cause.at + by, cause.facts)
