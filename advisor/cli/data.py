"""`advisor data check | dedup | stats | convert`."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from advisor.cli.common import fail_on_option, fails, format_option, language_option, polite, print_answer, rules_option
from advisor.cli.data_convert import convert
from advisor.cli.data_options import not_the_source, paths_argument, schema_option

if TYPE_CHECKING:
    from advisor.data.signals import DatasetMeasurements
    from advisor.engine import Examination


@click.group("data")
def command() -> None:
    """Check, clean, measure and convert training data."""


def model_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add `--model`."""
    return click.option(
        "--model",
        type=click.Path(exists=True, path_type=Path),
        metavar="TOKENIZER",
        help="A tokenizer.json, or the folder of a model with one: tokens are counted with it. Without it they are estimated.",
    )(function)


def near_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add what steers the search of rows that are nearly the same."""
    function = click.option(
        "--engine",
        type=click.Choice(["local", "ray", "spark"]),
        default="local",
        show_default=True,
        help="Where nearly equal rows are looked for.",
    )(function)
    function = click.option(
        "--similarity",
        type=click.FloatRange(0.1, 1.0),
        default=0.7,
        show_default=True,
        help="From which likeness rows are nearly equal.",
    )(function)
    return click.option("--near/--no-near", default=True, show_default=True, help="Look for nearly equal rows too.")(function)


@command.command("check")
@paths_argument
@click.option(
    "--eval",
    "evaluation",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="PATH",
    help="Evaluation data, to look for rows that are trained on too (repeatable).",
)
@schema_option
@model_option
@click.option("--max-length", type=click.IntRange(min=1), metavar="N", help="Tokens a row may have in training.")
@click.option(
    "--method",
    type=click.Choice(["sft", "dpo", "ranking", "rft", "grpo", "pretrain"]),
    help="What the data are for; it decides how many rows are enough.  [default: by the schema]",
)
@click.option("--epochs", type=float, metavar="N", help="Planned epochs, for the effective ones that duplicates make of them.")
@click.option(
    "--repair",
    type=click.Path(path_type=Path),
    metavar="OUT",
    help="Write a corrected copy, and beside it the list of what was changed.",
)
@format_option()
@click.option("--all", "every", is_flag=True, help="Show every record that was found, not the first three of each kind.")
@fail_on_option()
@near_options
@language_option
@rules_option
@polite
def check(
    paths: tuple[Path, ...], evaluation: tuple[Path, ...], spec: str, model: Path | None, max_length: int | None,
    method: str | None, epochs: float | None, repair: Path | None, output: str, every: bool, fail_on: str, near: bool,
    similarity: float, engine: str, lang: str, rule_folders: tuple[Path, ...],
) -> None:  # fmt: skip
    """Say which records a trainer would choke on and why, what is duplicated or leaks, and whether there is enough.

    PATH is a data file (JSON lines, a JSON array, CSV, TSV, Parquet, Arrow, text; also compressed), a folder, a pattern or -.
    Status: 0 nothing as grave as --fail-on, 1 something is, 2 an input cannot be read.
    """
    from advisor.engine import examine
    from advisor.rulebook import load
    from advisor.settings import read_project

    rules = load(rule_folders, read_project(Path.cwd()), subject="dataset")
    given = (("max_length", max_length), ("num_train_epochs", epochs), ("method", method))
    config = {name: value for name, value in given if value is not None}
    examination = examine(measured(paths, evaluation, spec, model, config, near=near, engine=engine, similarity=similarity), rules)
    _print(examination, output, lang, every=every)
    if repair is not None:
        from advisor.data.repair import repair_all
        from advisor.render.words import Words

        done = repair_all(paths, repair, spec=spec)
        click.echo(Words(lang)("repaired", **done), err=output != "text")
    if fails(examination.findings, fail_on):
        sys.exit(1)


def measured(
    paths: tuple[Path, ...], evaluation: tuple[Path, ...], spec: str, model: Path | None, config: dict[str, Any],
    *, near: bool = True, engine: str = "local", similarity: float = 0.7,
) -> DatasetMeasurements:  # fmt: skip
    """Read a dataset and return its measurements."""
    from advisor.data.signals import DatasetMeasurements
    from advisor.data.survey import survey
    from advisor.data.tokens import Counter

    found = survey(paths, evaluation, spec=spec, counter=Counter(model), config=config)
    return DatasetMeasurements(found, near=near, engine=engine, threshold=similarity)


def _print(examination: Examination, output: str, lang: str, *, every: bool) -> None:
    from advisor.render import dataset_json, dataset_text

    print_answer(
        output,
        json=lambda: dataset_json.render(examination, lang),
        markdown=lambda: dataset_text.markdown(examination, lang, every=every),
        text=lambda console: dataset_text.render(examination, lang, console, every=every),
    )


@command.command("dedup")
@paths_argument
@click.option("-o", "--output", "out", required=True, type=click.Path(dir_okay=False, path_type=Path), help="The file to write.")
@schema_option
@near_options
@language_option
@polite
def dedup(paths: tuple[Path, ...], out: Path, spec: str, near: bool, similarity: float, engine: str, lang: str) -> None:
    """Write the data with one row of each cluster; the order is kept, and the rows left out are written beside it.

    Of equal rows the first is kept, of nearly equal ones the complete and longest.
    """
    from advisor.data.dedup import dedup as run
    from advisor.render.words import Words

    not_the_source(paths, out)
    done = run(measured(paths, (), spec, None, {}, near=near, engine=engine, similarity=similarity), out)
    say = Words(lang)
    click.echo(say("deduplicated", **done))
    if done["unusable"]:
        click.echo(say("dedup_unusable", **done))
    if len(done["schemas"]) > 1:
        click.echo(say("dedup_schemas", schemas=", ".join(done["schemas"])))


@command.command("stats")
@paths_argument
@schema_option
@model_option
@click.option(
    "--format", "output", type=click.Choice(["text", "json"]), default="text", show_default=True, help="Form of the numbers."
)
@language_option
@polite
def stats(paths: tuple[Path, ...], spec: str, model: Path | None, output: str, lang: str) -> None:
    """Print the numbers of a dataset: rows, tokens, lengths, languages, diversity, and a picture of the lengths."""
    import json

    from advisor.data.stats import statistics
    from advisor.data.survey import survey
    from advisor.data.tokens import Counter

    counter = Counter(model)
    numbers = statistics(survey(paths, spec=spec, counter=counter).train, exact=counter.exact)
    if output == "json":
        click.echo(json.dumps(numbers, ensure_ascii=False, indent=1))
        return
    from advisor.render.dataset_stats import render

    click.echo(render(numbers, lang))


command.add_command(convert)
