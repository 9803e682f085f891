"""The answer at a terminal: verdict, curve, findings with their changes, what is clean, what could not be judged."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from advisor.model import SEVERITIES, Change, Diagnosis, Finding
from advisor.render.curve import BEST_MARK, BEST_MARK_ASCII, EVAL_MARK, draw
from advisor.render.words import Words, counts, notes, outlook, value_text

STYLES = {
    "error": "bold red", "warning": "bold yellow", "info": "bold blue", "healthy": "bold green", "train": "cyan",
    "eval": "magenta", "best": "bold green", "axis": "dim",
}  # fmt: skip
MOST_WIDTH = 100
CURVE_HEIGHT = 8
IN_FULL = 3
"""Up to so many runs are shown in full; of more, a table and the gravest one."""


def render(diagnoses: Sequence[Diagnosis], language: str, console: Console) -> None:
    """Print the answer on `console`."""
    if len(diagnoses) > IN_FULL:
        words = Words(language)
        console.print(words("runs_found", count=len(diagnoses)))
        _table(diagnoses, language, console)
        diagnoses = [min(diagnoses, key=_gravity)]
    for i, diagnosis in enumerate(diagnoses):
        if i:
            console.print()
        _run(diagnosis, Words(language, diagnosis.run), console)


def _gravity(diagnosis: Diagnosis) -> int:
    return min((SEVERITIES.index(f.rule.severity) for f in diagnosis.findings), default=len(SEVERITIES))


def _table(diagnoses: Sequence[Diagnosis], language: str, console: Console) -> None:
    words = Words(language)
    one_source = len({d.run.source for d in diagnoses}) == 1
    table = Table(box=None, pad_edge=False)
    for heading in (
        words("run"),
        words("points_heading") if one_source else words("source"),
        words("verdict_heading"),
        words("change"),
    ):
        table.add_column(heading, overflow="fold")
    for number, diagnosis in enumerate(diagnoses, 1):
        first = diagnosis.changes[:1]
        table.add_row(
            str(number),
            Text(words("points", **counts(diagnosis.run)) if one_source else diagnosis.run.source),
            Text(words(f"problem.{diagnosis.verdict}"), style=_style(diagnosis)),
            Text(_change_text(first[0], words) if first else ""),
        )
    console.print(table)
    console.print()


def _style(diagnosis: Diagnosis) -> str:
    grave = [f.rule.severity for f in diagnosis.findings if f.rule.severity != "info"]
    return STYLES[grave[0]] if grave else STYLES["healthy"] if diagnosis.verdict == "healthy" else STYLES["info"]


def _run(diagnosis: Diagnosis, words: Words, console: Console) -> None:
    run = diagnosis.run
    console.print(
        Text(f"{run.source} · {run.reader} · {words('points', **counts(run))}", style="dim"), soft_wrap=True, highlight=False
    )
    main = next((f for f in diagnosis.findings if f.rule.severity != "info"), None)
    sentence = Text(words(f"verdict.{diagnosis.verdict}"), style=_style(diagnosis))
    if main:
        sentence.append(" " + words.of(main, "message"), style="default")
    _wrapped(sentence, 0, console)
    _curve(diagnosis, words, console)
    for finding in diagnosis.findings:
        _finding(finding, words, console, is_main=finding is main)
    _lists(diagnosis, words, console)


def _curve(diagnosis: Diagnosis, words: Words, console: Console) -> None:
    unicode = (console.encoding or "").lower().startswith("utf")
    drawing = draw(diagnosis.run, min(console.width, MOST_WIDTH) - 2, CURVE_HEIGHT, unicode=unicode)
    if drawing is None:
        return
    console.print()
    for line in drawing.lines:
        text = Text()
        for piece, style in line:
            text.append(piece, style=STYLES[style])
        text.rstrip()
        console.print(text, no_wrap=True, overflow="crop")
    series = diagnosis.run.series
    legend = Text(" " * 9)
    if "train_loss" in series and ("eval_loss" not in series or series["eval_loss"].unit == series["train_loss"].unit):
        legend.append(("⠒ " if unicode else ". ") + words("curve_train") + "   ", style=STYLES["train"])
    if "eval_loss" in series:
        legend.append(f"{EVAL_MARK} {words('curve_eval')}   ", style=STYLES["eval"])
        finite = series["eval_loss"].finite
        if len(finite):
            best = int(finite.values.argmin())
            mark = BEST_MARK if unicode else BEST_MARK_ASCII
            legend.append(
                f"{mark} {words('curve_best')} {finite.values[best]:.4g}, {words.at(finite.x[best])}", style=STYLES["best"]
            )
    legend.rstrip()
    console.print(legend, no_wrap=True, overflow="ellipsis")


def _finding(finding: Finding, words: Words, console: Console, *, is_main: bool) -> None:
    rule = finding.rule
    head = Text()
    head.append(words(f"severity.{rule.severity}"), style=STYLES[rule.severity])
    head.append(f" {rule.id} ", style="dim")
    head.append(words.of(finding, "title"), style="bold")
    console.print()
    console.print(head)
    rows = []
    if not is_main:
        rows.append(("", words.of(finding, "message")))
    if rule.severity != "info":
        shown = " → ".join(filter(None, (words.point(p) for p in finding.hit.evidence)))
        if shown:
            rows.append((words("evidence"), shown))
        rows += [(words("why"), words.of(finding, "why")), (words("remedy"), words.of(finding, "remedy"))]
    for number, change in enumerate(finding.changes):
        facts = finding.hit.facts
        rows.append((
            words("change") if not number else "",
            f"{_change_text(change, words)}  [{words(f'trust.{change.trust}')}] {words.reason(change, facts)}",
        ))  # fmt: skip
    width = max(cell_len(label) for label, _ in rows)
    for label, text in rows:
        bold = "→" in text and label in (words("change"), "") and bool(rule.changes)
        _hanging(label, text, width, console, style="bold" if bold else "")


def _hanging(label: str, text: str, width: int, console: Console, *, style: str = "") -> None:
    """Print `text` beside `label`, its further lines under its first; no line ends in blanks."""
    indent = 2 + width + (2 if width else 0)
    _wrapped(Text(text, style=style), indent, console, head="  " + label)


LEAST_WIDTH = 20


def _wrapped(text: Text, indent: int, console: Console, *, head: str = "") -> None:
    """Print `text` from column `indent` on, `head` in front of its first line; no line ends in blanks."""
    for line in text.wrap(console, max(min(console.width, MOST_WIDTH) - indent, LEAST_WIDTH)):
        line.rstrip()
        console.print(Text.assemble((head + " " * (indent - cell_len(head)), "dim"), line), soft_wrap=True)
        head = ""


def _change_text(change: Change, words: Words) -> str:
    unknown = words("unknown")
    return f"{change.parameter} {value_text(change.old, unknown)} → {value_text(change.new, unknown)}"


def _lists(diagnosis: Diagnosis, words: Words, console: Console) -> None:
    console.print()
    if sentence := outlook(diagnosis, words):
        _wrapped(Text(sentence), 0, console)
    if diagnosis.clean:
        said = {"unjudgeable", *(f.rule.problem for f in diagnosis.findings)}
        problems = words.problems(rule for rule in diagnosis.clean if rule.problem not in said)
        text = words("clean_count", problems=problems, count=len(diagnosis.clean))
        _wrapped(Text.assemble((words("clean"), "bold"), " ", text), 0, console)
    if diagnosis.not_judged:
        console.print(Text(words("not_judged"), style="bold"))
        items = sorted(diagnosis.not_judged, key=lambda n: (n.missing[0], -n.need))
        for _, group in groupby(items, key=lambda n: n.missing[0]):
            same = list(group)
            problems = words.problems(n.rule for n in same)
            line = words("not_judged_line", problems=problems, missing=words.missing(same[0]), log=words.to_log(same[0]))
            _hanging("", line, 0, console)
    for note in notes(diagnosis.run, words):
        _wrapped(Text(note, style="dim"), 0, console)
