"""An evaluation at a terminal and as Markdown: metrics with their noise, symptoms beside the references' own, findings."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import groupby
from math import isnan

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from advisor.engine import Assessment
from advisor.evaluation.metrics import Measured
from advisor.evaluation.model import Estimate, Metric
from advisor.model import Finding, NotJudged, NotMeasurable
from advisor.render.dataset_text import SHOWN, lacking, where
from advisor.render.layout import hanging, wrapped
from advisor.render.markdown import escape
from advisor.render.text import STYLES
from advisor.render.words import Words, value_text

TOPIC = "evaluate"


def render(assessment: Assessment, language: str, console: Console, *, every: bool = False) -> None:
    """Print the answer on `console`. every: all answers that were found, not the first three of each finding."""
    words = Words(language, None, TOPIC)
    console.print(Text(head(assessment, words), style="dim"), soft_wrap=True)
    style = STYLES[assessment.findings[0].rule.severity] if assessment.findings else STYLES["healthy"]
    wrapped(Text(verdict(assessment, words), style=style), 0, console)
    for headings, rows in tables(assessment, words):
        console.print()
        table = Table(box=None, pad_edge=False)
        for number, heading in enumerate(headings):
            table.add_column(Text(heading, style="dim"), justify="left" if number in (0, LAST) else "right", no_wrap=True)
        for row in rows:
            table.add_row(*map(Text, row))
        console.print(table)
    for line in notes(assessment, words):
        wrapped(Text(line, style="dim"), 0, console)
    for finding in assessment.findings:
        _finding(finding, words, console, every=every)
    console.print()
    if len(assessment.changes) > 1:
        wrapped(Text(words("change_one"), style="bold"), 0, console)
    if assessment.clean:
        wrapped(
            Text.assemble((words("clean"), "bold"), words("gap"), words("clean_rules", count=len(assessment.clean))), 0, console
        )
    if assessment.not_judged:
        console.print(Text(words("not_judged"), style="bold"))
        for line in not_judged(assessment, words):
            hanging("", line, 0, console)


def head(assessment: Assessment, words: Words) -> str:
    """Return what was read, in a line."""
    answers = assessment.measured.evaluated.answers
    text = words(
        "answers_read", source=answers[0].source, rows=len(answers), references=sum(bool(answer.references) for answer in answers)
    )
    with_base = sum(answer.base is not None for answer in answers)
    return text + (" · " + words("with_base", count=with_base) if with_base else "")


def verdict(assessment: Assessment, words: Words) -> str:
    """Return how many findings there are, in a sentence."""
    if not assessment.findings:
        return words("findings_none")
    count = {kind: sum(f.rule.severity == kind for f in assessment.findings) for kind in ("error", "warning", "info")}
    return words("findings_some", errors=count["error"], warnings=count["warning"], notes=count["info"])


Rows = tuple[list[str], list[list[str]]]


def tables(assessment: Assessment, words: Words) -> Iterator[Rows]:
    """Yield (headings, rows) of the metrics and of the symptoms; columns without a value are left out."""
    measured: Measured = assessment.measured["measured"]
    if measured.metrics:
        rows = [_metric(metric, words) for metric in measured.metrics]
        headings = [words(key) for key in ("metric_heading", "own_heading", "base_heading", "gain_heading", "verdict_of_gain")]
        based = any(metric.gain for metric in measured.metrics)
        yield (headings, rows) if based else (headings[:2], [row[:2] for row in rows])
    symptoms = assessment.measured["symptoms"]
    shown = [
        s for s in symptoms.values() if s.of and any(flags is not None and flags.any() for flags in (s.own, s.base, s.references))
    ]
    if shown:
        columns = [("own_heading", "own"), ("base_heading", "base"), ("references_heading", "references")]
        given = [(key, side) for key, side in columns if any(getattr(s, side) is not None for s in shown)]
        yield (
            [words("symptom_heading"), *(words(key) for key, _ in given)],
            [[words(f"symptom.{s.name}"), *(_share(s.share(getattr(s, side))) for _, side in given)] for s in shown],
        )


def _share(share: float) -> str:
    return "–" if isnan(share) else f"{share:.1%}"


def _metric(metric: Metric, words: Words) -> list[str]:
    base = figure(metric.base, metric.unit).split(" ")[0] if metric.base else ""
    gain = figure(metric.gain, metric.unit, sign="+") if metric.gain else ""
    return [words(f"metric.{metric.name}"), figure(metric.own, metric.unit), base, gain, words(f"gain.{metric.verdict}")]


def figure(estimate: Estimate, unit: str, *, sign: str = "") -> str:
    """Return a value with its interval: `0.52 [0.45, 0.59]`."""
    form = ".3f" if unit == "share" else ".2f" if abs(estimate.value) < LARGE else ".4g"
    return f"{estimate.value:{sign}{form}} [{estimate.low:{form}}, {estimate.high:{form}}]"


LAST = 4
"""The column of verdicts, which are words."""

LARGE = 1000
"""From here on two decimals are too many."""


def notes(assessment: Assessment, words: Words) -> Iterator[str]:
    """Yield what is to be known of the figures: what the brackets are, and what was not measured."""
    measured: Measured = assessment.measured["measured"]
    if measured.metrics:
        yield words("interval_note", resamples=assessment.measured.evaluated.resamples)
    reasons: dict[str, list[str]] = defaultdict(list)
    for name, reason in measured.absent.items():
        reasons[reason].append(words(f"metric.{name}"))
    for reason, names in reasons.items():
        yield words("metrics_absent", names=words("separator").join(names), reason=words(f"reason.{reason}"))


def _finding(finding: Finding, words: Words, console: Console, *, every: bool) -> None:
    rule = finding.rule
    console.print()
    title = (words.of(finding, "title"), "bold")
    console.print(Text.assemble((words(f"severity.{rule.severity}"), STYLES[rule.severity]), (f" {rule.id} ", "dim"), title))
    hanging("", words.of(finding, "message"), 0, console)
    places = finding.hit.places
    for place in places if every else places[:SHOWN]:
        console.print(Text(f"  {where(place, words)}", style="cyan"), Text(place.excerpt), soft_wrap=True)
    if len(places) > SHOWN and not every:
        console.print(Text("  " + words("more_places_all", count=len(places) - SHOWN), style="dim"))
    rows = [(words("why"), words.of(finding, "why")), (words("remedy"), words.of(finding, "remedy"))]
    rows += [(words("change"), change_line(finding, number, words)) for number in range(len(finding.changes))]
    width = max(cell_len(label) for label, _ in rows)
    for label, text in rows:
        hanging(label, text, width, console, style="bold" if label == words("change") else "")


def change_line(finding: Finding, number: int, words: Words) -> str:
    """Return a change of a finding: `temperature 0.9 → 0.3  [try] because …`."""
    change, unknown = finding.changes[number], words("unknown")
    edit = f"{change.parameter} {value_text(change.old, unknown)} → {value_text(change.new, unknown)}"
    return f"{edit}  [{words(f'trust.{change.trust}')}] {words.reason(change, finding.hit.facts)}"


def to_give(item: NotJudged | NotMeasurable, words: Words) -> str:
    """Return what to give next time."""
    name = item.missing[0]
    if name.startswith("config:"):
        return words("give_parameter", name=name.removeprefix("config:"))
    return words(f"log.{name}" if words.has(f"log.{name}") else "log.other", need=item.need, name=name)


def not_judged(assessment: Assessment, words: Words) -> Iterator[str]:
    """Yield a line for each thing that is lacking, with the rules that wait for it."""
    items = sorted(assessment.not_judged, key=lambda n: (n.missing[0], n.need))
    for _, group in groupby(items, key=lambda n: n.missing[0]):
        same: Sequence[NotJudged] = list(group)
        names = words("separator").join(n.rule.words[words.language]["title"] for n in same)
        name = lacking(same[0], words).removeprefix("config:")
        yield words("not_judged_data", problems=names, missing=name, log=to_give(same[0], words))


def markdown(assessment: Assessment, language: str, *, every: bool = False) -> str:
    """Return the answer as a Markdown document."""
    words = Words(language, None, TOPIC)
    blocks = [f"## {words('answers_heading')}", f"**{verdict(assessment, words)}** {escape(head(assessment, words))}"]
    for headings, rows in tables(assessment, words):
        cells = [headings, ["---", *["---:"] * (len(headings) - 1)], *([escape(cell) for cell in row] for row in rows)]
        blocks.append("\n".join("| " + " | ".join(row) + " |" for row in cells))
    blocks += ["\n".join(f"- {escape(line)}" for line in notes(assessment, words))]
    for finding in assessment.findings:
        rule, places = finding.rule, finding.hit.places
        lines = [f"### {words(f'severity.{rule.severity}')} {rule.id}: {escape(words.of(finding, 'title'))}", ""]
        lines += [escape(words.of(finding, "message")), ""]
        lines += [f"- {escape(where(place, words))}: {escape(place.excerpt)}" for place in (places if every else places[:SHOWN])]
        lines += [f"- **{words(key)}**: {escape(words.of(finding, key))}" for key in ("why", "remedy")]
        changes = [change_line(finding, number, words) for number in range(len(finding.changes))]
        lines += [f"- **{words('change')}**: {escape(line)}" for line in changes]
        blocks.append("\n".join(lines))
    blocks += [words("change_one")] if len(assessment.changes) > 1 else []
    tail = [f"**{words('clean')}** {', '.join(rule.id for rule in assessment.clean)}"] if assessment.clean else []
    tail += [f"- {words('not_judged')} {escape(line)}" for line in not_judged(assessment, words)]
    return "\n\n".join(filter(None, [*blocks, "\n".join(tail)])) + "\n"
