"""Where the values of a configuration stand in its text, how a value is written there, and how a new one is added.

Positions only: nothing is constructed, and whoever edits by them parses the result again and compares; see `config_writer`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from advisor.model import Value

DEEPEST = 2
"""A setting is read from the top level or from one section, no deeper; see `settings.read_config`."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a setting stands in the text: its key from `key`, its value from `start` to before `end`. path: section and key."""

    path: tuple[str, ...]
    key: int
    start: int
    end: int


_DECODER = json.JSONDecoder()
_BLANKS = re.compile(r"[ \t\r\n]*")


def _after_blanks(text: str, at: int) -> int:
    found = _BLANKS.match(text, at)
    assert found is not None
    return found.end()


def _json_places(text: str, at: int = 0, path: tuple[str, ...] = ()) -> Iterator[Place]:
    """Yield the places of plain values in the JSON object that begins at `at`."""
    at = _after_blanks(text, at) + 1
    while text[at := _after_blanks(text, at)] != "}":
        if text[at] == ",":
            at += 1
            continue
        key_at = at
        key, at = _DECODER.raw_decode(text, at)
        start = _after_blanks(text, _after_blanks(text, at) + 1)
        value, at = _DECODER.raw_decode(text, start)
        if isinstance(value, dict):
            if len(path) + 1 < DEEPEST:
                yield from _json_places(text, start, (*path, key))
        elif not isinstance(value, list):
            yield Place((*path, key), key_at, start, at)


_PROPERTIES = re.compile(r"(?:[&!]\S*[ \t]+)*")
"""An anchor or a tag in front of a YAML value: it stays."""


def _yaml_places(text: str) -> Iterator[Place]:
    """Yield the places of plain values in a YAML document. A value that is named elsewhere (`*alias`) has none of its own."""
    from ruamel.yaml import YAML
    from ruamel.yaml.nodes import MappingNode, ScalarNode

    def of(node: Any, path: tuple[str, ...]) -> Iterator[Place]:
        for key, value in node.value:
            here = (*path, str(key.value))
            if value.start_mark.index < key.end_mark.index:
                continue
            if isinstance(value, ScalarNode) and value.start_mark.index == value.end_mark.index:
                # Nothing stands there: an empty value is said to be where the next token begins.
                at = text.index(":", key.end_mark.index) + 1
                yield Place(here, key.start_mark.index, at, at)
            elif isinstance(value, ScalarNode):
                properties = _PROPERTIES.match(text, value.start_mark.index)
                start = min(properties.end() if properties else value.start_mark.index, value.end_mark.index)
                yield Place(here, key.start_mark.index, start, value.end_mark.index)
            elif isinstance(value, MappingNode) and len(here) < DEEPEST:
                yield from of(value, here)

    root = YAML(typ="safe", pure=True).compose(text)
    if isinstance(root, MappingNode):
        yield from of(root, ())


_TOML_TABLE = re.compile(r"^[ \t]*\[[ \t]*(?P<name>[^\[\]]+?)[ \t]*\][ \t]*(?:#.*)?$")
_TOML_LINE = re.compile(
    r"""^[ \t]*(?P<key>[A-Za-z0-9_-]+|"[^"\\]*"|'[^']*')[ \t]*=[ \t]*"""
    r"""(?P<value>"(?:[^"\\]|\\.)*"|'[^']*'|[^\s"'\[{#][^\s#]*)[ \t]*(?:#.*)?$"""
)


def _toml_places(text: str) -> Iterator[Place]:
    """Yield the places of plain values that stand alone on a line under their table's header."""
    table: tuple[str, ...] = ()
    at = 0
    for line in text.splitlines(keepends=True):
        body = line.rstrip("\r\n")
        if found := _TOML_TABLE.match(body):
            table = (found["name"].strip("\"'"),)
        elif body.lstrip().startswith("[["):
            table = ("",) * DEEPEST
        elif (found := _TOML_LINE.match(body)) and len(table) < DEEPEST:
            yield Place(
                (*table, found["key"].strip("\"'")), at + found.start("key"), at + found.start("value"), at + found.end("value")
            )
        at += len(line)


PLACES: Mapping[str, Callable[[str], Iterator[Place]]] = {"json": _json_places, "yaml": _yaml_places, "toml": _toml_places}
"""Form → the places of the settings in a text of that form, which has been parsed before and is known to be sound."""


# How a value is written

_QUOTED = re.compile(r"^(['\"]).*\1$", re.DOTALL)
_NUMBER = re.compile(r"^[-+]?\d*\.?\d+(?:e[-+]?\d+)?$", re.IGNORECASE)
_YAML_WORD = re.compile(r"^(?!(?:y|yes|n|no|on|off|true|false|null)$)[a-z][a-z_]*$", re.IGNORECASE)


def token(value: Value, old: str, form: str) -> str:
    """Return `value` as the file would write it: in the quotes, the notation and the kind of number that `old` has."""
    bare = old.strip("'\"")
    quote = old[0] if _QUOTED.match(old) and (isinstance(value, str) or _NUMBER.match(bare)) else ""
    if isinstance(value, bool):
        text = str(value).lower()
        text = text.capitalize() if bare in ("True", "False") else text.upper() if bare in ("TRUE", "FALSE") else text
    elif isinstance(value, int):
        text = f"{value}.0" if re.fullmatch(r"[-+]?\d+\.\d*", bare) else str(value)
    elif isinstance(value, float):
        text = _float(value, bare, form)
    elif form == "yaml" and not quote and _YAML_WORD.match(value):
        text = value
    else:
        quote, text = quote or '"', value
    return f"{quote}{text}{quote}"


PLAIN_FROM = 1e-3
"""Smaller numbers are written with an exponent, as trainers' examples do: `1e-4`."""


def _float(value: float, old: str, form: str) -> str:
    """Return a float as `2e-4`, or `0.0002` where the old one had no exponent. YAML 1.1 takes `2e-4` for a text: `2.0e-4`."""
    if "e" not in old.lower() and (re.fullmatch(r"[-+]?\d*\.\d+", old) or abs(value) >= PLAIN_FROM):
        plain = f"{value:.12f}".rstrip("0")
        return plain + "0" if plain.endswith(".") else plain
    mantissa, exponent = f"{value:.3e}".split("e")
    mantissa = mantissa.rstrip("0").rstrip(".")
    if "." not in mantissa and (form == "yaml" or re.match(r"[-+]?\d\.0e", old, re.IGNORECASE)):
        mantissa += ".0"
    sign = "-" if exponent[0] == "-" else "+" if form == "yaml" else ""
    digits = exponent[1:] if re.search(r"e[-+]?0\d$", old, re.IGNORECASE) else exponent[1:].lstrip("0") or "0"
    return f"{mantissa}{'E' if 'E' in old else 'e'}{sign}{digits}"


def alone(name: str, value: str, form: str) -> str:
    """Return a setting by itself: a line of a file of `form`; for JSON a whole object."""
    if form == "json":
        return f"{{{json.dumps(name)}: {value}}}"
    return f"{name} = {value}\n" if form == "toml" else f"{name}: {value}\n"


# How a setting is added


def add(text: str, form: str, section: tuple[str, ...], name: str, value: str) -> str:
    """Return `text` with one more setting at the end of `section`, laid out like its neighbours."""
    inside = [place for place in PLACES[form](text) if place.path[:-1] == section]
    last = max(inside, key=lambda place: place.end, default=None)
    end_of_line = "\r\n" if "\r\n" in text else "\n"
    if form == "json":
        return _add_json(text, last, name, value, end_of_line)
    line = alone(name, value, form)[:-1]
    if last is None:
        return f"{line}{end_of_line}{text}"
    begin = text.rfind("\n", 0, last.key) + 1
    before = text[begin : last.key]
    if form == "yaml" and "{" in before:
        return f"{text[: last.end]}, {line}{text[last.end :]}"
    indent = before[: len(before) - len(before.lstrip())]
    if form == "yaml" and not section:
        return f"{text}{'' if text.endswith(chr(10)) else end_of_line}{indent}{line}{end_of_line}"
    # A text of several lines ends at the beginning of the line after it.
    end = last.end if text[last.end - 1] == "\n" else text.find("\n", last.end) + 1
    if end == 0:
        return f"{text}{end_of_line}{indent}{line}{end_of_line}"
    return f"{text[:end]}{indent}{line}{end_of_line}{text[end:]}"


def _add_json(text: str, last: Place | None, name: str, value: str, end_of_line: str) -> str:
    if last is None:
        member = f"{end_of_line}  {json.dumps(name)}: {value}"
        begin = text.index("{") + 1
        rest = text[_after_blanks(text, begin) :]
        return f"{text[:begin]}{member}{end_of_line if rest.startswith('}') else ',' + end_of_line + '  '}{rest}"
    before = text[: last.key]
    blanks = before[len(before.rstrip(" \t\r\n")) :] or " "
    _, key_end = _DECODER.raw_decode(text, last.key)
    return f"{text[: last.end]},{blanks}{json.dumps(name)}{text[key_end : last.start]}{value}{text[last.end :]}"
