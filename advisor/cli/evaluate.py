"""`advisor evaluate`."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from advisor.cli.common import UserError, fail_on_option, fails, format_option, language_option, polite, print_answer, rules_option

if TYPE_CHECKING:
    from advisor.engine import Assessment
    from advisor.evaluation.model import Answer
    from advisor.evaluation.sheet import Judgement
    from advisor.model import Value

FILE = click.Path(path_type=Path)
NEW_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command("evaluate")
@click.argument("predictions", required=False, metavar="[PREDICTIONS]", type=FILE)
@click.option("--model", type=FILE, metavar="DIR", help="A checkpoint, or an adapter, that answers the --data by itself.")
@click.option(
    "--data", "data", multiple=True, type=FILE, metavar="FILE", help="Questions with right answers, for --model (repeatable)."
)
@click.option("--base", type=FILE, metavar="DIR", help="The base model of --model; that of an adapter is known.")
@click.option("--max-tokens", type=click.IntRange(min=1), default=256, show_default=True, help="Tokens that --model may generate.")
@click.option("--batch-size", type=click.IntRange(min=1), default=8, show_default=True, help="Rows that --model answers at once.")
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="Only the first N rows of --data.")
@click.option("--device", default="auto", show_default=True, help="Where --model runs: cpu, cuda, cuda:1 …")
@click.option("--save-predictions", "saved", type=NEW_FILE, metavar="OUT", help="Keep what --model said as a file of predictions.")
@click.option("--train-data", multiple=True, type=FILE, metavar="PATH", help="What it was trained on (repeatable).")
@click.option("--real-prompts", type=FILE, metavar="FILE", help="Prompts of real use: one a line, or JSON records.")
@click.option("--generation-config", "inference_file", type=FILE, metavar="FILE", help="Inference parameters (JSON, TOML or YAML).")
@click.option("--want", type=click.Choice(["deterministic", "creative", "diverse"]), help="What the answers should be.")
@click.option("--sheet", type=NEW_FILE, metavar="OUT.csv", help="Write a blinded sheet for people to judge side by side.")
@click.option("--read-sheet", "filled", type=FILE, metavar="CSV", help="Count a filled sheet; nothing else is needed.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of the resamples, of the sheet's order, and of generation.")
@click.option("--resamples", type=click.IntRange(min=100), default=1000, show_default=True, help="Of the rows, for the intervals.")
@format_option()
@click.option("--all", "every", is_flag=True, help="Show every answer that was found, not the first three of each kind.")
@fail_on_option()
@language_option
@rules_option
@polite
def command(
    predictions: Path | None, model: Path | None, data: tuple[Path, ...], base: Path | None, max_tokens: int, batch_size: int,
    limit: int | None, device: str, saved: Path | None, train_data: tuple[Path, ...], real_prompts: Path | None,
    inference_file: Path | None, want: str | None, sheet: Path | None, filled: Path | None, seed: int, resamples: int, output: str,
    every: bool, fail_on: str, lang: str, rule_folders: tuple[Path, ...],
) -> None:  # fmt: skip
    """Say whether a tuned model's answers are right, what is wrong with them, and what to change.

    PREDICTIONS is a JSONL file with a prompt, a prediction, mostly a reference and perhaps a base_prediction in each record, under
    any of their usual names. Status: 0 nothing as grave as --fail-on, 1 something is, 2 an input cannot be read.

    \b
    Examples:
      advisor evaluate predictions.jsonl --train-data train.jsonl
      advisor evaluate --model output/ --data test.jsonl --save-predictions predictions.jsonl
      advisor evaluate predictions.jsonl --generation-config generation_config.json --want deterministic
      advisor evaluate predictions.jsonl --sheet judge.csv
      advisor evaluate --read-sheet judge.csv
    """  # noqa: D301  click's mark for lines that stay as they are
    from advisor.engine import assess
    from advisor.evaluation.reading import read_pairs, read_prompts
    from advisor.evaluation.signals import AnswerMeasurements, Evaluated
    from advisor.rulebook import load
    from advisor.settings import read_inference, read_project

    if filled is not None:
        _print_judgement(filled, output, lang)
        return
    _check(predictions, model, data)
    rules = load(rule_folders, read_project(Path.cwd()), subject="answers")
    inference = read_inference(inference_file) if inference_file else {}
    train = read_pairs(train_data) if train_data else []
    real = read_prompts(real_prompts) if real_prompts else []
    if model is not None:
        answers, inference = _generated(model, base, data, limit, inference, (max_tokens, batch_size, device, seed))
        if saved is not None:
            _save(answers, saved, lang)
    else:
        from advisor.evaluation.reading import read_answers

        assert predictions is not None
        answers = read_answers(predictions)
    evaluated = Evaluated(answers, train, real, inference, want or "", resamples=resamples, seed=seed)
    assessment = assess(AnswerMeasurements(evaluated), rules)
    _print(assessment, output, lang, every=every)
    if sheet is not None:
        _write_sheet(answers, sheet, seed, lang, to_error=output != "text")
    if fails(assessment.findings, fail_on):
        sys.exit(1)


def _check(predictions: Path | None, model: Path | None, data: tuple[Path, ...]) -> None:
    if (predictions is None) == (model is None):
        raise UserError("give a file of predictions, or --model DIR with --data FILE: one of the two")
    if model is not None and not data:
        raise UserError("--model needs --data FILE: questions with right answers that the model is to answer")
    if model is None and data:
        raise UserError("--data belongs to --model DIR; training data for comparison is given with --train-data")


def _generated(
    model: Path, base: Path | None, data: tuple[Path, ...], limit: int | None, inference: Mapping[str, Value],
    settings: tuple[int, int, str, int],
) -> tuple[list[Answer], dict[str, Value]]:  # fmt: skip
    """Return what the checkpoint says, and the inference parameters it said it with."""
    from advisor.evaluation.checkpoint import How, answer_all
    from advisor.evaluation.reading import read_pairs

    max_tokens, batch, device, seed = settings
    how = How(inference, max_tokens, batch, device, seed)
    answers = answer_all(read_pairs(data)[:limit], model, how, base)
    return answers, {"temperature": 0.0, "max_tokens": max_tokens, **inference}


def _save(answers: list[Answer], path: Path, lang: str) -> None:
    from advisor.evaluation.checkpoint import save
    from advisor.render.words import Words

    save(answers, path)
    click.echo(Words(lang, None, "evaluate")("saved", path=path, rows=len(answers)), err=True)


def _print(assessment: Assessment, output: str, lang: str, *, every: bool) -> None:
    from advisor.render import evaluation, evaluation_json

    print_answer(
        output,
        json=lambda: evaluation_json.render(assessment, lang),
        markdown=lambda: evaluation.markdown(assessment, lang, every=every),
        text=lambda console: evaluation.render(assessment, lang, console, every=every),
    )


def _write_sheet(answers: list[Answer], sheet: Path, seed: int, lang: str, *, to_error: bool) -> None:
    from advisor.evaluation.sheet import write_sheet
    from advisor.render.words import Words

    key, rows = write_sheet(answers, sheet, seed)
    click.echo(Words(lang, None, "evaluate")("sheet_written", sheet=sheet, answers=key, rows=rows), err=to_error)


def _print_judgement(filled: Path, output: str, lang: str) -> None:
    import json
    from dataclasses import asdict

    from advisor.evaluation.sheet import read_sheet

    judgement = read_sheet(filled)
    if output == "json":
        click.echo(json.dumps({"schema": "advisor.judgement/1", **asdict(judgement), "verdict": judgement.verdict}, indent=1))
        return
    click.echo("\n".join(_sentences(judgement, lang)))


def _sentences(judgement: Judgement, lang: str) -> list[str]:
    from advisor.render.words import Words

    words = Words(lang, None, "evaluate")
    decided = judgement.wins + judgement.losses
    counted = words(
        "sheet_result", judged=decided + judgement.ties, rows=judgement.rows, wins=judgement.wins, losses=judgement.losses,
        ties=judgement.ties, first=words("sheet_first"), second=words("sheet_second"),
    )  # fmt: skip
    verdicts = {"better": "sheet_better", "worse": "sheet_worse", "same": "sheet_same", "few": "sheet_few"}
    return [
        counted,
        words(verdicts[judgement.verdict], **({"count": decided} if judgement.verdict == "few" else {"p": judgement.p})),
    ]
