"""Judgements: pure predicates over signals. They see only what they declare and say nothing in words."""

from advisor.detectors import dataset, divergence, events, learning, numerics, overfitting
from advisor.detectors.registry import ABOUT_DATASETS, DETECTORS, Detector, thresholds_of

__all__ = [
    "ABOUT_DATASETS", "DETECTORS", "Detector", "dataset", "divergence", "events", "learning", "numerics", "overfitting",
    "thresholds_of",
]  # fmt: skip
