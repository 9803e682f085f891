"""Writes changed settings into a configuration file, and touches nothing else.

One way for JSON, YAML and TOML: find where a setting's value stands in the text, put the new value in its place in the same style,
add what is new at the end of its section, then parse the result again and insist that exactly the intended settings differ. All
other characters stay: comments, order, quotes, blanks. What cannot be edited that way is refused, never guessed.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from advisor.config_forms import DEEPEST, PLACES, Place, add, alone, token
from advisor.errors import BadConfig
from advisor.model import Change, Value
from advisor.settings import ALIASES, form_of, parse_config
from advisor.whole_file import write_whole

OWN_NAMES: Mapping[str, tuple[frozenset[str], Mapping[str, str]]] = {
    "axolotl": (
        frozenset({"micro_batch_size", "num_epochs", "base_model", "sequence_len"}),
        {"num_train_epochs": "num_epochs", "per_device_train_batch_size": "micro_batch_size"},
    ),
    "pangu": (
        frozenset({"learning_rate_decay_ratio", "epoch"}),
        {"num_train_epochs": "epoch", "per_device_train_batch_size": "batch_size", "warmup_ratio": "warmup"},
    ),
}
"""Trainer → (keys by which its files are known, the names it gives to settings that a file does not have yet)."""

SUFFIXES = (".json", ".yaml", ".yml", ".toml")


@dataclass(frozen=True, slots=True)
class Written:
    """A change as it was written: the name the file gives the parameter, and the old and the new text of the value.

    old: empty where the setting is new in the file.
    """

    change: Change
    name: str
    old: str
    new: str


def rewrite(text: str, form: str, changes: Iterable[Change], source: str) -> tuple[str, list[Written]]:
    """Return the configuration `text` of `form` (`json`, `yaml`, `toml`) with `changes`, and what was written.

    source: the name of the file, for errors. A setting that already is what it shall be is left alone. Raises BadConfig where a
    parameter is set in two places, or where the text cannot be edited without touching something else.
    """
    values = parse_config(form, text)
    expected = _plain(values)
    places = {place.path: place for place in PLACES[form](text)}
    edits: list[tuple[Place, str]] = []
    additions: list[tuple[str, str]] = []
    section = _section(values)
    written: list[Written] = []
    for change in changes:
        path = _path_of(change.parameter, values, source)
        if path is None:
            name, old = _own_name(change.parameter, values), ""
            if name in _at(expected, section):
                raise _refused(source)
            new = token(change.new, old, form)
            additions.append((name, new))
        else:
            if _same(_at(values, path), change.new):
                continue
            if path not in places:
                raise _refused(source)
            place = places[path]
            name, old = path[-1], text[place.start : place.end]
            new = token(change.new, old, form)
            edits.append((place, new))
        written.append(Written(change, name, old, new))
        *outer, key = path or (*section, name)
        _at(expected, outer)[key] = parse_config(form, alone("it", new, form))["it"]
    for place, new in sorted(edits, key=lambda edit: -edit[0].start):
        gap = " " if form == "yaml" and text[place.start - 1 : place.start] == ":" else ""
        text = text[: place.start] + gap + new + text[place.end :]
    for name, new in additions:
        text = add(text, form, section, name, new)
    try:
        got = _plain(parse_config(form, text))
    except (ValueError, RecursionError) as error:
        raise _refused(source) from error
    if _said(got) != _said(expected):
        raise _refused(source)
    return text, written


def fresh(form: str, changes: Iterable[Change]) -> tuple[str, list[Written]]:
    """Return a configuration of `form` that holds just `changes`, under their transformers names, and what was written."""
    written = [Written(change, change.parameter, "", token(change.new, "", form)) for change in changes]
    if form == "json":
        body = ",\n".join(f"  {json.dumps(w.name)}: {w.new}" for w in written)
        return f"{{\n{body}\n}}\n", written
    return "".join(alone(w.name, w.new, form) for w in written), written


def form_for(path: Path, like: Path | None) -> str:
    """Return the form in which `path` is written: that of the configuration `like`, or without one that of its own suffix.

    Raises BadConfig where the two differ, or where the suffix names no form.
    """
    named = path.suffix.lower() in SUFFIXES
    if like is None:
        if not named:
            raise BadConfig(f"{path}: the suffix says which form to write; end the name in .json, .yaml or .toml")
        return form_of(path)
    if form_of(path) != form_of(like):
        expected = like.suffix or ".json"
        raise BadConfig(f"{path}: {like.name} is written in the form it has; end the name in {expected}")
    return form_of(like)


def save(text: str, path: Path) -> None:
    """Write `text` to `path` as a whole; see `save_bytes`. Raises BadConfig."""
    save_bytes(text.encode("utf-8"), path)


def save_bytes(data: bytes, path: Path) -> None:
    """Write `data` to `path` as a whole; see `write_whole`. Raises BadConfig."""
    try:
        write_whole(data, path)
    except OSError as error:
        raise BadConfig(f"{path.resolve()}: cannot be written ({error.strerror}); check the folder and its permissions") from error


def _refused(source: str) -> BadConfig:
    return BadConfig(
        f"{source}: cannot be changed without touching other settings; make the changes by hand, or give a file with one "
        "plain `name: value` a line"
    )


def _plain(values: Any) -> Any:
    """Return a copy of `values` whose keys are texts."""
    if isinstance(values, Mapping):
        return {str(key): _plain(value) for key, value in values.items()}
    return [_plain(value) for value in values] if isinstance(values, list) else values


def _said(values: Any) -> str:
    """Return all settings as one text, for comparing: NaN differs from itself, and dates are no JSON."""
    return json.dumps(values, sort_keys=True, default=str)


def _leaves(values: Mapping[Any, Any], path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yield (path, value) of everything plain in `values`, as deep as settings are read."""
    for key, value in values.items():
        here = (*path, str(key))
        if isinstance(value, Mapping):
            if len(here) < DEEPEST:
                yield from _leaves(value, here)
        elif not isinstance(value, list):
            yield here, value


def _path_of(parameter: str, values: Mapping[Any, Any], source: str) -> tuple[str, ...] | None:
    """Return where `parameter` is set, under any of its names; None where it is not. One that is null counts if no other is set."""
    found = [(path, value) for path, value in _leaves(values) if ALIASES.get(path[-1], path[-1]) == parameter]
    found = [(path, value) for path, value in found if value is not None] or found[:1]
    if len(found) > 1:
        names = " and ".join(f"`{'.'.join(path)}`" for path, _ in found)
        raise BadConfig(f"{source}: {names} all set {parameter}; keep one of them, so that it is clear which to change")
    return found[0][0] if found else None


def _at(values: Any, path: Iterable[str]) -> Any:
    for key in path:
        values = next(value for name, value in values.items() if str(name) == key)
    return values


def _same(old: Any, new: Value) -> bool:
    """Tell whether a setting already is what it shall be; YAML takes `2e-4` for a text."""
    if isinstance(old, bool) or isinstance(new, bool | str):
        return bool(old == new) and type(old) is type(new)
    try:
        return math.isclose(float(old), new, rel_tol=1e-9)
    except (TypeError, ValueError):
        return False


def _own_name(parameter: str, values: Mapping[Any, Any]) -> str:
    """Return the name that the file's trainer gives `parameter`."""
    keys = {path[-1] for path, _ in _leaves(values)}
    for marks, names in OWN_NAMES.values():
        if keys & marks:
            return names.get(parameter, parameter)
    return parameter


def _section(values: Mapping[Any, Any]) -> tuple[str, ...]:
    """Return the section that holds most of the settings advice is about, where a new one belongs; the top level in doubt."""
    known = {"learning_rate", "eval_steps", "save_steps", "warmup_steps", "bf16", *ALIASES, *ALIASES.values()}
    votes: dict[tuple[str, ...], int] = {(): 0}
    for path, _ in _leaves(values):
        if path[-1] in known:
            votes[path[:-1]] = votes.get(path[:-1], 0) + 1
    return max(votes, key=lambda section: votes[section])
