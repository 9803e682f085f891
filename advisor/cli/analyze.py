"""`advisor analyze`."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import click

from advisor.cli.common import UserError, language_option, polite, rules_option
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
    paths: tuple[Path, ...], output: str, lang: str, fail_on: str, config_file: Path | None, rule_folders: tuple[Path, ...],
    target: Path | None, accepted: tuple[str, ...], *, force: bool,
) -> None:  # fmt: skip
    """Say what is wrong with a training run, and what to change.

    PATH is a training log in any format that `advisor formats` lists, a run folder (a Trainer output folder with its
    checkpoints), or - for standard input. Status: 0 nothing as grave as --fail-on, 1 something is, 2 an input cannot be read.
    """
    from advisor.cli.write_config import accepted_rules, check_target, write
    from advisor.engine import diagnose
    from advisor.rulebook import load
    from advisor.settings import read_config, read_project

    rules = load(rule_folders, read_project(Path.cwd()))
    extra = read_config(config_file) if config_file else {}
    if target is None and (accepted or force):
        raise UserError("--accept and --force belong to --write-config FILE, which names the configuration to write")
    accepted = accepted_rules(accepted, rules)
    if target is not None:
        check_target(target, config_file, force=force)
    runs, failed = _read_all(paths)
    diagnoses = [diagnose(replace(run, config={**run.config, **extra}), rules) for run in runs]
    if diagnoses:
        _print(diagnoses, output, lang)
    if failed:
        sys.exit(2)
    if target is not None:
        write(diagnoses, target, config_file, accepted, lang)
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
