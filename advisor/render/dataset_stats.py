"""The numbers of a dataset at a terminal, with a picture of its lengths."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from advisor.render.words import Words

WIDTH = 40
_EIGHTHS = " ▏▎▍▌▋▊▉█"


def render(numbers: Mapping[str, Any], language: str) -> str:
    """Return the numbers as text."""
    words = Words(language)
    tokens = numbers["tokens"]
    lines = [
        words("stats_rows", rows=numbers["rows"], records=numbers["records"], distinct=numbers["distinct_rows"]),
        words("stats_schemas", schemas=", ".join(f"{name or '?'} {rows}" for name, rows in numbers["schemas"].items())),
        words("stats_counted" if tokens["counted"] else "stats_estimated", total=tokens["total"], share=numbers["answer_share"]),
    ]
    for part, key in (("prompt", "stats_prompt"), ("answer", "stats_answer"), ("row", "stats_row")):
        found = numbers["lengths"][part]
        if found:
            shown = {name: round(found[name]) for name in ("p5", "p50", "p95", "p99", "max")}
            lines.append(words(key, **shown))
    scripts, distinct = numbers["answer_scripts"], numbers["distinct"]
    lines.append(words("stats_scripts", **scripts))
    lines.append(words("stats_diversity", times=numbers["compression"], **distinct))
    lines += ["", words("stats_picture")]
    most = max((count for _, _, count in numbers["histogram"]), default=1) or 1
    for low, high, count in numbers["histogram"]:
        lines.append(f"{low:>8}–{high - 1:<8} {_bar(count / most)} {count}")
    return "\n".join(lines)


def _bar(share: float) -> str:
    eighths = round(share * WIDTH * 8)
    return "█" * (eighths // 8) + (_EIGHTHS[eighths % 8] if eighths % 8 else "")
