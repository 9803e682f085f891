"""Reading training data: every format and compression, every schema, every broken record by line and reason, hostile input."""

import bz2
import csv
import gzip
import io
import json
import lzma
import os
import subprocess
import sys
import textwrap
import threading
import time
import zipfile
from pathlib import Path

import pytest

from advisor.data.normal import reader, write
from advisor.data.reading import Reading
from advisor.data.schemas import SCHEMAS
from advisor.data.sources import File, files_of
from advisor.errors import UnreadableData

ROWS = [{"context": f"When is high tide on day {n}?", "target": f"At {n % 24}:05, 涨潮。"} for n in range(50)]
LINES = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in ROWS).encode()


def read(content, name="data.jsonl", spec="auto"):
    problems = []
    reading = Reading(File(name, None, len(content), content), problems.append, spec=spec)
    return list(reading), problems, reading


def causes(content, name="data.jsonl", spec="auto"):
    return [(p.cause, p.place.line) for p in read(content, name, spec)[1]]


def read_path(path):
    problems, values = [], []
    for file in files_of([path]):
        values += [record[3] for record in Reading(file, problems.append)]
    return values, problems


@pytest.mark.parametrize(
    ("suffix", "pack"), [("", bytes), (".gz", gzip.compress), (".bz2", bz2.compress), (".xz", lzma.compress)], ids=str
)
def test_compressed_files_read_the_same(tmp_path, suffix, pack):
    path = tmp_path / f"train.jsonl{suffix}"
    path.write_bytes(pack(LINES))
    assert read_path(path) == (ROWS, [])


def test_zstd_reads_the_same(tmp_path):
    zstd = pytest.importorskip("backports.zstd")
    path = tmp_path / "train.jsonl.zst"
    path.write_bytes(zstd.compress(LINES))
    assert read_path(path) == (ROWS, [])


@pytest.mark.parametrize("indent", [None, 2])
def test_an_array_reads_as_its_lines_would(indent):
    records, problems, reading = read(json.dumps(ROWS, ensure_ascii=False, indent=indent).encode(), "train.json")
    assert reading.kind == "json-array"
    assert [record[3] for record in records] == ROWS
    assert problems == []


def test_an_element_of_an_array_is_found_on_its_line():
    content = b'[\n{"context": "a", "target": "b"},\n{"context": "c", "target": "d",},\n{"context": "e", "target": "f"}\n]\n'
    records, problems, _ = read(content, "train.json")
    assert [record[0] for record in records] == [2, 4]
    (problem,) = problems
    assert (problem.cause, problem.place.line) == ("trailing-comma", 3)
    assert content[problem.place.offset : problem.place.offset + 1] == b","


@pytest.mark.parametrize(
    ("content", "cause", "line"),
    [
        (b'[\n{"context": "a", "target": "b"}\n{"context": "c", "target": "d"}\n]', "missing-comma", 3),
        (b'[\n{"context": "a", "target": "b"},\n]', "trailing-comma", 3),
        (b'[\n{"context": "a", "target": "b"}\n', "truncated-record", 3),
        (b'[\n{"context": "a", "target": "b"}\n]\nend', "text-after-record", 3),
        (b'[\n{"context": ["a", "target": "d"},\n{"context": "e", "target": "f"}\n]', "broken-syntax", 2),
    ],
)  # fmt: skip
def test_what_is_wrong_between_the_elements_of_an_array_is_named(content, cause, line):
    assert (cause, line) in causes(content, "train.json")


@pytest.mark.parametrize("indent", [None, 1])
def test_records_in_a_list_inside_an_object_are_read_from_there(indent):
    content = json.dumps({"data": ROWS, "version": "1.0"}, ensure_ascii=False, indent=indent).encode()
    records, problems, _ = read(content, "train.json")
    assert [record[3] for record in records] == ROWS
    assert [p.cause for p in problems] == ["wrapped-records"]
    number, offset, raw, _ = records[7]
    assert content[offset : offset + len(raw)] == raw
    assert content[:offset].count(b"\n") == number - 1


def test_utf_16_is_named_and_read(tmp_path):
    for encoding in ("utf-16", "utf-16-le", "utf-16-be"):
        records, problems, _ = read(LINES.decode().encode(encoding))
        assert [record[3] for record in records] == ROWS
        assert [problem.cause for problem in problems] == ["wide-encoding"]


def table(rows, delimiter=","):
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()


@pytest.mark.parametrize(("name", "delimiter"), [("train.csv", ","), ("train.tsv", "\t")])
def test_a_pangu_table_has_no_header(name, delimiter):
    records, problems, reading = read(table([[row["context"], row["target"]] for row in ROWS], delimiter), name)
    assert [record[3] for record in records] == ROWS
    assert problems == []
    assert reading.schema.name == "pangu-sft"


def test_a_table_with_a_header_is_read_by_it_and_its_line_numbers_count_the_lines_of_its_texts():
    content = table([["instruction", "input", "output"], ["a", "", "two\nlines"], ["b", "", ""], ["c", "", "d"]])
    records, problems, reading = read(content, "train.csv")
    assert reading.schema.name == "alpaca"
    assert [record[0] for record in records] == [2, 5]
    assert [(p.cause, p.place.line) for p in problems] == [("empty-answer", 4)]


@pytest.mark.parametrize(
    "heading",
    [["问题", "答案"], ["Question", "Answer"], ["编号", "提示词", "回复"], ["Context", "Target"], ["system", "输入", "输出"]],
)
def test_a_table_whose_first_row_names_its_columns_is_read_by_these_names(heading):
    rows = [[*"xyz"[: len(heading) - 2], row["context"], row["target"]] for row in ROWS]
    records, problems, reading = read(table([heading, *rows]), "train.csv")
    assert [{key: record[3][key] for key in ("context", "target")} for record in records] == ROWS
    assert [p.cause for p in problems] == ["csv-header"]
    assert reading.schema.name == "pangu-sft"


def test_an_open_quote_hides_no_other_row():
    content = b'a,b\nc,"d\ne,f\ng,h\n'
    records, problems, _ = read(content, "train.csv")
    assert [(p.cause, p.place.line) for p in problems] == [("csv-quote", 2)]
    assert [record[0] for record in records] == [1, 3, 4]


def test_a_table_in_gbk_is_named_row_by_row_and_read():
    content = table([[row["context"], row["target"]] for row in ROWS]).decode().encode("gb18030")
    records, problems, _ = read(content, "train.csv")
    assert [record[3] for record in records] == ROWS
    assert [(p.cause, p.place.line) for p in problems] == [("other-encoding", n) for n in range(1, 51)]


def test_parquet_and_arrow_read_the_same(tmp_path):
    arrow = pytest.importorskip("pyarrow")
    from pyarrow import feather, ipc, parquet

    rows = arrow.Table.from_pylist(ROWS)
    parquet.write_table(rows, tmp_path / "a.parquet")
    feather.write_feather(rows, tmp_path / "a.arrow")
    with ipc.new_stream(tmp_path / "stream.arrow", rows.schema) as stream:
        stream.write_table(rows)
    for name in ("a.parquet", "a.arrow", "stream.arrow"):
        assert read_path(tmp_path / name) == (ROWS, []), name


def test_a_row_of_parquet_without_an_answer_is_named_by_its_number(tmp_path):
    arrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    parquet.write_table(arrow.Table.from_pylist([*ROWS[:3], {"context": "a", "target": None}]), tmp_path / "a.parquet")
    _, problems = read_path(tmp_path / "a.parquet")
    assert [(p.cause, p.place.line) for p in problems] == [("empty-answer", 4)]


def test_folders_and_patterns_give_their_data_files_once(tmp_path):
    (tmp_path / "sub").mkdir()
    for name in ("a.jsonl", "sub/b.jsonl.gz", "dataset_info.json", "notes.md", ".hidden.jsonl"):
        (tmp_path / name).write_bytes(gzip.compress(LINES) if name.endswith("gz") else LINES)
    assert [f.path.name for f in files_of([tmp_path, tmp_path / "a.jsonl"])] == ["a.jsonl", "b.jsonl.gz"]
    assert [f.path.name for f in files_of([tmp_path / "*.jsonl"])] == ["a.jsonl"]
    for missing in (tmp_path / "none.jsonl", tmp_path / "*.csv"):
        with pytest.raises(UnreadableData, match="no"):
            files_of([missing])


@pytest.mark.parametrize("schema", SCHEMAS, ids=lambda s: s.name)
def test_every_schema_is_recognised_by_its_example_and_survives_the_neutral_form(schema):
    records, problems, reading = read(schema.example.encode() + b"\n")
    assert problems == []
    assert reading.schema is schema
    example = reader(schema)(records[0][3])
    again = write(example, schema)
    assert reader(schema)(again) == example


def test_a_record_that_is_spread_over_lines_does_not_take_the_next_one_with_it():
    content = b'{"context": "a", "targ\n{\n  "context": "b",\n  "target": "c"\n}\n' + LINES
    assert causes(content) == [("truncated-record", 1), ("record-over-several-lines", 2)]


def test_a_place_is_a_line_a_column_in_characters_and_a_byte_of_the_file():
    content = LINES + '{"context": "涨潮吗?", "target": NaN}\n'.encode()
    (problem,) = read(content)[1]
    place = problem.place
    assert content[place.offset : place.offset + 3] == b"NaN"
    assert (place.line, place.column) == (51, 31)
    assert place.excerpt[place.caret :].startswith("NaN")


def test_an_old_macintosh_file_is_read_by_its_own_line_ends():
    records, problems, _ = read(LINES.replace(b"\n", b"\r"))
    assert [record[3] for record in records] == ROWS
    assert [p.cause for p in problems] == ["carriage-return"]


@pytest.mark.parametrize(
    ("suffix", "pack"), [("gz", gzip.compress), ("bz2", bz2.compress), ("xz", lzma.compress), ("zst", None)], ids=str
)
def test_an_archive_that_inflates_without_end_is_given_up(tmp_path, suffix, pack):
    pack = pack or pytest.importorskip("backports.zstd").compress
    good = b'{"context": "a", "target": "b"}\n'
    path = tmp_path / f"bomb.jsonl.{suffix}"
    # 500 MB as parts of one megabyte, of which one alone was compressed.
    path.write_bytes(pack(good) + pack(b" " * (1 << 20)) * 500)
    assert path.stat().st_size < 1 << 20
    values, problems = read_path(path)
    assert values == [{"context": "a", "target": "b"}]
    assert [(p.cause, p.place.line) for p in problems] == [("line-too-long", 2), ("damaged-archive", 2)]


def test_a_zip_archive_is_named_and_not_unpacked(tmp_path):
    path = tmp_path / "bomb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("train.jsonl", bytes(64 << 20))
    values, problems = read_path(path)
    assert (values, [(p.cause, p.place.facts["found"]) for p in problems]) == ([], [("foreign-format", "zip")])


def test_a_file_that_was_compressed_twice_is_named():
    content = gzip.compress(gzip.compress(LINES))
    assert [(p.cause, p.place.facts["found"]) for p in read(content, "train.jsonl.gz")[1]] == [("foreign-format", "gzip")]


@pytest.mark.parametrize("packed", [False, True])
def test_a_pipe_is_read_as_the_file_would_be(tmp_path, packed):
    content = gzip.compress(LINES) if packed else LINES
    counted = "from advisor.data.sources import *; from advisor.data.reading import *; from pathlib import Path; import sys\n"
    counted += (
        "(file,) = files_of([Path(sys.argv[1])]); print(*(len(list(Reading(file, print))) for _ in 'ab'), file.name, file.path)"
    )
    done = subprocess.run([sys.executable, "-c", counted, "-"], input=content, capture_output=True, check=True)
    first, again, name, kept = done.stdout.decode().split()
    assert (first, again, name) == ("50", "50", "stdin")
    assert not Path(kept).exists()
    if hasattr(os, "mkfifo"):
        pipe = tmp_path / "pipe"
        os.mkfifo(pipe)
        threading.Thread(target=pipe.write_bytes, args=(content,)).start()
        assert read_path(pipe) == (ROWS, [])


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak of memory is read from /proc")
def test_wide_and_broken_data_end_in_a_clear_finding_in_bounded_memory(tmp_path):
    """A line of 1 GB, nesting of 100,000, a bomb of zeros and an endless object, each read in a process of 400 MB at most."""
    code = r"""
        import re, resource, sys
        from pathlib import Path
        from advisor.data.reading import Reading
        from advisor.data.sources import files_of
        resource.setrlimit(resource.RLIMIT_AS, (900 << 20, 900 << 20))
        problems = []
        rows = sum(1 for _ in Reading(files_of([Path(sys.argv[1])])[0], problems.append))
        # Not getrusage: its peak begins with that of the process this one was forked from.
        peak = int(re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())[1]) >> 10
        print(rows, *[(p.cause, p.place.line) for p in problems], peak)
    """
    good = b'{"context": "a", "target": "b"}\n'

    def run(path):
        done = subprocess.run([sys.executable, "-c", textwrap.dedent(code), path], capture_output=True, text=True, check=True)
        *said, peak = done.stdout.split("\n")[0].rsplit(" ", 1)
        assert int(peak) < 400
        return said[0]

    long = tmp_path / "long.jsonl"
    with long.open("wb") as stream:
        stream.write(good + b'{"context": "')
        for _ in range(256):
            stream.write(b"x" * (4 << 20))
        stream.write(b'"}\n' + good)
    assert run(long) == "2 ('line-too-long', 2)"
    long.unlink()

    deep = tmp_path / "deep.jsonl"
    deep.write_bytes(good + b"[" * 100_000 + b"]" * 100_000 + b"\n" + b'{"a":' * 100_000 + b"\n" + good)
    assert run(deep) == "2 ('nesting-too-deep', 2) ('nesting-too-deep', 3)"

    bomb = tmp_path / "bomb.jsonl.gz"
    with gzip.open(bomb, "wb", compresslevel=1) as stream:
        stream.write(good)
        for _ in range(400):
            stream.write(bytes(1 << 20))
    assert run(bomb) == "1 ('line-too-long', 2) ('damaged-archive', 2)"

    keys = tmp_path / "keys.jsonl"
    with keys.open("wb") as stream:
        stream.write(good + b"{")
        for n in range(3_300_000):
            stream.write(b'"k%d":1,' % n)
        stream.write(b'"z":1}\n' + good)
    assert run(keys) == "2 ('line-too-long', 2)"


def test_a_damaged_archive_gives_what_stands_before_the_damage(tmp_path):
    path = tmp_path / "cut.jsonl.gz"
    path.write_bytes(gzip.compress(LINES * 400)[:-2000])
    values, problems = read_path(path)
    assert len(values) > 10
    assert problems[-1].cause == "damaged-archive"


def test_an_unknown_schema_is_an_error_that_names_the_known_ones():
    with pytest.raises(UnreadableData, match="pangu-sft"):
        read(LINES, spec="pangu")


def test_plain_text_is_a_record_a_line_and_json_lines_may_be_named_txt():
    records, problems, reading = read("涨潮在下午。\n\n退潮在夜里。\n".encode(), "texts.txt")
    assert [(record[0], record[3]) for record in records] == [(1, {"text": "涨潮在下午。"}), (3, {"text": "退潮在夜里。"})]
    assert (reading.schema.name, problems) == ("pangu-text", [])
    assert [record[3] for record in read(LINES, "train.txt")[0]] == ROWS


def test_without_orjson_the_findings_are_the_same():
    code = """
        import sys
        if sys.argv[1] == "without":
            sys.modules["orjson"] = None
        from advisor.data import parse
        from advisor.data.reading import Reading
        from advisor.data.sources import File
        content = bytes.fromhex(sys.argv[2])
        problems = []
        records = [record[0] for record in Reading(File("a.jsonl", None, len(content), content), problems.append)]
        print(parse.orjson is None, records, [(p.cause, p.place.line, p.place.column, p.place.offset) for p in problems])
    """
    broken = [
        '{"context": "a", "target": NaN}',
        '{"context": "\\ud83d", "target": "b"}',
        '\ufeff{"context": "a", "target": "b"}',
        "{'a': 1}",
    ]
    content = (
        LINES + "\n".join([*broken, '{"context": "a", "target": "b", "target": "c"}', "1" * 5000, "[" * 2000]).encode() + b"\xff\n"
    )
    said = [
        subprocess.run(
            [sys.executable, "-c", textwrap.dedent(code), how, content.hex()], capture_output=True, text=True, check=True
        ).stdout
        for how in ("with", "without")
    ]
    assert said[0].startswith("False")
    assert said[1] == said[0].replace("False", "True", 1)


def test_a_file_of_nothing_but_broken_lines_is_read_in_a_time_that_grows_with_its_length():
    def seconds(count):
        content = b'{"context": "never closed\n' * count
        start = time.process_time()
        assert len(read(content)[1]) == count
        return time.process_time() - start

    seconds(100)
    assert seconds(20_000) < 30 * max(seconds(2000), 0.02)


def test_a_record_of_many_keys_and_one_nested_deeply_are_read_in_reasonable_time():
    many = b'{"context": "a", "target": "b", ' + b",".join(b'"k%d": "x"' % n for n in range(200_000)) + b"}\n"
    deep = b'{"context": "a \\":", "target": "b", "x": ' + b"[" * 1000 + b"]" * 1000 + b"}\n"
    start = time.process_time()
    records, problems, _ = read(LINES + many + deep)
    assert len(records) == 52
    assert problems == []
    assert time.process_time() - start < 5


def test_a_file_that_begins_with_blanks_beyond_the_first_look_is_not_empty(tmp_path):
    path = tmp_path / "late.jsonl"
    path.write_bytes(b"\n" * 70_000 + b'{"context": "When is high tide?", "target": "At 14:05."}\n')
    problems = []
    (record,) = Reading(files_of([path])[0], problems.append)
    assert record[0] == 70_001
    assert {problem.cause for problem in problems} == {"blank-line"}
