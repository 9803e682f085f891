"""A report as JSON, schema `advisor.report/1`: everything that any other format shows."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from advisor.report.model import Report

_NUMBERS = re.compile(r"\[\n[\s\d.,eE+-]+\]")
"""A list of nothing but numbers: the line feed after the bracket stands in no string, where it would be `\\n`."""


def render(reports: Sequence[Report]) -> bytes:
    """Return the JSON document of the report in the language that was asked for."""
    return dumped(reports[0].as_dict())


def dumped(plain: Any) -> bytes:
    """Return plain data as strict JSON, lists of numbers on one line each."""
    text = json.dumps(plain, ensure_ascii=False, indent=1, allow_nan=False)
    return (_NUMBERS.sub(lambda found: re.sub(r"\s+", "", found[0]).replace(",", ", "), text) + "\n").encode("utf-8", "replace")
