"""Judgements: pure predicates over signals. They see only what they declare and say nothing in words.

Every module of this package registers its detectors when it is imported; all are imported here.
"""

from importlib import import_module
from pkgutil import iter_modules

from advisor.detectors.registry import ABOUT_DATASETS, DETECTORS, Detector, thresholds_of

for _module in iter_modules(__path__):
    import_module(f"{__name__}.{_module.name}")

__all__ = ["ABOUT_DATASETS", "DETECTORS", "Detector", "thresholds_of"]
