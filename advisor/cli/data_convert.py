"""`advisor data convert`."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from advisor.cli.common import UserError, language_option, polite
from advisor.cli.data_options import not_the_source, paths_argument, schema_option

if TYPE_CHECKING:
    from advisor.data.asking.replies import Model
    from advisor.data.convert import Outcome, Plan
    from advisor.data.mixing import Share

KEY = "ADVISOR_ENDPOINT_KEY"

RULES = (
    "continue-sentence", "continue-paragraph", "expand-sentence", "expand-paragraph", "fill-in-sentence", "fill-in-paragraph",
    "write-from-title",
)  # fmt: skip
"""The rules of `advisor.data.from_text`, which the help need not load."""


def making_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add what makes questions and answers of plain text by rules."""
    options = (
        click.option(
            "--rule", "rules", multiple=True, type=click.Choice([*RULES, "all"]),
            help="Make questions and answers of plain text by this documented rule (repeatable; all: by every one that fits).",
        ),
        click.option("--tasks", type=click.IntRange(min=1), metavar="N", help="At most N tasks of one passage, chosen by chance."),
        click.option("--seed", type=int, default=0, show_default=True, help="What is left to chance comes out the same with it."),
        click.option(
            "--passage", type=click.IntRange(min=16), default=512, show_default=True, metavar="TOKENS",
            help="Longer texts are divided into passages of about so many (estimated) tokens, at paragraphs and sentences.",
        ),
    )  # fmt: skip
    return _all(options, function)


def asking_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add what has a model write questions and answers."""
    options = (
        click.option(
            "--endpoint", metavar="URL",
            help="Have a model write questions and answers about each passage: an address that speaks OpenAI's chat completions, "
            "such as http://localhost:8000/v1. The passages are sent there.",
        ),
        click.option("--endpoint-model", metavar="NAME", help="The model asked for at the endpoint."),
        click.option(
            "--endpoint-key", default=KEY, show_default=True, metavar="VARIABLE",
            help="The environment variable that holds the key; none is sent where it is empty.",
        ),
        click.option(
            "--local-model", type=click.Path(exists=True, file_okay=False, path_type=Path), metavar="FOLDER",
            help="Have the model in this folder (transformers) write them, on this machine.",
        ),
        click.option("--pairs", type=click.IntRange(1, 50), default=3, show_default=True, help="Questions asked for of a passage."),
        click.option("--parallel", type=click.IntRange(1, 256), default=4, show_default=True, help="Passages asked about at once."),
        click.option("--rate", type=click.FloatRange(min=0.01), metavar="N", help="At most N requests a minute."),
        click.option("--timeout", type=click.FloatRange(min=0.1), default=120.0, show_default=True, help="Seconds for one answer."),
        click.option(
            "--retries", type=click.IntRange(0, 20), default=5, show_default=True,
            help="How often is asked again where the endpoint is busy, out of order or silent; the waits double.",
        ),
    )  # fmt: skip
    return _all(options, function)


def _all(options: tuple[Callable[..., Any], ...], function: Callable[..., Any]) -> Callable[..., Any]:
    for option in reversed(options):
        function = option(function)
    return function


@click.command("convert")
@paths_argument
@click.option("--to", "target", required=True, metavar="SCHEMA", help="The schema to write; see --format-spec of `data check`.")
@click.option("-o", "--output", "out", required=True, type=click.Path(dir_okay=False, path_type=Path), help="The file to write.")
@making_options
@asking_options
@click.option(
    "--mix",
    multiple=True,
    metavar="FILE=RATIO",
    help="Mix in RATIO rows of this file for each row converted, chosen and shuffled by --seed (repeatable).",
)
@click.option("--drop-extra", is_flag=True, help="Leave out what the other schema has no place for beside the texts.")
@schema_option
@language_option
@polite
def convert(
    paths: tuple[Path, ...], target: str, out: Path, rules: tuple[str, ...], tasks: int | None, seed: int, passage: int,
    endpoint: str | None, endpoint_model: str | None, endpoint_key: str, local_model: Path | None, pairs: int, parallel: int,
    rate: float | None, timeout: float, retries: int, mix: tuple[str, ...], drop_extra: bool, spec: str, lang: str,
) -> None:  # fmt: skip
    """Write the data in another schema: without loss, or not at all. Or make questions and answers of plain text.

    The suffix of the file says its format: .jsonl, .json, .csv, .tsv or .parquet. Interrupted, a run with a model goes on with the
    same command.
    """
    from advisor.data.convert import Plan
    from advisor.data.convert import convert as run

    not_the_source(paths, out)
    model = _model(endpoint, endpoint_model, endpoint_key, local_model, rate, timeout, retries)
    if tasks is not None and not rules:
        raise UserError("--tasks says how many tasks of --rule are made of a passage; give --rule too")
    chosen = RULES if "all" in rules else tuple(dict.fromkeys(rules))
    plan = Plan(
        target, out, spec=spec, keep_extra=not drop_extra, language=lang, rules=chosen, tasks=tasks, seed=seed, passage=passage,
        model=model, pairs=pairs, parallel=1 if local_model else parallel, mix=tuple(map(_share, mix)),
    )  # fmt: skip
    with _bar(lang, shown=model is not None) as progress:
        done = run(paths, plan, progress)
    _say(done, plan, lang)


def _model(
    endpoint: str | None, name: str | None, key: str, folder: Path | None, rate: float | None, timeout: float, retries: int
) -> Model | None:
    if endpoint and folder:
        raise UserError("--endpoint and --local-model both name who writes the questions; give one of them")
    if folder:
        from advisor.data.asking.local import LocalModel

        return LocalModel(folder)
    if bool(endpoint) != bool(name):
        raise UserError("--endpoint and --endpoint-model belong together; give both")
    if not endpoint or not name:
        return None
    from advisor.data.asking.endpoint import Endpoint, Pace

    return Endpoint(endpoint, name, os.environ.get(key, ""), timeout, retries, Pace(60 / rate if rate else 0.0))


def _share(value: str) -> Share:
    from advisor.data.mixing import Share

    file, _, ratio = value.rpartition("=")
    try:
        number = float(ratio)
    except ValueError:
        number = 0.0
    if not file or not 0 < number < float("inf"):
        raise UserError(f"--mix {value}: expected FILE=RATIO, such as task.jsonl=2 for two of its rows to one converted row")
    return Share(Path(file), number)


@contextmanager
def _bar(lang: str, *, shown: bool) -> Iterator[Callable[[int, int], None] | None]:
    """Give what draws how many passages are done; nothing where standard error is no terminal."""
    if not shown or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from advisor.render.words import Words

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(Words(lang, None, "convert")("passages_bar"), total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _say(done: Outcome, plan: Plan, lang: str) -> None:
    """Print what was written, what was left out and why, and how much was mixed in."""
    from advisor.data.convert import REJECTED
    from advisor.render.words import Words

    words = Words(lang, None, "convert")
    lines = [words("converted", out=plan.out, rows=done.rows, schema=plan.target)]
    if plan.from_text:
        made = words("separator").join(words(f"by.{by}", count=count) for by, count in done.made.items())
        lines.append(words("from_passages", passages=done.passages, made=made))
    if done.kept:
        lines.append(words("replies_kept", count=done.kept))
    if done.left_out:
        reasons = words("separator").join(
            words("not_taken_for", count=count, reason=words(f"reason.{reason}")) for reason, count in done.left_out.most_common()
        )
        lines.append(words("not_taken", count=sum(done.left_out.values()), reasons=reasons))
    if plan.model is not None:
        lines.append(words("see_rejected", file=plan.beside(REJECTED)))
    for taken in done.taken:
        key = "mixed" if taken.rows == taken.wanted else "mixed_short"
        lines.append(
            words(key, file=taken.path, rows=taken.rows, of=taken.of, wanted=taken.wanted, ratio=taken.rows / (done.main or 1))
        )
    click.echo("\n".join(lines))
