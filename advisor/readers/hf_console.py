"""Console output of the Hugging Face Trainer and all that print its dictionaries: TRL, Axolotl, Unsloth, PaddleNLP's kin.

The dictionaries stand between progress bars, behind logging prefixes and rank marks; 5.x prints the values as strings.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from advisor.model import Event
from advisor.readers.base import Format, Record, Row, Source, Unread
from advisor.readers.clean import NUMBER, number, split_rank, strip_ansi
from advisor.readers.events import event_in
from advisor.readers.names import canonical_keys, is_loss_like
from advisor.readers.objects import row
from advisor.readers.shapes import Spans, by_shape, has_digit
from advisor.readers.text import anchored_row

_DICT = re.compile(r"\{\s*['\"][^{}]*\}")
_PAIR = re.compile(rf"['\"]([^'\"]{{1,80}})['\"]\s*:\s*['\"]?({NUMBER})['\"]?\s*(?=[,}}])", re.IGNORECASE)
_BEGINS = re.compile(r"\{\s*['\"](?:loss|eval_loss|train_loss)['\"]\s*:")


def read(source: Source) -> Iterator[Record]:
    """Yield a row for each printed dictionary that holds a measurement, and the events between them.

    Only the first rank that prints a dictionary is read: eight ranks that print the same loss are one run. A line without a
    dictionary counts where it names both a step or epoch and a loss.
    """
    rank_read: int | None = None
    for line, raw in source.lines():
        if not raw:
            continue
        for piece in raw.split("\r"):
            rank, text = split_rank(strip_ansi(piece))
            if rank is not None and rank_read is not None and rank != rank_read:
                continue
            for record in _records(text, line):
                if isinstance(record, Row) and rank is not None:
                    rank_read = rank
                yield record


def _records(text: str, line: int) -> Iterator[Record]:
    found = False
    for printed in _printed(text) if "{" in text else ():
        found = True
        if printed.is_end:
            yield Event("end", line, "")
        if printed.is_log:
            values = {name: value for name, begin, end in printed.spans if (value := number(text[begin:end])) is not None}
            yield Row(line, values)
    if found:
        return
    if _BEGINS.search(text):
        yield Unread(line)
    elif (anchored := anchored_row(text, line)) is not None:
        yield anchored
    elif (event := event_in(text, line)) is not None:
        yield event


@dataclass(frozen=True, slots=True)
class _Printed:
    """A printed dictionary: where its measurements stand, whether they are of a step, and whether it closes the run."""

    spans: Spans
    is_log: bool
    is_end: bool


@by_shape
def _printed(text: str) -> tuple[tuple[_Printed, ...], bool]:
    """Find the dictionaries of a line."""
    found: list[_Printed] = []
    told_by_shape = True
    for match in _DICT.finditer(text):
        pairs = list(_PAIR.finditer(text, *match.span()))
        if not pairs:
            continue
        told_by_shape &= not any(has_digit(pair[1]) for pair in pairs)
        places = {pair[1]: pair.span(2) for pair in pairs}
        measured = row({pair[1]: pair[2] for pair in pairs}, 0)
        spans = [(name, *places[key]) for key, name in canonical_keys(tuple(places)) if measured and name in measured.values]
        found.append(_Printed(tuple(spans), measured is not None and _is_log(measured), "train_runtime" in places))
    return tuple(found), told_by_shape


def _is_log(measured: Row) -> bool:
    return is_loss_like(measured.values) or "epoch" in measured.values


FORMAT = Format(
    name="hf-console",
    title={"en": "Hugging Face Trainer console", "zh": "Hugging Face Trainer 控制台输出"},
    read=read,
    head=(r"\{\s*['\"](?:loss|eval_loss|train_runtime|train_loss)['\"]\s*:\s*['\"]?[-\d.na]",),
    example="{'loss': 2.31, 'grad_norm': 0.51, 'learning_rate': 3.4e-05, 'epoch': 0.01}\n"
    "{'eval_loss': '2.18', 'eval_runtime': '12.3', 'epoch': '0.5'}",
)
