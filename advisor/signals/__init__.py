"""Measurements: numbers with their noise, and no thresholds."""

from advisor.signals import curve, evaluation, forecast, planned, schedule, start
from advisor.signals.registry import SERIES, SIGNALS, Measurements

__all__ = ["SERIES", "SIGNALS", "Measurements", "curve", "evaluation", "forecast", "planned", "schedule", "start"]
