"""What the signals of a dataset return: frozen numbers, and the rows that show them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from advisor.data.limits import Limits


@dataclass(frozen=True, slots=True)
class NearOptions:
    """How rows that are nearly the same are looked for."""

    wanted: bool
    engine: str
    threshold: float


@dataclass(frozen=True, slots=True)
class Volume:
    """How much there is to train on. method: see `advisor.data.limits`. tokens: of the rows, counted or estimated."""

    method: str
    rows: int
    tokens: int
    files: int
    largest: int
    size: int
    limits: Limits


@dataclass(frozen=True, slots=True)
class Share:
    """Some rows of all, with the places of the first ones."""

    count: int
    of: int
    rows: np.ndarray[tuple[int], np.dtype[np.int64]]


@dataclass(frozen=True, slots=True)
class Leaks:
    """Rows of the evaluation data that stand in the training data too: (row there, row here, how), by the row there."""

    rows: tuple[tuple[int, int, str], ...]
    of: int
    near: bool


@dataclass(frozen=True, slots=True)
class Lengths:
    """Rows longer than a limit, and the tokens of their answers that would be cut off."""

    limit: int
    count: int
    of: int
    lost: int
    answers: int
    longest: int
    rows: np.ndarray[tuple[int], np.dtype[np.int64]]


@dataclass(frozen=True, slots=True)
class Health:
    """Rows with nothing wrong among all records."""

    normal: int
    of: int
    worst: str


@dataclass(frozen=True, slots=True)
class Sides:
    """Rows on either side of a split."""

    train: int
    evaluation: int


@dataclass(frozen=True, slots=True)
class Opening:
    """Questions that begin in the commonest way, of all questions; the first row of them."""

    count: int
    of: int
    row: int


@dataclass(frozen=True, slots=True)
class Rounds:
    """Conversations of more than one round, of all rows. counts: by number of rounds."""

    count: int
    of: int
    counts: np.ndarray[tuple[int], np.dtype[np.int64]]


@dataclass(frozen=True, slots=True)
class JsonFields:
    """Answers that are JSON objects, of all rows. counts: field → answers that hold it. first: field → the first such row."""

    answers: int
    of: int
    counts: dict[str, int]
    first: dict[str, int]


@dataclass(frozen=True, slots=True)
class Contrast:
    """Training data beside evaluation data.

    prompts, answers: the largest gap between the distributions of their lengths in tokens, 0 to 1; *_medians: (training,
    evaluation). chinese_*: share of the answers that are Chinese.
    """

    train: int
    evaluation: int
    prompts: float
    answers: float
    prompt_medians: tuple[float, float]
    answer_medians: tuple[float, float]
    chinese_train: float
    chinese_evaluation: float
