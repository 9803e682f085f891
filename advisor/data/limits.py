"""Documented limits of a fine-tuning dataset: rows, tokens, files, and the split (Pangu, guidance on data volume and format)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

GIB = 1 << 30
DEFAULT_EPOCHS = 1.0
"""Epochs that duplication is multiplied with where no configuration names another number."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What is documented for one training method. rows and tokens: least and recommended; files and bytes: at most."""

    least_rows: int
    good_rows: int
    good_tokens: int = 0
    files: int = 100
    file_bytes: int = GIB
    total_bytes: int = GIB


LIMITS: Mapping[str, Limits] = {
    "sft": Limits(1000, 10_000),
    "ranking": Limits(1000, 10_000),
    "dpo": Limits(1000, 50_000),
    "rft": Limits(100, 10_000),
    "grpo": Limits(500, 4000),
    "pretrain": Limits(10_000, 10_000, good_tokens=1_000_000_000, files=1000, total_bytes=200 * GIB),
}


def limits_of(method: str) -> Limits:
    """Return the documented limits of a training method."""
    return LIMITS.get(method, LIMITS["sft"])
