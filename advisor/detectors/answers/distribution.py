"""Detectors of sets of prompts that are unlike one another."""

from __future__ import annotations

from typing import TYPE_CHECKING

from advisor.detectors.registry import detector_about
from advisor.model import Hit, NotMeasurable

if TYPE_CHECKING:
    from advisor.evaluation.distribution import Contrast
    from advisor.evaluation.model import Metric

about_answers = detector_about("answers")


def _unlike(contrast: Contrast, missing: str, least_prompts: int, least: float) -> Hit | None:
    have = min(contrast.here, contrast.there)
    if have < least_prompts:
        raise NotMeasurable(missing, need=least_prompts, have=have)
    if contrast.low < least:
        return None
    return Hit({
        "auc": contrast.auc, "low": contrast.low, "here": contrast.here, "there": contrast.there,
        "words": ", ".join(contrast.only_there) or "-", "length": contrast.length, "length_there": contrast.length_there,
    })  # fmt: skip


@about_answers
def test_unlike_real(real_contrast: Contrast, *, min_prompts: int, min_auc: float) -> Hit | None:
    """Prompts of the test and of real use can be told apart in at least `min_auc` of the pairs, noise taken off."""
    return _unlike(real_contrast, "real_prompts", min_prompts, min_auc)


@about_answers
def training_unlike_real(trained_contrast: Contrast, *, min_prompts: int, min_auc: float) -> Hit | None:
    """Prompts of the training and of real use can be told apart in at least `min_auc` of the pairs, noise taken off."""
    return _unlike(trained_contrast, "real_prompts", min_prompts, min_auc)


@about_answers
def low_on_other_prompts(test_contrast: Contrast, quality: Metric, *, min_prompts: int, min_auc: float, most: float) -> Hit | None:
    """The overlap with the references is surely below `most`, and the test's prompts are unlike those of the training."""
    if quality.own.high >= most:
        return None
    hit = _unlike(test_contrast, "train_data", min_prompts, min_auc)
    return hit and Hit({**hit.facts, "f1": quality.own.value})
