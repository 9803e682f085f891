"""Measurements: numbers with their noise, and no thresholds."""

from advisor.signals import consistency, curve, evaluation, schedule, settings, start
from advisor.signals.registry import SERIES, SIGNALS, Measurements

__all__ = ["SERIES", "SIGNALS", "Measurements", "consistency", "curve", "evaluation", "schedule", "settings", "start"]
