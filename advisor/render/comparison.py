"""A comparison at a terminal, as Markdown and as JSON: one table, the curves in one drawing, and a verdict for each pair."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from math import isfinite
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from advisor.comparison.model import Comparison, Pair, Result, Side
from advisor.comparison.outcome import is_loss, result_of
from advisor.render.curves import letter, overlay, style
from advisor.render.json import strict
from advisor.render.layout import MOST_WIDTH, hanging, wrapped
from advisor.render.markdown import escape
from advisor.render.text import CURVE_HEIGHT
from advisor.render.words import Words, value_text

TOPIC = "compare"
SCHEMA = "advisor.comparison/1"
KINDS = {"better": "bold green", "worse": "bold red", "same": "bold blue", "undecided": "bold yellow"}
MOST_SETTINGS = 12


def render(comparison: Comparison, language: str, console: Console) -> None:
    """Print the answer on `console`."""
    words = Words(language, comparison.sides[0].diagnosis.run, TOPIC)
    headings, rows = table(comparison, words)
    shown = Table(box=None, pad_edge=False)
    for number, heading in enumerate(headings):
        shown.add_column(Text(heading, style="dim"), justify="left" if number < 2 else "right", overflow="fold")  # noqa: PLR2004  names
    for number, row in enumerate(rows):
        shown.add_row(Text(row[0], style=style(number)), *map(Text, row[1:]))
    console.print(shown)
    _curves(comparison, words, console)
    for line in groups(comparison, words):
        console.print()
        wrapped(Text(line), 0, console)
    for pair in comparison.pairs:
        console.print()
        title = Text.assemble(
            (words(f"kind.{pair.verdict.kind}"), KINDS[pair.verdict.kind]), " ", pair_name(pair, comparison, words)
        )
        console.print(title, soft_wrap=True)
        for line in sentences(pair, comparison, words):
            hanging("", line, 0, console)


def _curves(comparison: Comparison, words: Words, console: Console) -> None:
    drawn = overlay([side.diagnosis.run for side in comparison.sides], min(console.width, MOST_WIDTH) - 2, CURVE_HEIGHT)
    if drawn is None:
        return
    name, lines = drawn
    console.print()
    console.print(Text(" " * 9 + words("curve.eval_loss" if name == "eval_loss" else "curve.train_loss"), style="dim"))
    for line in lines:
        text = Text()
        for piece, look in line:
            text.append(piece, style=look)
        text.rstrip()
        console.print(text, no_wrap=True, overflow="crop")


def table(comparison: Comparison, words: Words) -> tuple[list[str], list[list[str]]]:
    """Return (headings, rows) of all runs; columns in which no run says anything are left out."""
    keys = (
        "run", "source", "best_heading", "at_heading", "final_heading", "rise_heading", "steps_heading", "time_heading",
        "tokens_heading", "findings",
    )  # fmt: skip
    rows = [_row(number, side, words) for number, side in enumerate(comparison.sides)]
    kept = [i for i in range(len(keys)) if any(row[i] for row in rows)]
    return [words(keys[i]) for i in kept], [[row[i] for i in kept] for row in rows]


def _row(number: int, side: Side, words: Words) -> list[str]:
    result = side.result
    reached = ["", "", "", ""]
    if result:
        percent = words("nothing") if not result.rise else f"{result.rise:+.1%}"
        reached = [f"{result.best:.4g}", f"{result.best_x:.6g}", f"{result.final:.4g}", percent]
    if side.failed:
        reached[2], reached[3] = "NaN", ""
    counted = [f"{side.steps:.6g}" if isfinite(side.steps) else "", words.duration(side.seconds), quantity(side.tokens)]
    return [letter(number), side.name, *reached, *counted, " ".join(side.findings) or words("nothing")]


def quantity(count: float) -> str:
    """Return a large number as it is read: `1.2 M`."""
    if not isfinite(count) or count <= 0:
        return ""
    for size, unit in ((1e9, " G"), (1e6, " M"), (1e3, " k")):
        if count >= size:
            return f"{count / size:.3g}{unit}"
    return f"{count:.0f}"


def groups(comparison: Comparison, words: Words) -> Iterator[str]:
    """Yield a line for each configuration that was run under several seeds."""
    for group in comparison.groups:
        found = [comparison.sides[n].result for n in group]
        values = [result.best for result in found if result]
        names = words("separator").join(letter(n) for n in group)
        spread = (max(values) - min(values)) / (abs(min(values)) or 1.0) if values else 0.0
        yield words("seeds_of_one", names=names, spread=spread)


def pair_name(pair: Pair, comparison: Comparison, words: Words) -> str:
    """Return which two runs are meant, and how they were compared."""
    one, other = (f"{letter(n)} ({comparison.sides[n].name})" for n in (pair.baseline, pair.run))
    return words("pair", run=other, baseline=one, axis=words(f"axis.{pair.axis}"))


def sentences(pair: Pair, comparison: Comparison, words: Words) -> Iterator[str]:
    """Yield what is said of a pair: the verdict with its reason, the settings that differ, findings that came and went."""
    yield verdict(pair, comparison, words)
    if pair.settings:
        shown = [_setting(name, one, other, words) for name, (one, other) in list(pair.settings.items())[:MOST_SETTINGS]]
        more = len(pair.settings) - len(shown)
        yield words("settings_differ", settings=words("clause").join(shown) + (f" … +{more}" if more else ""))
    elif not any(side.config for side in (comparison.sides[pair.baseline], comparison.sides[pair.run])):
        yield words("settings_unknown")
    else:
        yield words("settings_equal")
    for key, found in (("findings_gone", pair.gone), ("findings_new", pair.new)):
        if found:
            yield words(key, findings=words("separator").join(found))
    for note in pair.assumed:
        yield words(f"assumed.{note}")


def _setting(name: str, one: Any, other: Any, words: Words) -> str:
    unknown = words("unknown")
    return f"{name} {value_text(one, unknown)} → {value_text(other, unknown)}"


def verdict(pair: Pair, comparison: Comparison, words: Words) -> str:
    """Return the verdict of a pair in a sentence."""
    found = pair.verdict
    if not found.series:
        return words(f"reason.{found.reason}")
    before, after = (_result(comparison.sides[n], found.series) for n in (pair.baseline, pair.run))
    text = words(
        "reached", series=found.series, best_before=f"{before.best:.4g}", best_after=f"{after.best:.4g}",
        best=_change(found.best, found.series), final_before=f"{before.final:.4g}", final_after=f"{after.final:.4g}",
        final=_change(found.final, found.series),
    )  # fmt: skip
    return text + words("sentence_gap") + words(f"reason.{found.reason}", margin=found.margin, basis=words(f"basis.{found.basis}"))


def _result(side: Side, name: str) -> Result:
    result = result_of(side.diagnosis.run.series[name])
    assert result is not None
    return result


def _change(change: float, series: str) -> str:
    """Return a relative change of a loss; of a score, for which the verdict counts what is lost, the change by itself."""
    return f"{change:+.1%}" if is_loss(series) else f"{-change:+.3f}"


def markdown(comparison: Comparison, language: str) -> str:
    """Return the answer as a Markdown document."""
    words = Words(language, comparison.sides[0].diagnosis.run, TOPIC)
    headings, rows = table(comparison, words)
    lines = [headings, ["---"] * len(headings), *([escape(cell) for cell in row] for row in rows)]
    blocks = [f"## {words('compare_heading')}", "\n".join("| " + " | ".join(row) + " |" for row in lines)]
    drawn = overlay([side.diagnosis.run for side in comparison.sides], MOST_WIDTH - 2, CURVE_HEIGHT)
    if drawn:
        blocks.append("```\n" + "\n".join("".join(piece for piece, _ in line).rstrip() for line in drawn[1]) + "\n```")
    blocks += [escape(line) for line in groups(comparison, words)]
    for pair in comparison.pairs:
        heading = f"### {words(f'kind.{pair.verdict.kind}')} {escape(pair_name(pair, comparison, words))}"
        blocks.append("\n".join([heading, "", *(f"- {escape(line)}" for line in sentences(pair, comparison, words))]))
    return "\n\n".join(blocks) + "\n"


def document(comparison: Comparison, language: str) -> str:
    """Return the answer as JSON, schema `advisor.comparison/1`: all that any other rendering shows."""
    words = Words(language, comparison.sides[0].diagnosis.run, TOPIC)
    content = {
        "schema": SCHEMA,
        "runs": [_side(number, side) for number, side in enumerate(comparison.sides)],
        "same_configuration": [[letter(n) for n in group] for group in comparison.groups],
        "pairs": [_pair(pair, comparison, words) for pair in comparison.pairs],
    }
    return json.dumps(strict(content), ensure_ascii=False, indent=1, allow_nan=False)


def _side(number: int, side: Side) -> dict[str, Any]:
    return {
        "run": letter(number),
        "source": side.diagnosis.run.source,
        "name": side.name,
        "verdict": side.diagnosis.verdict,
        "result": asdict(side.result) if side.result else None,
        "non_finite": side.failed,
        "steps": side.steps,
        "epochs": side.epochs,
        "seconds": side.seconds,
        "tokens": side.tokens,
        "findings": list(side.findings),
        "config": dict(side.config),
    }


def _pair(pair: Pair, comparison: Comparison, words: Words) -> dict[str, Any]:
    found = pair.verdict
    change = {"best": found.best, "final": found.final, "margin": found.margin, "basis": found.basis}
    return {
        "baseline": letter(pair.baseline),
        "run": letter(pair.run),
        "axis": pair.axis,
        "verdict": found.kind,
        "reason": found.reason,
        "text": verdict(pair, comparison, words),
        "series": found.series or None,
        "change": change if found.series else None,
        "settings": {name: {"baseline": one, "run": other} for name, (one, other) in pair.settings.items()},
        "findings_gone": list(pair.gone),
        "findings_new": list(pair.new),
        "assumed": [words(f"assumed.{note}") for note in pair.assumed],
    }
