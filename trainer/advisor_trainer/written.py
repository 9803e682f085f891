"""A configuration as text: every setting with its meaning, its range and its default, to be edited."""

from __future__ import annotations

from itertools import groupby

from advisor.config_forms import token
from advisor.locale import strings
from advisor_trainer.config import ALIASES, INFINITY, OPTIONS, Option, TrainConfig


def commented(config: TrainConfig, language: str) -> str:
    """Return the configuration as TOML with comments in `language`."""
    words = strings(language, "train")
    blocks = [f"# {words['config_head']}"]
    for section, names in groupby(OPTIONS, key=lambda name: OPTIONS[name].section):
        lines = [f"# {words[f'section.{section}']}"]
        for name in names:
            lines.append(f"\n# {about(name, OPTIONS[name], language)}")
            lines.append(f"{name} = {token(getattr(config, name), '', 'toml')}")
        blocks.append("\n".join(lines))
    return "\n\n".join(blocks) + "\n"


def about(name: str, option: Option, language: str) -> str:
    """Return what a setting means, its range, and the other names that it is known by."""
    words = strings(language, "train")
    parts = [words[f"option.{name}"]]
    if option.choices:
        parts.append(words["one_of"].format(choices=", ".join(option.choices)))
    elif option.high < INFINITY:
        key = "documented_range" if option.documented else "range"
        parts.append(words[key].format(low=f"{option.low:g}", high=f"{option.high:g}"))
    elif option.low > -INFINITY and name != "max_steps":
        parts.append(words["at_least"].format(low=f"{option.low:g}"))
    others = [
        other for other, whole in ALIASES.items() if whole == name and other != "output" and (other.isascii() or language == "zh")
    ]
    if others:
        parts.append(words["also"].format(names=", ".join(others)))
    return " ".join(parts)
