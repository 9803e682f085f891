"""Judgements: pure predicates over signals. They see only what they declare and say nothing in words."""

from advisor.detectors import divergence, events, learning, numerics, outlook, overfitting
from advisor.detectors.registry import DETECTORS, Detector, thresholds_of

__all__ = ["DETECTORS", "Detector", "divergence", "events", "learning", "numerics", "outlook", "overfitting", "thresholds_of"]
