"""Perplexity, BLEU, ROUGE, exact match and token F1, each with its interval, and its gain over the base model.

BLEU is sacrebleu's, ROUGE that of rouge-score, the implementations that papers and leaderboards use. Both are told how to
tokenise: Chinese by characters, as sacrebleu's `zh` does; rouge-score's own tokeniser would drop every Chinese character.
"""

from __future__ import annotations

import importlib.util
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from advisor.evaluation.bootstrap import RESAMPLES, SEED, Array, estimate, resampled
from advisor.evaluation.model import Answer, Metric
from advisor.evaluation.text import overlap, same, script_of, tokens

LEAST_TOKENS_FOR_BLEU = 4
"""BLEU counts runs of four words; where half of the references are shorter it counts hardly anything."""

COUNTED = ("rouge1", "rouge2")
ROUGES = (*COUNTED, "rougeL")
_BLEU_ORDERS = 4


@dataclass(frozen=True)
class Kind:
    """A metric over rows whose statistics add up: sums → value. better: `higher` or `lower`."""

    name: str
    unit: str
    better: str
    of: Callable[[Array], Array]


def _mean(sums: Array) -> Array:
    return np.asarray(sums[:, 0] / sums[:, 1])


def _perplexity(sums: Array) -> Array:
    with np.errstate(over="ignore"):
        return np.asarray(np.exp(sums[:, 0] / sums[:, 1]))


def _bleu(sums: Array) -> Array:
    from sacrebleu.metrics.bleu import BLEU

    orders = _BLEU_ORDERS
    return np.array([
        BLEU.compute_bleu(row[:orders], row[orders : 2 * orders], row[-2], row[-1], smooth_method="exp").score
        for row in sums.astype(int).tolist()
    ])  # fmt: skip


EXACT = Kind("exact", "share", "higher", _mean)
F1 = Kind("f1", "share", "higher", _mean)
PERPLEXITY = Kind("perplexity", "perplexity", "lower", _perplexity)
BLEU_KIND = Kind("bleu", "points", "higher", _bleu)
ROUGE_KINDS = tuple(Kind(name, "share", "higher", _mean) for name in ROUGES)


def available(package: str) -> bool:
    """Tell whether an optional library is installed."""
    return importlib.util.find_spec(package) is not None


def exact_match(text: str, references: Sequence[str]) -> float:
    """Return 1 where the words of `text` are those of a reference, else 0."""
    return float(any(same(text) == same(reference) for reference in references))


def token_f1(text: str, references: Sequence[str]) -> float:
    """Return the best overlap of words with a reference."""
    said = tokens(text)
    return max(overlap(tokens(reference), said) for reference in references)


@dataclass(frozen=True)
class Measured:
    """All metrics of a file, and why others are not there: name → the reason (a key of the locale)."""

    metrics: tuple[Metric, ...]
    absent: dict[str, str]

    def named(self, name: str) -> Metric | None:
        """Return the metric of this name, or None."""
        return next((metric for metric in self.metrics if metric.name == name), None)


def measure(answers: Sequence[Answer], resamples: int = RESAMPLES, seed: int = SEED) -> Measured:
    """Return every metric that the rows allow."""
    judged = [answer for answer in answers if answer.references]
    with_loss = [a for a in answers if math.isfinite(a.loss) and a.label_tokens]
    absent: dict[str, str] = {}
    found: list[Metric] = []

    def add(kind: Kind, own: Array, base: Array | None) -> None:
        found.append(_metric(kind, own, base, resamples, seed))

    if with_loss:
        based = all(math.isfinite(a.base_loss) for a in with_loss)
        add(PERPLEXITY, _losses(with_loss, "loss"), _losses(with_loss, "base_loss") if based else None)
    else:
        absent["perplexity"] = "needs-model"
    if not judged:
        return Measured(tuple(found), absent | dict.fromkeys((EXACT.name, F1.name, BLEU_KIND.name, *ROUGES), "needs-references"))
    texts = [a.prediction for a in judged]
    based_texts = [a.base for a in judged if a.base is not None]
    bases = based_texts if len(based_texts) == len(judged) else None
    references = [a.references for a in judged]
    for kind, score in ((EXACT, exact_match), (F1, token_f1)):
        add(kind, _scores(texts, references, score), _scores(bases, references, score) if bases else None)
    _with_libraries(add, absent, texts, bases, references)
    return Measured(tuple(found), absent)


def _with_libraries(
    add: Callable[[Kind, Array, Array | None], None], absent: dict[str, str], texts: list[str], bases: list[str] | None,
    references: list[tuple[str, ...]],
) -> None:  # fmt: skip
    lengths = sorted(len(tokens(one[0])) for one in references)
    if lengths[len(lengths) // 2] < LEAST_TOKENS_FOR_BLEU:
        absent[BLEU_KIND.name] = "short-references"
    elif not available("sacrebleu"):
        absent[BLEU_KIND.name] = "needs-extra"
    else:
        add(BLEU_KIND, _bleu_stats(texts, references), _bleu_stats(bases, references) if bases else None)
    if not available("rouge_score"):
        absent.update(dict.fromkeys(ROUGES, "needs-extra"))
        return
    own, other = _rouge(texts, references), _rouge(bases, references) if bases else None
    for number, kind in enumerate(ROUGE_KINDS):
        add(kind, _with_ones(own[:, number]), _with_ones(other[:, number]) if other is not None else None)


def _metric(kind: Kind, own: Array, base: Array | None, resamples: int, seed: int) -> Metric:
    """Return a metric; the same rows are drawn for both models, so that the gain is paired."""
    drawn = resampled(own, kind.of, resamples, seed)
    value = float(kind.of(own.sum(axis=0, keepdims=True))[0])
    mine = estimate(value, drawn)
    if base is None:
        return Metric(kind.name, kind.unit, kind.better, len(own), mine)
    drawn_base = resampled(base, kind.of, resamples, seed)
    value_base = float(kind.of(base.sum(axis=0, keepdims=True))[0])
    gain = estimate(value - value_base, drawn - drawn_base)
    return Metric(kind.name, kind.unit, kind.better, len(own), mine, estimate(value_base, drawn_base), gain)


def _with_ones(values: Array) -> Array:
    return np.stack([values, np.ones_like(values)], axis=1)


def _scores(texts: Sequence[str], references: Sequence[tuple[str, ...]], score: Callable[[str, Sequence[str]], float]) -> Array:
    return _with_ones(np.array([score(text, right) for text, right in zip(texts, references, strict=True)]))


def _losses(answers: Sequence[Answer], name: str) -> Array:
    return np.array([[getattr(a, name) * a.label_tokens, a.label_tokens] for a in answers], dtype=np.float64)


def bleu_tokeniser(references: Sequence[tuple[str, ...]]) -> str:
    """Return the name of the sacrebleu tokeniser that fits the references."""
    return {"zh": "zh", "ja": "char", "other": "13a"}[script_of([one[0] for one in references])]


def _bleu_stats(texts: Sequence[str], references: Sequence[tuple[str, ...]]) -> Array:
    from sacrebleu.metrics.bleu import BLEU

    bleu = BLEU(tokenize=bleu_tokeniser(references), effective_order=True)
    rows = []
    for text, right in zip(texts, references, strict=True):
        found = bleu.sentence_score(text, list(right))
        rows.append([*found.counts, *found.totals, found.sys_len, found.ref_len])
    return np.array(rows, dtype=np.float64)


class _Words:
    """The tokeniser that rouge-score is given."""

    def tokenize(self, text: str) -> list[str]:
        return list(tokens(text))


def _rouge(texts: Sequence[str], references: Sequence[tuple[str, ...]]) -> Array:
    """Return ROUGE-1, -2 and -L of every row, the best over its references."""
    from rouge_score.rouge_scorer import RougeScorer

    scorer: Any = RougeScorer(list(COUNTED), tokenizer=_Words())
    rows = []
    for text, right in zip(texts, references, strict=True):
        found = scorer.score_multi(list(right), text)
        longest = max(rouge_l(text, reference) for reference in right)
        rows.append([*(found[name].fmeasure for name in COUNTED), longest])
    return np.array(rows, dtype=np.float64)


def rouge_l(text: str, reference: str) -> float:
    """Return ROUGE-L as rouge-score defines it, whose table of n × m cells takes seconds for a page of text."""
    said, right = tokens(text), tokens(reference)
    if not said or not right:
        return 0.0
    return 2 * _longest_common(said, right) / (len(said) + len(right))


def _longest_common(one: Sequence[str], other: Sequence[str]) -> int:
    """Return the length of the longest common subsequence, all cells of a row in the bits of one number (Hyyrö, 2004)."""
    places: dict[str, int] = {}
    for place, word in enumerate(one):
        places[word] = places.get(word, 0) | 1 << place
    full = (1 << len(one)) - 1
    row = full
    for word in other:
        matched = row & places.get(word, 0)
        row = (row + matched | row - matched) & full
    return len(one) - row.bit_count()
