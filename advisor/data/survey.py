"""One pass over a dataset: what is wrong with its records, and a few numbers of each good one. The text itself is not kept."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from advisor.data.fields import Fields
from advisor.data.keys import keys_of, text_of
from advisor.data.model import Example, Occurrences, Problem
from advisor.data.normal import reader
from advisor.data.places import place_in_text
from advisor.data.quality import examine
from advisor.data.reading import ANY, Reading
from advisor.data.sources import File, files_of
from advisor.data.tokens import Counter
from advisor.model import Place

IntArray = np.ndarray[tuple[int], np.dtype[np.int64]]

COLUMNS = (
    "file", "line", "offset", "exact", "normal", "masked", "prompt", "answer", "opening", "prompt_tokens", "answer_tokens",
    "rounds", "flags", "terms",
)  # fmt: skip
"""Numbers kept of every good row: where it stands, its keys, its length, and what the checks said of it."""

HEAD_OF_ROW = 400
"""Bytes of a row that are read again to show it."""


@dataclass(frozen=True, slots=True)
class FileFacts:
    """What one file is. good: records that its schema accepts."""

    name: str
    kind: str
    schema: str
    size: int
    records: int
    good: int


@dataclass(slots=True)
class Split:
    """One side of the data: what is trained on, or what is evaluated on.

    problems: by the name of the cause, records that cannot be used. findings: by the name of the check, good records with a flaw.
    fields: those of the answers that are JSON objects.
    """

    files: list[FileFacts] = field(default_factory=list)
    problems: dict[str, Occurrences] = field(default_factory=dict)
    findings: dict[str, Occurrences] = field(default_factory=dict)
    fields: Fields = field(default_factory=Fields)
    columns: dict[str, array[int]] = field(default_factory=lambda: {name: array("q") for name in COLUMNS})
    sources: list[File] = field(default_factory=list)
    spec: str = "auto"

    def __len__(self) -> int:
        return len(self.columns["line"])

    def column(self, name: str) -> IntArray:
        """Return one number of every good row."""
        return np.frombuffer(self.columns[name], dtype=np.int64)

    @property
    def records(self) -> int:
        """Records read, good or not."""
        return sum(file.records for file in self.files)

    @property
    def schemas(self) -> dict[str, int]:
        """Rows of each schema."""
        found: dict[str, int] = {}
        for file in self.files:
            found[file.schema] = found.get(file.schema, 0) + file.good
        return found

    def name_of(self, row: int) -> str:
        """Return where a row stands, as `file:line`."""
        return f"{self.files[self.columns['file'][row]].name}:{self.columns['line'][row]}"

    def place(self, row: int, **facts: float | str) -> Place:
        """Return a row as evidence, with its beginning where it can be read again."""
        number, offset = self.columns["file"][row], self.columns["offset"][row]
        source = self.sources[number]
        text = ""
        if offset >= 0 and self.files[number].kind == "json-lines" and not source.compressed:
            with source.open() as stream:
                stream.seek(offset)
                text = stream.read(HEAD_OF_ROW).split(b"\n", 1)[0].decode("utf-8", "ignore").strip()
        return Place(source.name, self.columns["line"][row], 0, offset, text[:SHOWN], 0, facts)

    def examples(self) -> Iterator[Example]:
        """Read the good rows again, in the same order."""
        for source in self.sources:
            reading = Reading(source, lambda _problem: None, spec=self.spec)
            normal = None
            for record in reading:
                normal = normal or (reader(reading.schema) if reading.schema else None)
                if normal:
                    yield normal(record[3])

    def texts(self) -> Iterator[str]:
        """Read the whole text of every good row again."""
        return map(text_of, self.examples())


SHOWN = 72
"""Characters of a row that are shown where all of it is meant."""

NOTES = frozenset({"carriage-return", "csv-header", "blank-line", "repeated-key", "wide-encoding", "wrapped-records"})
"""Causes that do not take a record away from the count: the record is read beside them, or there is none."""


@dataclass(frozen=True, slots=True)
class Survey:
    """A dataset as it was found: what is trained on, and what is evaluated on where that was given."""

    train: Split
    evaluation: Split | None = None
    config: dict[str, float | int | str | bool] = field(default_factory=dict)


def survey(
    paths: Sequence[Path],
    evaluation: Sequence[Path] = (),
    *,
    spec: str = "auto",
    counter: Counter | None = None,
    config: dict[str, float | int | str | bool] | None = None,
) -> Survey:
    """Read all files once. Raises UnreadableData where a path names nothing; what is wrong inside a file is a finding."""
    counter = counter or Counter()
    train = survey_files(files_of(paths), spec=spec, counter=counter)
    held_out = survey_files(files_of(evaluation), spec=spec, counter=counter) if evaluation else None
    return Survey(train, held_out, config or {})


def survey_files(files: Sequence[File], *, spec: str = "auto", counter: Counter | None = None) -> Split:
    """Read these files once."""
    split = Split(sources=list(files), spec=spec)
    counter = counter or Counter()
    for number, file in enumerate(files):
        _read(split, number, file, spec, counter)
    return split


def _read(split: Split, number: int, file: File, spec: str, counter: Counter) -> None:
    unreadable: set[int] = set()

    def report(problem: Problem) -> None:
        split.problems.setdefault(problem.cause, Occurrences()).add(problem.place, number)
        read_on = reading.kind in TABLES and problem.cause in ENCODINGS
        if not problem.between and problem.cause not in NOTES and problem.cause not in OF_SCHEMA and not read_on:
            unreadable.add(problem.place.line)

    reading = Reading(file, report, spec=spec)
    columns = [split.columns[name] for name in COLUMNS]
    before = len(split)
    example_of: Callable[[object], Example] | None = None
    for line, offset, _, value in reading:
        if example_of is None:
            if reading.schema is None:
                continue
            example_of = reader(reading.schema)
        example = example_of(value)
        flags, terms, found = examine(example)
        for check, text, start, facts in found:
            occurrences = split.findings.setdefault(check, Occurrences())
            if occurrences.full:
                occurrences.add_line(line, number)
            else:
                occurrences.add(place_in_text(file.name, line, offset, text, start, facts), number)
        lengths = counter.lengths(example)
        split.fields.add(example.answer, len(split))
        rounds = sum(role == "user" for role, _ in example.turns)
        row = (number, line, offset, *keys_of(example), *lengths, rounds, flags, terms)
        for column, cell in zip(columns, row, strict=True):
            column.append(cell)
    good = reading.records if spec == ANY else len(split) - before
    name = reading.schema.name if reading.schema else (ANY if spec == ANY else "")
    split.files.append(FileFacts(file.name, reading.kind, name, file.size, reading.records + len(unreadable), good))


TABLES, ENCODINGS = ("csv", "tsv"), ("other-encoding", "invalid-bytes")
"""Where rows in another encoding are read on, and the causes that say so."""

OF_SCHEMA = frozenset(
    {"missing-key", "misspelt-key", "wrong-type", "empty-answer", "empty-prompt", "role-order", "mixed-schemas", "not-an-object",
     "ranking-size", "unknown-schema"}
)  # fmt: skip
"""Causes of records that are JSON and do not fit their schema; the others are no JSON at all."""
