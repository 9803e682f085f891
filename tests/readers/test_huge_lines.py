"""What no training wrote: endless lines, columns and blank lines. It is read in part or refused, soon and in little memory."""

import json
import time
import tracemalloc

import pytest

from advisor.errors import NotALog, UnreadableLog
from advisor.readers import base, read_bytes
from advisor.readers.clean import LONGEST_TEXT

SIZE = 4_000_000
MOST_SECONDS = 10.0
"""Of this process: before these forms were minded some of them took minutes."""
MOST_MEMORY = 30 * SIZE
LOG = b"step 1 loss 2.5\nstep 2 loss 2.25\n"
NUMBERS = b",".join(b"%.4f" % (n / 10_000) for n in range(10_000))


def filled(begin, text, end=b""):
    return begin + text * (SIZE // len(text)) + end


HUGE = {
    "words": filled(LOG, b"word step 3 loss 4.5 "),
    "words-alone": filled(b"", b"word loss epoch step "),
    "letters": filled(LOG, b"a"),
    "digits": filled(b"", b"1"),
    "braces": filled(LOG, b"{"),
    "brackets": filled(b"", b"["),
    "spaces": filled(LOG, b" "),
    "line-feeds": filled(LOG, b"\n"),
    "line-feeds-before": filled(b"", b"\n", LOG),
    "carriage-returns": filled(LOG, b"\r", b"x\n"),
    "colours": filled(LOG, b"\x1b[31m"),
    "ranks": filled(LOG, b"[rank0]: "),
    "bar-without-end": filled(LOG, b" 50%|#####"),
    "heads-of-fairseq": filled(b"", b"epoch 1 | loss= nll_loss "),
    "open-dictionary": filled(b"{'loss': 2.5, 'epoch': 0.1}\n{'loss': 2.5, ", b"'abcdef': 1.0, "),
    "csv-first-line": filled(b"", NUMBERS + b","),
    "csv-header": filled(b"step,loss,", b"abc,"),
    "csv-line": filled(b"step,loss\n1,2.5\n2,2.25\n", NUMBERS + b","),
    "csv-quote": filled(b'step,loss\n1,2.5\n2,2.25\n"', b'abc,"" '),
    "csv-columns": b"step,loss," + b",".join(b"c%d" % n for n in range(100_000)) + b"\n1,2.5" + b",0" * 100_000 + b"\n",
    "json-line": filled(b'{"step": 1, "loss": 2.5}\n{"step": 2, "loss": [', NUMBERS + b",", b"1]}\n"),
    "json-nested": filled(b'{"step": 1, "loss": 2.5}\n', b'{"a":'),
    "json-open-text": filled(b'{"log_history": [{"loss": 1, "step": 1}, {"a": "', b"x"),
    "notebook-line": json.dumps(
        {"cells": [{"cell_type": "code", "outputs": [{"output_type": "stream", "text": ["loss" + "x" * SIZE]}]}], "nbformat": 4}
    ).encode(),
    "html": filled(b"<!DOCTYPE html>", b"<td>1</td>"),
    "zeros": filled(b"", b"\0"),
    "zeros-behind": filled(LOG, b"\0"),
}


@pytest.mark.parametrize("data", HUGE.values(), ids=HUGE)
def test_an_endless_line_is_read_in_part_or_refused_in_seconds_and_little_memory(data):
    began = time.process_time()
    tracemalloc.start()
    try:
        runs = read_bytes(data, "huge")
    except UnreadableLog:
        runs = []
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert sum(len(series) for run in runs for series in run.series.values()) < 100
    assert time.process_time() - began < MOST_SECONDS
    assert peak < MOST_MEMORY


@pytest.mark.parametrize("name", ["words", "letters", "braces", "colours"])
def test_what_stands_around_an_endless_line_is_read_and_the_loss_of_its_end_is_said(name):
    (run,) = read_bytes(HUGE[name] + b"\nstep 3 loss 2.0\n", "run.log")
    assert run.series["train_loss"].values.tolist()[:2] == [2.5, 2.25]
    assert run.series["train_loss"].values[-1] == 2.0
    assert "long-lines" in run.notes


def test_no_line_of_an_ordinary_log_is_shortened():
    bars = b"\r".join(b"step %d loss 2.5" % n for n in range(LONGEST_TEXT // 8))
    (run,) = read_bytes(bars, "bars.log")
    assert "long-lines" not in run.notes
    assert len(run.series["train_loss"]) == LONGEST_TEXT // 8


def test_lines_behind_a_stretch_of_blank_ones_keep_their_numbers():
    blank = b"\n" * (base.PIECE_BYTES * 3)
    for log, line in ((b"step %d loss 2.5\n", 2), (b'{"step": %d, "loss": 2.5}\n', 2), (b"step,loss\n%d,2.5\n", 3)):
        data = log % 1 + blank + log.splitlines(keepends=True)[-1] % 2
        (run,) = read_bytes(data, "run.log")
        assert run.series["train_loss"].line.tolist() == [line - 1, line + len(blank)]


def test_a_line_beyond_all_measure_is_one_clear_error():
    with pytest.raises(UnreadableLog, match=r"log:2: a line of more than \d+ MB is no log line"):
        read_bytes(b"step 1 loss 2.5\n" + b"a" * (base.MAX_LINE_BYTES + 1), "log")


def test_what_holds_no_loss_in_so_far_as_it_is_read_is_no_log():
    with pytest.raises(NotALog):
        read_bytes(b"x" * LONGEST_TEXT + b" step 1 loss 2.5", "log")
