"""`advisor data stats`: the numbers of a dataset."""

from __future__ import annotations

import zlib
from itertools import pairwise
from typing import Any

import numpy as np

from advisor.data.quality.mojibake import script_shares
from advisor.data.survey import Split

QUANTILES = (1, 5, 25, 50, 75, 95, 99, 100)
BINS = 24
FOR_DISTINCT = 20_000
"""Answers at the beginning by which distinct words are counted; where there are more, the answer says so."""

_MOSTLY = 0.5


def statistics(split: Split, *, exact: bool) -> dict[str, Any]:
    """Return the numbers. exact: the tokens were counted with a tokenizer, not estimated."""
    prompt, answer = split.column("prompt_tokens"), split.column("answer_tokens")
    whole = prompt + answer
    rows = len(whole)
    return {
        "files": [{"name": f.name, "kind": f.kind, "schema": f.schema, "bytes": f.size, "records": f.records} for f in split.files],
        "records": split.records,
        "rows": rows,
        "schemas": split.schemas,
        "tokens": {"counted": exact, "total": int(whole.sum()), "prompt": int(prompt.sum()), "answer": int(answer.sum())},
        "lengths": {name: _quantiles(values) for name, values in (("prompt", prompt), ("answer", answer), ("row", whole))},
        "answer_share": float(answer.sum() / max(whole.sum(), 1)),
        "histogram": _histogram(whole),
        "distinct_rows": len(np.unique(split.column("normal"))),
        **_texts(split),
    }


def _quantiles(values: np.ndarray[Any, Any]) -> dict[str, float]:
    if not len(values):
        return {}
    return {f"p{q}" if q < QUANTILES[-1] else "max": float(np.percentile(values, q)) for q in QUANTILES} | {
        "mean": float(values.mean())
    }


def _histogram(values: np.ndarray[Any, Any]) -> list[tuple[int, int, int]]:
    """Return (from, to, rows) of bins that widen by the same factor, as lengths spread over orders of magnitude."""
    if not len(values):
        return []
    low, high = max(int(values.min()), 1), int(values.max()) + 1
    edges = np.unique(np.round(np.geomspace(low, max(high, low + 1), BINS + 1)).astype(int))
    counts, _ = np.histogram(values, bins=edges)
    return [(int(a), int(b), int(n)) for a, b, n in zip(edges[:-1], edges[1:], counts, strict=True)]


def _texts(split: Split) -> dict[str, Any]:
    """Read the text again: languages by script, how far it can be compressed, how many of its words and word pairs are distinct."""
    packer, packed, size = zlib.compressobj(6), 0, 0
    scripts = {"chinese": 0, "other": 0, "none": 0}
    turns = count = words = 0
    single: set[int] = set()
    pairs: set[int] = set()
    for example in split.examples():
        answer = example.answer
        raw = answer.encode("utf-8", "replace")
        size += len(raw)
        packed += len(packer.compress(raw))
        han, letters = script_shares(answer)
        scripts["none" if not han + letters else "chinese" if han > _MOSTLY * (han + letters) else "other"] += 1
        turns += len(example.turns)
        count += 1
        if count <= FOR_DISTINCT:
            tokens = answer.split() if not han else list(answer)
            words += len(tokens)
            single.update(map(hash, tokens))
            pairs.update(map(hash, pairwise(tokens)))
    packed += len(packer.flush())
    return {
        "turns_per_row": turns / max(count, 1),
        "answer_scripts": scripts,
        "compression": size / max(packed, 1),
        "distinct": {
            "of_answers": min(count, FOR_DISTINCT),
            "words": len(single) / max(words, 1),
            "pairs": len(pairs) / max(words, 1),
        },
    }
