"""Facts that are measured instead of asked for: from the training data, and from what the untrained model answers."""

from __future__ import annotations

import json
import math
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from advisor.errors import BadAnswers
from advisor.task import Answer

if TYPE_CHECKING:
    from advisor.data.signals import DatasetMeasurements

OF_METHOD = {"pretrain": "raw_tokens", "dpo": "pairs", "ranking": "pairs"}
"""Training method that records are shaped for → the fact they are counted under; all others are rows."""

LONG = 99
"""Rows are too long where this percentile of their lengths is beyond the limit: a few longer ones can be dropped."""


def facts_of_data(measured: DatasetMeasurements, max_length: int | None) -> dict[str, Answer]:
    """Return what a dataset says: how much there is without repeats, the share without a fault, and whether rows fit.

    Of what the data are not, there is none beside: rows with answers are no text to pre-train on.
    """
    volume, split = measured["volume"], measured.survey.train
    distinct = 1 - float(measured["duplicate_share"]) if volume.rows else 1.0
    counted = OF_METHOD.get(volume.method, "rows")
    amount = volume.tokens if counted == "raw_tokens" else volume.rows
    facts: dict[str, Answer] = {counted: float(math.floor(amount * distinct + 0.5))}
    if volume.rows:
        health = measured["health"]
        facts["health"] = health.normal / max(health.of, 1)
    if max_length is not None and volume.rows:
        longest = np.percentile(split.column("prompt_tokens") + split.column("answer_tokens"), LONG)
        facts["lengths"] = "too-long" if longest > max_length else "fit"
    return facts


# What the untrained model scores


@dataclass(frozen=True, slots=True)
class BaseScore:
    """What the untrained model scores, from 0 to 1. how: `scores`, or `f1` of answers and references. exact: share that is equal.

    low and high: ends of the interval that holds the mean with 95 % probability; NaN where rows is 0, their number unknown.
    """

    mean: float
    low: float
    high: float
    rows: int
    how: str
    exact: float = math.nan


LEAST_ROWS = 20
"""Fewer answers say too little about the model to decide anything by."""

ANSWERS = ("answer", "prediction", "base_prediction", "output", "response", "completion", "base")
REFERENCES = ("reference", "target", "expected", "label", "gold", "ground_truth")
SCORES = ("score", "accuracy", "exact_match", "f1")
_Z95 = 1.96


def read_base_results(path: Path) -> BaseScore:
    """Return what the untrained model scores, from a JSON or JSON-lines file. Raises BadAnswers, naming file, line and cause.

    A record holds `score` (0 to 1, or 0 to its `scale`), or an answer and its reference. A single object may hold one score for
    all, and `rows`, the number of questions it was measured on.
    """
    scored: list[tuple[float, float | None, int]] = []
    kinds: set[str] = set()
    for line, record in _records(path):
        where = f"{path}, line {line}"
        score = next((record[name] for name in SCORES if name in record), None)
        if score is not None:
            kinds.add("scores")
            scored.append((_scaled(score, record, where), None, _count(record, where)))
            continue
        answer = next((record[name] for name in ANSWERS if name in record), None)
        reference = next((record[name] for name in REFERENCES if name in record), None)
        if not isinstance(answer, str) or not isinstance(reference, str):
            expected = f"`score`, or one of {', '.join(ANSWERS)} with one of {', '.join(REFERENCES)}"
            raise BadAnswers(f"{where}: has {', '.join(map(str, record)) or 'no keys'}; expected {expected}")
        kinds.add("f1")
        same, overlap = agreement(answer, reference)
        scored.append((overlap, same, 1))
    if not scored:
        raise BadAnswers(f"{path}: no records; expected JSON lines with `score`, or with an answer and its reference")
    if len(kinds) > 1:
        raise BadAnswers(f"{path}: some records hold scores, others answers; give one or the other in all")
    return _summary(scored, kinds.pop(), path)


def _summary(scored: list[tuple[float, float | None, int]], how: str, path: Path) -> BaseScore:
    values = np.array([value for value, _, _ in scored])
    if len(scored) == 1 and scored[0][2] == 0:
        return BaseScore(scored[0][0], math.nan, math.nan, 0, how)
    rows = sum(max(count, 1) for _, _, count in scored)
    if rows < LEAST_ROWS:
        raise BadAnswers(f"{path}: {rows} answers; give {LEAST_ROWS} or more, fewer say too little about the model")
    mean = float(np.average(values, weights=[max(count, 1) for _, _, count in scored]))
    # Of one score for all rows the spread is not known: it is at most that of right and wrong answers.
    spread = float(values.std(ddof=1)) if len(values) > 1 else math.sqrt(mean * (1 - mean))
    half = _Z95 * spread / math.sqrt(rows)
    exact = [same for _, same, _ in scored if same is not None]
    return BaseScore(mean, max(mean - half, 0), min(mean + half, 1), rows, how, float(np.mean(exact)) if exact else math.nan)


def _scaled(score: Any, record: Mapping[str, Any], where: str) -> float:
    scale = record.get("scale", 1)
    for name, value in (("score", score), ("scale", scale)):
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise BadAnswers(f"{where}: `{name}` is {value!r}; expected a number")
    if scale <= 0 or not 0 <= score <= scale:
        raise BadAnswers(f'{where}: the score {score} is not between 0 and {scale}; add "scale", the best score there is')
    return float(score) / float(scale)


def _count(record: Mapping[str, Any], where: str) -> int:
    """Return how many questions a score was measured on; 0 where the record does not say."""
    count = record.get("rows", 0)
    if isinstance(count, bool) or not isinstance(count, int) or count < 0:
        raise BadAnswers(f"{where}: `rows` is {count!r}; expected the number of questions the score was measured on")
    return count


def _records(path: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """Yield (line, record) of a JSON file, which holds an object or a list, or of JSON lines."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise BadAnswers(f"{path}: cannot be read as UTF-8 text ({error}); give JSON or JSON lines") from error
    whole: Iterable[tuple[int, Any]]
    try:
        data = json.loads(text)
        whole = [(1, record) for record in data] if isinstance(data, list) else [(1, data)]
    except RecursionError as error:
        raise BadAnswers(f"{path}: nested too deep; give JSON lines with `score`, or with an answer and its reference") from error
    except ValueError:
        whole = _lines(path, text)
    for line, record in whole:
        if not isinstance(record, dict):
            raise BadAnswers(
                f"{path}, line {line}: {type(record).__name__}; expected an object with `score`, or answer and reference"
            )
        yield line, record


def _lines(path: Path, text: str) -> Iterator[tuple[int, Any]]:
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            try:
                yield number, json.loads(line)
            except (ValueError, RecursionError) as error:
                raise BadAnswers(f"{path}, line {number}: no JSON ({error}); expected one record a line") from error


_WORD = re.compile(r"[\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff]|[^\W_]+(?:[.,]\d+)*")


def _words(text: str) -> list[str]:
    """Return the words of a text in lower case, without punctuation; of Chinese, Japanese and Korean the characters."""
    return _WORD.findall(unicodedata.normalize("NFKC", text).lower())


def agreement(answer: str, reference: str) -> tuple[float, float]:
    """Return whether two texts have the same words in order, and the harmonic mean of precision and recall of their words."""
    given, wanted = _words(answer), _words(reference)
    if not given or not wanted:
        same = float(given == wanted)
        return same, same
    shared = sum((Counter(given) & Counter(wanted)).values())
    return float(given == wanted), 2 * shared / (len(given) + len(wanted))
