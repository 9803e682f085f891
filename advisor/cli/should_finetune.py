"""`advisor should-finetune`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from advisor.cli.common import format_option, language_option, polite, print_answer, rules_option
from advisor.suitability.advice import flag
from advisor.task import FACTS, Answer, answered

if TYPE_CHECKING:
    from advisor.model import Finding
    from advisor.rulebook import Rule
    from advisor.suitability.advice import Advice

HELP = {
    "task": "What the model is wanted for.",
    "prompting": "How much prompt engineering was done.",
    "prompt_result": "How far prompts got.",
    "wish": "Whether answers are to become cheaper or faster.",
    "knowledge": "Facts that answers need and questions do not hold.",
    "retrieval": "Whether passages to answer from were tried.",
    "model": "Kind of model.",
    "style": "Whether answers must follow a style or a format.",
    "difficulty": "How hard the task is.",
    "rows": "Rows with a question and its answer.",
    "raw_tokens": "Tokens of raw text of the domain.",
    "pairs": "Preference pairs.",
    "quality": "How good the data are.",
    "lengths": "Whether rows fit the length the model reads.",
    "budget": "Accelerators there are.",
    "base_score": "What the untrained model scores, from 0 to 1.",
    "health": "Share of the rows without a fault, from 0 to 1.",
}


def fact_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add an option for each fact."""
    for name, fact in reversed(list(FACTS.items())):
        kind: Any = click.Choice(fact.values) if fact.values else str
        function = click.option(flag(name), name, type=kind, metavar=None if fact.values else "N", help=HELP[name])(function)
    return function


@click.command("should-finetune")
@click.option(
    "--answers", type=click.Path(path_type=Path), metavar="FILE", help="Facts in a TOML or JSON file, one `fact = value` each."
)
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    metavar="PATH",
    help="Training data: rows, repeats and quality are measured, not asked for.",
)
@click.option("--max-length", type=click.IntRange(min=1), metavar="N", help="Tokens the model reads, to compare the data with.")
@click.option(
    "--base-results",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="What the untrained model answers (JSON lines: answer and reference) or scores (score), to judge what is left to gain.",
)
@fact_options
@click.option("--no-input", is_flag=True, help="Ask nothing, not even on a terminal.")
@format_option()
@language_option
@rules_option
@polite
def command(
    answers: Path | None, data: Path | None, max_length: int | None, base_results: Path | None, no_input: bool, output: str,
    lang: str, rule_folders: tuple[Path, ...], **facts: str | None,
) -> None:  # fmt: skip
    """Say whether a model should be fine-tuned for a task, and how; or what to do instead.

    On a terminal it asks what it needs to know; elsewhere the facts come from --answers, --data and the options.
    Status: 0 the answer stands, 2 a fact is missing (it is named) or an input cannot be read.
    """
    from advisor.rulebook import load
    from advisor.settings import read_project
    from advisor.suitability.advice import advise
    from advisor.suitability.answers import read_answers
    from advisor.suitability.decide import task_rules
    from advisor.suitability.measure import facts_of_data, read_base_results

    project = read_project(Path.cwd())
    rules = task_rules(rule_folders, project)
    known: dict[str, Answer] = {}
    origins: dict[str, str] = {}

    def learn(found: dict[str, Answer], origin: str) -> None:
        known.update(found)
        origins.update(dict.fromkeys(found, origin))

    base = read_base_results(base_results) if base_results else None
    defects: tuple[Finding, ...] = ()
    if answers:
        learn(read_answers(answers), "in_file")
    if data:
        from advisor.cli.data import measured
        from advisor.engine import examine

        dataset = measured((data,), (), "auto", None, {"max_length": max_length} if max_length else {})
        learn(facts_of_data(dataset, max_length), "measured")
        examination = examine(dataset, load(rule_folders, project, subject="dataset"))
        defects = tuple(finding for finding in examination.findings if finding.rule.severity != "info")
    if base:
        learn({"base_score": base.mean}, "measured")
    learn({name: answered(name, value, flag(name)) for name, value in facts.items() if value is not None}, "given")
    if output == "text" and not no_input:
        from advisor.cli.ask import is_terminal

        if is_terminal():
            learn(_asked(known, rules, lang), "asked")
    advice = replace(advise(known, origins, rules), base=base, data=data, answers=answers, defects=defects, max_length=max_length)
    _print(advice, output, lang)
    if not advice.decision.outcome:
        sys.exit(2)


def _asked(known: dict[str, Answer], rules: Sequence[Rule], lang: str) -> dict[str, Answer]:
    """Ask for what the rules still need, and return the answers. Ends with status 130 where the person does not go on."""
    from rich.console import Console

    from advisor.cli.ask import Back, Terminal
    from advisor.render.suitability import TOPIC, value_words
    from advisor.render.words import Words
    from advisor.suitability.decide import decide
    from advisor.task import Task

    words = Words(lang, None, TOPIC)
    terminal = Terminal(Console(highlight=False, emoji=False, markup=False))
    replies: dict[str, Answer] = {}
    last: dict[str, Answer] = {}
    try:
        while name := decide(Task({**known, **replies}), rules).missing:
            before = [f"{words(f'ask.{fact}')} {value_words(fact, reply, words)}" for fact, reply in replies.items()]
            try:
                replies[name] = terminal.ask(_question(name, last.get(name), words), before)
                last[name] = replies[name]
            except Back:
                if replies:
                    replies.popitem()
    except (KeyboardInterrupt, EOFError):
        sys.exit(130)
    return replies


def _question(name: str, last: Answer | None, words: Any) -> Any:
    """Return a fact as a question, its last answer marked."""
    from advisor.cli.ask import Question
    from advisor.task import amount

    values = FACTS[name].values
    return Question(
        words(f"ask.{name}"), words(f"help.{name}"), {value: words(f"value.{name}.{value}") for value in values},
        words("keys" if values else "keys_number"), amount, words("no_number"),
        values.index(str(last)) if last is not None and values else 0,
    )  # fmt: skip


def _print(advice: Advice, output: str, lang: str) -> None:
    from advisor.render import suitability

    print_answer(
        output,
        json=lambda: suitability.as_json(advice, lang),
        markdown=lambda: suitability.markdown(advice, lang),
        text=lambda console: suitability.text(advice, lang, console),
    )
