"""The measurements of a dataset by their names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])
DATASET_SIGNALS: dict[str, Callable[..., Any]] = {}


def dataset_signal(function: F) -> F:
    """Register `function` as the signal of its own name."""
    DATASET_SIGNALS[function.__name__] = function
    return function
