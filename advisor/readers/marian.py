"""Marian NMT: `Ep. 1 : Up. 500 : … : Cost 7.31 * 500,000 @ 1,000 …` and `[valid] Ep. 1 : Up. 500 : cross-entropy : 120.5 : …`.

The cost is a mean over tokens where it is printed with their number (`* 500,000`), else a sum over each sentence, as the
validation's `cross-entropy` is; perplexity is neither. Each keeps its own unit.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from advisor.readers.base import Format, Record, Row, Source, Unread
from advisor.readers.clean import NUMBER, number
from advisor.readers.events import event_in

_COUNT = r"(\d[\d,]*)"
_PLACE = rf"Ep\. {_COUNT} : Up\. {_COUNT} : "
_TRAIN = re.compile(rf"\b{_PLACE}.*?Cost ({NUMBER})( \* [\d,.]+)?", re.IGNORECASE)
_VALID = re.compile(rf"\[valid\] {_PLACE}([\w-]+) : ({NUMBER})", re.IGNORECASE)
_RATE = re.compile(rf"\bL\.r\. ({NUMBER})", re.IGNORECASE)
_NORM = re.compile(rf"\bgNorm ({NUMBER})", re.IGNORECASE)
_SPEED = re.compile(r"([\d,.]+) words/s")
_METRICS = {
    "ce-mean-words": "eval_loss",
    "cross-entropy": "eval_sentence_loss",
    "ce-mean": "eval_sentence_loss",
    "perplexity": "eval_perplexity",
}
"""What the validation metrics mean; translation scores keep their own name."""

_OTHERS = {"learning_rate": _RATE, "grad_norm": _NORM, "tokens_per_second": _SPEED}


def read(source: Source) -> Iterator[Record]:
    """Yield a row for each display and each validation metric, and the events between them."""
    for line, text in source.lines():
        if found := _VALID.search(text):
            value = number(found[4])
            if value is not None:
                metric = found[3].lower()
                name = _METRICS.get(metric, "eval_" + metric.replace("-", "_"))
                yield Row(line, _place(found) | {name: value})
        elif found := _TRAIN.search(text):
            cost = number(found[3])
            if cost is not None:
                name = "train_loss" if found[4] else "train_sentence_loss"
                yield Row(line, _place(found) | {name: cost} | _others(text))
        elif "Ep. " in text and "Up. " in text:
            yield Unread(line)
        elif (event := event_in(text, line)) is not None:
            yield event


def _place(found: re.Match[str]) -> dict[str, float]:
    """Return epoch and update. Marian counts the epoch that is under way, not those that are done."""
    return {"epoch": _count(found[1]), "step": _count(found[2])}


def _count(text: str) -> float:
    return float(text.replace(",", ""))


def _others(text: str) -> dict[str, float]:
    found = ((name, match) for name, pattern in _OTHERS.items() if (match := pattern.search(text)))
    values = ((name, number(match[1])) for name, match in found)
    return {name: value for name, value in values if value is not None}


FORMAT = Format(
    name="marian",
    title={"en": "Marian NMT log", "zh": "Marian NMT 日志"},
    read=read,
    head=(r"Ep\. \d[\d,]* : Up\. \d",),
    example="[2024-01-01 10:00:00] Ep. 1 : Up. 500 : Sen. 32,000 : Cost 7.31 * 500,000 @ 1,000 after 500,000 : Time 60.01s : "
    "8332.00 words/s : gNorm 1.2 : L.r. 3.0000e-05\n"
    "[2024-01-01 10:00:09] [valid] Ep. 1 : Up. 500 : ce-mean-words : 6.95 : new best",
)
