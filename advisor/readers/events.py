"""Lines that are facts but not numbers: the errors a log can hold, each by the words that give it away.

One table, in order of precedence: the kind, and the pattern that must be found (without regard to case).
"""

from __future__ import annotations

import re

from advisor.model import Event

PATTERNS: tuple[tuple[str, str], ...] = (
    ("read-example-failed", r"read example failed"),
    ("valid-number-zero", r"valid number is 0\b"),
    ("label-map-mismatch", r"label_?map not match"),
    ("dataset-list-empty", r"dataset list is empty|数据集列表为空"),
    ("driver-version", r"model\.5001000[12]\b"),
    ("disk-full", r"model\.50010003\b|no space left on device|disk quota exceeded"),
    ("object-storage", r"model\.5001010[146]\b|model\.6001010[12]\b"),
    ("hdfs", r"model\.5001010[78]\b"),
    ("data-processing-failed", r"model\.60010103\b"),
    ("not-enough-data", r"NotEnough(?:Train|Valid)Data"),
    ("format-mismatch", r"file format mismatch, require|verification failed.{0,40}(?:data|content|format)"),
    ("out-of-memory", r"out ?of ?memory(?:error)?\b|\bOOM\b.{0,20}kill"),
    ("file-missing", r"no such file or directory|FileNotFoundError"),
    ("interrupted", r"^\s*KeyboardInterrupt\b|SIGINT|CANCELLED AT|slurmstepd: error: .*CANCELLED"),
    ("python-error", r"^\s*(?:\w+\.)*[A-Z]\w*(?:Error|Exception)(?::|$)"),
)  # fmt: skip

_KIND = re.compile("|".join(f"(?P<k{i}>{pattern})" for i, (_, pattern) in enumerate(PATTERNS)), re.IGNORECASE)
_HINT = re.compile(
    r"error|fail|exception|memory|oom|is 0|not match|empty|no such|space|quota|mismatch|model\.[56]00|NotEnough|Interrupt|SIGINT"
    r"|cancelled|数据集",
    re.IGNORECASE,
)
_PYTHON_ERROR = re.compile(PATTERNS[-1][1])
_MAX_TEXT = 300


def event_in(text: str, line: int) -> Event | None:
    """Return the event that `text` reports, or None. The earliest pattern of the table wins."""
    if not _HINT.search(text):
        return None
    kinds = {int(name[1:]) for m in _KIND.finditer(text) for name, hit in m.groupdict().items() if hit}
    for index in sorted(kinds):
        kind = PATTERNS[index][0]
        # Case matters here: `ValueError: …` is Python's, `error: …` is anybody's.
        if kind == "python-error" and not _PYTHON_ERROR.search(text):
            continue
        return Event(kind, line, text.strip()[:_MAX_TEXT])
    return None
