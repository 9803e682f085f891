"""The configuration ready to copy: what is known of the settings, with the safe changes made and the others said."""

from __future__ import annotations

import json
from collections.abc import Sequence

from advisor.config_forms import token
from advisor.config_writer import rewrite
from advisor.errors import BadConfig
from advisor.model import Change, Value
from advisor.render.words import Words, value_text
from advisor.report.material import Material
from advisor.report.model import Configuration

LEAST_FOR_WHOLE = 4
"""Settings that a log must name for its configuration to be worth copying as a whole; below, only the changes are given."""


def configuration(material: Material, words: Words) -> Configuration:
    """Return the configuration: that which was given, edited in place; else what the log says, as YAML."""
    changes = material.diagnosis.changes
    safe = [change for change in changes if change.trust == "safe"]
    waiting = [change for change in changes if change.trust != "safe"]
    lines = tuple(_line(change, words) for change in waiting)
    changed = tuple(change.parameter for change in safe)
    if material.order.given is not None:
        form, text, name = material.order.given
        try:
            edited, _ = rewrite(text.removeprefix("\ufeff"), form, safe, name) if safe else (text, [])
        except BadConfig:
            pass  # it cannot be edited in place; what follows says the changes all the same
        else:
            return Configuration(form, edited.rstrip("\n"), _note(safe, waiting, words, whole=True), changed, lines, whole=True)
    if not changes and len(material.config) < LEAST_FOR_WHOLE:
        return Configuration("yaml", "", words("configuration_empty"), (), (), whole=False)
    whole = len(material.config) >= LEAST_FOR_WHOLE
    text = _yaml(material, safe, waiting, words, whole=whole)
    return Configuration("yaml", text, _note(safe, waiting, words, whole=whole), changed, lines, whole=whole)


def _note(safe: Sequence[Change], waiting: Sequence[Change], words: Words, *, whole: bool) -> str:
    key = "configuration_whole" if whole else "configuration_part"
    said = [words(key)]
    if safe:
        said.append(words("configuration_safe", count=len(safe)))
    if waiting:
        said.append(words("configuration_waiting", count=len(waiting)))
    return words("sentence_gap").join(said)


def _line(change: Change, words: Words) -> str:
    unknown = words("unknown")
    return f"{change.parameter}: {value_text(change.old, unknown)} → {value_text(change.new, unknown)} ({change.rule})"


def _yaml(material: Material, safe: Sequence[Change], waiting: Sequence[Change], words: Words, *, whole: bool) -> str:
    by_name = {change.parameter: change for change in safe}
    lines = []
    if whole:
        for name, value in material.config.items():
            change = by_name.pop(name, None)
            if name == "max_steps" and change is None and "num_train_epochs" in {c.parameter for c in safe}:
                # Trainers let the steps overrule the epochs, and logs hold the steps that followed from the old ones.
                lines.append("# " + words("follows_epochs", name=name, old=_written(value)))
                continue
            shown = change.new if change else value
            lines.append(f"{_word(name)}: {_written(shown)}" + (_comment(change, words) if change else ""))
    lines += [f"{change.parameter}: {_written(change.new)}" + _comment(change, words) for change in by_name.values()]
    lines += [f"# {change.parameter}: {_written(change.new)}" + _comment(change, words) for change in waiting]
    return "\n".join(lines)


def _comment(change: Change, words: Words) -> str:
    old = words("unset") if change.old is None else _written(change.old)
    return f"  # {words('was', old=old)}, {change.rule}, {words(f'trust.{change.trust}')}"


def _word(name: str) -> str:
    return name if name.replace("_", "").isalnum() and name.isascii() else json.dumps(name, ensure_ascii=False)


def _written(value: Value) -> str:
    if isinstance(value, float) and value == 0:
        return "0.0"
    if not isinstance(value, str):
        return token(value, "", "yaml")
    return value if token(value, "", "yaml") == value else json.dumps(value, ensure_ascii=False)
