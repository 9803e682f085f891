"""The arena: what the length limit leaves of a row, counted exactly."""

import numpy as np
from advisor_trainer.arena import build, opened, pieces_of
from advisor_trainer.dataset import split


def rows(*masks):
    """Rows of which the given tokens are trained on, one line each."""
    for line, mask in enumerate(masks, 1):
        yield (np.arange(len(mask), dtype=np.int32), np.array(mask, dtype=np.uint8)), 0, line


def test_what_was_written_is_read_back(tmp_path):
    arena = build(tmp_path / "a", rows([0, 1, 1], [0, 0, 1]), ["x.jsonl"], text=False)
    assert arena.tokens.tolist() == [0, 1, 2, 0, 1, 2]
    assert arena.mask.tolist() == [0, 1, 1, 0, 0, 1]
    assert arena.lengths.tolist() == [3, 3]
    assert arena.place(1) == "x.jsonl:2"


def test_half_an_arena_is_none(tmp_path):
    build(tmp_path / "a", rows([0, 1, 1]), ["x"], text=False)
    (tmp_path / "a" / "tokens.bin").write_bytes(b"12")
    assert opened(tmp_path / "a") is None
    assert opened(tmp_path / "nowhere") is None


def test_cut_answers_and_rows_without_a_label_are_counted_and_the_latter_left_out(tmp_path):
    arena = build(
        tmp_path / "a",
        rows([0, 0, 1, 1], [0, 1, 1, 1, 1, 1], [0, 0, 0, 0, 0, 1], [0, 0, 0], [1, 0, 0], [0, 1, 0, 0, 0, 0]),
        ["x.jsonl"],
        text=False,
    )
    pieces, losses = pieces_of(arena, 4)
    assert pieces.row.tolist() == [0, 1, 5]
    assert pieces.length.tolist() == [4, 4, 4]
    assert pieces.labels.tolist() == [2, 3, 1]
    # The first token is predicted from nothing, so that a row that is trained on there alone has no label.
    assert (losses.rows, losses.cut, losses.empty) == (6, 1, 3)
    assert (losses.first_cut, losses.first_empty) == ("x.jsonl:2", "x.jsonl:3")
    assert losses.share == 4 / 6


def test_windows_of_running_text_predict_every_token_but_the_first_once(tmp_path):
    for length in (1, 2, 8, 9, 15, 16, 100):
        arena = build(tmp_path / str(length), rows([1] * length), ["x"], text=True)
        pieces, losses = pieces_of(arena, 8)
        predicted = [at for b, n in zip(pieces.begin, pieces.length, strict=True) for at in range(b + 1, b + n)]
        assert predicted == list(range(1, length))
        assert pieces.labels.sum() == length - 1
        assert losses.empty == (length == 1)


def test_pieces_of_one_row_stay_on_one_side_of_the_split(tmp_path):
    arena = build(tmp_path / "a", rows(*[[1] * 50] * 22), ["x"], text=True)
    pieces, _ = pieces_of(arena, 8)
    train, held_out = split(pieces, 10, seed=3)
    assert set(train.row) | set(held_out.row) == set(range(22))
    assert not set(train.row) & set(held_out.row)
    assert len(set(held_out.row)) == 2
    assert split(pieces, 10, seed=3)[1].row.tolist() == held_out.row.tolist()
    assert split(pieces, 10, seed=4)[1].row.tolist() != held_out.row.tolist()
