"""The rule book's files, parsed: TOML read in pure Python takes longer than judging a run, so the result is kept as JSON.

The cache lies in the user's cache folder and is made anew whenever a file of the rule book has another size or time. Without a
folder to write to, the files are parsed each time.
"""

from __future__ import annotations

import json
import os
import sys
import tomllib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any
from zlib import crc32

from advisor import __version__
from advisor.errors import BadRule
from advisor.whole_file import write_whole

NOT_KEPT = "cases"
"""What only tests of the rules need, and is read from the file itself."""


def parse_toml(path: Path) -> dict[str, Any]:
    """Return the content of a TOML file of the rule book. Raises BadRule, whose message names the file."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise BadRule(f"{path}: {error}; a rule is a TOML file, see CONTRIBUTING.md") from error


@lru_cache(maxsize=1)
def parse_book(folder: Path) -> Mapping[str, Mapping[str, Any]]:
    """Return the content of the TOML files under `folder` by their path, in order and without the cases. Raises BadRule."""
    paths = sorted(folder.rglob("*.toml"))
    key = _key(folder, paths)
    cache = _cache_file(folder)
    if cache is not None:
        with suppress(OSError, ValueError, KeyError, TypeError):
            kept = json.loads(cache.read_bytes())
            if kept["key"] == key:
                return dict(kept["files"])
    parsed = {str(path): {name: v for name, v in parse_toml(path).items() if name != NOT_KEPT} for path in paths}
    if cache is not None:
        with suppress(OSError):
            _write(cache, json.dumps({"key": key, "files": parsed}, ensure_ascii=False, separators=(",", ":")))
    return parsed


def _key(folder: Path, paths: Sequence[Path]) -> list[Any]:
    found = [path.stat() for path in paths]
    return [__version__, str(folder), len(found), sum(s.st_size for s in found), max((s.st_mtime_ns for s in found), default=0)]


def _cache_file(folder: Path) -> Path | None:
    """Return where the rule book of this folder is kept; each installation has its own file."""
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA")
    else:
        base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")  # noqa: PTH111  Path.home() raises without one
    name = f"rules-{crc32(str(folder).encode()):08x}.json"
    return Path(base) / "finetune-advisor" / name if base and Path(base).is_absolute() else None


def _write(cache: Path, text: str) -> None:
    cache.parent.mkdir(parents=True, exist_ok=True)
    write_whole(text.encode("utf-8"), cache)
