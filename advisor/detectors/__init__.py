"""Judgements: pure predicates over signals. They see only what they declare and say nothing in words."""

from advisor.detectors import divergence, events, learning, numerics, overfitting, preference, reinforcement, throughput
from advisor.detectors.registry import DETECTORS, Detector, thresholds_of

__all__ = [
    "DETECTORS", "Detector", "divergence", "events", "learning", "numerics", "overfitting", "preference", "reinforcement",
    "thresholds_of", "throughput",
]  # fmt: skip
