"""From a diagnosis to the report: everything is put together and into words here, once for each language."""

from __future__ import annotations

from advisor import __version__
from advisor.locale import strings
from advisor.render.words import Words, counts, notes
from advisor.report.comparison import comparison
from advisor.report.configuration import configuration
from advisor.report.curves import charts
from advisor.report.data_check import data_check
from advisor.report.entries import cause_entry, change_entries, checked, decisions, finding_entry, unjudged
from advisor.report.figures import figures
from advisor.report.lights import lights
from advisor.report.material import Material
from advisor.report.model import SCHEMA, Report, Reproduce
from advisor.report.run_facts import facts
from advisor.report.verdict import verdict
from advisor.rulebook import LANGUAGES

HEADING = "heading."
DECIDED = ("noise", "floor", "lights", "gravest", "causes", "trust")
"""Paragraphs on how anything is decided, in this order."""


def build(material: Material, language: str) -> Report:
    """Return the report in one language."""
    run, diagnosis, order = material.run, material.diagnosis, material.order
    words = Words(language, run, "report")
    shown = lights(material, words)
    answer = verdict(material, shown, words)
    of_data = material.examination.findings if material.examination else ()
    return Report(
        schema=SCHEMA, language=language, title=order.title or order.log, date=order.date,  # type: ignore[arg-type]
        date_text=words(f"date.{order.date_kind}", date=order.date) if order.date else "", source=order.log, reader=run.reader,
        objective=diagnosis.objective, axis=run.axis, points=words("points", **counts(run)),
        verdict=answer, figures=figures(material, words), lights=shown, charts=charts(material, words),
        forecast=words.forecast(material.forecast),
        findings=tuple(finding_entry(f, words, diagnosis.causes) for f in diagnosis.findings),
        causes=tuple(cause_entry(cause, words) for cause in diagnosis.causes),
        changes=change_entries(diagnosis, answer.action, words),
        conflicts=tuple(words.conflict(c) for c in diagnosis.conflicts), configuration=configuration(material, words),
        data=data_check(material, words), facts=facts(material, words), clean=checked(diagnosis.clean, words),
        clean_text=_clean_text(material, words), not_judged=unjudged(diagnosis.not_judged, words),
        decisions=decisions((*diagnosis.findings, *of_data), words), decided=tuple(words(f"decided.{key}") for key in DECIDED),
        comparison=comparison(material, words), notes=tuple(notes(run, words)), reproduce=_reproduce(material, words),
        labels={key.removeprefix(HEADING): text for key, text in strings(language, "report").items() if key.startswith(HEADING)},
    )  # fmt: skip


def editions(material: Material, first: str) -> tuple[Report, ...]:
    """Return the report in every language, `first` first."""
    return tuple(build(material, language) for language in sorted(LANGUAGES, key=lambda name: name != first))


def _clean_text(material: Material, words: Words) -> str:
    clean = material.diagnosis.clean
    return words("clean_rules", problems=words.problems(clean), count=len(clean)) if clean else ""


def _reproduce(material: Material, words: Words) -> Reproduce:
    order = material.order
    return Reproduce(
        __version__, order.command, order.log, order.log_sha256, order.rules,
        words("reproduce", version=__version__, rules=order.rules),
    )  # fmt: skip
