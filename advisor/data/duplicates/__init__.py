"""Near-duplicates among texts: found by MinHash, decided by exact comparison.

`near_duplicates` reads any number of texts once, in memory that grows by some hundred bytes a text. Texts that are the same
character by character count as one. What is returned are texts that are alike and, kept apart from them, templates that are
repeated with other numbers.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

from advisor.data.duplicates.candidates import rows_per_band
from advisor.data.duplicates.engines import ENGINES
from advisor.data.duplicates.kernel import sketch
from advisor.data.duplicates.search import search
from advisor.data.duplicates.store import Store
from advisor.errors import AdvisorError

__all__ = ["Cluster", "NearDuplicates", "near_duplicates"]

BATCH_CHARACTERS, BATCH_TEXTS = 1 << 20, 1 << 13
"""Texts sketched at once: some 60 MB of working memory per thread."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """Texts of which one is enough (`near`), or one template with other numbers (`template`), where nothing is to be dropped."""

    rows: tuple[int, ...]
    """Numbers of the input rows, rising. Of texts that are the same only the first row is named."""
    similarity: tuple[float, ...]
    """Of each row to the kept one: share of word pairs in both (Dice). In a `near` cluster at least the threshold."""
    keep: int
    """The row to keep: a text that ends as a finished one does before one cut off, then the longest."""
    kind: Literal["near", "template"]


@dataclass(frozen=True, slots=True)
class NearDuplicates:
    """What `near_duplicates` found."""

    clusters: tuple[Cluster, ...]
    """By their first row."""
    pairs: int
    """Pairs that were compared exactly and found alike; pairs already connected through others are not compared again."""
    sampled: bool
    """Whether only part of the rows was looked at. Always False: every row is."""


def near_duplicates(
    texts: Iterable[str], *, threshold: float = 0.7, engine: str = "local", memory_limit: int | None = None
) -> NearDuplicates:
    """Return the clusters of similar texts.

    Args:
        texts: read once, in order; may be a generator.
        threshold: least similarity, the share of word pairs two texts have in common (Dice), above 0 and at most 1.
        engine: `local`, `ray` or `spark`: where texts are sketched and compared. The result is the same.
        memory_limit: bytes the arrays of the search may take; what is more is left to files that are mapped into memory.

    Raises:
        AdvisorError: an unknown engine, a threshold out of range, a library that is not installed.
    """
    if not 0 < threshold <= 1:
        raise AdvisorError(f"threshold: expected a number above 0 and at most 1, found {threshold}")
    if engine not in ENGINES:
        raise AdvisorError(f"engine: expected one of {', '.join(ENGINES)}, found {engine!r}")
    rows = rows_per_band(threshold)
    with tempfile.TemporaryDirectory(prefix="advisor-", ignore_cleanup_errors=True) as folder, Store(Path(folder)) as store:
        run = ENGINES[engine]
        for sketches in run(partial(sketch, rows=rows), batches(texts)):
            store.add(sketches)
        store.close()
        found, pairs = search(store, threshold, rows, memory_limit, run)
        clusters = (Cluster(tuple(row), tuple(alike), keep, kind) for row, alike, keep, kind in found)
        return NearDuplicates(tuple(sorted(clusters, key=lambda cluster: (cluster.rows, cluster.kind))), pairs, sampled=False)


def batches(texts: Iterable[str]) -> Iterator[list[str]]:
    """Yield the texts in lists of some million characters."""
    batch: list[str] = []
    characters = 0
    for text in texts:
        batch.append(text)
        characters += len(text)
        if characters >= BATCH_CHARACTERS or len(batch) >= BATCH_TEXTS:
            yield batch
            batch, characters = [], 0
    if batch:
        yield batch
