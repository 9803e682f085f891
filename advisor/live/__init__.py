"""Diagnosis while a run is going on: a callback for transformers' Trainer and what is built on it, and a watch over a growing log.

`from advisor.live import AdvisorCallback` loads transformers; nothing else here does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from advisor.live.callback import AdvisorCallback

__all__ = ["AdvisorCallback"]


def __getattr__(name: str) -> Any:
    if name == "AdvisorCallback":
        from advisor.live.callback import AdvisorCallback

        return AdvisorCallback
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
