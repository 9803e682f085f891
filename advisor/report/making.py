"""From paths to reports: read, judge, join with the training data and an earlier run, and write."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from advisor.config_writer import save_bytes
from advisor.engine import examine_with
from advisor.errors import BadReport
from advisor.model import Diagnosis, Value
from advisor.parallel import Input, Judge, Outcome, Progress, analyse_one, inputs
from advisor.report.build import editions
from advisor.report.data_check import with_short_names
from advisor.report.material import Material
from advisor.report.model import Report
from advisor.report.orders import Request, order_for
from advisor.report.renderers import renderer
from advisor.rulebook import Rule, load
from advisor.settings import config_text, form_of, read_config

if TYPE_CHECKING:
    from advisor.data.signals import DatasetMeasurements


@dataclass(frozen=True)
class Maker:
    """Makes the reports of one call. rules: those in force, of data too where training data are given.

    settings: what is known of the configuration beside the logs. earlier: the run that all are compared with.
    """

    rules: tuple[Rule, ...]
    request: Request = field(default_factory=Request)
    settings: Mapping[str, Value] = field(default_factory=dict)
    dataset: DatasetMeasurements | None = None
    earlier: Material | None = None
    environment: Mapping[str, str] = field(default_factory=lambda: os.environ)

    @property
    def judge(self) -> Judge:
        """How the runs are judged."""
        of_runs = tuple(rule for rule in self.rules if rule.subject == "run")
        return Judge(of_runs, self.settings, self.dataset.facts() if self.dataset else {})

    def outcomes(self, todo: Sequence[Input], progress: Progress | None = None) -> Iterator[Outcome]:
        """Read and judge one input after the other, all points kept: a drawing shows single ones."""
        judge = self.judge
        for one in todo:
            yield analyse_one(one, judge, progress, keep=True)
            if progress:
                progress.finished(one)

    def materials(self, diagnoses: Sequence[Diagnosis]) -> Iterator[Material]:
        """Yield what the report of each of these runs, which are those of one log, is made of. Raises BadReport."""
        for number, diagnosis in enumerate(diagnoses, 1):
            order = order_for(diagnosis.run, self.request, self.environment, number if len(diagnoses) > 1 else 0)
            examination = None
            if self.dataset is not None:
                examination = with_short_names(examine_with(self.dataset, [diagnosis], self.settings, self.rules))
            yield Material(diagnosis, order, examination, self.earlier)

    def single(self, path: Path) -> Material:
        """Return what the report of the one run at `path` is made of. Raises BadReport where there is none, or more than one."""
        outcomes = list(self.outcomes(inputs([path])))
        diagnoses = [diagnosis for outcome in outcomes for diagnosis in outcome.diagnoses]
        if len(diagnoses) != 1:
            why = next((o.error for o in outcomes if o.error), f"{path}: no run can be read in it")
            raise BadReport(why if not diagnoses else f"{path}: holds {len(diagnoses)} runs; give the log of exactly one")
        return next(self.materials(diagnoses))


def given_config(path: Path) -> tuple[Mapping[str, Value], tuple[str, str, str]]:
    """Return the settings of a configuration, and (its form, its text, its name). Raises BadConfig."""
    return read_config(path), (form_of(path), config_text(path), path.name)


def write_report(
    run: Path, target: Path, *, language: str = "en", config: Path | None = None, title: str = "", date: str = ""
) -> tuple[Report, ...]:
    """Write the report of one run to `target`, whose suffix says the format, and return it in every language.

    Raises AdvisorError where the run cannot be read, the format is not known or the file cannot be written.
    """
    render = renderer(target.suffix.lstrip("."))
    rules = load(subject="run")
    settings, given = given_config(config) if config else ({}, None)
    reports = editions(Maker(rules, Request(title, date, len(rules), given=given), settings).single(run), language)
    save_bytes(render(reports), target)
    return reports
