"""Fast ways of reading give what the plain ways give: shapes of lines, blocks of objects and of cells, pieces of files."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from advisor.readers import base, formats, hf_console, read_bytes, table, terse, text, text_line
from advisor.readers.assemble import assemble
from advisor.readers.base import Source
from advisor.readers.blocks import block, parse_all
from advisor.readers.columns import Columns
from advisor.readers.json_lines import _one_by_one

ROOT = Path(__file__).parent.parent.parent
relaxed = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])


def lines_of_samples():
    for entry in formats():
        yield from entry.example.splitlines()
    for path in sorted((ROOT / "sample_logs").rglob("*")):
        if path.is_file() and path.suffix in (".log", ".csv", ".txt", ".jsonl", ".json"):
            yield from path.read_text(encoding="utf-8", errors="replace").splitlines()[:400]


@pytest.mark.parametrize("find", [text_line.layout_of, hf_console._printed], ids=["text", "hf-console"])
def test_the_numbers_of_every_sample_line_stand_where_its_shape_says(find):
    for line in lines_of_samples():
        assert find(line) == find.__wrapped__(line)[0], line


PIECES = (
    "step |epoch |Epoch [|] |/|loss|loss: |lr=|val_loss: |{'loss': |'epoch': |}|, |%|it/s|lr_0 |rouge1: |第|步|损失：|1e-|.|-|"
    "iter |(|)|nan|s 1,|'|eval_|'split': 'val', |'kind': 'train', |Global |第 |为|CV Batch |rank "
)
pieces = st.sampled_from([*PIECES.split("|"), "|", "%|", " | "])
printed_lines = st.lists(st.one_of(pieces, st.integers(0, 10**6).map(str), st.floats(0, 10).map(repr)), max_size=24).map("".join)


@relaxed
@given(printed_lines)
@example("Epoch [3/3] loss 2.0")
@example("eval_rouge1: 0.5 loss 1.5")
@example("{'loss': 1.5, 'rouge2': 0.1, 'epoch': 1}")
def test_the_shape_of_any_line_tells_where_its_numbers_stand(line):
    for find in (text_line.layout_of, hf_console._printed):
        assert find(line) == find.__wrapped__(line)[0]


SAMPLES_OF_CONSOLES = sorted(
    path
    for path in (ROOT / "sample_logs").rglob("*")
    if path.suffix in (".log", ".txt") or (path.parent.name in ("text", "hf-console") and path.is_file())
)


def in_both_ways(console, data):
    """What is read of lines together, in small pieces, and of each by itself."""
    read = {text: text.read, hf_console: hf_console.read}[console]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(base, "PIECE_BYTES", 1 << 13)
        together = assemble(read(Source("log", data=data)), "log", "x")
        patch.setattr(console._Console, "told", lambda *_: None)
        apart = assemble(read(Source("log", data=data)), "log", "x")
    return together, apart


def assert_same_runs(some, other):
    assert len(some) == len(other)
    for mine, theirs in zip(some, other, strict=True):
        for field in ("axis", "config", "unread", "unread_count", "notes"):
            assert getattr(mine, field) == getattr(theirs, field)
        assert repr(mine.events) == repr(theirs.events)
        assert list(mine.series) == list(theirs.series)
        for name, series in mine.series.items():
            for part in ("values", "x", "epoch", "line"):
                assert np.array_equal(getattr(series, part), getattr(theirs.series[name], part), equal_nan=True), (name, part)


@pytest.mark.parametrize("console", [text, hf_console], ids=["text", "hf-console"])
@pytest.mark.parametrize("path", SAMPLES_OF_CONSOLES, ids=lambda path: path.name)
def test_a_console_read_many_lines_at_once_gives_what_each_line_gives_by_itself(path, console):
    data = path.read_bytes()
    assert_same_runs(*in_both_ways(console, data))


TERSE = st.sampled_from(
    [
        "0 val 10.95", "10 train 9.5", "20 train 8.25", "s:30 tel:3.5", "s:40 trl:3.25 lr:0.001", "50 train 3 train 4",
        " 60 val 3.0 ",
        "70 hella 0.25", "80 other 1.0", "90 train nan", "100 train 1_0", "110 val x", "", "RuntimeError: CUDA out of memory.",
        "0 val -",
        "120 train 2.5\r", "error at 130",
    ]
)  # fmt: skip


@relaxed
@given(st.lists(TERSE, max_size=60))
def test_terse_lines_read_at_once_give_what_each_gives_by_itself(lines):
    data = "\n".join(lines).encode()
    with pytest.MonkeyPatch.context() as patch:
        together = assemble(terse.read(Source("log", data=data)), "log", "x")
        patch.setattr(terse, "_told", lambda _: None)
        assert_same_runs(together, assemble(terse.read(Source("log", data=data)), "log", "x"))


@pytest.mark.parametrize("line", ["step {} loss 2.5 lr 1e-4", "{{'loss': {}.5, 'epoch': 0.1}}"])
def test_a_long_console_is_read_in_blocks(line):
    data = "\n".join(line.format(step) for step in range(2000)).encode()
    read = text.read if line.startswith("step") else hf_console.read
    records = list(read(Source("log", data=data)))
    assert max(len(record.lines) for record in records if isinstance(record, base.Block)) > 900


state_lines = st.sampled_from(
    [
        "Epoch 2/3", "Evaluating ...", "Eval begin...", "Eval samples: 10", "step 5 - loss: 0.5", "loss 1.5", "val loss 1.4",
        "step 10 loss 2.5", "step 20 loss 2.25", "step 30 loss 1,002.5", "{'loss': 2.0, 'learning_rate': 1e-05, 'epoch': 0.1}",
        "{'loss': 2.0001, 'learning_rate': 1e-05, 'epoch': 0.1, 'step': 3}", "{'loss': inf, 'learning_rate': 1e-05, 'epoch': 0.1}",
        "{'loss': 2.5,", "'epoch': 0.2}", "{'eval_loss': 1.5, 'epoch': 0.5}", "[rank1]: step 10 loss 3.5", " 5%|# | 2/40 [00:01]",
        "",
        "RuntimeError: CUDA out of memory. Tried to allocate 2 GiB", "***** Running training *****", "  Num Epochs = 3",
        "step 40 loss 2.0\r", "\0step 50 loss 1.0", "epoch 2 | step 70 loss nan", "[Epoch 1] [2/3] loss 3.0", "some words",
    ]
)  # fmt: skip


@relaxed
@given(st.lists(st.one_of(state_lines, printed_lines), max_size=60))
@example(["Epoch 2/3", "step 10 loss 2.5", "Epoch 3/3", "step 20 loss 2.5", "loss 2.0"])
@example(["step 10 loss 2.5"] * 30 + ["loss 9.0", "Eval begin...", "step 10 loss 2.5", "Eval samples: 10", "step 20 loss 2.5"])
@example(["{'loss': 2.0, 'learning_rate': 1e-05, 'epoch': 0.1}", "{'loss': 2.0001, 'learning_rate': 1e-05, 'epoch': 0.1}"] * 20)
def test_what_a_line_says_of_those_that_follow_holds_for_lines_read_at_once(lines):
    for console in (text, hf_console):
        assert_same_runs(*in_both_ways(console, "\n".join(lines).encode()))


def test_a_lone_bracket_is_a_step_only_where_it_does_not_repeat_the_epoch():
    lines = ["Epoch 1 [1/3] loss 2.0", "Epoch 1 [2/3] loss 2.0", "Epoch 2 [2/3] loss 2.0"]
    assert [text_line.parse_line(line).get("step") for line in lines] == [None, 2.0, None]


def columns_of(records):
    columns = Columns()
    for record in records:
        columns.add(record)
    return columns


def same(some, other):
    assert some.line == other.line
    for name in ("step", "epoch"):
        assert np.array_equal(getattr(some, name), getattr(other, name), equal_nan=True)
    some, other = some.arrays(), other.arrays()
    assert some.keys() == other.keys()
    for name, (rows, values) in some.items():
        assert np.array_equal(rows, other[name][0])
        assert np.array_equal(values, other[name][1], equal_nan=True)


logged = st.one_of(
    st.integers(-100, 10**18), st.floats(allow_nan=False, allow_infinity=False), st.none(), st.sampled_from(["2.5", "x", "val"])
)
keys = st.sampled_from(["step", "epoch", "loss", "eval_loss", "lr", "note", "train_runtime", "split"])
few_kinds = st.lists(st.lists(keys, unique=True, max_size=5), min_size=1, max_size=3)


@relaxed
@given(st.data(), few_kinds)
def test_objects_in_blocks_give_what_each_gives_by_itself(data, kinds):
    count = data.draw(st.integers(1, 60))
    objects = [{key: data.draw(logged) for key in data.draw(st.sampled_from(kinds))} for _ in range(count)]
    lines = "\n".join(map(json.dumps, objects)).encode()
    parsed = parse_all(lines, count)
    assert parsed == objects
    same(columns_of([block(parsed, 1)]), columns_of(_one_by_one(1, lines)))


@pytest.mark.parametrize(
    "lines", [b'{"a": 1}\n\n{"a": 2}', b'{"a": 1}{"a": 2}', b'{"a": 1}\n[2]', b'{"a":\n1}', b"", b'{"a": 1}, {"a": 2}\n{']
)
def test_lines_that_are_not_one_object_each_are_not_parsed_together(lines):
    assert parse_all(lines, lines.count(b"\n") + 1) is None


cells = st.one_of(
    st.just(""),
    st.floats(0, 9).map(repr),
    st.integers(0, 99).map(str),
    st.sampled_from(["nan", "-inf", " 1.5 ", "12%", "'3'", "x"]),
)
headers = st.sampled_from(["epoch,step,loss,lr", "split,step,loss,lr"])
odd_lines = st.sampled_from(["", "  ", "1,2", 'a"b,1,2,3', "1,\r,2,3", "epoch,step,loss,lr", "val,2,3.5,", "train,2,3.5,"])
table_lines = st.lists(st.one_of(st.lists(cells, min_size=4, max_size=4).map(",".join), odd_lines), max_size=60)


@relaxed
@given(headers, table_lines, st.integers(1, 200), st.sampled_from(["\n", "\r\n"]))
def test_tables_in_blocks_give_what_each_line_gives_by_itself(header, lines, piece, end):
    data = end.join([header, *lines]).encode()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(base, "PIECE_BYTES", piece)
        together = columns_of(table.read(Source("run.csv", data=data)))
        patch.setattr(table, "_plain_cells", lambda *_: None)
        one_by_one = columns_of(table.read(Source("run.csv", data=data)))
    assert (together.unread, together.unread_count) == (one_by_one.unread, one_by_one.unread_count)
    same(together, one_by_one)


def test_a_long_table_is_read_in_blocks(monkeypatch):
    monkeypatch.setattr(base, "PIECE_BYTES", 1000)
    data = b"step,loss,val_loss\n" + b"".join(b"%d,2.%d,\n" % (i, i) for i in range(500))
    records = list(table.read(Source("run.csv", data=data)))
    assert sum(isinstance(record, base.Block) for record in records) > 3
    (run,) = assemble(records, "run.csv", "csv")
    assert run.series["train_loss"].line.tolist() == list(range(2, 502))


@relaxed
@given(
    st.lists(st.text(st.sampled_from("a1 \r损é"), max_size=12), max_size=20),
    st.integers(1, 9),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "gb18030"]),
)
def test_lines_do_not_depend_on_where_a_file_is_cut_into_pieces(lines, piece, encoding):
    data = "\n".join(lines).encode(encoding, errors="replace")
    whole = [(number, line) for number, line in Source("log", data=data).lines() if line.strip()]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(base, "PIECE_BYTES", piece)
        assert [(number, line) for number, line in Source("log", data=data).lines() if line.strip()] == whole
    assert [number for number, _ in whole] == [n for n, line in enumerate(lines, 1) if line.strip()]


TABLE = "step,loss,note\n" + "".join(f"{s},{3 - s / 1000:.4f},\n" for s in range(1, 900))


@pytest.mark.parametrize(
    "odd",
    [
        "400,,",
        "400,nan,",
        "400,inf,",
        "400,.5,",
        "400,+2.5,",
        "0400,2.5,",
        "400,2.5",
        "400,2.5,,",
        "400,2.5,text",
        '400,"2.5",',
        "",
        ",",
    ],
)
def test_a_table_of_numbers_with_one_odd_line_is_read_as_line_by_line(odd):
    """Whatever stands in one line, the lines around it keep their numbers and their places."""
    lines = TABLE.splitlines(keepends=True)
    log = "".join([*lines[:400], odd + "\n", *lines[400:]])
    (together,) = read_bytes(log.encode(), "log.csv")
    # A quoted cell keeps every line out of the fast path.
    (apart,) = read_bytes((log + '901,"2.25",\n').encode(), "log.csv")
    both = [
        (s.values[: len(apart.series[n]) - 1], apart.series[n].values[:-1]) for n, s in together.series.items() if n in apart.series
    ]
    assert all(np.array_equal(mine, theirs, equal_nan=True) for mine, theirs in both)
    assert together.series["train_loss"].line.tolist() == apart.series["train_loss"].line.tolist()[:-1]
    assert together.unread == apart.unread


@pytest.mark.parametrize("delimiter", [",", "\t", ";", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_empty_cells_are_none_in_any_table(delimiter, end):
    rows = [["step", "loss", "val_loss"], *([str(s), f"{3 - s / 100}", "2.5" if s % 10 == 0 else ""] for s in range(1, 200))]
    (run,) = read_bytes(end.join(delimiter.join(row) for row in rows).encode(), "log.csv")
    assert (len(run.series["train_loss"]), len(run.series["eval_loss"])) == (199, 19)
    assert run.series["eval_loss"].x.tolist() == list(range(10, 200, 10))
    assert run.series["eval_loss"].line.tolist() == list(range(11, 200, 10))
