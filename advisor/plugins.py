"""Code that other distributions add by entry points; what is wrong with one is said with its name."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

from advisor.errors import BadPlugin

READERS = "advisor.readers.v1"
DETECTORS = "advisor.detectors.v1"
RENDERERS = "advisor.renderers.v1"


def load_all(group: str) -> Iterator[tuple[str, Any]]:
    """Yield (name for messages, object) of every entry point of `group`. Raises BadPlugin where one cannot be loaded."""
    if group not in _mentioned():
        return
    # Reading the metadata of all distributions is slow to import, and hardly anybody has a plug-in.
    from importlib.metadata import entry_points

    for point in entry_points(group=group):
        dist = point.dist.name if point.dist is not None else "an unknown distribution"
        name = f"plug-in {dist}: entry point `{point.name} = {point.value}` ({group})"
        try:
            loaded = point.load()
        except Exception as error:  # whatever a plug-in does when it is imported
            raise BadPlugin(f"{name} cannot be loaded: {type(error).__name__}: {error}; update or uninstall {dist}") from error
        yield name, loaded


@lru_cache(maxsize=1)
def _mentioned() -> frozenset[str]:
    """Return the groups that the entry points of any installed distribution name."""
    found = set()
    for folder in filter(None, sys.path):
        for listed in Path(folder).glob("*.*-info/entry_points.txt"):
            try:
                content = listed.read_text(encoding="utf-8", errors="replace")
            except OSError:
                continue
            found |= {group for group in (READERS, DETECTORS, RENDERERS) if group in content}
    return frozenset(found)
