"""From an error message to what it means: every known error in a text, by the rules that judge events, and what is not known."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from advisor.engine import diagnose
from advisor.model import Event, Finding, Run
from advisor.readers.base import Source
from advisor.readers.columns import Columns
from advisor.readers.event_patterns import MARKS, Weight
from advisor.readers.events import WEIGHTS, event_in
from advisor.readers.traceback import Raised, roots, tracebacks
from advisor.rulebook import Rule
from advisor.signals import Measurements

MOST_TRACEBACKS = 200
"""So many of the latest tracebacks are looked at: a job of many ranks prints hundreds of the same."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """What is known about the errors in a text.

    findings: the known ones, the gravest first. follows: events that are consequences of these. raised: (first, last) exception of
    each chain of tracebacks. unknown: the exceptions that no finding explains, by their chain.
    """

    source: str
    findings: tuple[Finding, ...]
    follows: tuple[Event, ...]
    raised: tuple[tuple[Raised, Raised], ...]
    unknown: tuple[tuple[Raised, Raised], ...]

    @property
    def is_known(self) -> bool:
        """Whether at least one error is known by name."""
        return bool(self.findings)


def explain(source: Source, rules: Iterable[Rule]) -> Explanation:
    """Return what the rule book knows of the errors in `source`. Raises UnreadableLog where it cannot be read as text."""
    columns = Columns()
    chains = roots(_last(tracebacks(_tee(source, columns))))
    events = tuple(event for _, event in columns.kept_events())
    run = Run(source.name, "text", {}, events=events)
    # Any exception at all is the last resort of a log's judgement; here it means that nothing is known.
    generic = {kind for kind, weight in WEIGHTS.items() if weight == Weight.GENERIC}
    diagnosis = diagnose(run, [rule for rule in rules if rule.thresholds.get("kind") not in generic])
    told = set(Measurements(run)["incidents"])
    follows = tuple(e for e in events if e not in told and e.kind not in generic)
    named = {e.line for e in events if e.kind not in generic | MARKS}
    bounds = [0, *(last.line for _, last in chains)]
    # What belongs to an exception stands from the end of the chain before it on: assertions of a kernel, a message of many lines.
    ends = [*(first.line - len(first.frames) for first, _ in chains[1:]), float("inf")]
    unknown = tuple(
        chain for chain, begin, end in zip(chains, bounds, ends, strict=False) if not any(begin < line < end for line in named)
    )
    if not chains:
        loose = next((e for e in reversed(events) if e.kind in generic), None)
        unknown = (_of_line(loose),) if loose else ()
    return Explanation(source.name, diagnosis.findings, follows, tuple(chains), unknown)


def _tee(source: Source, columns: Columns) -> Iterator[tuple[int, str]]:
    """Yield the lines of `source` and put the events in them into `columns`."""
    for number, raw in source.lines():
        for piece in raw.split("\r"):
            if piece and (event := event_in(piece, number)) is not None:
                columns.add(event)
            yield number, piece


def _last(raised: Iterator[Raised]) -> list[Raised]:
    from collections import deque

    return list(deque(raised, maxlen=MOST_TRACEBACKS))


def _of_line(event: Event) -> tuple[Raised, Raised]:
    """Return the exception that a single line names."""
    kind, _, message = event.text.strip().partition(":")
    one = Raised(kind.strip(), message.strip(), event.line)
    return one, one
