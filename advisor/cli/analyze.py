"""`advisor analyze`."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from advisor.cli.common import UserError, fail_on_option, fails, format_option, language_option, polite, rules_option
from advisor.model import Diagnosis

if TYPE_CHECKING:
    from advisor.data.signals import DatasetMeasurements
    from advisor.engine import Examination
    from advisor.parallel import Judge, Outcome


@click.command("analyze")
@click.argument("paths", nargs=-1, required=True, metavar="PATH...", type=click.Path(path_type=Path, allow_dash=True))
@format_option()
@language_option
@fail_on_option()
@click.option(
    "--config",
    "config_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The training configuration (JSON, TOML or YAML), for old values and what the log does not say.",
)
@click.option(
    "--data",
    "data_paths",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="PATH",
    help="The training data, to be checked too and joined with what the log shows (repeatable).",
)
@click.option(
    "--jobs",
    "-j",
    type=click.IntRange(min=1),
    metavar="N",
    help="Worker processes for many runs.  [default: one a processor where it is worth it]",
)
@click.option(
    "--write-config",
    "target",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write the --config file with its safe changes to FILE, everything else in it as it is; without --config, a new file "
    "(.json, .yaml, .toml) of just the changes, under their transformers names. What was written is said on standard error.",
)
@click.option(
    "--accept",
    "accepted",
    multiple=True,
    metavar="RULE-ID",
    help="With --write-config, write the changes of this rule too that are not safe by themselves (repeatable).",
)
@click.option("--force", is_flag=True, help="Let --write-config replace a file, such as the --config file itself.")
@rules_option
@polite
def command(
    paths: tuple[Path, ...], output: str, lang: str, fail_on: str, config_file: Path | None, data_paths: tuple[Path, ...],
    jobs: int | None, rule_folders: tuple[Path, ...], target: Path | None, accepted: tuple[str, ...], *, force: bool,
) -> None:  # fmt: skip
    """Say what is wrong with a training run, and what to change.

    PATH is a training log in any format that `advisor formats` lists, a run folder (a Trainer output folder with its
    checkpoints), a folder that holds many of those at any depth, or - for standard input. Status: 0 nothing as grave as
    --fail-on, 1 something is, 2 a PATH cannot be read.

    \b
    Examples:
      advisor analyze trainer_state.json
      advisor analyze output/ --config train.yaml
      advisor analyze sweeps/ --format markdown > report.md
      advisor analyze train.log --format json --fail-on warning
      python train.py 2>&1 | tee train.log | advisor analyze -
    """  # noqa: D301  click's mark for lines that stay as they are
    from advisor.cli.write_config import accepted_rules, check_target, write
    from advisor.engine import examine_with
    from advisor.parallel import Judge
    from advisor.rulebook import load
    from advisor.settings import price, read_config, read_project

    project = read_project(Path.cwd())
    rules = load(rule_folders, project, subject="" if data_paths else "run")
    extra = {**price(project), **(read_config(config_file) if config_file else {})}
    if target is None and (accepted or force):
        raise UserError("--accept and --force belong to --write-config FILE, which names the configuration to write")
    accepted = accepted_rules(accepted, rules)
    if target is not None:
        check_target(target, config_file, force=force)
    dataset = measured_data(data_paths) if data_paths else None
    of_runs = tuple(rule for rule in rules if rule.subject == "run")
    diagnoses, failed = _judged(paths, Judge(of_runs, extra, dataset.facts() if dataset else {}), jobs, lang)
    examination = examine_with(dataset, diagnoses, extra, rules) if dataset else None
    if diagnoses:
        _print(diagnoses, output, lang, examination)
    if failed:
        sys.exit(2)
    if target is not None:
        write(diagnoses, target, config_file, accepted, lang)
    judged: list[Diagnosis | Examination] = [*diagnoses, *((examination,) if examination else ())]
    if any(fails(one.findings, fail_on) for one in judged):
        sys.exit(1)


def measured_data(paths: tuple[Path, ...]) -> DatasetMeasurements:
    """Read the training data that a run is joined with."""
    from advisor.cli.data import measured

    return measured(paths, (), "auto", None, {})


def _judged(paths: tuple[Path, ...], judge: Judge, jobs: int | None, lang: str) -> tuple[list[Diagnosis], bool]:
    """Return the diagnoses of all runs, and whether a given path could not be read; what could not be is said on standard error."""
    from advisor.cli.progress import Bar
    from advisor.parallel import analyse, inputs, worth_workers
    from advisor.render.words import Words

    words = Words(lang)
    todo = inputs(paths)
    workers = worth_workers(todo) if jobs is None else min(jobs, len(todo)) if jobs > 1 else 0
    with Bar(todo, words("reading")) as bar:
        outcomes = analyse(todo, judge, workers, bar)
    return [diagnosis for outcome in outcomes for diagnosis in outcome.diagnoses], say_failures(outcomes, paths, lang)


def say_failures(outcomes: Sequence[Outcome], paths: Sequence[Path], lang: str) -> bool:
    """Say on standard error what could not be read, and return whether a given path could not."""
    from advisor.render.words import Words

    for outcome in outcomes:
        if outcome.error and not outcome.passed_over:
            click.echo(f"Error: {outcome.error}", err=True)
    read = {outcome.input.given for outcome in outcomes if outcome.diagnoses}
    passed_over = Counter(outcome.input.given for outcome in outcomes if outcome.passed_over)
    for path in passed_over.keys() - read:
        click.echo(f"Error: {path}: holds files, but none that is a training log; give the log file itself", err=True)
    if count := sum(passed_over[path] for path in passed_over.keys() & read):
        click.echo(Words(lang)("passed_over", count=count), err=True)
    return not read.issuperset(paths)


def _print(diagnoses: list[Diagnosis], output: str, lang: str, examination: Examination | None) -> None:
    if output == "json":
        from advisor.render import json

        click.echo(json.render(diagnoses, lang, _data_document(examination, diagnoses, lang) if examination else None))
    elif output == "markdown":
        from advisor.render import markdown

        click.echo(markdown.render(diagnoses, lang), nl=False)
        if examination:
            from advisor.render import dataset_text

            click.echo("\n" + dataset_text.markdown(examination, lang, diagnoses=diagnoses), nl=False)
    else:
        from rich.console import Console

        from advisor.render import text

        console = Console(highlight=False, emoji=False, markup=False)
        text.render(diagnoses, lang, console)
        if examination:
            from advisor.render import dataset_text

            console.print()
            dataset_text.render(examination, lang, console, diagnoses=diagnoses)


def _data_document(examination: Examination, diagnoses: list[Diagnosis], lang: str) -> dict[str, Any]:
    from advisor.engine import explained
    from advisor.render import dataset_json

    pairs = [
        {"run": number, "finding": symptom.rule.id, "explained_by": cause.rule.id}
        for number, diagnosis in enumerate(diagnoses)
        for symptom, cause in explained(diagnosis, examination)
    ]
    return {**dataset_json.document(examination, lang), "explains": pairs}
