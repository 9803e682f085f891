"""Measurements of what the rows are of, taken together: kinds of questions, rounds, fields of JSON, both sides of a split."""

from __future__ import annotations

import numpy as np

from advisor.data.measured import Contrast, JsonFields, Opening, Rounds
from advisor.data.quality.checks import CHINESE
from advisor.data.registry import dataset_signal
from advisor.data.survey import IntArray, Split


@dataset_signal
def opening(train: Split) -> Opening:
    """The way in which most questions begin."""
    openings = train.column("opening")
    openings = openings[openings != 0]
    if not len(openings):
        return Opening(0, 0, 0)
    kinds, counts = np.unique(openings, return_counts=True)
    most = kinds[int(counts.argmax())]
    return Opening(int(counts.max()), len(openings), int(np.flatnonzero(train.column("opening") == most)[0]))


@dataset_signal
def rounds(train: Split) -> Rounds:
    """How many rounds the conversations have that have more than one."""
    found = train.column("rounds")
    several = found[found > 1]
    return Rounds(len(several), len(found), np.bincount(several) if len(several) else np.zeros(1, dtype=np.int64))


@dataset_signal
def json_fields(train: Split) -> JsonFields:
    """The fields of answers that are JSON objects."""
    return JsonFields(train.fields.answers, len(train), dict(train.fields.counts), dict(train.fields.first))


@dataset_signal
def contrast(train: Split, evaluation: Split) -> Contrast:
    """How far the evaluation data are from the training data in lengths and language."""

    def apart(column: str) -> float:
        return distance(train.column(column), evaluation.column(column))

    def median(split: Split, column: str) -> float:
        return float(np.median(split.column(column))) if len(split) else 0.0

    return Contrast(
        len(train), len(evaluation), apart("prompt_tokens"), apart("answer_tokens"),
        (median(train, "prompt_tokens"), median(evaluation, "prompt_tokens")),
        (median(train, "answer_tokens"), median(evaluation, "answer_tokens")),
        _chinese(train), _chinese(evaluation),
    )  # fmt: skip


def _chinese(split: Split) -> float:
    return float(np.count_nonzero(split.column("terms") & CHINESE)) / max(len(split), 1)


def distance(one: IntArray, other: IntArray) -> float:
    """Return the largest gap between two distributions: the statistic of Kolmogorov and Smirnov, 0 to 1."""
    if not len(one) or not len(other):
        return 0.0
    values = np.union1d(one, other)
    shares = (np.searchsorted(np.sort(side), values, side="right") / len(side) for side in (one, other))
    return float(np.abs(np.subtract(*shares)).max())
