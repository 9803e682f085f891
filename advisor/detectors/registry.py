"""Detectors by name. Positional parameters name signals; keyword-only parameters are thresholds, and stand in the rule's TOML."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

from advisor.model import Hit

Detector = Callable[..., "Hit | None"]
DETECTORS: dict[str, Detector] = {}
SUBJECT_OF: dict[str, str] = {}
"""What a detector looks at, by its name: one of SUBJECTS."""

RUN = "run"
SUBJECTS = (RUN, "dataset", "answers", "task")
"""What can be judged: a training run, a dataset, a model's answers, a task that a model is wanted for."""

F = TypeVar("F", bound=Detector)


def detector(function: F) -> F:
    """Register `function` as the detector of its own name, which looks at a run."""
    return detector_about(RUN)(function)


def detector_about(subject: str) -> Callable[[F], F]:
    """Return the decorator that registers a detector which looks at `subject`."""

    def register(function: F) -> F:
        DETECTORS[function.__name__] = function
        SUBJECT_OF[function.__name__] = subject
        return function

    return register


def thresholds_of(function: Detector) -> Mapping[str, str]:
    """Return the thresholds a detector declares: name → type (`float`, `int`, `str`, `bool`)."""
    code = function.__code__  # much faster than inspect.signature, and detectors are plain functions
    names = code.co_varnames[code.co_argcount : code.co_argcount + code.co_kwonlyargcount]
    # Annotations are types, not their names, in a plug-in without `from __future__ import annotations`.
    return {name: getattr(kind := function.__annotations__[name], "__name__", str(kind)) for name in names}
