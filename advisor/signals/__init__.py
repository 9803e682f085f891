"""Measurements: numbers with their noise, and no thresholds."""

from advisor.signals import curve, evaluation, incidents, precision, schedule, start
from advisor.signals.registry import SERIES, SIGNALS, Measurements

__all__ = ["SERIES", "SIGNALS", "Measurements", "curve", "evaluation", "incidents", "precision", "schedule", "start"]
