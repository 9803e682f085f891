"""Interface strings in English and Chinese: one TOML file a language, with the same keys."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files


@lru_cache(maxsize=4)
def strings(language: str) -> Mapping[str, str]:
    """Return the interface strings of `language`, tables flattened to dotted keys."""
    table = tomllib.loads((files("advisor.locale") / f"{language}.toml").read_text(encoding="utf-8"))
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
