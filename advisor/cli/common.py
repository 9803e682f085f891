"""What the commands share: options and the way errors end."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

import click

from advisor.errors import AdvisorError
from advisor.locale import default_language

if TYPE_CHECKING:
    from rich.console import Console

    from advisor.model import Finding

P = ParamSpec("P")
R = TypeVar("R")


class UserError(click.ClickException):
    """An error of the input: one clear line, status 2."""

    exit_code = 2


def polite(function: Callable[P, R]) -> Callable[P, R]:
    """Turn an AdvisorError into one line on standard error and status 2."""

    @functools.wraps(function)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return function(*args, **kwargs)
        except AdvisorError as error:
            raise UserError(str(error)) from error

    return wrapped


def language_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add `--lang`."""
    return click.option(
        "--lang",
        type=click.Choice(["en", "zh"]),
        default=default_language,
        help="Language of the answer.  [default: that of the environment, else en]",
    )(function)


def format_option(what: str = "answer") -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Add `--format` with the three forms that an answer is printed in."""
    return click.option(
        "--format",
        "output",
        type=click.Choice(["text", "json", "markdown"]),
        default="text",
        show_default=True,
        help=f"Form of the {what}.",
    )


def fail_on_option(default: str = "error", finding: str = "a finding") -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Return the decorator that adds `--fail-on`; finding: what counts, as the help says it."""
    return click.option(
        "--fail-on",
        type=click.Choice(["error", "warning", "info", "never"]),
        default=default,
        show_default=True,
        help=f"End with status 1 where {finding} is at least this grave.",
    )


def rules_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add `--rules`."""
    return click.option(
        "--rules",
        "rule_folders",
        multiple=True,
        type=click.Path(exists=True, path_type=Path),
        metavar="DIR",
        help="Add the rules of this folder to the rule book (repeatable).",
    )(function)


def print_answer(output: str, *, json: Callable[[], str], markdown: Callable[[], str], text: Callable[[Console], None]) -> None:
    """Print an answer in the form that `--format` asked for; the other forms are not made."""
    if output == "json":
        click.echo(json())
    elif output == "markdown":
        click.echo(markdown(), nl=False)
    else:
        from rich.console import Console

        text(Console(highlight=False, emoji=False, markup=False))


def fails(findings: Iterable[Finding], fail_on: str) -> bool:
    """Tell whether a finding is at least as grave as `--fail-on` says."""
    from advisor.model import SEVERITIES

    grave = () if fail_on == "never" else SEVERITIES[: SEVERITIES.index(fail_on) + 1]
    return any(finding.rule.severity in grave for finding in findings)
