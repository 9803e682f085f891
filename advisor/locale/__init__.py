"""Interface strings in English and Chinese, with the same keys: `<language>.toml`, and `<topic>.<language>.toml` of a command."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files


@lru_cache
def strings(language: str, topic: str = "") -> Mapping[str, str]:
    """Return the interface strings of `language`, tables flattened to dotted keys; those of a `topic` where one is named.

    What every answer needs stands in the file without a topic; a topic is read only by the command that speaks of it.
    """
    name = ".".join(filter(None, (topic, language, "toml")))
    table = tomllib.loads((files("advisor.locale") / name).read_text(encoding="utf-8"))
    flat: dict[str, str] = {}
    for key, value in table.items():
        if isinstance(value, dict):
            flat |= {f"{key}.{inner}": text for inner, text in value.items()}
        else:
            flat[key] = value
    return flat


def default_language() -> str:
    """Return the language that the environment asks for: `zh` under a Chinese locale, else `en`."""
    wanted = (
        os.environ.get("ADVISOR_LANG") or os.environ.get("LC_ALL") or os.environ.get("LC_MESSAGES") or os.environ.get("LANG") or ""
    )
    return "zh" if wanted.lower().startswith("zh") else "en"
