"""Strict JSON, line by line: what must be refused is refused on its line, what must be accepted is, and both readers agree."""

import json
import runpy
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from advisor.data.malformed import cause_of
from advisor.data.parse import loads, loads_slowly
from advisor.data.reading import Reading
from advisor.data.sources import File
from advisor.data.strict import first_fault

SUITE = runpy.run_path(str(Path(__file__).with_name("json_suite.py")))
REFUSE, ACCEPT, EITHER = SUITE["REFUSE"], SUITE["ACCEPT"], SUITE["EITHER"]
REFUSE_WITH_LINE_ENDS, ACCEPT_WITH_LINE_ENDS = SUITE["REFUSE_WITH_LINE_ENDS"], SUITE["ACCEPT_WITH_LINE_ENDS"]
GOOD = b'{"context": "When is high tide?", "target": "At 14:05."}'


def read(content, spec="auto", name="data.jsonl"):
    problems = []
    reading = Reading(File(name, None, len(content), content), problems.append, spec=spec)
    return list(reading), problems


@pytest.mark.parametrize("name", REFUSE)
def test_what_every_parser_must_refuse_is_refused_on_its_line(name):
    records, problems = read(GOOD + b"\n" + REFUSE[name] + b"\n" + GOOD + b"\n", spec="any")
    assert [record[0] for record in records] == [1, 3]
    assert {problem.place.line for problem in problems} == {2}


def test_all_of_them_in_one_file_are_refused_each_on_its_own_line_and_hide_no_record():
    content = b"\n".join(line for case in REFUSE.values() for line in (case, GOOD)) + b"\n"
    records, problems = read(content, spec="any")
    assert [record[0] for record in records] == list(range(2, 2 * len(REFUSE) + 1, 2))
    assert {problem.place.line for problem in problems} == set(range(1, 2 * len(REFUSE), 2))


@pytest.mark.parametrize("spec", ["any", "auto"])
def test_a_file_of_nothing_else_names_every_line(spec):
    content = b"\n".join(REFUSE.values()) + b"\n"
    records, problems = read(content, spec=spec)
    assert records == []
    assert {problem.place.line for problem in problems} == set(range(1, len(REFUSE) + 1))


@pytest.mark.parametrize("name", ACCEPT)
def test_what_every_parser_must_accept_is_accepted(name):
    records, problems = read(GOOD + b"\n" + ACCEPT[name] + b"\n", spec="any")
    assert [record[0] for record in records] == [1, 2]
    assert {problem.cause for problem in problems} <= {"repeated-key"}


@pytest.mark.parametrize("name", REFUSE_WITH_LINE_ENDS)
def test_what_holds_a_line_end_is_refused_too_and_hides_no_record(name):
    records, problems = read(GOOD + b"\n" + REFUSE_WITH_LINE_ENDS[name] + b"\n" + GOOD + b"\n", spec="any")
    last = 3 + REFUSE_WITH_LINE_ENDS[name].count(b"\n")
    assert {record[0] for record in records} >= {1, last}
    assert {problem.place.line for problem in problems} & set(range(2, last))


@pytest.mark.parametrize("name", ACCEPT_WITH_LINE_ENDS)
def test_what_holds_a_line_end_is_json_for_both_readers(name):
    assert outcome(loads, ACCEPT_WITH_LINE_ENDS[name]) == outcome(loads_slowly, ACCEPT_WITH_LINE_ENDS[name]) != "refused"


@pytest.mark.parametrize("name", EITHER)
def test_what_a_parser_may_take_or_leave_is_a_record_or_a_problem_on_its_line_and_hides_no_other(name):
    records, problems = read(GOOD + b"\n" + EITHER[name] + b"\n" + GOOD + b"\n", spec="any")
    taken = [record[0] for record in records]
    assert taken in ([1, 3], [1, 2, 3])
    assert {problem.place.line for problem in problems} == ({2} if taken == [1, 3] else set())


@pytest.mark.parametrize("name", [*REFUSE, *ACCEPT, *EITHER])
def test_the_standard_library_reads_the_same_as_orjson(name):
    case = REFUSE.get(name) or ACCEPT.get(name) or EITHER[name]
    assert outcome(loads_slowly, case) == outcome(loads, case)


def outcome(parse, line):
    try:
        return repr(parse(line))
    except ValueError:
        return "refused"


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=12,
)


@st.composite
def almost_json(draw):
    text = json.dumps(draw(VALUES), ensure_ascii=draw(st.booleans()))
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(text)))
        text = text[:at] + draw(st.sampled_from([*'"\\,:{}[]\x00\t0e-.\ufeff', "\\ud800", "NaN", ""])) + text[at + 1 :]
    return text.encode("utf-8", "surrogatepass")


@given(almost_json())
def test_the_checker_finds_a_fault_exactly_where_the_readers_refuse(line):
    if b"\n" in line:
        return
    refused = outcome(loads, line) == "refused"
    assert (outcome(loads_slowly, line) == "refused") == refused
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError:
        assert refused
        return
    if not text.startswith("\ufeff"):
        assert (first_fault(text) is not None) == refused, text


@settings(deadline=None)  # the first Parquet file loads pyarrow
@given(st.binary(max_size=200))
def test_any_bytes_are_read_without_an_error_of_the_program(content):
    read(content)
    read(content, name="data.csv")
    read(content, name="data.txt")


@given(almost_json())
def test_every_refused_line_has_a_cause_with_a_place_in_it(line):
    if line.strip() and outcome(loads, line) == "refused":
        cause = cause_of(line)
        assert cause.name
        assert 0 <= cause.at <= len(line)
