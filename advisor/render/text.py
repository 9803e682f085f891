"""The answer at a terminal: verdict, curve, findings with their changes, what is clean, what could not be judged."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO, TextIOWrapper
from itertools import groupby

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from advisor.model import SEVERITIES, Change, Diagnosis, Finding, NotJudged
from advisor.render.curve import BEST_MARK, BEST_MARK_ASCII, EVAL_MARK, Shown, draw, shown
from advisor.render.layout import MOST_WIDTH, hanging, wrapped
from advisor.render.words import IN_FULL, Words, counts, gravest, notes, outlook, short_sources, value_text, verdict_counts
from advisor.rulebook import Rule

STYLES = {
    "error": "bold red", "warning": "bold yellow", "info": "bold blue", "healthy": "bold green", "train": "cyan",
    "eval": "magenta", "best": "bold green", "axis": "dim",
}  # fmt: skip
CURVE_HEIGHT = 7


def render(diagnoses: Sequence[Diagnosis], language: str, console: Console) -> None:
    """Print the answer on `console`."""
    if len(diagnoses) > IN_FULL:
        words = Words(language)
        console.print(words("runs_found", count=len(diagnoses)))
        _table(diagnoses, language, console)
        diagnoses = [gravest(diagnoses)]
    for i, diagnosis in enumerate(diagnoses):
        if i:
            console.print()
        _run(diagnosis, Words(language, diagnosis.run), console)


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
    for number, (diagnosis, source) in enumerate(zip(diagnoses, short_sources(diagnoses), strict=True), 1):
        first = diagnosis.changes[:1]
        table.add_row(
            str(number),
            Text(words("points", **counts(diagnosis.run)) if one_source else source),
            Text(words(f"problem.{diagnosis.verdict}"), style=_style(diagnosis)),
            Text(_change_text(first[0], words) if first else ""),
        )
    console.print(table)
    console.print(Text(verdict_counts(diagnoses, words), style="dim"))
    console.print()


def _style(diagnosis: Diagnosis) -> str:
    grave = [f.rule.severity for f in diagnosis.findings if f.rule.severity != "info"]
    return STYLES[grave[0]] if grave else STYLES["healthy"] if diagnosis.verdict == "healthy" else STYLES["info"]


def _run(diagnosis: Diagnosis, words: Words, console: Console) -> None:
    main = _beginning(diagnosis, words, console)
    for finding in diagnosis.findings:
        if finding.rule.severity != "info":
            _finding(finding, words, console, is_main=finding is main, in_full=finding is main and not diagnosis.run.series)
    _notes([f for f in diagnosis.findings if f.rule.severity == "info"], words, console)
    _lists(diagnosis, words, console)


def _beginning(diagnosis: Diagnosis, words: Words, console: Console) -> Finding | None:
    """Print where the run comes from, its verdict, its curve and its cause; return the finding that the verdict tells."""
    run = diagnosis.run
    console.print(
        Text(f"{run.source} · {run.reader} · {words('points', **counts(run))}", style="dim"), soft_wrap=True, highlight=False
    )
    main = next((f for f in diagnosis.findings if f.rule.severity != "info"), None)
    sentence = Text(words(f"verdict.{diagnosis.verdict}"), style=_style(diagnosis))
    if main:
        sentence.append(words("gap") + words.of(main, "message"), style="default")
    wrapped(sentence, 0, console)
    _curve(diagnosis, words, console)
    _causes(diagnosis, words, console)
    return main


def glance(diagnosis: Diagnosis, language: str, width: int, encoding: str) -> Text:
    """Return what fits on one screen while a run goes on: verdict, curve, likeliest cause, a line for each finding."""
    words = Words(language, diagnosis.run)
    console = Console(
        file=TextIOWrapper(buffer := BytesIO(), encoding=encoding, write_through=True), width=width, force_terminal=True,
        highlight=False, emoji=False, markup=False,
    )  # fmt: skip
    _beginning(diagnosis, words, console)
    if shown := [finding for finding in diagnosis.findings if finding.rule.severity != "info"]:
        console.print()
    for finding in shown:
        wrapped(_heading(finding, words), 0, console)
    if sentence_of_end := outlook(diagnosis, words):
        console.print()
        wrapped(Text(sentence_of_end, style="dim"), 0, console)
    return Text.from_ansi(buffer.getvalue().decode(encoding))


def _heading(finding: Finding, words: Words) -> Text:
    head = Text()
    head.append(words(f"severity.{finding.rule.severity}"), style=STYLES[finding.rule.severity])
    head.append(f" {finding.rule.id} ", style="dim")
    head.append(words.of(finding, "title"), style="bold")
    return head


def _causes(diagnosis: Diagnosis, words: Words, console: Console) -> None:
    """Print the likeliest cause with what speaks for and against it and what would decide, and the change to make first."""
    if not diagnosis.causes:
        return
    first, others = diagnosis.causes[0], diagnosis.causes[1:]

    rows = [
        (words("cause"), words.cause(first)),
        (words("cause_for"), words("clause").join(words.clues(first.supports))),
        (words("cause_against"), words("clause").join(words.clues(first.against))),
        (words("cause_test"), first.words[words.language]["experiment"]),
        (words("cause_also"), words("clause").join(words.cause(cause) for cause in others)),
    ]
    if change := diagnosis.first_change:
        rows.append((words("first_change"), f"{_change_text(change, words)}  ({change.rule})"))
    rows = [(label, text) for label, text in rows if text]
    width = max(cell_len(label) for label, _ in rows)
    console.print()
    for label, text in rows:
        hanging(label, text, width, console, style="bold" if label in (words("cause"), words("first_change")) else "")
    for conflict in diagnosis.conflicts:
        hanging("", words.conflict(conflict), 0, console)


def _curve(diagnosis: Diagnosis, words: Words, console: Console) -> None:
    unicode = (console.encoding or "").lower().startswith("utf")
    curves = shown(diagnosis)
    drawing = draw(curves, min(console.width, MOST_WIDTH) - 2, CURVE_HEIGHT, unicode=unicode)
    if drawing is None:
        return
    console.print()
    for line in drawing.lines:
        text = Text()
        for piece, style in line:
            text.append(piece, style=STYLES[style])
        text.rstrip()
        console.print(text, no_wrap=True, overflow="crop")
    console.print(_legend(curves, words, unicode=unicode), no_wrap=True, overflow="ellipsis")


def _legend(curves: Shown, words: Words, *, unicode: bool) -> Text:
    legend = Text(" " * 9)
    if curves.train is not None:
        legend.append(f"{'⠒' if unicode else '.'} {words(f'curve.train_{curves.quantity}')}   ", style=STYLES["train"])
    if curves.evals is not None:
        best = curves.evals.point(curves.best)
        legend.append(f"{EVAL_MARK} {words(f'curve.eval_{curves.quantity}')}   ", style=STYLES["eval"])
        mark = BEST_MARK if unicode else BEST_MARK_ASCII
        legend.append(f"{mark} {words('curve.best', value=f'{best.value:.4g}', at=words.at(best.x))}", style=STYLES["best"])
    legend.rstrip()
    return legend


def _finding(finding: Finding, words: Words, console: Console, *, is_main: bool, in_full: bool) -> None:
    rule = finding.rule
    console.print()
    wrapped(_heading(finding, words), 0, console)
    rows = [] if is_main else [("", words.of(finding, "message"))]
    shown = " → ".join(filter(None, (words.point(p) for p in finding.hit.evidence)))
    if shown:
        rows.append((words("evidence"), shown))
    rows.append((words("why"), words.of(finding, "why")))
    if in_full:
        rows += listed(rule, words)
    rows.append((words("remedy"), words.of(finding, "remedy")))
    if not in_full and rule.lists[words.language]["causes"]:
        rows.append((words("more"), words("more_causes", rule=rule.id)))
    rows += _change_rows(finding, words)
    width = max(cell_len(label) for label, _ in rows)
    for label, text in rows:
        bold = "→" in text and label in (words("change"), "") and bool(finding.changes)
        hanging(label, text, width, console, style="bold" if bold else "")


def _change_rows(finding: Finding, words: Words) -> list[tuple[str, str]]:
    facts, rows = finding.hit.facts, []
    for number, change in enumerate(finding.changes):
        text = f"{_change_text(change, words)}  [{words(f'trust.{change.trust}')}] {words.reason(change, facts)}"
        text += words("clause") + words.effect(change) if change.effect else ""
        rows.append((words("change") if not number else "", text))
    return rows


MOST_NOTES = 3
"""Findings of severity `info` that are printed; of more, only the number."""


def _notes(findings: Sequence[Finding], words: Words, console: Console) -> None:
    """Print the lightest findings in a line or two each: what was seen, and a change where there is one."""
    if findings:
        console.print()
    for finding in findings[:MOST_NOTES]:
        text = Text.assemble(
            (words("severity.info"), STYLES["info"]), (f" {finding.rule.id} ", "dim"), words.of(finding, "message")
        )
        for change in finding.changes[:1]:
            text.append(f" [{_change_text(change, words)}]")
        wrapped(text, 0, console)
    if len(findings) > MOST_NOTES:
        console.print(Text(words("more_notes", count=len(findings) - MOST_NOTES), style="dim"))


def listed(rule: Rule, words: Words) -> list[tuple[str, str]]:
    """Return the lists of a rule as rows, numbered, the label beside the first."""
    return [
        (words(f"label.{key}") if number == 1 else "", f"{number}. {item}")
        for key, items in rule.lists[words.language].items()
        for number, item in enumerate(items, 1)
    ]


def _change_text(change: Change, words: Words) -> str:
    unknown = words("unknown")
    return f"{change.name} {value_text(change.old, unknown)} → {value_text(change.new, unknown)}"


MOST_PROBLEMS, MOST_MISSING, MOST_NAMES = 3, 2, 2
"""So many missing inputs are explained; the rest are only named, so that the answer stays on one screen."""


def _weight(waiting: Sequence[NotJudged]) -> tuple[bool, int, int]:
    """Return what orders the rules that wait for one input: speed last, then the gravest, then the most."""
    speed = all(n.rule.problem == "throughput" for n in waiting)
    return speed, min(SEVERITIES.index(n.rule.severity) for n in waiting), -len(waiting)


def _not_judged(diagnosis: Diagnosis, words: Words, console: Console) -> None:
    """Print what could not be judged and what to log next time: first what the gravest and most rules wait for."""
    if not diagnosis.not_judged:
        return
    items = sorted(diagnosis.not_judged, key=lambda n: (n.missing[0], -n.need))
    groups = [list(group) for _, group in groupby(items, key=lambda n: n.missing[0])]
    groups.sort(key=_weight)
    console.print(Text(words("not_judged"), style="bold"))
    for same in groups[:MOST_MISSING]:
        problems = words.problems((n.rule for n in same), MOST_PROBLEMS)
        line = words("not_judged_line", problems=problems, missing=words.missing(same[0]), log=words.to_log(same[0]))
        hanging("", line, 0, console)
    if rest := groups[MOST_MISSING:]:
        count = sum(map(len, rest))
        names = words("separator").join(words.name_of(same[0]) for same in rest[:MOST_NAMES])
        names += " …" if len(rest) > MOST_NAMES else ""
        hanging("", words("not_judged_rest", count=count, names=names), 0, console)


def _lists(diagnosis: Diagnosis, words: Words, console: Console) -> None:
    console.print()
    if not diagnosis.run.series:
        wrapped(Text(words("only_errors"), style="dim"), 0, console)
        return
    for sentence in filter(None, (outlook(diagnosis, words), words.cost(diagnosis.cost))):
        wrapped(Text(sentence), 0, console)
    if diagnosis.clean:
        said = {"unjudgeable", *(f.rule.problem for f in diagnosis.findings)}
        problems = words.problems(rule for rule in diagnosis.clean if rule.problem not in said)
        text = words("clean_count", problems=problems, count=len(diagnosis.clean))
        wrapped(Text.assemble((words("clean"), "bold"), words("gap"), text), 0, console)
    _not_judged(diagnosis, words, console)
    for note in notes(diagnosis.run, words):
        wrapped(Text(note, style="dim"), 0, console)
