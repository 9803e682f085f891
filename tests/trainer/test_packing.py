"""Packing: every piece once, rows that fit, and an order that seed and epoch alone decide."""

import numpy as np
import pytest
from advisor_trainer.arena import Pieces
from advisor_trainer.batches import Plan
from advisor_trainer.packing import alone, best_fit
from hypothesis import given, settings
from hypothesis import strategies as st

lengths_ = st.lists(st.integers(1, 64), min_size=1, max_size=200).map(lambda found: np.array(found, dtype=np.int64))


@given(lengths_, st.integers(0, 5), st.integers(0, 3))
@settings(max_examples=200, deadline=None)
def test_an_epoch_holds_every_piece_once_in_rows_that_fit(lengths, seed, epoch):
    rows = best_fit(lengths, 64).order(lengths, seed, epoch)
    assert sorted(np.concatenate(rows)) == list(range(len(lengths)))
    assert max(lengths[row].sum() for row in rows) <= 64


@given(lengths_)
@settings(max_examples=100, deadline=None)
def test_best_fit_needs_less_than_twice_the_least_number_of_rows(lengths):
    assert len(best_fit(lengths, 64)) <= max(1, 2 * lengths.sum() // 64 + 1)


def test_rows_of_chat_like_lengths_are_nearly_full():
    lengths = np.random.default_rng(0).integers(10, 400, 5000)
    assert lengths.sum() / (len(best_fit(lengths, 1024)) * 1024) > 0.99


def test_the_order_depends_on_seed_and_epoch_alone():
    lengths = np.random.default_rng(0).integers(5, 40, 300)
    pattern = best_fit(lengths, 64)

    def order(seed, epoch):
        return [row.tolist() for row in pattern.order(lengths, seed, epoch)]

    assert order(1, 0) == order(1, 0)
    assert order(1, 0) != order(1, 1)
    assert order(1, 0) != order(2, 0)
    # Not only the rows move: pieces get other neighbours.
    assert {frozenset(row) for row in order(1, 0)} != {frozenset(row) for row in order(1, 1)}


@pytest.mark.parametrize("packing", [True, False])
def test_two_processes_take_together_what_one_takes_with_twice_the_batch(packing):
    lengths = np.random.default_rng(3).integers(5, 60, 101)
    count = np.arange(101)
    pieces = Pieces(count, np.zeros(101, dtype=np.int64), lengths, lengths - 1)

    def plan(batch, rank=0, world=1):
        return list(Plan(pieces, size=64, batch=batch, packing=packing, seed=1, rank=rank, world=world).of_epoch(0))

    single, first, second = plan(6), plan(3, 0, 2), plan(3, 1, 2)
    assert len(single) == len(first) == len(second)
    for one, a, b in zip(single, first, second, strict=True):
        assert one.pieces == a.pieces + b.pieces
        assert one.labels == a.labels == b.labels


def test_without_packing_every_piece_has_its_row():
    assert [row.tolist() for row in alone(np.array([3, 9, 4])).order(np.array([3, 9, 4]), 0, 0, shuffle=False)] == [[1], [2], [0]]
