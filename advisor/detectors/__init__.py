"""Judgements: pure predicates over signals. They see only what they declare and say nothing in words.

Every module of this package registers its detectors when it is imported. Those about runs stand in the package itself and are
imported here; those about another subject stand in a folder of its name and are imported when a rule about it is loaded.
"""

from functools import lru_cache
from importlib import import_module
from pkgutil import iter_modules

from advisor.detectors.registry import DETECTORS, RUN, SUBJECT_OF, SUBJECTS, Detector, thresholds_of

for _module in iter_modules(__path__):
    if not _module.ispkg:
        import_module(f"{__name__}.{_module.name}")


@lru_cache
def load_detectors(subject: str) -> None:
    """Let the detectors about `subject`, one of SUBJECTS, register themselves."""
    if subject != RUN:
        package = import_module(f"{__name__}.{subject}")
        for module in iter_modules(package.__path__):
            import_module(f"{package.__name__}.{module.name}")


__all__ = ["DETECTORS", "RUN", "SUBJECTS", "SUBJECT_OF", "Detector", "load_detectors", "thresholds_of"]
