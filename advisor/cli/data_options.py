"""What the commands about data share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from advisor.cli.common import UserError


def paths_argument(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add `PATH…`: files, folders and patterns."""
    return click.argument("paths", nargs=-1, required=True, metavar="PATH...", type=click.Path(path_type=Path))(function)


def schema_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add `--format-spec`."""
    return click.option(
        "--format-spec",
        "spec",
        default="auto",
        show_default=True,
        metavar="SCHEMA",
        help="Shape of the records: pangu-sft, pangu-multi, pangu-text, pangu-ranking, alpaca, prompt-completion, messages, "
        "sharegpt, dpo, alpaca-dpo, any (valid JSON is enough), or auto.",
    )(function)


def not_the_source(paths: tuple[Path, ...], out: Path) -> None:
    """Refuse to write over one of the sources."""
    if out.exists() and any(path.exists() and path.resolve() == out.resolve() for path in paths):
        raise UserError(f"{out}: this is the source, which is never overwritten; give another file")
