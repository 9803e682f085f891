"""What `advisor should-finetune` prints: the outcome, its reasons and sources, what would change it, and the next step."""

from __future__ import annotations

import json
import math
import shlex
from collections.abc import Iterator
from typing import Any

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from advisor.model import Finding
from advisor.render.layout import wrapped
from advisor.render.words import Words
from advisor.suitability.advice import Advice, flag
from advisor.suitability.decide import Change
from advisor.task import FACTS, Answer

TOPIC = "suitability"


def value_words(name: str, value: Answer, words: Words) -> str:
    """Return an answer as it is read: the words of a choice, a count with its thousands, a share in percent."""
    fact = FACTS[name]
    if not fact.is_number:
        return words(f"value.{name}.{value}")
    if name == "health":
        return f"{float(value):.0%}"
    return f"{float(value):.2f}" if name == "base_score" else f"{float(value):,.0f}"


def next_step(advice: Advice, words: Words) -> str:
    """Return what to do or to run next."""
    data = shlex.quote(str(advice.data)) if advice.data else "DATA"
    return words(f"next.{advice.decision.outcome}", again=advice.again(renewed=True), model="MODEL", data=data)


def _change_line(change: Change, advice: Advice, words: Words) -> str:
    new = value_words(change.fact, change.answer, words)
    if FACTS[change.fact].is_number:
        new = f"{value_words(change.fact, advice.decision.task.known[change.fact], words)} → {new}"
    then = words(f"outcome.{change.outcome}") if change.outcome else words("depends", fact=words(f"fact.{change.missing}"))
    return words("change_to", fact=words(f"fact.{change.fact}"), new=new, outcome=then)


def _base_line(advice: Advice, words: Words) -> str:
    base = advice.base
    if base is None:
        return ""
    if not base.rows:
        return words("base_score_bare", mean=f"{base.mean:.2f}")
    how = words("given_scores") if math.isnan(base.exact) else words("same_answers", exact=f"{base.exact:.0%}")
    numbers = {name: f"{getattr(base, name):.2f}" for name in ("mean", "low", "high")}
    return words("base_score_line", rows=base.rows, how=how, **numbers)


def _open_lines(advice: Advice, words: Words) -> Iterator[str]:
    """Yield why nothing is decided, and what each answer to the next question would lead to."""
    name = advice.missing[0]
    yield words("not_decided", fact=words(f"fact.{name}"), question=words(f"ask.{name}"))
    for answer, outcome in advice.leaves.items():
        led_to = words(f"outcome.{outcome}") if outcome else words("open")
        yield "  " + words("then", answer=f"`{answer}` ({value_words(name, answer, words)})", outcome=led_to)
    yield words("give_it", flag=flag(name), name=name)
    if advice.missing[1:]:
        yield words("not_decided_rest", facts=words("separator").join(f"{flag(other)}" for other in advice.missing[1:]))


MOST_DEFECTS = 5
"""Defects of the data that are named; `advisor data check` has the rest."""


def _defect_lines(advice: Advice, words: Words) -> list[str]:
    lines = [f"{words.of(finding, 'message')} [{finding.rule.id}]" for finding in advice.defects[:MOST_DEFECTS]]
    more = len(advice.defects) - MOST_DEFECTS
    return [*lines, words("more_defects", count=more, data=advice.data)] if more > 0 else lines


def _fact_lines(advice: Advice, words: Words) -> Iterator[str]:
    for name, value in advice.decision.task.known.items():
        said = {"fact": words(f"fact.{name}"), "value": value_words(name, value, words), "origin": words(advice.origins[name])}
        yield words("fact_line", **said)


def _joined(finding: Finding, key: str, words: Words) -> str:
    """Return what a rule saw, another of its texts, and its id."""
    return f"{words.of(finding, 'message')}{words('sentence_gap')}{words.of(finding, key)} [{finding.rule.id}]"


def text(advice: Advice, language: str, console: Console) -> None:
    """Print the advice at a terminal."""
    words, decision = Words(language, None, TOPIC), advice.decision
    if not decision.outcome:
        for line in _open_lines(advice, words):
            wrapped(Text(line), 2 if line.startswith(" ") else 0, console)
        return
    wrapped(Text(words(f"outcome.{decision.outcome}"), style="bold green" if decision.trains else "bold yellow"), 0, console)
    console.print()
    _reasons(advice, words, console)
    also = [f"{words.of(finding, 'message')} [{finding.rule.id}]" for finding in decision.also]
    changes = [_change_line(change, advice, words) for change in advice.changes] or [words("nothing_would_change")]
    sections = (
        ("after_that", also), ("defects_heading", _defect_lines(advice, words)), ("would_change", changes),
        ("facts_heading", list(_fact_lines(advice, words))),
    )  # fmt: skip
    for heading, lines in sections:
        if lines:
            console.print()
            wrapped(Text(words(heading), style="bold"), 0, console)
            for line in lines:
                wrapped(Text(line), 4, console, head="  ·")
    if "asked" in advice.origins.values():
        console.print()
        again = f"{words('again')}: advisor should-finetune{advice.again(renewed=False)}"
        console.print(Text(again, style="dim"), soft_wrap=True)


def _reasons(advice: Advice, words: Words, console: Console) -> None:
    """Print why, on what it rests, what to mind, what to do, and when it is wrong."""
    decision = advice.decision
    for finding in (*decision.reasons, *decision.deciding):
        _labelled(words("because"), _joined(finding, "why", words), words, console)
        for source in finding.rule.sources[:1]:
            said = f"{source.title}{f' <{source.url}>' if source.url else ''}"
            console.print(Text(" " * _column(words) + said, style="dim"), soft_wrap=True)
    if line := _base_line(advice, words):
        _labelled("", line, words, console)
    for finding in decision.notes:
        _labelled(words("mind"), _joined(finding, "remedy", words), words, console)
    _labelled(words("remedy"), words.of(decision.deciding[0], "remedy"), words, console)
    _labelled(words("limits_heading"), words.of(decision.deciding[0], "limits"), words, console)
    # Not wrapped: it holds a command to copy.
    label = f"  {words('next_heading')}"
    label += " " * (_column(words) - cell_len(label))
    console.print(Text(label, style="dim").append(next_step(advice, words), style="bold"), soft_wrap=True)


def _labelled(label: str, said: str, words: Words, console: Console, style: str = "") -> None:
    """Print a text after its label, the lines below it indented so that the labels stand out."""
    wrapped(Text(said, style=style), _column(words), console, head=f"  {label}")


def _column(words: Words) -> int:
    """Return where texts begin beside their labels."""
    return 4 + max(cell_len(words(key)) for key in ("because", "remedy", "limits_heading", "mind", "next_heading"))


def markdown(advice: Advice, language: str) -> str:
    """Return the advice as Markdown."""
    words, decision = Words(language, None, TOPIC), advice.decision
    if not decision.outcome:
        return "\n".join(f"- {line.strip()}" if line.startswith(" ") else f"{line}\n" for line in _open_lines(advice, words)) + "\n"
    blocks = [f"# {words(f'outcome.{decision.outcome}')}"]
    blocks += [_markdown_finding(finding, words) for finding in (*decision.reasons, *decision.deciding)]
    if line := _base_line(advice, words):
        blocks.append(line)
    for heading, findings in ((words("mind"), decision.notes), (words("after_that"), decision.also)):
        if findings:
            lines = [f"- {words.of(f, 'message')} {words.of(f, 'remedy')} (`{f.rule.id}`)" for f in findings]
            blocks.append(f"## {heading}\n\n" + "\n".join(lines))
    blocks.append(
        f"## {words('next_heading')}\n\n{words.of(decision.deciding[0], 'remedy')}\n\n```sh\n{next_step(advice, words)}\n```"
    )
    changes = [_change_line(change, advice, words) for change in advice.changes] or [words("nothing_would_change")]
    if advice.defects:
        blocks.append(f"## {words('defects_heading')}\n\n" + "\n".join(f"- {line}" for line in _defect_lines(advice, words)))
    for heading, lines in ((words("would_change"), changes), (words("facts_heading"), list(_fact_lines(advice, words)))):
        blocks.append(f"## {heading}\n\n" + "\n".join(f"- {line}" for line in lines))
    return "\n\n".join(blocks) + "\n"


def _markdown_finding(finding: Finding, words: Words) -> str:
    rule = finding.rule
    sources = "\n".join(f"- {s.title}{f' <{s.url}>' if s.url else ''}: {s.says[words.language]}" for s in rule.sources)
    limits = f"**{words('limits')}.** {words.of(finding, 'limits')}"
    said = f"**{words.of(finding, 'message')}**{words('sentence_gap')}{words.of(finding, 'why')} (`{rule.id}`)"
    return f"{said}\n\n{sources}\n\n{limits}"


def as_json(advice: Advice, language: str) -> str:
    """Return the advice as JSON; `outcome` is null where a fact is missing."""
    words, decision, base = Words(language, None, TOPIC), advice.decision, advice.base
    known = decision.task.known

    def said(finding: Finding) -> dict[str, Any]:
        rule = finding.rule
        texts = {key: words.of(finding, key) for key in ("title", "message", "why", "remedy", "limits")}
        sources = [{"title": s.title, "url": s.url, "says": s.says[language]} for s in rule.sources]
        return {"rule": rule.id, "argues": rule.thresholds["argues"], **texts, "sources": sources}

    answer = {
        "outcome": decision.outcome or None,
        "says": words(f"outcome.{decision.outcome}") if decision.outcome else "",
        "missing": list(advice.missing),
        "answers_lead_to": {answer: outcome or None for answer, outcome in advice.leaves.items()},
        "reasons": [said(finding) for finding in (*decision.reasons, *decision.deciding)],
        "notes": [said(finding) for finding in decision.notes],
        "then_in_the_way": [said(finding) for finding in decision.also],
        "defects": [{"rule": f.rule.id, "message": words.of(f, "message")} for f in advice.defects],
        "would_change": [
            {"fact": c.fact, "from": known[c.fact], "to": c.answer, "outcome": c.outcome or None, "missing": c.missing}
            for c in advice.changes
        ],
        "facts": {name: {"value": value, "origin": advice.origins[name]} for name, value in known.items()},
        "base_score": None if base is None else {
            "mean": base.mean, "rows": base.rows, "how": base.how,
            **{name: None if math.isnan(v := getattr(base, name)) else v for name in ("low", "high", "exact")},
        },
        "next": next_step(advice, words) if decision.outcome else "",
    }  # fmt: skip
    return json.dumps(answer, ensure_ascii=False, indent=1)
