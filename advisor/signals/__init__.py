"""Measurements: numbers with their noise, and no thresholds.

Every module of this package registers its signals when it is imported; all are imported here.
"""

from importlib import import_module
from pkgutil import iter_modules

from advisor.signals.registry import SERIES, SIGNALS, Measurements

for _module in iter_modules(__path__):
    import_module(f"{__name__}.{_module.name}")

__all__ = ["SERIES", "SIGNALS", "Measurements"]
