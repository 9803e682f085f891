"""Detectors of the machine."""

from __future__ import annotations

from advisor.detectors.registry import detector
from advisor.model import At, Hit, Series


@detector
def overheated(temperature: Series, *, most: float, min_points: int) -> Hit | None:
    """The device is hotter than `most` degrees Celsius in at least `min_points` logged points."""
    hot = temperature.values > most
    if hot.sum() < min_points:
        return None
    hottest = int(temperature.values.argmax())
    facts = {"hottest": float(temperature.values[hottest]), "at": At(temperature.x[hottest])}
    return Hit(facts, (temperature.point(hottest),))
