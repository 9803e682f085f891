"""Libraries that only some commands need."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from advisor.errors import AdvisorError


def library(name: str, extra: str) -> Any:
    """Return the imported library, or say which extra brings it."""
    try:
        return import_module(name)
    except ImportError as error:
        raise AdvisorError(f"`{name}` is not installed: `pip install 'finetune-advisor[{extra}]'`") from error
