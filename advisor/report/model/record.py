"""What stands beside the findings: the training data, facts of the run, an earlier run, and how to make the report again."""

from __future__ import annotations

from dataclasses import dataclass

from advisor.report.model.answer import State
from advisor.report.model.findings import FindingEntry


@dataclass(frozen=True, slots=True)
class Example:
    """A record of the training data that shows a finding. where: `file:line`, with the column where one is meant.

    like: the record that it repeats, else empty.
    """

    where: str
    file: str
    line: int
    column: int
    text: str
    like: str
    message: str


@dataclass(frozen=True, slots=True)
class DataFinding:
    """What was found in the training data: the finding, how many records, and some of them."""

    finding: FindingEntry
    count: int
    examples: tuple[Example, ...]


@dataclass(frozen=True, slots=True)
class DataCheck:
    """The check of the training data.

    files: name, kind and counts in a line each. explains: which findings of the run it explains, in words.
    """

    state: State
    sentence: str
    records: int
    good: int
    files: tuple[str, ...]
    health: str
    explains: tuple[str, ...]
    findings: tuple[DataFinding, ...]
    clean: tuple[str, ...]
    not_judged: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """A labelled line: a fact of the run. name: a stable word for it."""

    name: str
    label: str
    value: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """This run beside an earlier one. sentence: what became of it, within noise or beyond.

    rows: label, earlier value, this run's value; settings: the same for the settings that differ. gone, stayed, new: rule ids.
    """

    earlier: str
    state: State
    sentence: str
    rows: tuple[tuple[str, str, str], ...]
    settings: tuple[tuple[str, str, str], ...]
    gone: tuple[str, ...]
    stayed: tuple[str, ...]
    new: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Reproduce:
    """What makes the same report again. command: without paths of a machine. log_sha256: empty where the log was a stream."""

    version: str
    command: str
    log: str
    log_sha256: str
    rules: int
    text: str
