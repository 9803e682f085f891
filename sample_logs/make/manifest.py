"""MANIFEST.toml: for every sample what it must be judged, and how it was made."""

from __future__ import annotations

import json
import platform
import tomllib
from collections.abc import Collection, Iterable, Iterator, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from broken import BINARY, NOTES, RANDOM_SEED
from recipes import ADVISOR_LOG, CHECKPOINTS, CONFIG, CONSOLE, RECIPES, TABLE, TRAINER_STATE, Recipe

HEAD = """\
# Every sample log, what it must be judged, and how it was made. Written by the scripts in make/.
#
# The logs are as the tools wrote them, with one exception: in the console logs the folders of the
# machine (the scripts' own and Python's) are replaced by `…/`. No weights are kept.
# A config.json beside a log is the model's, kept for its vocab_size; it is no sample of its own.
"""
FORMATS = {
    TRAINER_STATE: "trainer-state",
    CONSOLE: "console",
    ADVISOR_LOG: "advisor-log",
    TABLE: "csv",
}
SCRIPT = "python sample_logs/make/make_samples.py"


def write_manifest(path: Path, names: Collection[str]) -> None:
    """Write the entries of the samples just made and keep those of the others as they were."""
    before = tomllib.loads(path.read_text(encoding="utf-8"))["sample"] if path.exists() else []
    kept = {entry["path"]: entry for entry in before}
    entries = (
        entry if name in names else kept.get(entry["path"], entry) for name, entry in all_entries()
    )
    others = [entry for entry in before if not entry["made_by"].startswith(SCRIPT)]
    _write(path, [*entries, *others])


def add_to_manifest(path: Path, made: Sequence[dict[str, Any]]) -> None:
    """Replace or add the entries of samples that another script has made."""
    entries = {
        entry["path"]: entry for entry in tomllib.loads(path.read_text(encoding="utf-8"))["sample"]
    }
    _write(path, (entries | {entry["path"]: entry for entry in made}).values())


def _write(path: Path, entries: Iterable[dict[str, Any]]) -> None:
    text = "\n".join([HEAD, *(_toml(entry) for entry in entries)])
    path.write_text(text, encoding="utf-8")


def versions_of(*packages: str) -> dict[str, str]:
    """Return the versions of Python and of `packages`, for an entry."""
    return {
        "python": platform.python_version(),
        **{name: version(name).split("+")[0] for name in packages},
    }


def all_entries() -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every sample with the name under which it is made."""
    for recipe in RECIPES.values():
        for kept in recipe.keep:
            if kept != CONFIG:
                yield recipe.name, _entry_of_run(recipe, kept)
    for name, note in NOTES.items():
        yield "broken", _entry_of_broken(name, note)


def _entry_of_run(recipe: Recipe, kept: str) -> dict[str, Any]:
    folder = kept == CHECKPOINTS
    rule = {"rule": recipe.rule} if recipe.rule else {}
    return {
        "path": recipe.name if folder else f"{recipe.name}/{kept}",
        "expect": recipe.expect,
        **rule,
        "format": "output-folder" if folder else FORMATS[kept],
        "made_by": f"{SCRIPT} {recipe.name}",
        "seed": recipe.seed,
        "versions": versions_of("torch", "transformers"),
        "note": recipe.note,
    }


def _entry_of_broken(name: str, note: str) -> dict[str, Any]:
    seed = {"seed": RANDOM_SEED} if name == BINARY else {}
    return {
        "path": f"broken/{name}",
        "expect": "unreadable",
        "format": "none",
        "made_by": f"{SCRIPT} broken",
        **seed,
        "note": note,
    }


def _toml(entry: dict[str, Any]) -> str:
    """Return one entry as TOML; a string of JSON is a string of TOML."""
    lines = ["[[sample]]"]
    for key, value in entry.items():
        if isinstance(value, dict):
            table = ", ".join(f"{name} = {json.dumps(text)}" for name, text in value.items())
            lines.append(f"{key} = {{ {table} }}")
        else:
            lines.append(f"{key} = {json.dumps(value, ensure_ascii=False)}")
    return "\n".join(lines) + "\n"
