"""The answer as Markdown, fit for an issue or a pull request."""

from __future__ import annotations

import re
from collections.abc import Sequence

from advisor.model import Diagnosis
from advisor.render.words import IN_FULL, Words, counts, gravest, notes, outlook, short_sources, value_text, verdict_counts

_SPECIAL = re.compile(r"([\\`*_\[\]<>|#&])")


def escape(text: str) -> str:
    """Return `text` so that Markdown and HTML show it as it is: nothing from a log is markup."""
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()))


def render(diagnoses: Sequence[Diagnosis], language: str) -> str:
    """Return the Markdown document."""
    shown, blocks = diagnoses, []
    if len(diagnoses) > IN_FULL:
        blocks, shown = [_runs(diagnoses, Words(language))], [gravest(diagnoses)]
    return "\n\n".join([*blocks, *(_run(d, Words(language, d.run)) for d in shown)]) + "\n"


def _runs(diagnoses: Sequence[Diagnosis], words: Words) -> str:
    """Return a table of many runs."""
    headings = [words(k) for k in ("run", "source", "points_heading", "verdict_heading", "change")]
    rows = []
    for number, (diagnosis, source) in enumerate(zip(diagnoses, short_sources(diagnoses), strict=True), 1):
        points, problem = words("points", **counts(diagnosis.run)), words(f"problem.{diagnosis.verdict}")
        rows.append([str(number), escape(source), points, problem, _first_change(diagnosis, words)])
    found = words("runs_found", count=len(diagnoses))
    return f"{found}\n\n{_table(headings, rows)}\n\n{verdict_counts(diagnoses, words)}"


def _first_change(diagnosis: Diagnosis, words: Words) -> str:
    if not diagnosis.changes:
        return ""
    first, unknown = diagnosis.changes[0], words("unknown")
    return f"`{first.name}` {escape(value_text(first.old, unknown))} → {escape(value_text(first.new, unknown))}"


def _table(headings: list[str], rows: list[list[str]]) -> str:
    return "\n".join("| " + " | ".join(cells) + " |" for cells in [headings, ["---"] * len(headings), *rows])


def _run(diagnosis: Diagnosis, words: Words) -> str:
    run = diagnosis.run
    blocks = [
        f"## {escape(run.source)}",
        f"**{words(f'verdict.{diagnosis.verdict}')}** {words('points', **counts(run))}.",
    ]
    if diagnosis.causes:
        blocks.append(_causes(diagnosis, words))
    for finding in diagnosis.findings:
        rule = finding.rule
        lines = [f"### {words(f'severity.{rule.severity}')} {rule.id}: {words.of(finding, 'title')}", ""]
        lines += [escape(words.of(finding, "message")), ""]
        shown = "; ".join(filter(None, (words.point(p) for p in finding.hit.evidence)))
        if shown:
            lines.append(f"- **{words('evidence')}**: {escape(shown)}")
        lines.append(f"- **{words('why')}**: {escape(words.of(finding, 'why'))}")
        for key, items in rule.lists[words.language].items():
            if items:
                lines.append(
                    f"- **{words(f'label.{key}')}**: " + " ".join(f"{n}. {escape(item)}" for n, item in enumerate(items, 1))
                )
        lines.append(f"- **{words('remedy')}**: {escape(words.of(finding, 'remedy'))}")
        blocks.append("\n".join(lines))
    if diagnosis.changes:
        blocks.append(_changes(diagnosis, words))
    blocks += [escape(sentence) for sentence in (outlook(diagnosis, words), words.cost(diagnosis.cost)) if sentence]
    tail = [f"**{words('clean')}** {', '.join(rule.id for rule in diagnosis.clean)}"] if diagnosis.clean else []
    tail += [
        f"- {words('not_judged')} " + words("not_judged_line", problems=n.rule.id, missing=words.missing(n), log=words.to_log(n))
        for n in diagnosis.not_judged
    ]
    tail += [f"- {note}" for note in notes(run, words)]
    return "\n\n".join([*blocks, "\n".join(tail)])


def _causes(diagnosis: Diagnosis, words: Words) -> str:
    lines = [f"### {words('causes_heading')}", ""]
    for cause in diagnosis.causes:
        own = cause.words[words.language]
        lines.append(f"- **{escape(words.cause(cause))}**: {escape(own['meaning'])}")
        for label, clues in (("cause_for", cause.supports), ("cause_against", cause.against)):
            if clues:
                said = words("clause").join(words.clues(clues))
                lines.append(f"  - {words(label)}: {escape(said)}")
        lines.append(f"  - {words('cause_test')}: {escape(own['experiment'])}")
    if change := diagnosis.first_change:
        text = f"`{change.name}` {value_text(change.old, words('unknown'))} → **{value_text(change.new, '')}** ({change.rule})"
        lines += ["", f"**{words('first_change')}** {text}"]
    lines += [f"- {escape(words.conflict(conflict))}" for conflict in diagnosis.conflicts]
    return "\n".join(lines)


def _changes(diagnosis: Diagnosis, words: Words) -> str:
    facts = {f.rule.id: f.hit.facts for f in diagnosis.findings}
    headings = [words(k) for k in ("parameter", "old", "new", "trust_heading", "reason", "expected", "rule")]
    rows = [
        [
            f"`{c.name}`", escape(value_text(c.old, words("unknown"))), f"**{value_text(c.new, '')}**",
            words(f"trust.{c.trust}"), escape(words.reason(c, facts[c.rule])), escape(words.effect(c)), c.rule,
        ]
        for c in diagnosis.changes
    ]  # fmt: skip
    return f"### {words('changes')}\n\n" + _table(headings, rows)
