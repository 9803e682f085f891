"""Measurements: numbers with their noise, and no thresholds."""

from advisor.signals import (
    checkpoints,
    curve,
    evaluation,
    gradient,
    metrics,
    position,
    rates,
    relation,
    schedule,
    start,
    tokens,
)
from advisor.signals.registry import SERIES, SIGNALS, Measurements

__all__ = [
    "SERIES",
    "SIGNALS",
    "Measurements",
    "checkpoints",
    "curve",
    "evaluation",
    "gradient",
    "metrics",
    "position",
    "rates",
    "relation",
    "schedule",
    "start",
    "tokens",
]
