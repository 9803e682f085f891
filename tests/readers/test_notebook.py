"""Notebooks that were executed (sample_logs/formats/notebook), and the shapes that other tools and versions give them."""

import json

import pytest

from advisor.errors import UnreadableLog
from advisor.readers import read_bytes, read_path

HEADER = "<table><tr><th>Step</th><th>Training Loss</th><th>Validation Loss</th><th>Accuracy</th></tr>\n"


@pytest.fixture
def samples(root):
    return root / "sample_logs" / "formats" / "notebook"


def html(*rows, header=HEADER):
    body = ["<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>\n" for row in rows]
    return {"output_type": "display_data", "data": {"text/html": [header, *body, "</table>"], "text/plain": ["<HTML object>"]}}


def stream(text, name="stdout"):
    return {"output_type": "stream", "name": name, "text": text.splitlines(keepends=True)}


def plain(text):
    return {"output_type": "execute_result", "data": {"text/plain": text.splitlines(keepends=True)}}


def runs_of(*cells, indent=1):
    book = {"cells": [{"cell_type": "code", "outputs": list(outputs), "source": []} for outputs in cells], "nbformat": 4}
    return read_bytes(json.dumps(book, indent=indent).encode(), "book.ipynb")


def test_the_table_the_evaluation_and_the_history_of_one_training_are_one_run(samples):
    (run,) = read_path(samples / "table.ipynb")
    assert run.series["train_loss"].x.tolist() == [5, 10, 15, 20, 25, 30]
    assert run.series["eval_loss"].x.tolist() == [10, 20, 30]


def test_two_trainings_that_print_dictionaries_are_two_runs(samples):
    runs = read_path(samples / "printed.ipynb")
    assert [len(run.series["train_loss"]) for run in runs] == [6, 6]
    assert [len(run.series["eval_loss"]) for run in runs] == [3, 3]


def test_lines_are_those_of_the_notebook_file(samples):
    lines = (samples / "printed.ipynb").read_text().splitlines()
    for run in read_path(samples / "printed.ipynb"):
        for number, value in zip(run.series["train_loss"].line, run.series["train_loss"].values, strict=True):
            assert f"'loss': '{value:.4g}'" in lines[number - 1]


def test_a_table_row_stands_on_the_line_where_it_begins():
    (run,) = runs_of([html((10, 1.5, 1.6, 0.5), (20, 1.25, 1.5, 0.75))])
    book = json.dumps({"cells": [{"cell_type": "code", "outputs": [html((10, 1.5, 1.6, 0.5), (20, 1.25, 1.5, 0.75))]}]}, indent=1)
    assert "<td>10</td>" in book.splitlines()[run.series["train_loss"].line[0] - 1]


def test_a_notebook_on_one_line_is_read_without_line_numbers():
    (run,) = runs_of([html((10, 1.5, 1.6, 0.5), (20, 1.25, 1.5, 0.75))], indent=None)
    assert run.series["train_loss"].line.tolist() == [0, 0]


def test_no_log_is_no_measurement():
    (run,) = runs_of([html((10, "No log", 1.6, 0.5), (20, 1.25, 1.5, 0.75))])
    assert run.series["train_loss"].x.tolist() == [20]
    assert run.series["eval_loss"].x.tolist() == [10, 20]


def test_the_metrics_beside_the_validation_loss_are_the_evaluations():
    (run,) = runs_of([html((10, 1.5, 1.6, 0.5), (20, 1.25, 1.5, 0.75))])
    assert run.series["eval_accuracy"].values.tolist() == [0.5, 0.75]


def test_a_table_by_epochs_is_drawn_over_epochs():
    (run,) = runs_of([html((1, 1.5, 1.6), (2, 1.25, 1.5), header=HEADER.replace("Step", "Epoch").replace("<th>Accuracy</th>", ""))])
    assert run.axis == "epoch"


def test_two_tables_are_two_runs():
    first, second = html((10, 1.5, 1.6, 0.5), (20, 1.25, 1.5, 0.75)), html((10, 2.5, 2.6, 0.5), (20, 2.25, 2.5, 0.75))
    assert [run.series["train_loss"].values[0] for run in runs_of([first], [second])] == [1.5, 2.5]
    assert len(runs_of([first, second])) == 2


def test_a_table_shown_again_is_one_run():
    table, longer = (
        html((10, 1.5, 1.6, 0.5), (20, 1.25, 1.5, 0.75)),
        html((10, 1.5, 1.6, 0.5), (20, 1.25, 1.5, 0.75), (30, 1, 1, 1)),
    )
    (run,) = runs_of([table, table], [longer])
    assert len(run.series["train_loss"]) == 3


def test_the_table_and_the_printed_lines_of_one_cell_are_one_run():
    printed = "".join(f"{{'loss': {2 - i / 10}, 'epoch': {i / 10}}}\n" for i in range(1, 7))
    (run,) = runs_of([html((3, 1.7, 1.6, 0.5), (6, 1.4, 1.5, 0.75)), stream(printed)])
    assert len(run.series["train_loss"]) == 6


def test_an_evaluation_in_a_cell_of_its_own_is_no_point():
    printed = "".join(f"{{'loss': {2 - i / 10}, 'epoch': {i / 10}}}\n" for i in range(1, 7))
    (run,) = runs_of([stream(printed)], [stream("{'eval_loss': 1.5, 'epoch': 1.0}\n")])
    assert "eval_loss" not in run.series


def test_a_second_training_in_one_cell_begins_after_the_closing_line_of_the_first():
    printed = "".join(f"{{'loss': {2 - i / 10}, 'epoch': {i / 10}}}\n" for i in range(1, 7))
    closing = "{'train_runtime': 3.0, 'train_loss': 1.7, 'epoch': 0.6}\n"
    assert [len(run.series["train_loss"]) for run in runs_of([stream((printed + closing) * 2)])] == [6, 6]


def test_lines_of_text_are_read_as_in_a_console_log():
    (run,) = runs_of([stream("".join(f"Epoch {i}: train_loss={2 - i / 10} val_loss={2.1 - i / 10}\n" for i in range(1, 5)))])
    assert len(run.series["train_loss"]) == len(run.series["eval_loss"]) == 4


def test_a_table_of_pandas_in_plain_text_is_read():
    (run,) = runs_of([plain("   step  train_loss  val_loss\n0    10      1.5000    1.6000\n1    20      1.2500       NaN\n")])
    assert run.series["train_loss"].values.tolist() == [1.5, 1.25]
    assert run.series["eval_loss"].x.tolist() == [10]


def test_an_error_in_the_training_cell_is_an_event():
    error = {"output_type": "error", "ename": "OutOfMemoryError", "evalue": "CUDA out of memory.", "traceback": []}
    (run,) = runs_of([html((10, 1.5, 1.6, 0.5), (20, 1.25, 1.5, 0.75)), error])
    assert [event.kind for event in run.events] == ["out-of-memory"]


def test_a_notebook_cut_off_keeps_its_whole_cells():
    first, second = html((10, 1.5, 1.6, 0.5), (20, 1.25, 1.5, 0.75)), html((10, 2.5, 2.6, 0.5))
    book = json.dumps({"cells": [{"cell_type": "code", "outputs": [o]} for o in (first, second)]}, indent=1)
    (run,) = read_bytes(book[: book.rindex("2.5")].encode(), "book.ipynb")
    assert len(run.series["train_loss"]) == 2
    assert run.unread_count == 1


def test_a_notebook_without_a_loss_says_so():
    with pytest.raises(UnreadableLog, match="a notebook whose outputs show no training loss"):
        runs_of([stream("hello\n")])
