"""Console output of the Hugging Face Trainer and all that print its dictionaries: TRL, Axolotl, Unsloth, PaddleNLP's kin.

The dictionaries stand between progress bars, behind logging prefixes and rank marks; 5.x prints the values as strings.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain, pairwise
from math import isclose

import numpy as np

from advisor.model import Event
from advisor.readers.banners import Banners
from advisor.readers.base import Bar, Block, Closing, Format, Record, Row, Settings, Source, Unread
from advisor.readers.bulk import NOTHING, Known, Told, read_lines
from advisor.readers.clean import NUMBER, pieces, split_rank
from advisor.readers.events import event_in, may_be_event
from advisor.readers.names import SPLIT_KEYS, canonical_keys, is_evaluation, is_loss_like, of_evaluation
from advisor.readers.objects import is_mmengine_evaluation, row
from advisor.readers.ranks import OneRank
from advisor.readers.shapes import Spans, by_shape, has_digit, numbers_at
from advisor.readers.text_line import anchored_row, may_be_anchored

_DICT = re.compile(r"\{\s*['\"][^{}]*\}")
_PAIR = re.compile(rf"['\"]([^'\"]{{1,80}})['\"]\s*:\s*['\"]?({NUMBER})(?:/\d+)?['\"]?\s*(?=[,}}])", re.IGNORECASE)
_SPLIT = re.compile(rf"['\"]({'|'.join(SPLIT_KEYS)})['\"]\s*:\s*['\"](\w+)['\"]")
_BEGINS = re.compile(r"\{\s*['\"](?:loss|eval_loss|train_loss)['\"]\s*:")
_OPEN = re.compile(r"\{\s*['\"][\w/ .-]+['\"]?[^{}]*$")
_BAR = re.compile(r"\s*\d+%\|[^|]*\|\s*(\d+)/(\d+) \[")
"""The bar of a training or of an evaluation: those of other work say what they are of."""
_ELSEWHERE = re.compile(r"\d%\||[{}]")
"""What no line in the middle of a dictionary holds: a bar, or another dictionary's brace."""
_RETOLD = (("train_loss", 5e-4, 6e-5), ("learning_rate", 5e-4, 0.0), ("epoch", 5e-4, 0.006))
"""By how much two prints of one row differ: of its value, and at least."""

MOST_BETWEEN = 100
"""Bars and other records between two prints of one row, above which the second is looked for no longer."""

MAX_LINES = 100
"""A dictionary that is printed over more lines than these is none."""


class _Wrapped:
    """A dictionary that a terminal or `pprint` broke over several lines, as far as it has come."""

    def __init__(self) -> None:
        self.line = 0
        self.text = ""
        self._lines = 0

    def take(self, text: str, line: int) -> str | None:
        """Return the whole dictionary where `text` ends it, empty text where it goes on, None where `text` is none of it."""
        if self.text:
            head, brace, _ = text.partition("}")
            if _ELSEWHERE.search(head) or self._lines >= MAX_LINES or event_in(head, line) is not None:
                return None
            self.text += head + brace
            self._lines += 1
            if not brace:
                return ""
            whole, self.text = self.text, ""
            return whole
        found = _OPEN.search(text) if text.rfind("{") > text.rfind("}") else None
        if found is None:
            return None
        self.line, self.text, self._lines = line, found[0], 1
        return ""

    def drop(self) -> Iterator[Record]:
        """Give up; what looks like a measurement could not be read."""
        if _BEGINS.match(self.text):
            yield Unread(self.line)
        self.text = ""


def read(source: Source) -> Iterator[Record]:
    """Yield a row for each printed dictionary that holds a measurement, and the events between them.

    Where a callback prints what the Trainer then prints as well, as LLaMA-Factory's does, the two are one row.
    """
    held: Row | None = None
    after: list[Record] = []
    console = _Console()
    for record in chain(_singled(read_lines(source, console)), console.end()):
        if isinstance(record, Row) and held and _is_retold(held, record):
            held = Row(record.line, {**held.values, **record.values})
        elif isinstance(record, Row):
            if held:
                yield held
            yield from after
            held, after = record, []
        elif held and len(after) < MOST_BETWEEN:
            after.append(record)
        else:
            if held:
                yield held
            yield from after
            held, after = None, []
            yield record
    if held:
        yield held
    yield from after


def _singled(records: Iterable[Record]) -> Iterator[Record]:
    """Yield the records, rows of blocks that may be retold one by one."""
    for record in records:
        if isinstance(record, Block):
            yield from _apart(record)
        else:
            yield record


def _is_retold(row: Row, again: Row) -> bool:
    """Tell whether two rows say the same to the digits that they print.

    Steps of a slow schedule differ in the learning rate alone: unless one of two like rows is the other rounded, they are two.
    """
    rates = [values.get("learning_rate", 0.0) for values in (row.values, again.values)]
    rounded = [float(f"{rate:.4e}") for rate in rates]
    if row.values.keys() == again.values.keys() and rates[0] not in (rates[1], rounded[1]) and rates[1] != rounded[0]:
        return False
    return all(
        name in row.values and name in again.values and isclose(row.values[name], again.values[name], rel_tol=rel, abs_tol=half)
        for name, rel, half in _RETOLD
    )


def _apart(block: Block) -> Iterator[Row | Block]:
    """Yield the rows of a block of which the next may say the same, its first and its last one by one, the others as blocks."""
    loose = np.zeros(len(block.lines), dtype=bool)
    loose[[0, -1]] = True
    if all(name in block.values for name, _, _ in _RETOLD):
        alike = np.ones(len(loose) - 1, dtype=bool)
        for name, rel, half in _RETOLD:
            rows, values = block.values[name]
            column = np.full(len(loose), np.nan)
            column[rows] = values
            size = np.abs(column)
            with np.errstate(invalid="ignore"):  # NaN is like nothing, infinity like all
                alike &= ~(np.abs(np.diff(column)) > 2 * np.maximum(rel * np.maximum(size[1:], size[:-1]), half))
        loose[1:] |= alike
        loose[:-1] |= alike
    bounds = np.flatnonzero(np.diff(loose, prepend=loose[0])).tolist()
    for begin, end in pairwise([0, *bounds, len(loose)]):
        part = block.between(begin, end)
        if loose[begin]:
            yield from part.rows()
        else:
            yield part


_AGAIN = '"log_history":'
"""The last line of ms-swift's log tells the whole run again."""


@dataclass
class _Console:
    """How a line is read, and what those before it have begun. Only the first rank that prints a dictionary is read."""

    known: Known = field(default_factory=dict)
    ranks: OneRank = field(default_factory=OneRank)
    banners: Banners = field(default_factory=Banners)
    dictionaries: defaultdict[int | None, _Wrapped] = field(default_factory=lambda: defaultdict(_Wrapped))

    def told(self, shape: str) -> Told | None:
        """Return what lines of this shape say where it is one dictionary of a step, or nothing."""
        if any(sign in shape for sign in ("\r", "\x1b", "%|")) or split_rank(shape)[0] is not None:
            return None
        if shape.rfind("{") > shape.rfind("}") or any(wrapped.text for wrapped in self.dictionaries.values()):
            return None
        printed = _printed.of_shape(shape) if "{" in shape else ()
        if printed:
            return Told(printed[0].spans) if len(printed) == 1 and printed[0].is_log and not printed[0].is_end else None
        quiet = printed is not None and not (may_be_anchored(shape) or may_be_event(shape) or self.banners.may_tell(shape))
        return NOTHING if quiet else None

    def records(self, line: int, raw: str) -> Iterator[Record]:
        """Yield the records of one line.

        A line without a dictionary counts where it names both a step or epoch and a loss.
        """
        for rank, text in pieces(raw):
            wrapped = self.dictionaries[rank]
            whole = wrapped.take(text, line)
            if whole is not None or wrapped.text:
                self.known.clear()  # between the lines of a dictionary every line may belong to it
            if whole == "":
                continue
            if whole:
                text = whole + text.partition("}")[2]
            elif wrapped.text:
                yield from wrapped.drop()
            for record in _records(text, wrapped.line if whole else line, self.banners):
                if rank is not None and isinstance(record, Row) and not self.ranks.keeps(rank, record.values):
                    yield from self.ranks.left_out()
                elif rank is None or not isinstance(record, Bar) or not self.ranks.leaves_out(rank):
                    yield record

    def end(self) -> Iterator[Record]:
        """Give up the dictionaries that nothing ended."""
        for wrapped in self.dictionaries.values():
            yield from wrapped.drop()


def _records(text: str, line: int, banners: Banners) -> Iterator[Record]:
    found = False
    if _AGAIN in text:
        return
    for printed in _printed(text) if "{" in text else ():
        found = True
        if printed.is_end:
            yield Event("end", line, "")
            yield from _closing(text)
        if printed.is_log:
            yield Row(line, numbers_at(printed.spans, text))
    if "%|" in text and (bar := _BAR.match(text)):
        yield Bar(int(bar[1]), int(bar[2]))
    if found:
        return
    if (anchored := anchored_row(text, line)) is not None:
        yield anchored
    elif (event := event_in(text, line)) is not None:
        yield event
    elif settings := banners.settings_in(text):
        yield Settings(settings)


def _closing(text: str) -> Iterator[Closing]:
    """Yield what the Trainer's last line says of epochs and steps."""
    told = {pair[1]: pair[2] for pair in _PAIR.finditer(text)}
    if "epoch" in told and {"train_runtime", "train_steps_per_second"} <= told.keys():
        (low, high), (slow, fast) = (_rounded_from(told[name]) for name in ("train_runtime", "train_steps_per_second"))
        yield Closing(float(told["epoch"]), low * slow, high * fast)


def _rounded_from(printed: str) -> tuple[float, float]:
    """Return between which numbers a number lay before it was rounded to its printed digits."""
    digits, _, exponent = printed.lower().partition("e")
    half = 0.5 * 10.0 ** (int(exponent or 0) - len(digits.partition(".")[2]))
    return float(printed) - half, float(printed) + half


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
        split = _SPLIT.search(match[0])
        measured = row({pair[1]: pair[2] for pair in pairs} | ({split[1]: split[2]} if split else {}), 0)
        named = {name: places[key] for key, name in canonical_keys(tuple(places))}
        if (split and is_evaluation(split[2])) or is_mmengine_evaluation(places.keys()):
            named = of_evaluation(named)
        spans = [(name, *place) for name, place in named.items() if measured and name in measured.values]
        is_end = "train_runtime" in places and "loss" not in places
        found.append(_Printed(tuple(spans), measured is not None and _is_log(measured), is_end))
    return tuple(found), told_by_shape


def _is_log(measured: Row) -> bool:
    return is_loss_like(measured.values) or "epoch" in measured.values


_SERVES = (
    "Axolotl", "EasyLM and others that print with pprint", "LLaMA-Factory (console)",
    "LLaMA-Factory (running_log.txt)", "ms-swift (console)",
    "SetFit", "TRL DPO", "TRL GRPO", "TRL KTO", "TRL ORPO", "TRL reward", "TRL SFT", "Unsloth",
)  # fmt: skip
FORMAT = Format(
    name="hf-console",
    serves=_SERVES,
    title={"en": "Hugging Face Trainer console", "zh": "Hugging Face Trainer 控制台输出"},
    read=read,
    keeps_ranks_apart=True,
    # A file of JSON objects, one a line, is read as such.
    head=(
        r"\A(?!\s*\{\s*\"[^\n]*\}\s*(?:\n\s*\{|\Z))(?s:.*?)"
        r"\{\s*['\"](?:[\w/ .-]+['\"]\s*:[^{}]{0,1500}?['\"])??(?:[\w/]*[_/])?(?:loss|runtime)['\"]\s*:\s*['\"]?[-\d.na]",
    ),
    example="{'loss': 2.31, 'grad_norm': 0.51, 'learning_rate': 3.4e-05, 'epoch': 0.01}\n"
    "{'eval_loss': '2.18', 'eval_runtime': '12.3', 'epoch': '0.5'}",
)
