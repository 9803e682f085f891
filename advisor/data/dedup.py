"""`advisor data dedup`: one row of each cluster, in the order of the data; the others beside it, each with the row it repeats."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from advisor.data.groups import Groups
from advisor.data.parse import dumps
from advisor.data.reading import Reading
from advisor.data.signals import DatasetMeasurements
from advisor.model import NotMeasurable

REMOVED = ".removed.jsonl"


def choose(measured: DatasetMeasurements) -> dict[int, tuple[int, str, float]]:
    """Return the rows to leave out: row → (the row that is kept, how they are alike, how much)."""
    gone: dict[int, tuple[int, str, float]] = {}
    for name, how in (("exact_groups", "exact"), ("normal_groups", "normalised"), ("near_groups", "near")):
        try:
            groups: Groups = measured[name]
        except NotMeasurable:
            continue
        for number, group in enumerate(groups):
            kept = _representative(gone, int(groups.keep[number]))
            start = int(groups.starts[number])
            for index, member in enumerate(group):
                row = _representative(gone, int(member))
                if row != kept:
                    gone[row] = (kept, how, float(groups.similarity[start + index]))
    return gone


def _representative(gone: dict[int, tuple[int, str, float]], row: int) -> int:
    while row in gone:
        row = gone[row][0]
    return row


def dedup(measured: DatasetMeasurements, out: Path) -> dict[str, Any]:
    """Write the rows that are kept to `out` and the others beside it; return the numbers of both."""
    train = measured.survey.train
    gone = choose(measured)
    report = out.with_name(out.name + REMOVED)
    row = 0
    with out.open("wb") as kept, report.open("wb") as removed:
        for source in train.sources:
            reading = Reading(source, lambda _problem: None, spec=train.spec)
            for line, _, raw, value in reading:
                if reading.schema is None:
                    continue
                record = raw.strip() if raw and reading.kind == "json-lines" else dumps(value)
                if row in gone:
                    like, how, similarity = gone[row]
                    like = _representative(gone, like)
                    entry = {
                        "file": source.name,
                        "line": line,
                        "repeats": train.name_of(like),
                        "how": how,
                        "similarity": round(similarity, 4),
                        "record": value,
                    }
                    removed.write(dumps(entry) + b"\n")
                else:
                    kept.write(record + b"\n")
                row += 1
    return {
        "out": str(out), "report": str(report), "rows": row, "kept": row - len(gone), "removed": len(gone),
        "unusable": train.records - row, "schemas": sorted(name for name, rows in train.schemas.items() if rows),
    }  # fmt: skip
