"""Facts about training data that parameters depend on: how much there is, of what kind, and how long the rows are."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from advisor.data.survey import survey
from advisor.data.tokens import Counter
from advisor.errors import BadPlan

PERCENTILES = (50, 95, 99, 100)


@dataclass(frozen=True)
class Data:
    """What a plan takes from the data.

    rows: good rows. lengths: tokens of each. counted: whether a tokenizer counted them. schema: of most rows. text: whether they
    are running text without questions. repeated: rows that say the same as another but for case and blanks.
    """

    path: Path
    rows: int
    lengths: np.ndarray[tuple[int], np.dtype[np.int64]]
    counted: bool
    schema: str
    text: bool
    repeated: int = 0

    @property
    def tokens(self) -> int:
        """Tokens of all rows."""
        return int(self.lengths.sum())

    def percentile(self, percent: float) -> int:
        """Return the length that so many percent of the rows do not exceed."""
        return int(np.ceil(np.percentile(self.lengths, percent)))


LEAST_ROWS = 50
"""With fewer rows nothing is planned: the first gain shows at 50 to 100 (OpenAI)."""


def read_data(path: Path, tokenizer: Path | None) -> Data:
    """Return the facts of training data. Raises BadPlan where nothing can be trained on, UnreadableData where it cannot be read."""
    counter = Counter(_usable(tokenizer))
    split = survey([path], counter=counter).train
    schemas = split.schemas
    schema = max(schemas, key=lambda name: schemas[name], default="")
    if not len(split) or not schema:
        raise BadPlan(f"{path}: no row to train on; see what is wrong with: advisor data check {path}")
    if schema in ("dpo", "alpaca-dpo", "pangu-ranking"):
        raise BadPlan(f"{path}: preference pairs; a plan is for supervised rows or running text. See: advisor data check {path}")
    if len(split) < LEAST_ROWS and schema != "pangu-text":
        raise BadPlan(
            f"{path}: {len(split)} rows; fewer than {LEAST_ROWS} train nothing. See: advisor should-finetune --data {path}"
        )
    lengths = split.column("prompt_tokens") + split.column("answer_tokens")
    repeated = len(split) - len(np.unique(split.column("normal")))
    return Data(path, len(split), lengths, counter.exact, schema, schema == "pangu-text", repeated)


def _usable(tokenizer: Path | None) -> Path | None:
    """Return the tokenizer where the library to read it is there; lengths are estimated without."""
    if tokenizer is None:
        return None
    try:
        import tokenizers  # noqa: F401  only whether it is there
    except ImportError:
        return None
    return tokenizer
