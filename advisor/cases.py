"""The cases of a rule: tiny series in shorthand, and whether the rule must fire on them.

A series is a list of terms: `1.2`, `0.9*10` (ten times), `5.0..2.0*30` (a straight line of thirty points), each with an optional
`~0.05` (irregular but always the same noise of that amplitude). Beside series a case may give `epochs` (passes over the data,
spread over the points), `config` (settings), `from_start = true` (every series has its first point at the first step) or `log`
(text that goes through the readers).

A case of a rule about datasets gives `data`, the text of a file (see `_texts`), and may give `evaluation` likewise, `config`, the
name of the `file` and its `encoding`. A case of a rule about tasks gives their facts as `task = { … }`.

A case of a rule about answers gives `answers`, the text of a file of predictions, and may give `train` (training data) likewise,
`real` (real prompts, one a line), the parameters of `inference`, and what is wanted: `want`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from advisor.causes import CauseRule
from advisor.engine import diagnose, judge
from advisor.errors import BadRule
from advisor.model import FloatArray, Hit, NotJudged, Run, Series
from advisor.readers import read_bytes
from advisor.readers.names import UNITS
from advisor.rulebook import Rule
from advisor.signals import Measurements
from advisor.signals.registry import Lazy

if TYPE_CHECKING:
    from advisor.data.survey import Split

EXPECTATIONS = ("fires", "quiet", "not-judged")
CAUSE_EXPECTATIONS = ("first", "stated", "absent")
_TERM = re.compile(r"^(?P<a>[^.*~]+(?:\.\d+)?(?:e[-+]?\d+)?)(?:\.\.(?P<b>[^*~]+))?(?:\*(?P<n>\d+))?(?:~(?P<noise>.+))?$")
_NOISE = np.random.default_rng(0).uniform(-1, 1, 4096)
_NOT_SERIES = ("expect", "because", "config", "epochs", "log", "from_start")


@dataclass(frozen=True)
class Outcome:
    """What a rule or a cause did on one of its cases; name is its id."""

    name: str
    number: int
    expected: str
    got: str
    because: str

    @property
    def holds(self) -> bool:
        """Whether the rule did what the case expects."""
        return self.expected == self.got


def numbers(shorthand: str) -> FloatArray:
    """Return the series that `shorthand` describes. Raises ValueError at a term it does not know."""
    parts = []
    for term in shorthand.split():
        found = _TERM.match(term)
        if not found:
            raise ValueError(f"no number: {term!r}")
        count = int(found["n"] or 1)
        first = float(found["a"])
        values = np.linspace(first, float(found["b"]), count) if found["b"] else np.full(count, first)
        if found["noise"]:
            values = values + float(found["noise"]) * np.resize(_NOISE, count)
        parts.append(values)
    return np.concatenate(parts) if parts else np.array([])


def run_of(case: Mapping[str, Any]) -> Run:
    """Return the run that a case describes; series of different length cover the same stretch."""
    config = dict(case.get("config", {}))
    if "log" in case:
        run = read_bytes(str(case["log"]).encode(), "case")[0]
        return replace(run, config={**run.config, **config})
    values = {name: numbers(str(text)) for name, text in case.items() if name not in _NOT_SERIES}
    longest = max(map(len, values.values()), default=0)
    epochs = float(case.get("epochs", "nan"))
    series = {}
    for name, array in values.items():
        # The last point of every series stands at the end of the run.
        x = np.round(np.arange(1, len(array) + 1) * longest / max(len(array), 1))
        if case.get("from_start"):
            x = np.round(np.linspace(1, longest, len(array)))
        lines = np.arange(1, len(array) + 1, dtype=np.int64)
        series[name] = Series(name, array, x, x / max(longest, 1) * epochs, lines, UNITS.get(name, ""))
    return Run(source="case", reader="case", series=series, config=config)


def measured_of(rule: Rule, case: Mapping[str, Any]) -> Lazy:
    """Return the measurements of what a case describes: a run, or a dataset where the rule is about datasets."""
    if rule.subject == "run":
        return Measurements(run_of(case))
    if rule.subject == "task":
        return _task_of(rule, case)
    if rule.subject == "answers":
        return _answers_of(case)
    from advisor.data.signals import DatasetMeasurements
    from advisor.data.sources import File
    from advisor.data.survey import Survey, survey_files

    def split(name: str) -> Split | None:
        contents = [part.encode(case.get("encoding", "utf-8")) for part in _texts(case, name)]
        files = [File(f"{number}-{case.get('file', 'data.jsonl')}", None, len(c), c) for number, c in enumerate(contents, 1)]
        return survey_files(files, spec=str(case.get("schema", "auto"))) if files else None

    train = split("data")
    assert train is not None
    return DatasetMeasurements(Survey(train, split("evaluation"), dict(case.get("config", {}))))


def _task_of(rule: Rule, case: Mapping[str, Any]) -> Lazy:
    """Return the facts of a case, and what the book's reasons to train say of them."""
    from advisor.suitability.decide import TaskMeasurements, task_rules
    from advisor.task import Task, answered

    facts = case.get("task")
    if not isinstance(facts, Mapping):
        raise BadRule(f"{rule.path}: a case of a rule about tasks gives their facts, such as task = {{ rows = 500 }}")
    known = {name: answered(name, given, str(rule.path)) for name, given in facts.items()}
    return TaskMeasurements(Task(known), task_rules())


def _answers_of(case: Mapping[str, Any]) -> Lazy:
    """Return the measurements of the answers that a case describes."""
    from advisor.data.sources import File
    from advisor.evaluation.reading import answers_in, pairs_in
    from advisor.evaluation.signals import AnswerMeasurements, Evaluated

    def files(name: str) -> list[File]:
        contents = [text.encode() for text in _texts(case, name)]
        return [File(f"{name}.jsonl", None, len(content), content) for content in contents]

    given = files("answers")
    real = "".join(_texts(case, "real")).splitlines()
    evaluated = Evaluated(
        answers_in(given) if given else [], pairs_in(files("train")) if "train" in case else [], real,
        dict(case.get("inference", {})), str(case.get("want", "")), resamples=200,
    )  # fmt: skip
    return AnswerMeasurements(evaluated)


def _texts(case: Mapping[str, Any], name: str) -> list[str]:
    """Return the files of a case: `data`, repeated `data_times` with `{n}` counted up, then `data_more`; `data_files` of them."""
    if name not in case:
        return []
    times = int(case.get(f"{name}_times", 1))
    text = "".join(str(case[name]).replace("{n}", str(number)) for number in range(1, times + 1))
    text += str(case.get(f"{name}_more", ""))
    return [text] * int(case.get(f"{name}_files", 1))


def outcomes(rule: Rule) -> Iterator[Outcome]:
    """Run every case of `rule`. Raises BadRule where a case cannot be understood."""
    for number, case in enumerate(rule.cases):
        if case.get("expect") not in EXPECTATIONS:
            raise BadRule(f"{rule.path}: case {number}: `expect` is one of {', '.join(EXPECTATIONS)}")
        try:
            result = judge(rule, measured_of(rule, case))
        except ValueError as error:
            raise BadRule(f"{rule.path}: case {number}: {error}") from error
        got = "fires" if isinstance(result, Hit) else "not-judged" if isinstance(result, NotJudged) else "quiet"
        yield Outcome(rule.id, number, case["expect"], got, str(case.get("because", "")))


def cause_outcomes(cause: CauseRule, rules: Sequence[Rule]) -> Iterator[Outcome]:
    """Diagnose every case of `cause`: it comes first, is among those stated, or is absent. Raises BadRule."""
    for number, case in enumerate(cause.cases):
        if case.get("expect") not in CAUSE_EXPECTATIONS:
            raise BadRule(f"{cause.path}: case {number}: `expect` is one of {', '.join(CAUSE_EXPECTATIONS)}")
        try:
            stated = [found.name for found in diagnose(run_of(case), rules).causes]
        except ValueError as error:
            raise BadRule(f"{cause.path}: case {number}: {error}") from error
        got = "absent" if cause.name not in stated else "first" if stated[0] == cause.name else "stated"
        expected = str(case["expect"])
        if expected == "stated" and got == "first":
            got = expected
        yield Outcome(cause.name, number, expected, got, str(case.get("because", "")))
