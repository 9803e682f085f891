"""`advisor formats`."""

from __future__ import annotations

import json
import textwrap

import click

from advisor.cli.common import format_option, language_option, polite


@click.command("formats")
@format_option("list")
@language_option
@polite
def command(output: str, lang: str) -> None:
    """List the log formats that can be read, with an example of each."""
    from advisor.readers import formats
    from advisor.readers.refused import REFUSED
    from advisor.render.words import Words

    words = Words(lang)
    if output == "json":
        click.echo(
            json.dumps(
                [{"name": f.name, "title": f.title[lang], "serves": f.serves, "example": f.example} for f in formats()],
                ensure_ascii=False,
                indent=1,
            )
        )
        return
    if output == "markdown":
        click.echo(
            f"# {words('formats_title')}\n\n{words('generated', command=f'advisor formats --format markdown --lang {lang}')}\n"
        )
        click.echo(f"{words('formats_heading')}.")
        for entry in formats():
            click.echo(f"\n## `{entry.name}`: {entry.title[lang]}\n\n```text\n{entry.example}\n```")
            if entry.serves:
                click.echo(f"\n{words('formats_serves')} {' · '.join(entry.serves)}.")
        click.echo(f"\n## {words('formats_refused')}\n")
        for reason in REFUSED:
            click.echo(f"- {reason[lang]}")
        return
    click.echo(words("formats_heading") + "\n")
    for entry in formats():
        click.echo(f"{entry.name:18} {entry.title[lang]}")
        if entry.serves:
            told = f"{words('formats_serves')} {' · '.join(entry.serves)}"
            click.echo(textwrap.fill(told, 100, initial_indent=" " * 21, subsequent_indent=" " * 21, break_on_hyphens=False))
        for line in entry.example.splitlines():
            click.echo(f"{'':18}   {line}")
