"""`advisor compare`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from advisor.cli.common import UserError, format_option, language_option, polite, print_answer, rules_option

if TYPE_CHECKING:
    from advisor.model import Diagnosis

NONE = Path("-")
"""Stands for a run without a configuration among the --config options."""


@click.command("compare")
@click.argument("paths", nargs=-1, required=True, metavar="RUN RUN...", type=click.Path(path_type=Path))
@click.option(
    "--config",
    "configs",
    multiple=True,
    type=click.Path(path_type=Path, allow_dash=True),
    metavar="FILE",
    help="The training configuration of each RUN, in their order, - for none (repeatable).",
)
@click.option("--baseline", type=click.IntRange(min=1), default=1, show_default=True, metavar="N", help="The run to compare with.")
@format_option()
@click.option("--fail-on-worse", is_flag=True, help="End with status 1 where a run is worse than the baseline beyond the noise.")
@language_option
@rules_option
@polite
def command(
    paths: tuple[Path, ...], configs: tuple[Path, ...], baseline: int, output: str, fail_on_worse: bool, lang: str,
    rule_folders: tuple[Path, ...],
) -> None:  # fmt: skip
    """Say whether one run is better than another, or only different by noise; and what differs between them.

    RUN is a training log in any format that `advisor formats` lists, or a folder with one. Each is compared with the first, or the
    one of --baseline: better, worse, the same within noise, or not decidable, with the reason. Several seeds of one configuration
    are taken together. Status: 0, or 1 with --fail-on-worse, 2 a RUN cannot be read.

    \b
    Examples:
      advisor compare before/trainer_state.json after/trainer_state.json
      advisor compare lr-1e-4/ lr-3e-4/ lr-1e-3/ --format markdown
      advisor compare a.log b.log --config a.yaml --config b.yaml
    """  # noqa: D301  click's mark for lines that stay as they are
    from advisor.comparison.compare import compare
    from advisor.render import comparison as render
    from advisor.render.words import short_sources
    from advisor.rulebook import load
    from advisor.settings import read_project

    rules = load(rule_folders, read_project(Path.cwd()), subject="run")
    diagnoses = _diagnoses(paths, configs, rules)
    if len(diagnoses) < 2:  # noqa: PLR2004  a pair
        raise UserError(f"{paths[0]}: holds one run; a comparison needs two or more. `advisor analyze` judges one by itself")
    if baseline > len(diagnoses):
        raise UserError(f"--baseline {baseline}: there are {len(diagnoses)} runs; expected a number from 1 to {len(diagnoses)}")
    names = short_sources(diagnoses)
    numbered = [f"{name} #{number}" if names.count(name) > 1 else name for number, name in enumerate(names, 1)]
    comparison = compare(diagnoses, numbered, baseline - 1)
    print_answer(
        output,
        json=lambda: render.document(comparison, lang),
        markdown=lambda: render.markdown(comparison, lang),
        text=lambda console: render.render(comparison, lang, console),
    )
    if fail_on_worse and any(pair.verdict.kind == "worse" for pair in comparison.pairs):
        sys.exit(1)


def _diagnoses(paths: Sequence[Path], configs: Sequence[Path], rules: Sequence[object]) -> list[Diagnosis]:
    """Read and judge every run. Raises AdvisorError where one cannot be read, or where the configurations do not fit the runs."""
    from advisor.parallel import Judge, inputs
    from advisor.readers import read_path
    from advisor.settings import read_config

    if configs and len(configs) != len(paths):
        raise UserError(f"--config is given {len(configs)} times for {len(paths)} runs; expected one for each, - for none")
    found: list[Diagnosis] = []
    for number, path in enumerate(paths):
        extra = read_config(configs[number]) if configs and configs[number] != NONE else {}
        judge = Judge(tuple(rules), extra)  # type: ignore[arg-type]
        for one in inputs([path]):
            found += judge.judge(read_path(one.path))
    return found
