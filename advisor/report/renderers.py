"""The renderers of reports: functions from a report, in each language, to bytes, found by the entry points of their group.

A renderer takes the same report in every language, the one that was asked for first, and returns the bytes of a file. Its entry
point's name is the suffix of the files it writes, or the word for `--format`. It arranges; it neither judges nor computes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from importlib.metadata import EntryPoint, entry_points

from advisor.errors import BadPlugin, MissingExtra
from advisor.plugins import RENDERERS
from advisor.report.model import Report

Renderer = Callable[[Sequence[Report]], bytes]

OTHER_NAMES = {"htm": "html", "markdown": "md"}


@lru_cache(maxsize=1)
def _points() -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=RENDERERS)}


def formats() -> tuple[str, ...]:
    """Return the names of all formats."""
    return tuple(sorted(_points()))


def renderer(name: str) -> Renderer:
    """Return the renderer of this format.

    Raises BadPlugin where there is none, and MissingExtra where an optional part is not installed.
    """
    name = OTHER_NAMES.get(name.lower(), name.lower())
    points = _points()
    if name not in points:
        raise BadPlugin(f"no report format `{name}`; there are {', '.join(formats())}")
    point = points[name]
    distribution = point.dist.name if point.dist is not None else "finetune-advisor"
    try:
        found = point.load()
    except ModuleNotFoundError as error:
        if point.extras:
            extra = f"{distribution}[{','.join(point.extras)}]"
            raise MissingExtra(f"reports in {name} need `{error.name}`, which is not installed; pip install '{extra}'") from error
        raise BadPlugin(f"{distribution}: the renderer `{name}` ({point.value}) cannot be loaded: {error}") from error
    except Exception as error:  # whatever a plug-in does when it is imported
        raise BadPlugin(f"{distribution}: the renderer `{name}` ({point.value}) cannot be loaded: {error}") from error
    if not callable(found):
        raise BadPlugin(f"{distribution}: the renderer `{name}` ({point.value}) is no function")
    return found  # type: ignore[no-any-return]
