"""Make the sample logs: `python sample_logs/make/make_samples.py [NAME…]`.

Without names, all of them. `--to FOLDER` writes elsewhere, `--seed N` replaces every recipe's seed:
with both one can see that a curve shows what it claims under another seed too.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from broken import write_broken
from console import without_machine_paths
from manifest import write_manifest
from recipes import CHECKPOINTS, CONSOLE, RECIPES, TRAINER_STATE, Recipe

MAKE = Path(__file__).resolve().parent
BROKEN = "broken"
ENVIRONMENT = {"OMP_NUM_THREADS": "1", "TQDM_MININTERVAL": "1", "PYTHONIOENCODING": "utf-8"}


def main() -> None:
    """Make the named samples, or all, and bring the manifest up to date."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="for example healthy/sft-weather")
    parser.add_argument("--to", type=Path, default=MAKE.parent, metavar="FOLDER")
    parser.add_argument("--seed", type=int)
    options = parser.parse_args()
    names = options.names or [*RECIPES, BROKEN]
    if unknown := set(names) - {*RECIPES, BROKEN}:
        parser.error(f"no such sample: {', '.join(sorted(unknown))}")
    recipes = [RECIPES[name] for name in names if name != BROKEN]
    with tempfile.TemporaryDirectory() as work:
        make(recipes, Path(work), options.to.resolve(), options.seed)
    if BROKEN in names:
        write_broken(options.to / BROKEN)
    if options.seed is None:
        write_manifest(options.to / "MANIFEST.toml", names)


def make(recipes: Iterable[Recipe], work: Path, to: Path, seed: int | None) -> None:
    """Train the base models first, then the recipes, as many at a time as there are processors."""
    recipes = list(recipes)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        bases = sorted({recipe.base for recipe in recipes if recipe.base})
        list(pool.map(lambda base: _run(work / base, base, []), bases))
        list(pool.map(lambda recipe: _make_one(recipe, work, to, seed), recipes))


def _make_one(recipe: Recipe, work: Path, to: Path, seed: int | None) -> None:
    """Train one recipe in a folder of its own and keep its logs."""
    folder = work / recipe.name.replace("/", "-")
    finished = _run(folder, recipe.name, [str(seed)] if seed is not None else [])
    if finished == (recipe.expect == "crash"):
        tail = (folder / CONSOLE).read_text(encoding="utf-8")[-2000:]
        message = f"{recipe.name} {'ended well' if finished else 'failed'} unexpectedly:\n{tail}"
        raise RuntimeError(message)
    keep_logs(recipe, folder, to / recipe.name)
    print(f"made {recipe.name}", flush=True)


def _run(folder: Path, name: str, more: list[str]) -> bool:
    """Run train.py in the folder, its output going to console.log; tell whether it ended well."""
    folder.mkdir()
    with (folder / CONSOLE).open("wb") as console:
        ended = subprocess.run(
            [sys.executable, str(MAKE / "train.py"), name, *more],
            cwd=folder,
            env=os.environ | ENVIRONMENT,
            stdout=console,
            stderr=subprocess.STDOUT,
            check=False,
        )
    return ended.returncode == 0


def keep_logs(recipe: Recipe, folder: Path, to: Path) -> None:
    """Copy the logs the recipe keeps; the console loses the machine's paths, all else stays."""
    shutil.rmtree(to, ignore_errors=True)
    to.mkdir(parents=True)
    for name in recipe.keep:
        if name == CONSOLE:
            console = without_machine_paths((folder / CONSOLE).read_bytes(), MAKE)
            (to / CONSOLE).write_bytes(console)
        elif name == CHECKPOINTS:
            for checkpoint in (folder / "run").glob(CHECKPOINTS):
                (to / checkpoint.name).mkdir()
                shutil.copy(checkpoint / TRAINER_STATE, to / checkpoint.name)
        else:
            shutil.copy(folder / "run" / name, to)


if __name__ == "__main__":
    main()
