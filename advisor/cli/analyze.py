"""`advisor analyze`."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from advisor.cli.common import language_option, polite, rules_option
from advisor.errors import UnreadableLog
from advisor.model import SEVERITIES, Diagnosis, Run, Value

if TYPE_CHECKING:
    from advisor.engine import Examination
    from advisor.rulebook import Rule


@click.command("analyze")
@click.argument("paths", nargs=-1, required=True, metavar="PATH...", type=click.Path(path_type=Path, allow_dash=True))
@click.option(
    "--format",
    "output",
    type=click.Choice(["text", "json", "markdown"]),
    default="text",
    show_default=True,
    help="Form of the answer.",
)
@language_option
@click.option(
    "--fail-on",
    type=click.Choice(["error", "warning", "info", "never"]),
    default="error",
    show_default=True,
    help="End with status 1 where a finding is at least this grave.",
)
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
@rules_option
@polite
def command(
    paths: tuple[Path, ...], output: str, lang: str, fail_on: str, config_file: Path | None, data_paths: tuple[Path, ...],
    rule_folders: tuple[Path, ...],
) -> None:  # fmt: skip
    """Say what is wrong with a training run, and what to change.

    PATH is a training log in any format that `advisor formats` lists, a run folder (a Trainer output folder with its
    checkpoints), or - for standard input. Status: 0 nothing as grave as --fail-on, 1 something is, 2 an input cannot be read.
    """
    from advisor.engine import diagnose
    from advisor.rulebook import load
    from advisor.settings import read_config, read_project

    rules = load(rule_folders, read_project(Path.cwd()))
    extra = read_config(config_file) if config_file else {}
    runs, failed = _read_all(paths)
    diagnoses = [diagnose(replace(run, config={**run.config, **extra}), rules) for run in runs]
    examination = _examine(data_paths, diagnoses, extra, rules) if data_paths else None
    if diagnoses:
        _print(diagnoses, output, lang, examination)
    if failed:
        sys.exit(2)
    judged: list[Diagnosis | Examination] = [*diagnoses, *((examination,) if examination else ())]
    if fail_on != "never" and any(_at_least(d, fail_on) for d in judged):
        sys.exit(1)


_OF_THE_RUN = ("num_train_epochs", "max_length", "max_seq_length", "cutoff_len")


def _examine(
    data_paths: tuple[Path, ...], diagnoses: list[Diagnosis], extra: dict[str, Value], rules: tuple[Rule, ...]
) -> Examination:
    """Check the training data under the settings of the first run."""
    from advisor.cli.data import measured
    from advisor.engine import examine

    settings = {**(diagnoses[0].run.config if diagnoses else {}), **extra}
    config: dict[str, Value] = {name: settings[name] for name in _OF_THE_RUN if name in settings}
    limit = next((config[name] for name in _OF_THE_RUN[1:] if name in config), None)
    if limit is not None:
        config["max_length"] = limit
    return examine(measured(data_paths, (), "auto", None, config), rules)


def _read_all(paths: tuple[Path, ...]) -> tuple[list[Run], bool]:
    """Return the runs of every input that can be read, and whether one could not; each of those is named on standard error."""
    from advisor.readers import read_bytes, read_path

    runs: list[Run] = []
    failed = False
    for path in paths:
        try:
            if str(path) == "-":
                runs += read_bytes(sys.stdin.buffer.read(), "standard input")
            else:
                runs += read_path(path)
        except UnreadableLog as error:
            click.echo(f"Error: {error}", err=True)
            failed = True
    return runs, failed


def _at_least(diagnosis: Diagnosis | Examination, severity: str) -> bool:
    grave = SEVERITIES[: SEVERITIES.index(severity) + 1]
    return any(finding.rule.severity in grave for finding in diagnosis.findings)


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
