"""Detectors of inference parameters that lie outside the documented ranges, or against what is wanted."""

from __future__ import annotations

from collections.abc import Mapping

from advisor.detectors.registry import detector_about
from advisor.evaluation.parameters import RANGES, RECOMMENDED
from advisor.model import Hit, NotApplicable, NotMeasurable, Value

about_answers = detector_about("answers")


def _number(inference: Mapping[str, Value], name: str) -> float:
    value = inference.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise NotMeasurable(f"config:{name}")
    return float(value)


def _sampled(inference: Mapping[str, Value]) -> bool:
    """Tell whether the next token is drawn: without drawing, temperature and top_p do nothing."""
    return inference.get("do_sample") is not False


@about_answers
def inference_out_of_range(inference: Mapping[str, Value], *, parameter: str) -> Hit | None:
    """A parameter lies outside its documented range."""
    value = _number(inference, parameter)
    low, high = RANGES[parameter]
    if low <= value <= high:
        return None
    return Hit({"value": value, "low": low, "high": high, "recommended": RECOMMENDED[parameter]})


@about_answers
def both_changed(inference: Mapping[str, Value]) -> Hit | None:
    """Temperature and top_p both differ from where they start, and both are in use."""
    temperature, top_p = _number(inference, "temperature"), _number(inference, "top_p")
    if not _sampled(inference) or temperature == 0 or RECOMMENDED["temperature"] == temperature or top_p == RECOMMENDED["top_p"]:
        return None
    return Hit({
        "temperature": temperature, "top_p": top_p, "start": RECOMMENDED["temperature"], "start_top_p": RECOMMENDED["top_p"],
    })  # fmt: skip


def _wanted(want: str, which: str) -> None:
    if want != which:
        raise NotApplicable("want")


@about_answers
def too_random(inference: Mapping[str, Value], want: str, *, above: float) -> Hit | None:
    """Predictable answers are wanted, and the temperature is above `above` with nothing else that narrows the choice."""
    _wanted(want, "deterministic")
    temperature = _number(inference, "temperature")
    if temperature <= above or not _sampled(inference):
        return None
    return Hit({"temperature": temperature, "above": above})


@about_answers
def too_predictable(inference: Mapping[str, Value], want: str, *, below: float) -> Hit | None:
    """Creative answers are wanted, and the temperature is below `below`, or nothing is drawn at all."""
    _wanted(want, "creative")
    temperature = _number(inference, "temperature") if _sampled(inference) else 0.0
    return Hit({"temperature": temperature, "below": below}) if temperature < below else None


@about_answers
def too_narrow(inference: Mapping[str, Value], want: str, *, below: float) -> Hit | None:
    """Diverse answers are wanted, and top_p is below `below`."""
    _wanted(want, "diverse")
    top_p = _number(inference, "top_p")
    return Hit({"top_p": top_p, "below": below}) if top_p < below else None
