"""`advisor report`."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from advisor.cli.common import UserError, fail_on_option, fails, language_option, polite, rules_option

if TYPE_CHECKING:
    from advisor.engine import Examination
    from advisor.model import Diagnosis
    from advisor.parallel import Outcome
    from advisor.report.making import Maker
    from advisor.report.model import Report
    from advisor.report.renderers import Renderer

DEFAULT_FORMAT, PAGES = "md", "html"
"""Without -o the report is printed as Markdown; the pages of many runs are HTML."""

MARKDOWN = ("md", "markdown")
CONTINUED = (*MARKDOWN, "github")
"""Formats in which several reports can follow one another."""


@click.command("report")
@click.argument("paths", nargs=-1, required=True, metavar="RUN...", type=click.Path(path_type=Path, allow_dash=True))
@click.option(
    "-o",
    "--output",
    "target",
    type=click.Path(path_type=Path, allow_dash=True),
    metavar="FILE|DIR",
    help="The file to write; its suffix says the format (.html, .pdf, .md, .json). Of several runs a folder: an index, and a page "
    "for each. Without it the report is printed.",
)
@click.option(
    "--format",
    "form",
    metavar="FORMAT",
    help="html, pdf, md, json, or github: annotations for a workflow.  "
    "[default: by the suffix, else md; html for the pages of many]",
)
@click.option(
    "--data", "data_paths", multiple=True, type=click.Path(path_type=Path), metavar="PATH", help="The training data (repeatable)."
)
@click.option(
    "--config",
    "config_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The training configuration (JSON, TOML or YAML): for old values, and to get it back with the changes made.",
)
@click.option("--compare-to", "earlier", type=click.Path(path_type=Path), metavar="RUN", help="An earlier run to compare with.")
@click.option("--pictures", is_flag=True, help="With -o FILE.md, draw the curves as PNG beside it.")
@click.option("--title", default="", help="Title of the report.  [default: the name of the run]")
@click.option(
    "--date",
    default="",
    metavar="DATE",
    help="Date of the report, such as 2026-11-24.  [default: SOURCE_DATE_EPOCH, else that of the log]",
)
@fail_on_option("never")
@language_option
@rules_option
@polite
def command(
    paths: tuple[Path, ...], target: Path | None, form: str | None, data_paths: tuple[Path, ...], config_file: Path | None,
    earlier: Path | None, title: str, date: str, fail_on: str, lang: str, rule_folders: tuple[Path, ...],
    *, pictures: bool,
) -> None:  # fmt: skip
    """Write a report of a training run: the verdict on one page, then findings, changes, curves, and what could not be judged.

    RUN is whatever `advisor analyze` takes. Status: 0 the report is written, 1 a finding is as grave as --fail-on, 2 a RUN
    cannot be read or the report cannot be written.

    \b
    Examples:
      advisor report output/ -o report.html
      advisor report run.log -o report.pdf --data train.jsonl --lang zh
      advisor report run.log --compare-to earlier.log -o report.md
      advisor report sweep/ -o reports/
      advisor report run.log --format github
    """  # noqa: D301  click's mark for lines that stay as they are
    from advisor.cli.analyze import say_failures
    from advisor.report.renderers import renderer

    printed = target is None or target == Path("-")
    folder = target if target is not None and not printed and (target.is_dir() or not target.suffix) else None
    name = form or (PAGES if folder else DEFAULT_FORMAT if printed or target is None else target.suffix.lstrip("."))
    render = renderer(name)
    if pictures and (printed or folder is not None or name not in MARKDOWN):
        raise UserError("--pictures belongs to a Markdown file, such as -o report.md")
    options: tuple[tuple[str, str | bool], ...] = (
        ("-o", target.name if target and not printed else ""), ("--format", form or ""), ("--lang", lang), ("--title", title),
        ("--pictures", pictures),
        *(("--data", str(path)) for path in data_paths), ("--config", str(config_file or "")),
        ("--compare-to", str(earlier or "")), *(("--rules", str(path)) for path in rule_folders),
    )  # fmt: skip
    maker = _maker(rule_folders, data_paths, config_file, earlier, title, date, options)
    seen = _Seen()
    made = _made(maker, paths, lang, seen)
    if folder is not None:
        _write_folder(made, folder, name, render, title, date)
    else:
        _write_one(list(made), None if printed else target, name, render, pictures=pictures)
    if say_failures(seen.outcomes, paths, lang):
        sys.exit(2)
    if any(fails(judged.findings, fail_on) for judged in seen.judged):
        sys.exit(1)


@dataclass(frozen=True, slots=True)
class _Seen:
    """What was read while reports were made, and how it was judged, of runs and of their training data."""

    outcomes: list[Outcome] = field(default_factory=list)
    judged: list[Diagnosis | Examination] = field(default_factory=list)


def _maker(
    rule_folders: Sequence[Path], data_paths: tuple[Path, ...], config_file: Path | None, earlier: Path | None, title: str,
    date: str, options: Sequence[tuple[str, str | bool]],
) -> Maker:  # fmt: skip
    from advisor.cli.analyze import measured_data
    from advisor.report.making import Maker, given_config
    from advisor.report.orders import Request, repeated
    from advisor.rulebook import load
    from advisor.settings import read_project

    rules = load(rule_folders, read_project(Path.cwd()), subject="" if data_paths else "run")
    settings, given = given_config(config_file) if config_file else ({}, None)
    request = Request(title, date, len(rules), repeated(options), given)
    maker = Maker(rules, request, settings, measured_data(data_paths) if data_paths else None)
    return replace(maker, earlier=Maker(rules, Request(date=date)).single(earlier)) if earlier else maker


def _made(maker: Maker, paths: Sequence[Path], lang: str, seen: _Seen) -> Iterator[tuple[Report, ...]]:
    """Yield the report of each run, in every language; only one log is in memory. What was read is noted in `seen`."""
    from advisor.cli.progress import Bar
    from advisor.parallel import inputs
    from advisor.render.words import Words
    from advisor.report.build import editions
    from advisor.thin import thin

    todo = inputs(paths)
    with Bar(todo, Words(lang)("reading")) as bar:
        for outcome in maker.outcomes(todo, bar):
            for material in maker.materials(outcome.diagnoses):
                yield editions(material, lang)
                if material.examination is not None:
                    seen.judged.append(material.examination)
            thinned = tuple(map(thin, outcome.diagnoses))
            seen.outcomes.append(replace(outcome, diagnoses=thinned))
            seen.judged.extend(thinned)


def _write_one(made: Sequence[tuple[Report, ...]], target: Path | None, name: str, render: Renderer, *, pictures: bool) -> None:
    """Write or print one report; several are printed one after the other where they are text."""
    from advisor.config_writer import save_bytes
    from advisor.report.pictures import write_with_pictures

    if len(made) > 1 and (target is not None or name not in CONTINUED):
        folder = target.stem if target else "reports"
        raise UserError(f"{len(made)} runs in this input; give a folder, such as -o {folder}, for a page of each")
    for reports in made:
        if target is None:
            click.echo(render(reports), nl=False)
        elif pictures:
            write_with_pictures(reports, target)
        else:
            save_bytes(render(reports), target)


def _write_folder(made: Iterator[tuple[Report, ...]], folder: Path, name: str, render: Renderer, title: str, date: str) -> None:
    """Write a page for each run and the index of them all, as a page and as JSON."""
    from advisor.config_writer import save_bytes
    from advisor.report import html
    from advisor.report.batch import index, page_name, row
    from advisor.report.json import dumped
    from advisor.report.model import plain

    pages: list[str] = []
    found = []
    for reports in made:
        page = page_name(reports[0], name, pages)
        folder.mkdir(parents=True, exist_ok=True)
        save_bytes(render(reports), folder / page)
        pages.append(page)
        found.append([(report.language, row(report, page)) for report in reports])
    if not found:
        return
    languages = [language for language, _ in found[0]]
    indices = [index([rows[i][1] for rows in found], language, title, date) for i, language in enumerate(languages)]
    save_bytes(html.render_index(indices), folder / "index.html")
    save_bytes(dumped(plain(indices[0])), folder / "index.json")
