"""From one JSON-like object of a log to a row of measurements. Shared by every reader of objects."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Set

from advisor.model import Value
from advisor.readers.base import Row
from advisor.readers.clean import number
from advisor.readers.names import AXES, SPLIT_KEYS, canonical_keys, is_evaluation, of_evaluation

SUMMARY_MARKS = ("train_runtime", "train_samples_per_second")
"""Keys of the Trainer's closing line."""

MEANS = ("train_loss", "samples_per_second", "steps_per_second", "tokens_per_second")
"""What the closing line gives as the mean of the whole run, which is no point of a curve."""

SPLITS = frozenset(SPLIT_KEYS)
_OF_MMENGINE = frozenset({"step", "time", "data_time"})
_OF_TRAINING = frozenset({"lr", "iter", "epoch", "memory"})
_DECODER = json.JSONDecoder()
_NEXT = re.compile(r"\}\s*,\s*(?=\{)")
_GAP = re.compile(r"[ \t\r\n,]*")


def row(values: Mapping[str, object], line: int) -> Row | None:
    """Return the measurements in `values`, or None where it holds no number beside its place on the axis."""
    names = canonical_keys(tuple(values))
    # With the count of tokens switched on, newer Trainers print their run time in every line; the closing one has no `loss`.
    summary = "loss" not in values and any(mark in values for mark in SUMMARY_MARKS)
    measured: dict[str, float] = {}
    for key, name in names:
        value = values[key]
        if type(value) is float or type(value) is int:
            try:
                measured[name] = float(value)
            except OverflowError:
                measured[name] = float("inf") if value > 0 else float("-inf")
        elif type(value) is str and value:
            # ms-swift gives its step as `10/300`.
            converted = number(value.partition("/")[0] if name in AXES else value)
            if converted is not None:
                measured[name] = converted
    if not SPLITS.isdisjoint(values) and any(is_evaluation(values[key]) for key in SPLIT_KEYS if key in values):
        measured = of_evaluation(measured)
    if is_mmengine_evaluation(values.keys()):
        # Its step counts epochs or steps, as the loop does: it belongs to the step before it.
        measured = {name: value for name, value in of_evaluation(measured).items() if name != "step"}
    if summary:
        measured = {name: value for name, value in measured.items() if name not in MEANS}
    if measured.keys() <= {"step", "epoch"}:
        return None
    return Row(line, measured)


def is_mmengine_evaluation(keys: Set[str]) -> bool:
    """Tell whether an entry with these keys is an evaluation of mmengine, which nothing else in it says."""
    return keys >= _OF_MMENGINE and keys.isdisjoint(_OF_TRAINING)


def scalars(values: Mapping[str, object]) -> dict[str, Value]:
    """Return the entries of `values` that are plain numbers, texts or truth values; nested ones are flattened once.

    A list of texts is a setting too (`target_modules`): it becomes one text, its parts between commas.
    """
    flat: dict[str, Value] = {}
    for key, value in values.items():
        if isinstance(value, Mapping):
            flat |= {str(k): plain for k, v in value.items() if (plain := _plain(v)) is not None}
        elif (plain := _plain(value)) is not None:
            flat[key] = plain
    return flat


def _plain(value: object) -> Value | None:
    if isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, list) and value and all(isinstance(part, str) for part in value):
        return ",".join(value)
    return None


def parse_object(text: str) -> dict[str, object] | None:
    """Return the JSON object that `text` is, or None. NaN and Infinity are accepted, as trainers write them."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def objects_of_array(text: str, start: int, line: int) -> Iterator[tuple[int, dict[str, object] | None, int]]:
    """Yield (line, object, end) for the objects of the JSON array whose `[` stands before `start`, as far as they are whole.

    A broken or cut-off object is yielded as None, and the array goes on with the next one that another ends before. line: the
    line number at `start`.
    """
    position = start
    while True:
        gap = _GAP.match(text, position)
        assert gap is not None  # it may be empty
        line += text.count("\n", position, gap.end())
        position = gap.end()
        if position >= len(text) or text[position] == "]":
            return
        try:
            value, end = _DECODER.raw_decode(text, position)
        except (ValueError, RecursionError):
            yield line, None, position
            following = _NEXT.search(text, position)
            if following is None:
                return
            line += text.count("\n", position, following.end())
            position = following.end()
            continue
        yield line, value if isinstance(value, dict) else None, end
        line += text.count("\n", position, end)
        position = end
