"""What `advisor analyze --write-config` does: choose the changes, write them, and say what was written and what was left out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from advisor.errors import BadConfig
from advisor.model import Change, Diagnosis
from advisor.rulebook import Rule, find


def accepted_rules(names: Sequence[str], rules: Sequence[Rule]) -> tuple[str, ...]:
    """Return the ids of the rules that `--accept` names. Raises BadRule with the nearest name."""
    return tuple(find(rules, name).id for name in names)


def check_target(target: Path, config_file: Path | None, *, force: bool) -> None:
    """Raise BadConfig where `target` cannot be written in the right form, or would replace a file unasked."""
    from advisor.config_writer import form_for

    form_for(target, config_file)
    if target.exists() and not force:
        raise BadConfig(f"{target}: exists; give another name, or --force to replace it")


def write(diagnoses: Sequence[Diagnosis], target: Path, config_file: Path | None, accepted: Sequence[str], language: str) -> None:
    """Write the safe and the accepted changes of the one run to `target`, and say so on standard error. Raises BadConfig."""
    from advisor.config_writer import Written, form_for, fresh, rewrite, save
    from advisor.render.words import Words, value_text
    from advisor.settings import config_text

    words = Words(language)
    if len(diagnoses) != 1:
        raise BadConfig(f"--write-config: {len(diagnoses)} runs in this input; give the log of exactly one run")
    changes = diagnoses[0].changes
    chosen = [change for change in changes if change.trust == "safe" or change.rule in accepted]
    waiting = [change for change in changes if change not in chosen]
    _check_used(changes, waiting, accepted)
    written: list[Written] = []
    if chosen:
        form = form_for(target, config_file)
        if config_file is None:
            text, written = fresh(form, chosen)
        else:
            given = config_text(config_file)
            mark = given[: given.startswith("\ufeff")]
            text, written = rewrite(given[len(mark) :], form, chosen, str(config_file))
            text = mark + text
        if written:
            save(text, target)
    click.echo(words("written" if written else "nothing_written", path=target), err=True)
    for item in written:
        old = item.old.strip() or value_text(item.change.old, words("unset"))
        click.echo(f"  {item.name} {old} → {item.new} ({item.change.rule})", err=True)
    if waiting:
        click.echo(words("left_out"), err=True)
    for change in waiting:
        old, new = (value_text(value, words("unknown")) for value in (change.old, change.new))
        trust = words(f"trust.{change.trust}")
        click.echo(f"  {change.parameter} {old} → {new} [{trust}]: --accept {change.rule}", err=True)


def _check_used(changes: Sequence[Change], waiting: Sequence[Change], accepted: Sequence[str]) -> None:
    for rule_id in accepted:
        if not any(change.rule == rule_id and change.trust != "safe" for change in changes):
            others = ", ".join(dict.fromkeys(change.rule for change in waiting)) or "none"
            raise BadConfig(f"--accept {rule_id}: no change of this rule waits for it on this run; waiting: {others}")
