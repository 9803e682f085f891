"""The acceptance test: datasets with planted faults whose lines are known, made by a generator that is not part of the project."""

import json
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest
from click.testing import CliRunner

from advisor.cli import main

GENERATOR = Path(__file__).parents[3] / "shared" / "research" / "planted_dataset.py"
FORMATS = ("alpaca", "messages", "sharegpt", "pangu", "pangu_multi")
SEEDS, ROWS, SCALE = (31, 90210), 4000, 0.2

CAUSES = {
    "bom": "byte-order-mark", "single_quotes": "single-quotes", "trailing_comma": "trailing-comma", "two_objects":
    "several-records-on-a-line", "truncated": "truncated-record", "nan": "not-a-number", "control_char": "control-character", "gbk":
    "other-encoding", "missing_key": "missing-key", "wrong_type": "wrong-type",
}  # fmt: skip

pytestmark = pytest.mark.skipif(not GENERATOR.is_file(), reason="the generator of planted datasets is not beside this checkout")


@pytest.fixture(scope="module", params=SEEDS)
def planted(tmp_path_factory, request):
    folder = tmp_path_factory.mktemp("planted")
    numbers = ["--n", str(ROWS), "--seed", str(request.param), "--scale", str(SCALE)]
    subprocess.run([sys.executable, str(GENERATOR), str(folder), *numbers], check=True, capture_output=True)
    return folder


def check(*arguments):
    result = CliRunner().invoke(main, ["data", "check", *map(str, arguments), "--format", "json", "--lang", "en"])
    assert result.exit_code in (0, 1), result.output
    return json.loads(result.stdout)


def lines_by_rule(report, name):
    found = defaultdict(set)
    for finding in report["findings"]:
        for file, lines in finding["lines"].items():
            if Path(file).name == name:
                found[finding["slug"]] |= set(lines)
    return found


@pytest.fixture(scope="module", params=FORMATS)
def dirty(planted, request):
    folder = planted / request.param
    truth = json.loads((folder / "truth.json").read_text())
    report = check(folder / "dirty.jsonl", "--eval", folder / "eval.jsonl")
    return request.param, truth, report


def test_every_malformed_line_is_named_with_its_reason(dirty):
    _, truth, report = dirty
    found = lines_by_rule(report, "dirty.jsonl")
    for item in truth["dirty"]["malformed"]:
        kind = item["kind"].removesuffix("_start").removesuffix("_last")
        assert item["line"] in found[CAUSES[kind]], item


def test_no_line_without_a_fault_is_called_unreadable(dirty):
    _, truth, report = dirty
    found = lines_by_rule(report, "dirty.jsonl")
    faulty = {item["line"] for item in truth["dirty"]["malformed"]}
    faulty |= {item["line"] for kind in ("empty", "roles") for item in truth["dirty"].get(kind, [])}
    assert {line for cause in CAUSES.values() for line in found[cause]} <= faulty


def test_exact_duplicates_are_found_all_and_nothing_else(dirty):
    _, truth, report = dirty
    groups = {frozenset((e["line"], e["src_line"])) for e in truth["dirty"]["exact"]}
    (finding,) = [f for f in report["findings"] if f["slug"] == "exact-duplicates"]
    found = {frozenset((p["line"], int(p["facts"]["like"].rsplit(":", 1)[1]))) for p in finding["places"]}
    assert found == groups


def test_conflicting_answers_are_found_all_and_nothing_else(dirty):
    _, truth, report = dirty
    expected = {line for e in truth["dirty"]["conflict"] for line in (e["line"], e["src_line"])}
    assert lines_by_rule(report, "dirty.jsonl")["conflicting-answers"] == expected


def test_empty_answers_and_broken_orders_are_found_all(dirty):
    _, truth, report = dirty
    found = lines_by_rule(report, "dirty.jsonl")
    assert {e["line"] for e in truth["dirty"]["empty"]} == found["empty-answer"]
    assert {e["line"] for e in truth["dirty"].get("roles", [])} <= found["role-order"]


def test_truncated_answers_and_garbled_text_are_found(dirty):
    _, truth, report = dirty
    found = lines_by_rule(report, "dirty.jsonl")
    for kind, slug, share in (("truncated", "cut-off-answers", 0.8), ("mojibake", "mojibake", 0.95)):
        expected = {e["line"] for e in truth["dirty"][kind]}
        assert len(expected & found[slug]) >= share * len(expected), kind
    assert found["mojibake"] == {e["line"] for e in truth["dirty"]["mojibake"]}


def test_rows_nearly_the_same_are_found_and_look_alikes_are_kept_apart(dirty):
    _, truth, report = dirty
    (finding,) = [f for f in report["findings"] if f["slug"] == "near-duplicates"]
    found = {frozenset((p["line"], int(p["facts"]["like"].rsplit(":", 1)[1]))) for p in finding["places"]}
    planted = {frozenset((e["line"], e["src_line"])) for e in truth["dirty"]["near"]}
    assert len(found & planted) >= 0.9 * len(planted)
    conflicts = {frozenset((e["line"], e["src_line"])) for e in truth["dirty"]["conflict"]}
    assert len(found & planted) >= 0.98 * len(found - conflicts)
    assert not any(line in {e["line"] for e in truth["dirty"]["hard_negative"]} for pair in found for line in pair)


def test_leaks_are_found(dirty):
    _, truth, report = dirty
    found = lines_by_rule(report, "eval.jsonl")["evaluation-leak"]
    planted = {e["line"] for e in truth["eval"]}
    assert len(found & planted) >= 0.98 * len(planted)
    assert found <= planted


@pytest.mark.parametrize("form", FORMATS)
def test_a_clean_file_gives_no_finding_at_warning_or_above(planted, form):
    report = check(planted / form / "clean.jsonl")
    assert [f["slug"] for f in report["findings"] if f["severity"] != "info"] == []


def test_each_kind_alone_is_found_alone(planted):
    for path in sorted((planted / "malformed").glob("*.jsonl")):
        report = check(path, "--no-near")
        kind = path.stem.removesuffix("_start").removesuffix("_last")
        line = 1 if path.stem == "bom_start" else 200 if path.stem == "truncated_last" else 101
        errors = {f["slug"]: next(iter(f["lines"].values())) for f in report["findings"] if f["severity"] == "error"}
        assert errors == {CAUSES[kind]: [line]}, path.stem
