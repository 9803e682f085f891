"""Detectors of what the rows are of, taken together: too much alike, too few of a kind, or not what they are judged by."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from advisor.detectors.registry import detector_about
from advisor.model import Hit, NotMeasurable, Term

if TYPE_CHECKING:
    from advisor.data.measured import Contrast, JsonFields, Opening, Rounds
    from advisor.data.survey import Split

about_rows = detector_about("dataset")


@about_rows
def one_kind_of_question(opening: Opening, train: Split, *, min_share: float) -> Hit | None:
    """At least `min_share` of the questions begin with the same words."""
    if not opening.of or opening.count < min_share * opening.of:
        return None
    place = train.place(opening.row)
    share = opening.count / opening.of
    return Hit({"count": opening.count, "of": opening.of, "share": share, "line": place.line}, places=(place,))


@about_rows
def few_rounds(rounds: Rounds, *, long_rounds: int, max_long: float, min_share: float, min_count: int) -> Hit | None:
    """Of the conversations with several rounds hardly any (`max_long`) have `long_rounds` or more.

    It needs `min_count` such conversations, and that they are `min_share` of the rows: else the data are not about conversation.
    """
    if rounds.count < min_share * rounds.of:
        return None
    if rounds.count < min_count:
        raise NotMeasurable("conversations", need=min_count, have=rounds.count)
    longer = int(rounds.counts[long_rounds:].sum())
    if longer > max_long * rounds.count:
        return None
    return Hit({"count": rounds.count, "longer": longer, "rounds": long_rounds, "most": len(rounds.counts) - 1})


@about_rows
def rare_json_field(
    json_fields: JsonFields, train: Split, *, min_answers: int, min_json: float, rare: float, most_fields: int
) -> Hit | None:
    """A field stands in fewer than `rare` of the answers that are JSON objects.

    It needs `min_answers` of these, `min_json` of all rows, and a form: with more than `most_fields` different ones they are data.
    """
    if json_fields.answers < min_json * json_fields.of or len(json_fields.counts) > most_fields:
        return None
    if json_fields.answers < min_answers:
        raise NotMeasurable("json_answers", need=min_answers, have=json_fields.answers)
    few = [(count, name) for name, count in json_fields.counts.items() if count < rare * json_fields.answers]
    if not few:
        return None
    count, name = min(few)
    places = tuple(train.place(json_fields.first[field]) for _, field in sorted(few))
    facts: dict[str, Any] = {
        "field": name, "count": count, "of": json_fields.answers, "share": count / json_fields.answers, "fields": len(few),
        "line": places[0].line,
    }  # fmt: skip
    return Hit(facts, places=places)


@about_rows
def evaluation_unlike_training(contrast: Contrast, *, min_gap: float, min_language: float, min_rows: int) -> Hit | None:
    """Lengths of prompts or answers differ by `min_gap` of their distributions, or languages by `min_language` of the answers."""
    fewer = min(contrast.train, contrast.evaluation)
    if fewer < min_rows:
        raise NotMeasurable("rows_of_both_sides", need=min_rows, have=fewer)
    prompts, answers = contrast.prompt_medians, contrast.answer_medians
    language = abs(contrast.chinese_train - contrast.chinese_evaluation)
    gaps = [
        (contrast.prompts / min_gap, "prompts", *prompts, contrast.prompts),
        (contrast.answers / min_gap, "answers", *answers, contrast.answers),
        (language / min_language, "language", 100 * contrast.chinese_train, 100 * contrast.chinese_evaluation, language),
    ]
    times, what, here, there, gap = max(gaps, key=lambda found: found[0])
    if times < 1 or not np.isfinite(times):
        return None
    return Hit({"what": Term(f"contrast-{what}"), "train": here, "evaluation": there, "gap": gap})
