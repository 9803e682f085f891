"""People judge blindly: the sheet does not tell which answer is whose, and what comes back is counted exactly."""

import csv
import io
import json

import pytest

from advisor.errors import UnreadableData
from advisor.evaluation.model import Answer
from advisor.evaluation.sheet import harmless, key_of, read_sheet, write_sheet


def answers(count=40):
    return [Answer("p.jsonl", n, 0, (("user", f"question {n}"),), f"tuned {n}", ("r",), f"plain {n}") for n in range(1, count + 1)]


def rows_of(path):
    return list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8-sig"), newline="")))


def fill(path, judge, delimiter=",", encoding="utf-8-sig"):
    records = rows_of(path)
    with path.open("w", encoding=encoding, newline="") as stream:
        table = csv.DictWriter(stream, records[0].keys(), delimiter=delimiter)
        table.writeheader()
        for record in records:
            table.writerow(record | {"better": judge(record)})


def test_the_order_and_the_sides_are_shuffled_the_same_way_for_the_same_seed(tmp_path):
    sheets = [tmp_path / name for name in ("a.csv", "b.csv", "c.csv")]
    for sheet, seed in zip(sheets, (0, 0, 1), strict=True):
        write_sheet(answers(), sheet, seed)
    texts = [sheet.read_text(encoding="utf-8") for sheet in sheets]
    assert texts[0] == texts[1] != texts[2]
    firsts = [row["A"].startswith("tuned") for row in rows_of(sheets[0])]
    assert 10 < sum(firsts) < 30
    assert [row["prompt"] for row in rows_of(sheets[0])] != [f"question {n}" for n in range(1, 41)]


def test_judges_who_prefer_the_tuned_model_are_heard_on_either_side(tmp_path):
    sheet = tmp_path / "s.csv"
    write_sheet(answers(), sheet, 0)
    fill(sheet, lambda row: "tie" if int(row["id"]) <= 10 else "a" if row["A"].startswith("tuned") else "B")
    found = read_sheet(sheet)
    assert (found.wins, found.losses, found.ties, found.verdict) == (30, 0, 10, "better")
    assert found.p == pytest.approx(2 / 2**30)


@pytest.mark.parametrize(("delimiter", "encoding"), [(";", "utf-8"), ("\t", "gb18030")])
def test_what_spreadsheets_make_of_the_file_is_read(tmp_path, delimiter, encoding):
    sheet = tmp_path / "s.csv"
    write_sheet([*answers(8), Answer("p", 9, 0, (("user", "问题，第九"),), "中文\n两行", (), "其他")], sheet, 0)
    fill(sheet, lambda row: "平" if "问题" in row["prompt"] else "A", delimiter, encoding)
    found = read_sheet(sheet)
    assert found.wins + found.losses == 8
    assert found.ties == 1


def test_judges_who_answer_always_a_show_no_preference(tmp_path):
    sheet = tmp_path / "s.csv"
    write_sheet(answers(), sheet, 0)
    fill(sheet, lambda _row: "A")
    assert read_sheet(sheet).verdict == "same"


def test_five_decided_pairs_are_too_few_whatever_they_say(tmp_path):
    sheet = tmp_path / "s.csv"
    write_sheet(answers(), sheet, 0)
    fill(sheet, lambda row: ("A" if row["A"].startswith("tuned") else "B") if int(row["id"]) <= 5 else "")
    assert read_sheet(sheet).verdict == "few"


@pytest.mark.parametrize("text", ["=1+1", "+cmd", "-2+3", "@SUM(A1)", "\t=1", "\r=1", " =HYPERLINK(1)", "\n=1"])
def test_nothing_in_the_sheet_is_a_formula(text, tmp_path):
    assert not harmless(text).lstrip().startswith(("=", "+", "-", "@"))
    sheet = tmp_path / "s.csv"
    write_sheet([Answer("p", 1, 0, (("user", text),), text + "x", (), text + "y")], sheet, 0)
    for row in rows_of(sheet):
        assert all(row[column].startswith("'") for column in ("prompt", "A", "B"))


def test_plain_text_is_left_as_it_is():
    assert harmless("two = 2") == "two = 2"


def test_a_sheet_that_is_there_is_not_overwritten(tmp_path):
    sheet = tmp_path / "s.csv"
    write_sheet(answers(), sheet, 0)
    with pytest.raises(UnreadableData, match="is there already"):
        write_sheet(answers(), sheet, 0)


def test_without_a_base_model_there_is_nothing_to_judge(tmp_path):
    with pytest.raises(UnreadableData, match="no pair"):
        write_sheet([Answer("p", 1, 0, (("user", "q"),), "a")], tmp_path / "s.csv", 0)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda s: s.write_bytes(s.read_bytes().replace(b",,\r\n", b",C,\r\n", 1)), "expected A, B or tie"),
        (lambda s: s.write_text("a,b\n1,2\n"), "no sheet of pairs"),
        (lambda s: key_of(s).unlink(), "no key of a sheet"),
        (lambda s: key_of(s).write_text(json.dumps({"tuned": {}})), "expected each number of the sheet once"),
        (lambda s: s.unlink(), "cannot be read"),
    ],
)
def test_a_spoilt_sheet_is_said_with_its_place(tmp_path, spoil, said):
    sheet = tmp_path / "s.csv"
    write_sheet(answers(), sheet, 0)
    spoil(sheet)
    with pytest.raises(UnreadableData, match=said):
        read_sheet(sheet)
