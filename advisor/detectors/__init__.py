"""Judgements: pure predicates over signals. They see only what they declare and say nothing in words."""

from advisor.detectors import divergence, events, learning, memory, numerics, overfitting, precision
from advisor.detectors.registry import DETECTORS, Detector, thresholds_of

__all__ = [
    "DETECTORS", "Detector", "divergence", "events", "learning", "memory", "numerics", "overfitting", "precision", "thresholds_of",
]  # fmt: skip
