"""The answer as Markdown, fit for an issue or a pull request."""

from __future__ import annotations

import re
from collections.abc import Sequence

from advisor.model import Diagnosis
from advisor.render.words import Words, counts, notes, outlook, value_text

_SPECIAL = re.compile(r"([\\`*_\[\]<>|#&])")


def escape(text: str) -> str:
    """Return `text` so that Markdown and HTML show it as it is: nothing from a log is markup."""
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()))


def render(diagnoses: Sequence[Diagnosis], language: str) -> str:
    """Return the Markdown document."""
    return "\n\n".join(_run(d, Words(language, d.run)) for d in diagnoses) + "\n"


def _run(diagnosis: Diagnosis, words: Words) -> str:
    run = diagnosis.run
    blocks = [
        f"## {escape(run.source)}",
        f"**{words(f'verdict.{diagnosis.verdict}')}** {words('points', **counts(run))}.",
    ]
    for finding in diagnosis.findings:
        rule = finding.rule
        lines = [f"### {words(f'severity.{rule.severity}')} {rule.id}: {words.of(finding, 'title')}", ""]
        lines += [escape(words.of(finding, "message")), ""]
        shown = "; ".join(filter(None, (words.point(p) for p in finding.hit.evidence)))
        if shown:
            lines.append(f"- **{words('evidence')}**: {escape(shown)}")
        lines.append(f"- **{words('why')}**: {escape(words.of(finding, 'why'))}")
        lines.append(f"- **{words('remedy')}**: {escape(words.of(finding, 'remedy'))}")
        blocks.append("\n".join(lines))
    if diagnosis.changes:
        blocks.append(_changes(diagnosis, words))
    if sentence := outlook(diagnosis, words):
        blocks.append(escape(sentence))
    tail = [f"**{words('clean')}** {', '.join(rule.id for rule in diagnosis.clean)}"] if diagnosis.clean else []
    tail += [
        f"- {words('not_judged')} " + words("not_judged_line", problems=n.rule.id, missing=words.missing(n), log=words.to_log(n))
        for n in diagnosis.not_judged
    ]
    tail += [f"- {note}" for note in notes(run, words)]
    return "\n\n".join([*blocks, "\n".join(tail)])


def _changes(diagnosis: Diagnosis, words: Words) -> str:
    facts = {f.rule.id: f.hit.facts for f in diagnosis.findings}
    headings = [words(k) for k in ("parameter", "old", "new", "trust_heading", "reason", "rule")]
    rows = [
        [
            f"`{c.parameter}`", escape(value_text(c.old, words("unknown"))), f"**{value_text(c.new, '')}**",
            words(f"trust.{c.trust}"), escape(words.reason(c, facts[c.rule])), c.rule,
        ]
        for c in diagnosis.changes
    ]  # fmt: skip
    table = [headings, ["---"] * len(headings), *rows]
    return f"### {words('changes')}\n\n" + "\n".join("| " + " | ".join(cells) + " |" for cells in table)
