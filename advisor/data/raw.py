"""From a file to its records as they stand, whatever its format: JSON lines, an array, a table, columns, plain text."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain
from typing import Any, BinaryIO, cast

from advisor.data.elements import Elements
from advisor.data.lines import Block, Line, Transcoded, blocks_of, lines_of, rewound, seekable
from advisor.data.malformed import BOM, Cause, cause_of, shown
from advisor.data.model import Problem
from advisor.data.parse import loads
from advisor.data.places import place
from advisor.data.records import Explain, Record, Records
from advisor.data.schemas import BY_NAME, SCHEMAS, Schema
from advisor.data.sources import BROKEN_ARCHIVE, HEAD, WRAPPED, File, encoding_of, kind_of
from advisor.data.tables import DamagedTable, Rows, rows_of_arrow, rows_of_parquet
from advisor.model import Term

Report = Callable[[Problem], None]

BETWEEN = frozenset({"missing-comma", "trailing-comma", "truncated-record", "text-after-record"})
"""What an array lacks, or has too much of, between and behind its elements, which are all read."""


class Raw:
    """The records of one file, not yet judged by a schema. kind: what the file is, known once it is read.

    schema: what the columns of a table without a header are named by. on_line hears of every cause with the whole line.
    """

    def __init__(self, file: File, report: Report, schema: Schema | None, on_line: Explain | None) -> None:
        self.file = file
        self.kind = ""
        self._schema = schema
        self._report = report
        self._on_line = on_line
        self._places = True

    def say(self, cause: Cause, line: Line) -> None:
        """Report what is wrong with a line."""
        number, offset, raw = line
        if self._on_line is not None:
            self._on_line(cause, line)
        start, at = offset if self._places else -1, cause.at
        where = start + at if start >= 0 else -1
        if "encoding" in cause.facts and cause.name == "other-encoding":
            encoding = str(cause.facts["encoding"])
            at = len(raw[:at].decode(encoding, "replace").encode("utf-8"))
            raw = raw.decode(encoding, "replace").encode("utf-8")
        found = replace(place(self.file.name, number, start, raw, at, cause.facts), offset=where)
        self._report(Problem(cause.name, found, cause.between))

    def _trouble(self, cause: str, number: int, offset: int, head: bytes) -> None:
        facts: dict[str, str] = {}
        if cause in ("damaged-archive", "archive-bomb", "damaged-table"):
            cause, facts = "damaged-archive", {"why": Term(cause)}
        elif cause == "truncated-record":
            facts = {"missing": "]"}
        elif cause == "trailing-comma":
            facts = {"close": head[:1].decode("utf-8", "replace")}
        elif cause in ("missing-comma", "text-after-record"):
            facts = {"found": shown(head[:12].decode("utf-8", "replace"))}
        self.say(Cause(cause, 0, facts, between=cause in BETWEEN), (number, offset, head))

    def records(self, stream: BinaryIO) -> Iterator[Record]:
        """Yield the records of the file, of which `stream` is the content; what is no record is reported."""
        try:
            head = stream.read(HEAD)
        except BROKEN_ARCHIVE:
            self._trouble("damaged-archive", 1, 0, b"")
            return iter(())
        self.kind = kind_of(head, self.file.suffix)
        return self._of_kind(self.kind, rewound(stream, head), head)

    def _of_kind(self, kind: str, stream: BinaryIO, head: bytes) -> Iterator[Record]:
        size = self.file.size if self.file.compressed else 0
        if kind == "json-lines":
            return iter(Records(self._blocks(stream, size, head), self.say))
        if kind == "json-array":
            return self._of_array(stream, size, head)
        if kind == "json-wrapped":
            return self._of_wrapped(stream, size, head)
        if kind in ("csv", "tsv"):
            self._mark(head)
            return self._of_table(iter(Rows(self._lines(stream, size, head), self.say, delimiter="," if kind == "csv" else "\t")))
        if kind == "text":
            return self._of_text(self._lines(stream, size, head))
        if kind == "parquet":
            return self._of_columns(rows_of_parquet(seekable(stream), self.file.name))
        if kind == "arrow":
            return self._of_columns(rows_of_arrow(seekable(stream), self.file.name))
        if kind == "utf-16":
            return self._transcoded(stream, head)
        cause = {"empty": "empty-file", "web-page": "web-page", "lfs-pointer": "lfs-pointer"}.get(kind, "foreign-format")
        self.say(Cause(cause, 0, {"found": kind}), (1, 0, head.split(b"\n", 1)[0][:200]))
        return iter(())

    def _of_columns(self, rows: Iterator[Record]) -> Iterator[Record]:
        last = 0
        try:
            for record in rows:
                last = record[0]
                yield record
        except DamagedTable:
            self._trouble("damaged-table", max(last, 1), -1, b"")

    def _of_wrapped(self, stream: BinaryIO, size: int, head: bytes) -> Iterator[Record]:
        found = WRAPPED.match(head.removeprefix(BOM))
        assert found is not None
        self.say(Cause("wrapped-records", found.start(1) - 1, {"key": found[1].decode()}), (1, 0, head[:200].split(b"\n", 1)[0]))
        before = head[: len(head) - len(head.removeprefix(BOM)) + found.end()]
        stream.read(len(before))
        return self._of_array(stream, size, b"", before=before)

    def _of_array(self, stream: BinaryIO, size: int, head: bytes, *, before: bytes = b"") -> Iterator[Record]:
        self._mark(head)
        for line in Elements(_after_mark(stream, head), self._trouble, size=size, before=before):
            try:
                yield (*line, loads(line[2]))
            except ValueError:
                self.say(cause_of(line[2]), line)

    def _mark(self, head: bytes) -> None:
        if head.startswith(BOM):
            self.say(Cause("byte-order-mark", 0), (1, 0, head.split(b"\n", 1)[0]))

    def _transcoded(self, stream: BinaryIO, head: bytes) -> Iterator[Record]:
        encoding = encoding_of(head) or "utf-16"
        text = head.decode(encoding, "replace")
        self.say(
            Cause("wide-encoding", 0, {"encoding": encoding.upper()}),
            (1, 0, (text.splitlines() or [""])[0].encode("utf-8", "replace")),
        )
        # Places in bytes would be those of another encoding.
        self._places = False
        recoded = cast("BinaryIO", Transcoded(stream, encoding))
        start = text.removeprefix("\ufeff").encode("utf-8", "replace")
        self.kind = kind_of(start, self.file.suffix)
        return self._of_kind(self.kind, recoded, start)

    def _lines(self, stream: BinaryIO, size: int, head: bytes) -> Iterator[Line]:
        return lines_of(stream, self._trouble, size=size, end=self._line_end(head))

    def _blocks(self, stream: BinaryIO, size: int, head: bytes) -> Iterator[Block]:
        return blocks_of(stream, self._trouble, size=size, end=self._line_end(head))

    def _line_end(self, head: bytes) -> bytes:
        r"""Return the line end of a text that begins with `head`; say so where it is not `\n`."""
        first = head.split(b"\n", 1)[0]
        if b"\n" not in head and b"\r" in head.rstrip(b"\r"):
            self.say(Cause("carriage-return", head.index(b"\r"), {"found": "CR"}), (1, 0, head[:200]))
            return b"\r"
        if b"\r\n" in head:
            self.say(Cause("carriage-return", len(first) - 1, {"found": "CR LF"}), (1, 0, first))
        return b"\n"

    def _of_text(self, lines: Iterable[Line]) -> Iterator[Record]:
        for line in lines:
            try:
                text = line[2].decode("utf-8")
            except UnicodeDecodeError:
                self.say(cause_of(line[2]), line)
                continue
            if text.strip():
                yield (*line, {"text": text.rstrip("\r")})

    def _of_table(self, rows: Iterator[tuple[Line, list[str]]]) -> Iterator[Record]:
        first = next(rows, None)
        if first is None:
            return
        line, fields = first
        names = [name.strip().lstrip("\ufeff") for name in fields]
        columns: Sequence[str]
        header = _header(names)
        if header is None:
            columns = _columns(len(fields), self._schema)
            rows = chain([first], rows)
        else:
            schema, columns = header
            if schema.columns:
                self.say(Cause("csv-header", 0, {"found": ", ".join(names)}), line)
        ranked = columns[-1] == "targets"
        for line, fields in rows:
            if len(fields) != len(columns) and not ranked:
                self.say(Cause("csv-columns", 0, {"found": len(fields), "expected": len(columns)}), line)
                continue
            value: dict[str, Any] = dict(zip(columns, fields, strict=False))
            if ranked:
                value["targets"] = [field for field in fields[len(columns) - 1 :] if field]
            yield (*line, value)


def _after_mark(stream: BinaryIO, head: bytes) -> BinaryIO:
    if head.startswith(BOM):
        stream.read(len(BOM))
    return stream


HEADINGS = {
    "context": ("question", "query", "prompt", "input", "问题", "提问", "问", "提示词", "输入", "上下文"),
    "target": ("answer", "response", "reply", "output", "回答", "答案", "答", "回复", "输出", "目标"),
    "system": ("system", "system prompt", "系统", "系统提示", "系统提示词", "人设"),
}
"""What tables call the columns of questions and answers."""


def _header(names: Sequence[str]) -> tuple[Schema, Sequence[str]] | None:
    """Return the schema whose keys the first row of a table names, and the keys; or None where that row is data.

    The keys of a schema, or everyday words for a question and for an answer, whatever else the row names beside them.
    """
    lower = [name.lower() for name in names]
    for schema in SCHEMAS:
        if schema.shape == "flat" and schema.keys.keys() <= set(lower):
            return schema, [low if low in schema else name for name, low in zip(names, lower, strict=True)]
    meant = {word: key for key, words in HEADINGS.items() for word in words}
    columns = [meant.get(low, name) for name, low in zip(names, lower, strict=True)]
    return (BY_NAME["pangu-sft"], columns) if columns.count("context") == columns.count("target") == 1 else None


def _columns(count: int, schema: Schema | None) -> tuple[str, ...]:
    """Return what the columns of a table without a header hold: the documented forms by their number."""
    if schema is not None and schema.name == "pangu-ranking":
        return ("context", "targets")
    for columns in BY_NAME["pangu-sft"].columns:
        if len(columns) == count:
            return columns
    return ("text",) if count == 1 else ("context", "targets")
