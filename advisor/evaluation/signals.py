"""Measurements of a set of answers, by name, as the signals of a run: lazy, kept, and without thresholds of judgement."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from advisor.evaluation import distribution, rounds, training
from advisor.evaluation.bootstrap import RESAMPLES, SEED
from advisor.evaluation.endings import Habit, habit_of
from advisor.evaluation.garbling import Vocabulary, beside, vocabulary
from advisor.evaluation.metrics import Measured, measure
from advisor.evaluation.model import Answer, Metric
from advisor.evaluation.symptoms import Symptom, look
from advisor.evaluation.text import tokens
from advisor.model import NotApplicable, NotMeasurable, Value
from advisor.signals.registry import Lazy

F = TypeVar("F", bound=Callable[..., Any])
ANSWER_SIGNALS: dict[str, Callable[..., Any]] = {}


def answer_signal(function: F) -> F:
    """Register `function` as the signal of its own name."""
    ANSWER_SIGNALS[function.__name__] = function
    return function


@dataclass(frozen=True)
class Evaluated:
    """What is evaluated: answers, and beside them what is known.

    train: training data. real: prompts from real use. inference: parameters the answers were generated with. want: what is wanted
    of the answers, one of `parameters.WANTS`, or nothing.
    """

    answers: Sequence[Answer]
    train: Sequence[Answer] = ()
    real: Sequence[str] = ()
    inference: Mapping[str, Value] = field(default_factory=dict)
    want: str = ""
    resamples: int = RESAMPLES
    seed: int = SEED


class AnswerMeasurements(Lazy):
    """What can be measured on one set of answers."""

    def __init__(self, evaluated: Evaluated) -> None:
        super().__init__()
        self.evaluated = evaluated

    @property
    def config(self) -> Mapping[str, Value]:
        """The inference parameters."""
        return self.evaluated.inference

    def _measure(self, name: str) -> Any:
        if name in ANSWER_SIGNALS:
            return self.call(ANSWER_SIGNALS[name], {})
        evaluated = self.evaluated
        given = {
            "answers": evaluated.answers, "evaluated": evaluated, "train_data": evaluated.train, "real_prompts": evaluated.real,
            "inference": evaluated.inference, "want": evaluated.want,
        }  # fmt: skip
        if name == "want" and not evaluated.want:
            raise NotApplicable(name)
        if name not in given or not given[name]:
            raise NotMeasurable(name)
        return given[name]

    def points(self, name: str) -> int:
        """Return how many answers, or references, there are to judge by."""
        answers = self.evaluated.answers
        return {"answers": len(answers), "references": sum(bool(a.references) for a in answers)}.get(name, 0)


@answer_signal
def measured(evaluated: Evaluated) -> Measured:
    """Metrics with their intervals."""
    return measure(evaluated.answers, evaluated.resamples, evaluated.seed)


@answer_signal
def quality(measured: Measured) -> Metric:
    """Overlap of words with the reference (F1): the metric that every set of answers has whose references are known."""
    found = measured.named("f1")
    if found is None:
        raise NotMeasurable("references")
    return found


@answer_signal
def gains(measured: Measured) -> tuple[Metric, ...]:
    """Metrics that can be compared with the base model."""
    compared = tuple(metric for metric in measured.metrics if metric.gain is not None)
    if not compared:
        raise NotMeasurable("base_predictions")
    return compared


@answer_signal
def habit(answers: Sequence[Answer], inference: Mapping[str, Value] | None) -> Habit:
    """How finished answers end."""
    limit = (inference or {}).get("max_tokens", 0)
    return habit_of(answers, int(limit) if isinstance(limit, int | float) else 0)


@answer_signal
def vocabularies(answers: Sequence[Answer], train_data: Sequence[Answer] | None) -> Mapping[str, Vocabulary]:
    """What the words of the answers, of the references and of the base model's answers are judged by."""
    known = vocabulary(answers, (text for row in train_data or () for text in (row.prompt, *row.references)))
    return {
        "own": beside(known, [answer.prediction for answer in answers]),
        "base": beside(known, [answer.base or "" for answer in answers]),
        "references": beside(known, [answer.references[0] if answer.references else "" for answer in answers]),
    }


@answer_signal
def symptoms(answers: Sequence[Answer], vocabularies: Mapping[str, Vocabulary], habit: Habit) -> Mapping[str, Symptom]:
    """Signs of what is wrong, answer by answer."""
    return look(answers, vocabularies, habit)


@answer_signal
def seen(answers: Sequence[Answer], train_data: Sequence[Answer]) -> training.Seen:
    """Questions that were trained on, and how they are answered."""
    return training.seen_rows(answers, train_data)


@answer_signal
def parroted(answers: Sequence[Answer], train_data: Sequence[Answer]) -> training.Parroted:
    """Training answers given to questions that were not trained on."""
    return training.parroted(answers, train_data)


@answer_signal
def frame(answers: Sequence[Answer], train_data: Sequence[Answer]) -> training.Frame:
    """The template of the training prompts."""
    found = training.frame_of(answers, train_data)
    if found is None:
        raise NotApplicable("frame")
    return found


@answer_signal
def real_contrast(answers: Sequence[Answer], real_prompts: Sequence[str]) -> distribution.Contrast:
    """How well the prompts of the test and those of real use can be told apart."""
    return distribution.contrast([answer.prompt for answer in answers], real_prompts)


@answer_signal
def trained_contrast(train_data: Sequence[Answer], real_prompts: Sequence[str]) -> distribution.Contrast:
    """How well the prompts of the training and those of real use can be told apart."""
    return distribution.contrast([row.prompt for row in train_data], real_prompts)


@answer_signal
def test_contrast(train_data: Sequence[Answer], answers: Sequence[Answer]) -> distribution.Contrast:
    """How well the prompts of the training and those of the test can be told apart."""
    return distribution.contrast([row.prompt for row in train_data], [answer.prompt for answer in answers])


@answer_signal
def conversation(answers: Sequence[Answer]) -> rounds.Rounds:
    """How well answers of early and of late rounds match."""
    if not any(answer.earlier for answer in answers):
        raise NotApplicable("conversation")
    return rounds.by_rounds(answers)


@answer_signal
def carried(answers: Sequence[Answer]) -> rounds.Carried:
    """Answers that need what an earlier round said."""
    if not any(answer.earlier for answer in answers):
        raise NotApplicable("conversation")
    return rounds.carried(answers)


@answer_signal
def longest_reference(answers: Sequence[Answer]) -> int:
    """Words of the longest right answer."""
    lengths = [len(tokens(reference)) for answer in answers for reference in answer.references]
    if not lengths:
        raise NotMeasurable("references")
    return max(lengths)
