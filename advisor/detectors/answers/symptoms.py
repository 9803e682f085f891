"""Detectors of what is wrong with answers, each against what the references show themselves."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from advisor.detectors.registry import detector_about
from advisor.evaluation.bootstrap import sign_test
from advisor.evaluation.model import printable
from advisor.model import Hit, NotApplicable, NotMeasurable, Term

if TYPE_CHECKING:
    from advisor.evaluation.model import Answer, Metric
    from advisor.evaluation.rounds import Carried, Rounds
    from advisor.evaluation.symptoms import Symptom
    from advisor.evaluation.training import Frame, Parroted, Seen
    from advisor.model import Value

about_answers = detector_about("answers")

MOST_PLACES = 1000
"""Answers that a finding names; of more it says the number."""


@about_answers
def symptom(
    symptoms: Mapping[str, Symptom], answers: Sequence[Answer], *, check: str, min_count: int, min_share: float, max_p: float
) -> Hit | None:
    """At least `min_count` answers and `min_share` of them show a sign, more than the references do (sign test, `max_p`).

    Without references the base model's answers stand in for them; without both nothing is compared.
    """
    found = symptoms[check]
    if not found.of:
        raise NotApplicable(check)
    own = found.own & found.applies
    count = int(own.sum())
    if count < min_count or count < min_share * found.of:
        return None
    usual = found.references if found.references is not None else found.base
    if usual is not None:
        right = usual & found.applies
        if sign_test(int((own & ~right).sum()), int((right & ~own).sum())) > max_p:
            return None
    return _of_rows(found, answers, count)


def _of_rows(found: Symptom, answers: Sequence[Answer], count: int) -> Hit:
    rows = [int(row) for row in (found.own & found.applies).nonzero()[0]]
    places = tuple(answers[row].place(found.where.get(row, 0), **dict(found.facts.get(row, {}))) for row in rows[:MOST_PLACES])
    facts: dict[str, Any] = {
        **places[0].facts, "count": count, "of": found.of, "share": count / found.of, "line": places[0].line,
        "right": Term("unknown-share") if found.references is None else f"{found.share(found.references):.1%}",
    }  # fmt: skip
    return Hit(facts, places=places)


@about_answers
def falls_behind_base(gains: Sequence[Metric], *, min_rows: int) -> Hit | None:
    """A metric is worse than the base model's beyond its noise, and none is better."""
    verdicts = {metric.verdict for metric in gains if metric.rows >= min_rows}
    if not verdicts:
        raise NotMeasurable("answers", need=min_rows, have=max(metric.rows for metric in gains))
    if "worse" not in verdicts or "better" in verdicts:
        return None
    return _of_gain(next(metric for metric in gains if metric.verdict == "worse"))


@about_answers
def gain_within_noise(gains: Sequence[Metric], *, min_rows: int) -> Hit | None:
    """No metric differs from the base model's beyond its noise."""
    judged = [metric for metric in gains if metric.rows >= min_rows]
    if not judged:
        raise NotMeasurable("answers", need=min_rows, have=max(metric.rows for metric in gains))
    return None if any(metric.verdict != "same" for metric in judged) else _of_gain(judged[0])


def _of_gain(metric: Metric) -> Hit:
    assert metric.gain is not None
    assert metric.base is not None
    return Hit({
        "metric": metric.name, "own": metric.own.value, "base": metric.base.value, "gain": metric.gain.value,
        "low": metric.gain.low, "high": metric.gain.high, "rows": metric.rows,
    })  # fmt: skip


@about_answers
def poor_without_symptom(quality: Metric, symptoms: Mapping[str, Symptom], *, most: float, most_symptoms: float) -> Hit | None:
    """The overlap with the references is surely below `most`, while fewer than `most_symptoms` of the answers show any sign."""
    if quality.own.high >= most:
        return None
    if any(found.share(found.own) >= most_symptoms for found in symptoms.values() if found.of):
        return None
    own = quality.own
    return Hit({"f1": own.value, "low": own.low, "high": own.high, "rows": quality.rows, "most": most})


@about_answers
def training_answers_given(
    parroted: Parroted, answers: Sequence[Answer], train_data: Sequence[Answer], *, min_count: int, min_share: float
) -> Hit | None:
    """Questions that were not trained on get training answers word for word, and wrong ones."""
    count = len(parroted.rows)
    if not parroted.of:
        raise NotApplicable("unseen_questions")
    if count < min_count or count < min_share * parroted.of:
        return None
    places = tuple(
        answers[row].place(like=f"{train_data[other].source}:{train_data[other].line}")
        for row, other in parroted.rows[:MOST_PLACES]
    )
    facts: dict[str, Any] = {
        **places[0].facts, "count": count, "of": parroted.of, "share": count / parroted.of, "line": places[0].line,
        "right": f"{parroted.references / parroted.of:.1%}",
    }  # fmt: skip
    return Hit(facts, places=places)


@about_answers
def only_seen_answered(seen: Seen, *, min_rows: int, min_seen: float, min_gap: float) -> Hit | None:
    """Questions of the training are answered well, others of the test are not: the gap is at least `min_gap` beyond its noise."""
    have = min(len(seen.rows), seen.unseen)
    if have < min_rows:
        raise NotMeasurable("seen_and_unseen", need=min_rows, have=have)
    assert seen.gap is not None
    if seen.seen_mean < min_seen or seen.gap.value < min_gap or seen.gap.low <= 0:
        return None
    return Hit({
        "seen": len(seen.rows), "unseen": seen.unseen, "seen_f1": seen.seen_mean, "unseen_f1": seen.unseen_mean,
        "gap": seen.gap.value, "low": seen.gap.low, "high": seen.gap.high,
    })  # fmt: skip


@about_answers
def seen_answered_wrongly(
    seen: Seen, answers: Sequence[Answer], *, min_rows: int, wrong_below: float, min_share: float
) -> Hit | None:
    """Questions that were trained on get answers that have hardly a word in common with what was taught."""
    if len(seen.rows) < min_rows:
        raise NotMeasurable("seen_questions", need=min_rows, have=len(seen.rows))
    wrong = [row for row, score in zip(seen.rows, seen.scores, strict=True) if score < wrong_below]
    share = len(wrong) / len(seen.rows)
    # The lower end of the share's interval: a few of few are no share yet.
    if not wrong or share - 1.64 * math.sqrt(share * (1 - share) / len(seen.rows)) < min_share:
        return None
    places = tuple(answers[row].place() for row in wrong[:MOST_PLACES])
    return Hit({"count": len(wrong), "of": len(seen.rows), "share": share, "line": places[0].line}, places=places)


@about_answers
def prompt_template_missing(frame: Frame, *, min_train: float, most_evaluated: float) -> Hit | None:
    """Training prompts have a template that the evaluated prompts lack."""
    if frame.train < min_train or frame.evaluated > most_evaluated:
        return None
    shown = " … ".join(part.strip().replace("\n", "⏎") for part in (frame.begin[:SHOWN], frame.end[-SHOWN:]) if part.strip())
    return Hit({"template": printable(shown), "train": frame.train, "evaluated": frame.evaluated})


SHOWN = 40
"""Characters of a template that are shown at either end."""


@about_answers
def falls_with_rounds(conversation: Rounds, *, min_rows: int, min_fall: float) -> Hit | None:
    """Answers in later rounds match their references less than those in the first rounds, by `min_fall` beyond the noise."""
    have = min(conversation.early, conversation.late)
    if have < min_rows:
        raise NotMeasurable("rounds", need=min_rows, have=have)
    fall = conversation.fall
    assert fall is not None
    if fall.value < min_fall or fall.low <= 0:
        return None
    return Hit({
        "early": conversation.early_mean, "late": conversation.late_mean, "early_rows": conversation.early,
        "late_rows": conversation.late, "most": conversation.most, "fall": fall.value, "low": fall.low, "high": fall.high,
    })  # fmt: skip


@about_answers
def earlier_facts_lost(
    carried: Carried, answers: Sequence[Answer], *, min_rows: int, min_share: float, min_excess: float
) -> Hit | None:
    """Answers lack what an earlier round said, and more of them than are wrong where nothing had to be kept."""
    if carried.of < min_rows:
        raise NotMeasurable("carried", need=min_rows, have=carried.of)
    share = len(carried.rows) / carried.of
    # Where every row needs an earlier fact there is nothing to compare with but the answers that keep it.
    usual = carried.other_wrong if carried.others >= min_rows else 0.0
    if share < min_share or share - usual < min_excess:
        return None
    places = tuple(answers[row].place(word=word) for row, word in carried.rows[:MOST_PLACES])
    facts: dict[str, Any] = {
        **places[0].facts,
        "count": len(carried.rows),
        "of": carried.of,
        "share": share,
        "line": places[0].line,
    }
    return Hit({**facts, "usual": usual}, places=places)


@about_answers
def repeats_with_negative_penalty(
    symptoms: Mapping[str, Symptom], answers: Sequence[Answer], inference: Mapping[str, Value], *, min_count: int, min_share: float
) -> Hit | None:
    """Answers repeat themselves or a topic while the presence penalty is below 0, which by its definition asks for just that."""
    penalty = inference.get("presence_penalty")
    if not isinstance(penalty, int | float):
        raise NotMeasurable("config:presence_penalty")
    if penalty >= 0:
        return None
    for check in ("repetition", "returning-topic"):
        found = symptoms[check]
        count = int(found.own.sum())
        if count >= min_count and count >= min_share * found.of:
            hit = _of_rows(found, answers, count)
            return Hit({**hit.facts, "penalty": float(penalty)}, places=hit.places)
    return None
