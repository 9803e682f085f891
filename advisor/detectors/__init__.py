"""Judgements: pure predicates over signals. They see only what they declare and say nothing in words."""

from advisor.detectors import consistency, divergence, events, learning, numerics, overfitting, settings
from advisor.detectors.registry import DETECTORS, Detector, thresholds_of

__all__ = [
    "DETECTORS", "Detector", "consistency", "divergence", "events", "learning", "numerics", "overfitting", "settings",
    "thresholds_of",
]  # fmt: skip
