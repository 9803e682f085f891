"""Judgements: pure predicates over signals. They see only what they declare and say nothing in words."""

from advisor.detectors import choice, clues, divergence, events, learning, numerics, overfitting, relation
from advisor.detectors.registry import DETECTORS, Detector, thresholds_of

__all__ = [
    "DETECTORS",
    "Detector",
    "choice",
    "clues",
    "divergence",
    "events",
    "learning",
    "numerics",
    "overfitting",
    "relation",
    "thresholds_of",
]
