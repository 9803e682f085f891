"""What `advisor plan` prints: each parameter with value, reason, trust and what would change it, then memory, time and notes."""

from __future__ import annotations

import json
from typing import Any

from rich.console import Console
from rich.text import Text

from advisor.plan.cost import GIB
from advisor.plan.planned import Note, Parameter, Plan
from advisor.render.layout import wrapped
from advisor.render.words import Words, value_text

TOPIC = "plan"


def _reason(parameter: Parameter, words: Words) -> str:
    return words(f"reason.{parameter.reason}", **parameter.facts)


def _vary(parameter: Parameter, words: Words) -> str:
    return words("separator").join(words(f"vary.{key}") for key in parameter.changes)


def _value(parameter: Parameter) -> str:
    return value_text(parameter.value, "")


def _head(plan: Plan, words: Words) -> tuple[str, str]:
    size = f"{plan.model.parameters / 1e9:.3g}"
    first = words(
        "plan_heading", method=words(f"method.{plan.method}"), model=plan.model.name, parameters=size,
        rows=f"{plan.train_rows:,}", held_out=f"{plan.held_out:,}",
    )  # fmt: skip
    return first, words("plan_updates", updates=f"{plan.updates:,}", batch=plan.batch, tokens=f"{plan.tokens:,}")


def _memory(plan: Plan, words: Words) -> str:
    parts = {name: f"{getattr(plan.memory, name) / GIB:.1f}" for name in ("total", "states", "activations", "logits")}
    return words("memory_line", **parts)


def _time(plan: Plan, words: Words) -> str:
    if plan.time is not None and plan.gpu is not None:
        unit, factor = ("minutes", 60) if plan.time[1] < 1 else ("hours", 1)
        low, high = (f"{value * factor:.2g}" for value in plan.time)
        return words("time_line", low=low, high=high, unit=words(unit), devices=plan.devices, gpu=plan.gpu.name)
    reason = next(note for note in plan.notes if note.key.startswith("time."))
    return words("time_unknown", reason=words(f"note.{reason.key}", **reason.facts))


def _notes(plan: Plan, words: Words) -> list[str]:
    def said(note: Note) -> str:
        return words(f"note.{note.key}", **note.facts)

    return [said(note) for note in plan.notes if not note.key.startswith("time.")]


def _sources(plan: Plan, words: Words) -> list[str]:
    """Return each basis once, with the parameters that rest on it."""
    named: dict[str, list[str]] = {}
    for parameter in plan.parameters:
        named.setdefault(parameter.source, []).append(parameter.name)
    return [words("label_line", label=words("separator").join(names), text=words(f"basis.{key}")) for key, names in named.items()]


def text(plan: Plan, language: str, console: Console) -> None:
    """Print a plan at a terminal."""
    words = Words(language, None, TOPIC)
    for line in _head(plan, words):
        wrapped(Text(line, style="bold"), 0, console)
    console.print()
    width = max(len(parameter.name) for parameter in plan.parameters)
    for parameter in plan.parameters:
        head = f"{parameter.name:<{width}} = {_value(parameter)}"
        console.print(Text(head, style="bold").append(f"  [{words(f'trust.{parameter.trust}')}]", style="dim"), soft_wrap=True)
        said = Text(_reason(parameter, words))
        if parameter.changes:
            said.append(f"{words('clause')}{words('vary_line', what=_vary(parameter, words))}", style="dim")
        wrapped(said, 4, console)
    console.print()
    for label, line in ((words("memory_heading"), _memory(plan, words)), (words("time_heading"), _time(plan, words))):
        wrapped(Text(words("label_line", label=label, text=line)), 2, console)
    for line in _notes(plan, words):
        wrapped(Text(line, style="yellow"), 2, console)
    console.print()
    wrapped(Text(words("sources_heading"), style="bold"), 0, console)
    for line in [*_sources(plan, words), words("memory_sources")]:
        console.print(Text(f"  · {line}", style="dim"), soft_wrap=True)


def markdown(plan: Plan, language: str) -> str:
    """Return a plan as Markdown."""
    words = Words(language, None, TOPIC)
    first, second = _head(plan, words)
    names = ("parameter", "value_heading", "trust_column", "because_heading", "vary_heading")
    rows = [
        f"| `{p.name}` | {_value(p)} | {words(f'trust.{p.trust}')} | {_reason(p, words)} | {_vary(p, words)} |"
        for p in plan.parameters
    ]
    lines = ["| " + " | ".join(words(name) for name in names) + " |", "|---|---|---|---|---|", *rows]
    blocks = [f"# {first}", second, "\n".join(lines), f"**{words('memory_heading')}.** {_memory(plan, words)}"]
    blocks.append(f"**{words('time_heading')}.** {_time(plan, words)}")
    blocks += [f"- {line}" for line in _notes(plan, words)]
    blocks.append(
        f"## {words('sources_heading')}\n\n" + "\n".join(f"- {s}" for s in [*_sources(plan, words), words("memory_sources")])
    )
    return "\n\n".join(blocks) + "\n"


def as_json(plan: Plan, language: str) -> str:
    """Return a plan as JSON."""
    words, model = Words(language, None, TOPIC), plan.model

    def said(parameter: Parameter) -> dict[str, Any]:
        return {
            "name": parameter.name, "value": parameter.value, "reason": _reason(parameter, words),
            "source": words(f"basis.{parameter.source}"), "trust": parameter.trust,
            "would_change": [words(f"vary.{key}") for key in parameter.changes],
        }  # fmt: skip

    answer = {
        "method": plan.method,
        "difficulty": plan.difficulty,
        "model": {
            "name": model.name, "parameters": model.parameters, "layers": model.layers, "hidden": model.hidden,
            "context": model.context or None, "origin": model.origin,
        },
        "data": {"path": str(plan.data.path), "schema": plan.data.schema, "rows": plan.data.rows, "tokens": plan.data.tokens,
                 "counted": plan.data.counted},
        "train_rows": plan.train_rows, "held_out": plan.held_out, "batch": plan.batch, "updates": plan.updates,
        "tokens": plan.tokens,
        "parameters": [said(parameter) for parameter in plan.parameters],
        "memory": {name: getattr(plan.memory, name) for name in ("total", "states", "activations", "logits")},
        "gpu": None if plan.gpu is None else {"name": plan.gpu.name, "memory": plan.gpu.memory, "peak": plan.gpu.peak,
                                             "devices": plan.devices, "fits": plan.memory.fits(plan.gpu)},
        "hours": None if plan.time is None else list(plan.time),
        "time": _time(plan, words),
        "notes": _notes(plan, words),
    }  # fmt: skip
    return json.dumps(answer, ensure_ascii=False, indent=1)
