"""`advisor watch`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from advisor.cli.common import UserError, fail_on_option, fails, language_option, polite, rules_option

if TYPE_CHECKING:
    from collections.abc import Iterator

    from advisor.live.judge import LiveJudge
    from advisor.live.watch import Look
    from advisor.model import Diagnosis


@click.command("watch")
@click.argument("path", metavar="RUN", type=click.Path(path_type=Path))
@click.option(
    "--interval",
    type=click.FloatRange(min=0.05),
    default=2.0,
    show_default=True,
    metavar="SECONDS",
    help="Least time between two looks.",
)
@fail_on_option(finding="a finding at the end")
@language_option
@rules_option
@polite
def command(path: Path, interval: float, fail_on: str, lang: str, rule_folders: tuple[Path, ...]) -> None:
    """Follow a run and say what is wrong as soon as it shows.

    RUN is a log that is being written, in any format, or a run folder. At a terminal the curve and the diagnosis are
    redrawn as the log grows; in a pipe each finding is a line of its own. Ends when the run ends, or with Ctrl-C; the
    status is that of `advisor analyze`.

    \b
    Examples:
      advisor watch output/
      advisor watch train.log --interval 10 >> findings.txt &
    """  # noqa: D301  click's mark for lines that stay as they are
    from advisor.live.judge import LiveJudge
    from advisor.live.watch import follow
    from advisor.rulebook import load
    from advisor.settings import read_project

    if not path.exists():
        raise UserError(f"{path}: no such file or folder; give a log that is being written, or the folder it will be in")
    judge = LiveJudge(load(rule_folders, read_project(Path.cwd()), subject="run"))
    looks = follow(path, judge, interval)
    last = _on_screen(looks, path, lang) if sys.stdout.isatty() else _in_lines(looks, path, lang, judge)
    if last and fails(last.findings, fail_on):
        sys.exit(1)


def _in_lines(looks: Iterator[Look | None], path: Path, lang: str, judge: LiveJudge) -> Diagnosis | None:
    """Print each finding once, and how the run ended."""
    from advisor.render.live import finding_lines, gone_line, summary_lines, waiting_line

    last: Diagnosis | None = None
    waiting = False
    try:
        for look in looks:
            if look is None:
                if not waiting:
                    click.echo(waiting_line(path, lang))
                waiting = True
                continue
            last = look.news.diagnosis
            for finding in look.news.new:
                click.echo(finding_lines(finding, last, look.step, lang))
            if look.news.gone:
                click.echo(gone_line(look.news.gone, look.step, lang))
                judge.forget(look.news.gone)
    except KeyboardInterrupt:
        pass
    if last is not None:
        click.echo(summary_lines(last, path, lang))
    return last


def _on_screen(looks: Iterator[Look | None], path: Path, lang: str) -> Diagnosis | None:
    """Draw the run anew with every look; what was drawn last stays."""
    from rich.console import Console
    from rich.live import Live
    from rich.text import Text

    from advisor.render.live import waiting_line
    from advisor.render.text import glance

    console = Console(highlight=False, emoji=False, markup=False)
    last: Diagnosis | None = None
    with Live(Text(waiting_line(path, lang)), console=console, auto_refresh=False, vertical_overflow="crop") as screen:
        try:
            for look in looks:
                if look is not None:
                    last = look.news.diagnosis
                    screen.update(glance(last, lang, console.width, console.encoding), refresh=True)
        except KeyboardInterrupt:
            pass
    return last
