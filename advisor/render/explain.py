"""An explanation as text, JSON (schema `advisor.explanation/1`) and Markdown."""

from __future__ import annotations

import json
from typing import Any

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from advisor.explain import Explanation
from advisor.model import Event, Finding
from advisor.readers.traceback import Raised
from advisor.render.json import finding_dict, strict
from advisor.render.layout import hanging, wrapped
from advisor.render.markdown import escape
from advisor.render.text import STYLES, listed
from advisor.render.words import Words

SCHEMA = "advisor.explanation/1"
MOST_FOLLOWING = 5


def text(explanation: Explanation, language: str, console: Console) -> None:
    """Print the explanation on `console`."""
    words = Words(language)
    for number, finding in enumerate(explanation.findings):
        if number:
            console.print()
        _finding(finding, words, console)
    for line in _tail(explanation, words):
        console.print()
        wrapped(Text(line), 0, console)


def _finding(finding: Finding, words: Words, console: Console) -> None:
    rule = finding.rule
    head = Text(words(f"severity.{rule.severity}"), style=STYLES[rule.severity])
    head.append(f" {rule.id} ", style="dim")
    head.append(words.of(finding, "title"), style="bold")
    console.print(head)
    rows = [("", words.of(finding, "message")), (words("meaning"), words.of(finding, "why")), *listed(rule, words)]
    rows.append((words("remedy"), words.of(finding, "remedy")))
    rows.append((words("limits_label"), words.of(finding, "limits")))
    width = max(cell_len(label) for label, _ in [*rows, (words("source"), "")])
    for label, content in rows:
        hanging(label, content, width, console)
    for number, source in enumerate(rule.sources):
        label = "" if number else words("source")
        # An address is copied as a whole: the terminal breaks it, not we.
        line = Text.assemble((f"  {label}{' ' * (width - cell_len(label))}  ", "dim"), _source(source.title, source.url))
        console.print(line, soft_wrap=True)


def _source(title: str, url: str) -> str:
    return f"{title} <{url}>" if url else title


def _tail(explanation: Explanation, words: Words) -> list[str]:
    """Return the sentences after the findings: what follows from them, and what is not known."""
    lines = []
    if explanation.follows:
        shown = [words("line", line=e.line) + f": {e.kind}" for e in explanation.follows[:MOST_FOLLOWING]]
        lines.append(words("explain_follows", events=words("separator").join(shown)))
    lines += [_unknown(first, last, words) for first, last in explanation.unknown[-1:]]
    if explanation.is_known and explanation.unknown:
        lines[-1] = words("explain_also") + words("sentence_gap") + lines[-1]
    if not explanation.is_known:
        key = "explain_unknown" if explanation.unknown else "explain_nothing"
        lines.insert(0, words(key))
        lines.append(words("explain_send"))
    return lines


def _unknown(first: Raised, last: Raised, words: Words) -> str:
    """Return what an unknown exception looks like: its type, the innermost own frame, the library."""
    parts = [words("explain_looks", kind=first.kind, message=first.message or words("explain_no_message"), line=first.line)]
    if (frame := first.own_frame) is not None:
        parts.append(words("explain_frame", file=frame.file, line=frame.line, function=frame.function or "?"))
    if first.library:
        parts.append(words("explain_library", library=first.library))
    if last is not first:
        parts.append(words("explain_ended", kind=last.kind, message=last.message or words("explain_no_message")))
    return words("sentence_gap").join(parts)


def as_json(explanation: Explanation, language: str) -> str:
    """Return the JSON document."""
    words = Words(language)
    document = {
        "schema": SCHEMA,
        "source": explanation.source,
        "known": explanation.is_known,
        "findings": [finding_dict(f, words) for f in explanation.findings],
        "follows": [_event(e) for e in explanation.follows],
        "raised": [{"first": _raised(a), "last": _raised(b)} for a, b in explanation.raised],
        "unknown": [{"first": _raised(a), "last": _raised(b)} for a, b in explanation.unknown],
    }
    return json.dumps(strict(document), ensure_ascii=False, indent=1, allow_nan=False)


def _event(event: Event) -> dict[str, Any]:
    return {"kind": event.kind, "line": event.line, "text": event.text, "count": event.count}


def _raised(raised: Raised) -> dict[str, Any]:
    frame = raised.own_frame
    own = {"file": frame.file, "line": frame.line, "function": frame.function} if frame else None
    return {"type": raised.kind, "message": raised.message, "line": raised.line, "own_frame": own, "library": raised.library}


def markdown(explanation: Explanation, language: str) -> str:
    """Return the explanation as Markdown; nothing of the text becomes markup."""
    words = Words(language)
    blocks = []
    for finding in explanation.findings:
        rule = finding.rule
        blocks.append(f"## {words(f'severity.{rule.severity}')} {rule.id}: {words.of(finding, 'title')}")
        blocks.append(escape(words.of(finding, "message")))
        blocks.append(f"**{words('why_heading')}.** {escape(words.of(finding, 'why'))}")
        for key, items in rule.lists[language].items():
            if items:
                blocks.append(f"**{words(key)}.**\n\n" + "\n".join(f"{n}. {escape(item)}" for n, item in enumerate(items, 1)))
        blocks.append(f"**{words('remedy_heading')}.** {escape(words.of(finding, 'remedy'))}")
        blocks.append(f"**{words('limits')}.** {escape(words.of(finding, 'limits'))}")
        blocks.append(f"**{words('sources')}.** " + "; ".join(escape(_source(s.title, s.url)) for s in rule.sources))
    blocks += [escape(line) for line in _tail(explanation, words)]
    return "\n\n".join(blocks) + "\n"
