"""Whatever stands in a file of predictions, the answer is an evaluation or one clear line, and never a traceback."""

import json
import warnings

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from advisor.data.sources import File
from advisor.engine import assess
from advisor.errors import AdvisorError
from advisor.evaluation.reading import answers_in, pairs_in
from advisor.evaluation.signals import AnswerMeasurements, Evaluated
from advisor.render import evaluation, evaluation_json
from advisor.rulebook import load

RULES = load(subject="answers")
KEYS = st.sampled_from(
    [
        "prompt",
        "prediction",
        "reference",
        "references",
        "messages",
        "answer",
        "output",
        "base_prediction",
        "finish_reason",
        "tokens",
        "loss",
        "history",
    ]
)
TEXT = st.text(max_size=30) | st.sampled_from(
    ["", " ", "=1", "哈" * 50, "a b " * 30, '{"a": 1}', "[1, {}]", "```json\n{}", "\ufffd", "Прилив"]
)
TURN = st.fixed_dictionaries({"role": st.sampled_from(["user", "assistant", "system", "x"]), "content": TEXT | st.none()})
VALUE = (
    TEXT
    | st.none()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.booleans()
    | st.lists(TURN | TEXT, max_size=3)
)
RELAXED = settings(deadline=None, max_examples=60, suppress_health_check=list(HealthCheck))


def file(data):
    return [File("p.jsonl", None, len(data), data)]


@RELAXED
@given(st.binary(max_size=200))
def test_arbitrary_bytes_are_refused_politely(data):
    for read in (answers_in, pairs_in):
        try:
            read(file(data))
        except AdvisorError:
            continue


@RELAXED
@given(st.lists(st.dictionaries(KEYS, VALUE, max_size=6), min_size=1, max_size=6))
def test_arbitrary_records_are_evaluated_or_refused_politely(records):
    data = "".join(json.dumps(record) + "\n" for record in records).encode("utf-8", "replace")
    try:
        answers = answers_in(file(data))
    except AdvisorError:
        return
    _said(answers)


@RELAXED
@given(st.lists(st.tuples(TEXT, TEXT, TEXT), min_size=1, max_size=25))
def test_arbitrary_answers_are_evaluated_and_can_be_printed(rows):
    records = [{"prompt": p, "reference": r, "prediction": s, "base_prediction": r} for p, r, s in rows]
    _said(answers_in(file("".join(json.dumps(record) + "\n" for record in records).encode())))


def _said(answers):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assessment = assess(
            AnswerMeasurements(
                Evaluated(
                    answers,
                    [answer for answer in answers if answer.references],
                    ["a", "b"],
                    {"temperature": 2.0},
                    "creative",
                    resamples=100,
                )
            ),
            RULES,
        )
    for language in ("en", "zh"):
        assert evaluation.markdown(assessment, language)
        json.loads(evaluation_json.render(assessment, language), parse_constant=lambda _name: 1 / 0)
