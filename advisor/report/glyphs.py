"""What the bundled fonts can show, and what stands in place of the rest: a run's name may hold anything."""

from __future__ import annotations

import unicodedata
import zlib
from functools import lru_cache
from importlib.resources import files

STAND_IN = "□"
"""Shown for a character that the fonts lack."""

_SPACES = frozenset("\t\u2028\u2029\u0085\v\f\r")


@lru_cache(maxsize=1)
def _coverage() -> bytes:
    return zlib.decompress((files("advisor.report") / "fonts" / "coverage.bin").read_bytes())


def shows(character: str) -> bool:
    """Tell whether the bundled fonts have a glyph for this character."""
    code = ord(character)
    covered = _coverage()
    return code < 8 * len(covered) and bool(covered[code // 8] >> code % 8 & 1)


def showable(text: str, replaced: set[str]) -> str:
    """Return `text` with what cannot be shown replaced, each such character added to `replaced`.

    Separators become spaces. Controls and marks without a width (NUL, direction overrides, joiners) are left out, since a box
    for each would be noise. What is left and has no glyph becomes `□`; line feeds stay.
    """
    if text.isascii() and text.isprintable():
        return text
    shown = []
    for character in unicodedata.normalize("NFC", text):
        if character == "\n" or (shows(character) and not unicodedata.category(character).startswith("C")):
            shown.append(character)
        elif character in _SPACES:
            shown.append(" ")
        else:
            replaced.add(character)
            invisible = unicodedata.category(character) in ("Cc", "Cf", "Mn", "Me")
            shown.append("" if invisible else STAND_IN)
    return "".join(shown)
