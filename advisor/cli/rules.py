"""`advisor rules list | show | test`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from advisor.cli.common import UserError, language_option, polite, rules_option


@click.group("rules")
def command() -> None:
    """Print and test the rule book."""


@command.command("list")
@click.option(
    "--format", "output", type=click.Choice(["text", "json"]), default="text", show_default=True, help="Form of the list."
)
@language_option
@rules_option
@polite
def list_rules(output: str, lang: str, rule_folders: tuple[Path, ...]) -> None:
    """List all rules in force: id, severity, title."""
    from advisor.render.rules import as_dict
    from advisor.render.words import Words
    from advisor.rulebook import load
    from advisor.settings import read_project

    rules = load(rule_folders, read_project(Path.cwd()))
    if output == "json":
        click.echo(json.dumps([as_dict(rule, lang) for rule in rules], ensure_ascii=False, indent=1))
        return
    words = Words(lang)
    for rule in rules:
        click.echo(f"{rule.id:13} {words(f'severity.{rule.severity}'):8} {rule.words[lang]['title']}  ({rule.family}/{rule.slug})")


@command.command("show")
@click.argument("name", metavar="RULE-ID", required=False)
@click.option("--all", "every", is_flag=True, help="Show every rule.")
@click.option("--family", help="Show the rules of one family, such as overfitting; `causes` for the causes.")
@click.option(
    "--format", "output", type=click.Choice(["text", "json"]), default="text", show_default=True, help="Form of the page."
)
@language_option
@rules_option
@polite
def show(name: str | None, every: bool, family: str | None, output: str, lang: str, rule_folders: tuple[Path, ...]) -> None:
    """Show one rule: what it sees, why it matters, what to do, when it is wrong, and its source.

    RULE-ID is an id (OVERFIT-001), a rule's name (validation-rise), or a cause (learning_rate_too_high).
    """
    from advisor.causes import load_causes
    from advisor.render.rules import as_dict, book, cause_page, causes, page
    from advisor.rulebook import find, load, of_family
    from advisor.settings import read_project

    if (name is not None) + every + (family is not None) != 1:
        raise UserError("give the id or the name of one rule, --family or --all; `advisor rules list` shows them")
    known = {cause.name: cause for cause in load_causes()}
    if name in known or family == "causes":
        click.echo(cause_page(known[name], lang) if name in known else causes(known.values(), lang))
        return
    rules = load(rule_folders, read_project(Path.cwd()))
    chosen = of_family(rules, family) if family else rules if name is None else (find(rules, name),)
    if output == "json":
        click.echo(json.dumps([as_dict(rule, lang) for rule in chosen], ensure_ascii=False, indent=1))
    else:
        click.echo(page(chosen[0], lang) if name else book(chosen, lang, family))


@command.command("test")
@click.argument("files", nargs=-1, metavar="[FILE...]", type=click.Path(exists=True, path_type=Path))
@language_option
@polite
def test(files: tuple[Path, ...], lang: str) -> None:
    """Run the cases of the given rule files, or of the whole rule book. Status 1 where one does not hold."""
    from advisor.cases import cause_outcomes, outcomes
    from advisor.causes import load_causes
    from advisor.render.words import Words
    from advisor.rulebook import load, parse

    words = Words(lang)
    rules = tuple(parse(path) for path in files) if files else load()
    results = [outcome for rule in rules for outcome in outcomes(rule)]
    if not files:
        results += [outcome for cause in load_causes() for outcome in cause_outcomes(cause, rules)]
    broken = [outcome for outcome in results if not outcome.holds]
    for o in broken:
        click.echo(words("case_fails", rule=o.name, number=o.number, expected=o.expected, got=o.got, because=o.because))
    if broken:
        sys.exit(1)
    click.echo(words("cases_hold", count=len(results), rules=len(rules)))
