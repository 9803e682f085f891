"""The date of a report: never that of the clock, so that the same input gives the same bytes."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from advisor.errors import BadReport
from advisor.model import Run

EARLIEST, LATEST = 9e8, 4e9
"""Seconds since 1970 between which a logged time is a date and no duration: 1998 to 2096."""

VARIABLE = "SOURCE_DATE_EPOCH"


def date_of(run: Run, log: Path | None, given: str, environment: Mapping[str, str]) -> tuple[str, str]:
    """Return (the date, what says it): `given` by --date or SOURCE_DATE_EPOCH, else by the `log`, else by its `file`, else `none`.

    Raises BadReport where what is given is no date.
    """
    if given:
        try:
            datetime.fromisoformat(given)
        except ValueError as error:
            raise BadReport(f"--date {given}: expected a date such as 2026-11-24 or 2026-11-24T18:30") from error
        return given, "given"
    if epoch := environment.get(VARIABLE, ""):
        try:
            return _day(float(epoch)), "given"
        except (ValueError, OverflowError, OSError) as error:
            raise BadReport(f"{VARIABLE}={epoch}: expected seconds since 1970") from error
    for name in ("time", "timestamp"):
        series = run.series.get(name)
        if series is not None and len(series.finite) and EARLIEST < float(series.finite.values[-1]) < LATEST:
            return _day(float(series.finite.values[-1])), "log"
    if log is not None and log.exists():
        return _day(log.stat().st_mtime), "file"
    return "", "none"


def _day(seconds: float) -> str:
    if not math.isfinite(seconds):
        raise ValueError(seconds)
    return datetime.fromtimestamp(seconds, UTC).date().isoformat()
