"""`advisor analyze`."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import click

from advisor.cli.common import language_option, polite, rules_option
from advisor.errors import UnreadableLog
from advisor.model import SEVERITIES, Diagnosis, Run


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
@rules_option
@polite
def command(
    paths: tuple[Path, ...], output: str, lang: str, fail_on: str, config_file: Path | None, rule_folders: tuple[Path, ...]
) -> None:
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
    if diagnoses:
        _print(diagnoses, output, lang)
    if failed:
        sys.exit(2)
    if fail_on != "never" and any(_at_least(d, fail_on) for d in diagnoses):
        sys.exit(1)


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


def _at_least(diagnosis: Diagnosis, severity: str) -> bool:
    grave = SEVERITIES[: SEVERITIES.index(severity) + 1]
    return any(finding.rule.severity in grave for finding in diagnosis.findings)


def _print(diagnoses: list[Diagnosis], output: str, lang: str) -> None:
    if output == "json":
        from advisor.render import json

        click.echo(json.render(diagnoses, lang))
    elif output == "markdown":
        from advisor.render import markdown

        click.echo(markdown.render(diagnoses, lang), nl=False)
    else:
        from rich.console import Console

        from advisor.render import text

        text.render(diagnoses, lang, Console(highlight=False, emoji=False, markup=False))
