"""What was found in a dataset, at a terminal and as Markdown: each cause with its records, the place in them, why, and the fix."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from advisor.data.survey import Split
from advisor.engine import Examination, explained
from advisor.model import Diagnosis, Finding, NotJudged, Place
from advisor.render.layout import hanging, wrapped
from advisor.render.markdown import escape
from advisor.render.text import STYLES
from advisor.render.words import Words

SHOWN = 3
"""Records shown of each finding; `--all` shows every one."""


def render(
    examination: Examination, language: str, console: Console, *, every: bool = False, diagnoses: Sequence[Diagnosis] = ()
) -> None:
    """Print the answer on `console`. diagnoses: of the runs that these data were used for, which they may explain."""
    words = Words(language)
    for line in _heads(examination, words):
        console.print(Text(line, style="dim"), soft_wrap=True)
    wrapped(Text.assemble((_verdict(examination, words), _style(examination)), words("gap"), words.health(examination)), 0, console)
    for line in _explanations(examination, diagnoses, words):
        wrapped(Text(line, style="bold"), 0, console)
    for finding in examination.findings:
        _finding(finding, words, console, every=every)
    console.print()
    if examination.clean:
        wrapped(Text.assemble((words("clean"), "bold"), words("gap"), _titles(examination, words)), 0, console)
    if examination.not_judged:
        console.print(Text(words("not_judged"), style="bold"))
        items = sorted(examination.not_judged, key=lambda n: n.missing[0])
        for _, group in groupby(items, key=lambda n: n.missing[0]):
            same = list(group)
            names = words("separator").join(n.rule.words[language]["title"] for n in same)
            hanging(
                "", words("not_judged_data", problems=names, missing=lacking(same[0], words), log=words.to_log(same[0])), 0, console
            )


def lacking(item: NotJudged, words: Words) -> str:
    """Return what a rule lacked: evaluation data, a limit, or enough rows."""
    name = item.missing[0]
    shown = words(f"missing.{name}") if words.has(f"missing.{name}") else name
    return words("missing.need", name=shown, need=item.need, have=item.have) if item.need else shown


def _heads(examination: Examination, words: Words) -> Iterator[str]:
    survey = examination.measured.survey
    for split in (survey.train, survey.evaluation):
        if split is not None:
            yield from _files(split, words)


MOST_FILES = 5


def _files(split: Split, words: Words) -> Iterator[str]:
    for file in split.files[:MOST_FILES]:
        yield f"{file.name} · {file.kind} · {file.schema or '?'} · " + words("rows_good", good=file.good, records=file.records)
    if len(split.files) > MOST_FILES:
        yield words("files_more", count=len(split.files) - MOST_FILES)


def _verdict(examination: Examination, words: Words) -> str:
    grave = examination.findings[0].rule.severity if examination.findings else "none"
    return words(f"data_verdict.{grave}")


def _style(examination: Examination) -> str:
    return STYLES[examination.findings[0].rule.severity] if examination.findings else STYLES["healthy"]


def _titles(examination: Examination, words: Words) -> str:
    return words("clean_causes", count=len(examination.clean))


def _finding(finding: Finding, words: Words, console: Console, *, every: bool) -> None:
    rule = finding.rule
    console.print()
    head = Text()
    head.append(words(f"severity.{rule.severity}"), style=STYLES[rule.severity])
    head.append(f" {rule.id} ", style="dim")
    head.append(words.of(finding, "title"), style="bold")
    console.print(head)
    hanging("", words.of(finding, "message"), 0, console)
    places = finding.hit.places
    shown = places if every else places[:SHOWN]
    for place in shown:
        _place(place, words, console)
    count = int(finding.hit.facts.get("count", len(places)))
    if places and count > len(shown):
        key = "more_places" if every else "more_places_all"
        console.print(Text("  " + words(key, count=count - len(shown)), style="dim"))
    if rule.severity != "info":
        width = max(cell_len(words("why")), cell_len(words("remedy")))
        hanging(words("why"), words.of(finding, "why"), width, console)
        hanging(words("remedy"), words.of(finding, "remedy"), width, console)


def _place(place: Place, words: Words, console: Console) -> None:
    console.print(Text("  " + where(place, words), style="cyan"), soft_wrap=True)
    if not place.excerpt:
        return
    console.print(Text("    " + place.excerpt), no_wrap=True, overflow="crop", soft_wrap=True)
    if place.column or place.caret:
        console.print(Text("    " + " " * cell_len(place.excerpt[: place.caret]) + "^", style="bold red"), soft_wrap=True)


def where(place: Place, words: Words) -> str:
    """Return where a record stands: `train.jsonl:12:34 (byte 5678)`, and what it is like where it is a duplicate."""
    text = f"{place.source}:{place.line}" + (f":{place.column}" if place.column else "")
    if place.offset >= 0 and place.column:
        text += words("at_byte", byte=place.offset)
    if "like" in place.facts:
        text += f" ≈ {place.facts['like']}"
        similarity = place.facts.get("similarity", 1.0)
        if isinstance(similarity, float) and similarity < 1:
            text += f" ({similarity:.2f})"
    return text


def _explanations(examination: Examination, diagnoses: Sequence[Diagnosis], words: Words) -> Iterator[str]:
    """Yield what the data explain of the runs: `ERROR-001 … is explained by DATA-107 …`."""
    for diagnosis in diagnoses:
        for symptom, pairs in groupby(explained(diagnosis, examination), key=lambda pair: pair[0]):
            causes = words("separator").join(f"{cause.rule.id} {words.of(cause, 'title')}" for _, cause in pairs)
            yield words("explained_by", rule=symptom.rule.id, title=words.of(symptom, "title"), causes=causes)


def markdown(examination: Examination, language: str, *, every: bool = False, diagnoses: Sequence[Diagnosis] = ()) -> str:
    """Return the answer as a Markdown document."""
    words = Words(language)
    blocks = [f"## {words('data_heading')}", f"**{_verdict(examination, words)}** {words.health(examination)}"]
    blocks.append("\n".join(f"- {escape(line)}" for line in _heads(examination, words)))
    explanations = list(_explanations(examination, diagnoses, words))
    if explanations:
        blocks.append("\n".join(f"- {escape(line)}" for line in explanations))
    for finding in examination.findings:
        rule, places = finding.rule, finding.hit.places
        lines = [f"### {words(f'severity.{rule.severity}')} {rule.id}: {escape(words.of(finding, 'title'))}", ""]
        lines += [escape(words.of(finding, "message")), ""]
        for place in places if every else places[:SHOWN]:
            lines.append(f"- {escape(where(place, words))}" + (f": {escape(place.excerpt)}" if place.excerpt else ""))
        lines.append(f"- **{words('why')}**: {escape(words.of(finding, 'why'))}")
        lines.append(f"- **{words('remedy')}**: {escape(words.of(finding, 'remedy'))}")
        blocks.append("\n".join(lines))
    tail = [f"**{words('clean')}** {', '.join(rule.id for rule in examination.clean)}"] if examination.clean else []
    tail += [
        f"- {words('not_judged')} " + words("not_judged_data", problems=n.rule.id, missing=lacking(n, words), log=words.to_log(n))
        for n in examination.not_judged
    ]
    return "\n\n".join([*blocks, "\n".join(tail)]) + "\n"
