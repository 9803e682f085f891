"""Measurements: numbers with their noise, and no thresholds."""

from advisor.signals import curve, evaluation, preference, reinforcement, schedule, start, throughput
from advisor.signals.registry import SERIES, SIGNALS, Measurements

__all__ = [
    "SERIES", "SIGNALS", "Measurements", "curve", "evaluation", "preference", "reinforcement", "schedule", "start", "throughput",
]  # fmt: skip
