"""The faults the recipes plant: each changes the rows or the model of an otherwise sound run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import torch
from torch import nn

from tasks import IGNORED, WORLD_SEED, Rows

NOISY_SHARE = 0.4
BATCH, BAD_BATCH = 16, 31  # counted in the order in which the run reads its rows


def masked_labels(rows: Rows, _seed: int) -> Rows:
    """Mask every label, as a chat template that never matches does."""
    return replace(rows, labels=torch.full_like(rows.labels, IGNORED))


def random_labels(rows: Rows, seed: int) -> Rows:
    """Draw every token anew and evenly, so that nothing can be learnt."""
    ids = torch.randint(rows.vocab_size, rows.input_ids.shape, generator=_generator(seed))
    return replace(rows, input_ids=ids, labels=ids.clone())


def noisy_labels(rows: Rows, seed: int) -> Rows:
    """Give a share of the rows a label drawn from all tokens."""
    generator = _generator(seed)
    noisy = torch.rand(len(rows), 1, generator=generator) < NOISY_SHARE
    drawn = torch.randint(rows.vocab_size, rows.labels.shape, generator=generator)
    labels = torch.where(noisy & (rows.labels != IGNORED), drawn, rows.labels)
    return replace(rows, labels=labels)


def corrupt_batch(rows: Rows, seed: int) -> Rows:
    """Overwrite the rows of one batch with random bytes; rows are read in order, so it recurs."""
    ids, labels = rows.input_ids.clone(), rows.labels.clone()
    bad = slice(BAD_BATCH * BATCH, (BAD_BATCH + 1) * BATCH)
    ids[bad] = torch.randint(rows.vocab_size, ids[bad].shape, generator=_generator(seed))
    labels[bad] = torch.where(labels[bad] == IGNORED, IGNORED, ids[bad])
    return replace(rows, input_ids=ids, labels=labels)


def other_tokenizer(rows: Rows, _seed: int) -> Rows:
    """Number the tokens in another order than the one the base model was trained with."""
    order = torch.randperm(rows.vocab_size, generator=_generator(WORLD_SEED))
    labels = torch.where(rows.labels == IGNORED, IGNORED, order[rows.labels.clamp(min=0)])
    return replace(rows, input_ids=order[rows.input_ids], labels=labels)


def _generator(seed: int) -> torch.Generator:
    """Return a random generator of its own, so that a fault does not shift the run's draws."""
    return torch.Generator().manual_seed(seed + 1)


def half_precision(model: nn.Module) -> None:
    """Keep the weights themselves in 16 bit, where Adam's epsilon of 1e-8 rounds to zero."""
    model.half()


FAULTS_IN_ROWS: dict[str, Callable[[Rows, int], Rows]] = {
    "masked-labels": masked_labels,
    "random-labels": random_labels,
    "noisy-labels": noisy_labels,
    "corrupt-batch": corrupt_batch,
    "other-tokenizer": other_tokenizer,
}
FAULTS_IN_MODEL: dict[str, Callable[[nn.Module], None]] = {
    "half-precision": half_precision,
}
