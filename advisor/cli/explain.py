"""`advisor explain`."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import click

from advisor.cli.common import UserError, format_option, language_option, polite, print_answer, rules_option
from advisor.readers.base import Source

MOST_BYTES = 64 << 20
"""Of standard input so much is read; a larger log is read from its file, line by line."""

_LOOKS_LIKE_A_PATH = re.compile(r"[^\s:]*[/\\][^\s:]*|[^\s:]+\.(?:log|txt|out|err|json|jsonl|csv|ipynb)(?:\.gz)?")


@click.command("explain")
@click.argument("what", metavar="TEXT|FILE|-")
@format_option()
@language_option
@rules_option
@polite
def command(what: str, output: str, lang: str, rule_folders: tuple[Path, ...]) -> None:
    """Explain an error message: meaning, causes, checks, fix.

    Give the message itself in quotes, a file that holds it, or - for standard input. Every known error in it is explained; of a
    chain of exceptions the one that began it counts. Status: 0 an error is known, 1 none is, 2 the input cannot be read.
    """
    from advisor.explain import explain
    from advisor.render import explain as render
    from advisor.rulebook import load
    from advisor.settings import read_project

    explanation = explain(_source(what), load(rule_folders, read_project(Path.cwd()), subject="run"))
    print_answer(
        output,
        json=lambda: render.as_json(explanation, lang),
        markdown=lambda: render.markdown(explanation, lang),
        text=lambda console: render.text(explanation, lang, console),
    )
    sys.exit(0 if explanation.is_known else 1)


def _source(what: str) -> Source:
    """Return the text to read. Raises UserError where there is none."""
    if what == "-":
        data = sys.stdin.buffer.read(MOST_BYTES + 1)
        if len(data) > MOST_BYTES:
            raise UserError(f"standard input: more than {MOST_BYTES >> 20} MB; give the file itself: advisor explain FILE")
        source = Source("standard input", data=data)
    elif _is_file(what):
        try:
            source = Source(what, path=Path(what))
        except OSError as error:
            raise UserError(f"{what}: cannot be opened ({error.strerror}); check its permissions") from error
    elif _LOOKS_LIKE_A_PATH.fullmatch(what.strip()):
        raise UserError(f"{what}: no such file; give an existing file, or the error message itself in quotes")
    else:
        source = Source("text", data=what.encode("utf-8", errors="replace"))
    if source.is_empty:
        raise UserError(f"{source.name}: empty; give an error message, a file that holds one, or - for standard input")
    if source.is_binary:
        raise UserError(f"{source.name}: binary data, not text; give the log or the message itself")
    return source


def _is_file(what: str) -> bool:
    try:
        return Path(what).is_file()
    except (OSError, ValueError):
        return False
