"""What torchtune's recipes are given: a tiny Llama, and sentences of numbers in a row."""

from __future__ import annotations

import random

WORDS, FIRST = 40, 3


def model():
    """Return a Llama of one layer."""
    from torchtune.models.llama3 import llama3

    return llama3(
        vocab_size=FIRST + WORDS,
        num_layers=1,
        num_heads=2,
        num_kv_heads=2,
        embed_dim=32,
        max_seq_len=64,
        intermediate_dim=64,
    )


def tokenizer():
    """Return what the recipe asks a tokenizer for."""

    class Numbers:
        pad_id, eos_id = 0, 1

    return Numbers()


class Rows(list):
    """Sentences as torchtune's loader wants them."""


def dataset(tokenizer, packed=False):  # noqa: ARG001  (the recipe's own arguments)
    """Return 160 sentences, a fifth of their words drawn at random."""
    draw = random.Random(1)
    rows = Rows()
    for _ in range(160):
        begin = draw.randrange(WORDS)
        words = [begin + i if draw.random() < 0.8 else draw.randrange(WORDS) for i in range(8)]
        tokens = [FIRST + word % WORDS for word in words]
        rows.append({"tokens": tokens, "labels": tokens})
    return rows
