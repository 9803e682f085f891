"""Code that other distributions add by entry points; what is wrong with one is said with its name."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import entry_points
from typing import Any

from advisor.errors import BadPlugin

READERS = "advisor.readers.v1"
DETECTORS = "advisor.detectors.v1"


def load_all(group: str) -> Iterator[tuple[str, Any]]:
    """Yield (name for messages, object) of every entry point of `group`. Raises BadPlugin where one cannot be loaded."""
    for point in entry_points(group=group):
        dist = point.dist.name if point.dist is not None else "an unknown distribution"
        name = f"plug-in {dist}: entry point `{point.name} = {point.value}` ({group})"
        try:
            loaded = point.load()
        except Exception as error:  # whatever a plug-in does when it is imported
            raise BadPlugin(f"{name} cannot be loaded: {type(error).__name__}: {error}; update or uninstall {dist}") from error
        yield name, loaded
