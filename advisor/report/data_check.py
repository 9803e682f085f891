"""The check of the training data in a report: what was found, how often, and a few of the records that show it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import groupby
from pathlib import PurePath

from advisor.engine import Examination, explained
from advisor.model import Facts, Finding, Place, Value
from advisor.render.words import Words
from advisor.report.entries import finding_entry
from advisor.report.material import Material
from advisor.report.model import DataCheck, DataFinding, Example, State

EXAMPLES = 3
"""Records shown of each finding; the JSON of `advisor data check` names every one."""

MOST_FILES = 8
STATE_OF: dict[str, State] = {"error": "failure", "warning": "warning", "info": "pass"}


def data_check(material: Material, words: Words) -> DataCheck | None:
    """Return the check of the training data, or None where none were given."""
    examination = material.examination
    if examination is None:
        return None
    survey = examination.measured.survey
    files = [file for split in (survey.train, survey.evaluation) if split is not None for file in split.files]
    shown = [
        f"{short(file.name)} · {file.kind} · {file.schema or '?'} · " + words("rows_good", good=file.good, records=file.records)
        for file in files[:MOST_FILES]
    ]
    if len(files) > MOST_FILES:
        shown.append(words("files_more", count=len(files) - MOST_FILES))
    grave = examination.findings[0].rule.severity if examination.findings else "none"
    return DataCheck(
        state=STATE_OF.get(grave, "pass"), sentence=words(f"data_verdict.{grave}"), records=survey.train.records,
        good=sum(file.good for file in survey.train.files), files=tuple(shown), health=words.health(examination),
        explains=tuple(_explains(material, examination, words)),
        findings=tuple(_finding(finding, words) for finding in examination.findings),
        clean=tuple(rule.id for rule in examination.clean),
        not_judged=tuple(
            f"{n.rule.words[words.language]['title']}: {words.to_log(n)} ({n.rule.id})" for n in examination.not_judged
        ),
    )  # fmt: skip


def with_short_names(examination: Examination) -> Examination:
    """Return the examination with the names of its files as they may stand in a report: in places, and in facts that name them."""
    survey = examination.measured.survey
    names = [source.name for split in (survey.train, survey.evaluation) if split is not None for source in split.sources]
    shorter = {name: short(name) for name in sorted(names, key=len, reverse=True) if short(name) != name}
    return replace(examination, findings=tuple(_shortened(finding, shorter) for finding in examination.findings))


def _shortened(finding: Finding, names: Mapping[str, str]) -> Finding:
    def of(facts: Facts) -> Facts:
        return {key: _replaced(value, names) for key, value in facts.items()}

    hit = finding.hit
    places = tuple(replace(place, source=names.get(place.source, place.source), facts=of(place.facts)) for place in hit.places)
    return replace(finding, hit=replace(hit, facts=of(hit.facts), places=places))


def _replaced(value: Value, names: Mapping[str, str]) -> Value:
    if not isinstance(value, str):
        return value
    text = value
    for name, shorter in names.items():
        text = text.replace(name, shorter)
    return text if text != value else value


def _explains(material: Material, examination: Examination, words: Words) -> Iterator[str]:
    for symptom, pairs in groupby(explained(material.diagnosis, examination), key=lambda pair: pair[0]):
        causes = words("separator").join(f"{cause.rule.id} {words.of(cause, 'title')}" for _, cause in pairs)
        yield words("explained_by", rule=symptom.rule.id, title=words.of(symptom, "title"), causes=causes)


def short(name: str) -> str:
    """Return a path as it may stand in a report: as it was given where it is relative, else only its last part."""
    path = PurePath(name)
    return path.name if path.is_absolute() or ".." in path.parts else str(path)


def _finding(finding: Finding, words: Words) -> DataFinding:
    places = finding.hit.places
    count = int(finding.hit.facts.get("count", len(places)))
    return DataFinding(
        finding_entry(finding, words, of="data"), count, tuple(_example(place, finding, words) for place in places[:EXAMPLES])
    )


def _example(place: Place, finding: Finding, words: Words) -> Example:
    name, like = place.source, str(place.facts.get("like", ""))
    where = f"{name}:{place.line}" + (f":{place.column}" if place.column else "")
    facts = {**finding.hit.facts, **place.facts, "line": place.line}
    message = words.fill(finding.rule.words[words.language]["message"], facts)
    return Example(
        where, name, place.line, place.column, place.excerpt, like, message
    )  # fmt: skip
