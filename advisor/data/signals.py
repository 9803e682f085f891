"""Measurements of a dataset, by name, as the signals of a run: lazy, kept, and without thresholds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from advisor.data import variety
from advisor.data.groups import Groups, differing, from_lists, group_by, one_each
from advisor.data.limits import DEFAULT_EPOCHS, limits_of
from advisor.data.measured import Health, Leaks, Lengths, NearOptions, Share, Sides, Volume
from advisor.data.model import Occurrences
from advisor.data.quality.checks import CHECKS, ENDED, PROSE, REASONED
from advisor.data.registry import DATASET_SIGNALS, dataset_signal
from advisor.data.schemas import BY_NAME
from advisor.data.survey import Split, Survey
from advisor.model import NotMeasurable, Value
from advisor.signals.registry import Lazy

__all__ = ["DATASET_SIGNALS", "DatasetMeasurements", "variety"]


class DatasetMeasurements(Lazy):
    """What can be measured on one dataset, computed when first asked for."""

    def __init__(self, survey: Survey, *, near: bool = True, engine: str = "local", threshold: float = 0.7) -> None:
        super().__init__()
        self.survey = survey
        self.options = NearOptions(near, engine, threshold)

    def _measure(self, name: str) -> Any:
        if name in DATASET_SIGNALS:
            return self.call(DATASET_SIGNALS[name], {})
        if name in ("survey", "options"):
            return getattr(self, name)
        if name == "train":
            return self.survey.train
        if name == "evaluation":
            if self.survey.evaluation is None:
                raise NotMeasurable("evaluation_data")
            return self.survey.evaluation
        raise NotMeasurable(name)

    def under(self, config: Mapping[str, Value]) -> DatasetMeasurements:
        """Return the same dataset under other settings; the duplicates that were found are not looked for again."""
        new = DatasetMeasurements(
            replace(self.survey, config=dict(config)),
            near=self.options.wanted, engine=self.options.engine, threshold=self.options.threshold,
        )  # fmt: skip
        new._known = {name: value for name, value in self._known.items() if name in OF_ROWS_ALONE}
        return new

    def facts(self) -> Mapping[str, Value]:
        """Return what a run that these data were used for is judged with; nothing where no row is good."""
        rows = len(self.survey.train)
        return {"dataset_rows": rows, "duplicate_share": self["duplicate_share"]} if rows else {}

    def points(self, name: str) -> int:
        """Return how many rows, or records, there are to judge by."""
        return {"rows": len(self.survey.train), "records": self.survey.train.records}.get(name, 0)


@dataset_signal
def problems(train: Split) -> Mapping[str, Occurrences]:
    """Causes of records that cannot be used."""
    return train.problems


@dataset_signal
def record_count(train: Split) -> int:
    """Records read, good or not."""
    return train.records


@dataset_signal
def text_findings(train: Split) -> Mapping[str, Occurrences]:
    """Checks of the text that good rows fail."""
    if not len(train):
        raise NotMeasurable("rows")
    return train.findings


@dataset_signal
def row_count(train: Split) -> int:
    """Good rows."""
    return len(train)


@dataset_signal
def habit(train: Split) -> tuple[float, int]:
    """Share of the prose answers that end as prose does, and how many there are."""
    terms = train.column("terms")
    prose = int(np.count_nonzero(terms & PROSE))
    return (float(np.count_nonzero(terms & ENDED)) / prose if prose else 0.0), prose


@dataset_signal
def reasoned(train: Split) -> Share:
    """Rows whose answer shows its reasoning."""
    with_it = np.flatnonzero(train.column("terms") & REASONED)
    return Share(len(with_it), len(train), with_it)


@dataset_signal
def exact_groups(train: Split) -> Groups:
    """Rows with the same text."""
    return group_by(train.column("exact"))


@dataset_signal
def normal_groups(train: Split) -> Groups:
    """Rows that differ only in case, white space or the form of their characters; one of each exact group."""
    return one_each(group_by(train.column("normal")), train.column("exact"))


@dataset_signal
def conflict_groups(train: Split) -> Groups:
    """Rows with the same prompt and different answers."""
    prompts = train.column("prompt")
    return differing(group_by(prompts, np.flatnonzero(prompts != 0)), train.column("answer"))


@dataset_signal
def answer_groups(train: Split) -> Groups:
    """Rows with the same answer to different prompts; answers of a few words (labels, yes and no) are left out."""
    long = np.flatnonzero((train.column("answer_tokens") >= LEAST_TOKENS) & (train.column("prompt") != 0))
    return one_each(group_by(train.column("answer"), long), train.column("prompt"))


@dataset_signal
def template_groups(train: Split) -> Groups:
    """Rows that differ in their numbers alone; one of each normalised group."""
    return one_each(group_by(train.column("masked")), train.column("normal"))


NEAR_MEMORY = 256 << 20
"""Bytes for the sketches of the search of rows that are nearly the same: those of about a million rows; more stay on disk."""


@dataset_signal
def near_clusters(survey: Survey, options: NearOptions) -> tuple[Groups, tuple[tuple[int, int, float], ...]]:
    """Rows that are nearly the same, within the training data and from the evaluation data into it."""
    if not options.wanted:
        raise NotMeasurable("near_duplicates")
    # Imported here: it compiles its inner loops where numba is installed, and most signals do not need it.
    from advisor.data.duplicates import near_duplicates

    own = len(survey.train)

    def texts() -> Any:
        yield from survey.train.texts()
        if survey.evaluation is not None:
            yield from survey.evaluation.texts()

    found = near_duplicates(texts(), threshold=options.threshold, engine=options.engine, memory_limit=NEAR_MEMORY)
    groups: list[list[int]] = []
    keep: list[int] = []
    similarity: list[list[float]] = []
    across: list[tuple[int, int, float]] = []
    for cluster in found.clusters:
        # One template with other numbers is no duplicate; `template_groups` counts these.
        if cluster.kind != "near":
            continue
        likeness = dict(zip(cluster.rows, cluster.similarity, strict=True))
        inside = [row for row in cluster.rows if row < own]
        outside = [row for row in cluster.rows if row >= own]
        if len(inside) > 1:
            groups.append(inside)
            keep.append(cluster.keep if cluster.keep < own else inside[0])
            similarity.append([likeness[row] for row in inside])
        if inside:
            across += [(row - own, inside[0], likeness[row]) for row in outside]
    return from_lists(groups, keep, similarity), tuple(across)


@dataset_signal
def near_groups(near_clusters: tuple[Groups, Any], train: Split) -> Groups:
    """Clusters of rows that are nearly the same and not already the same when normalised."""
    groups, normal = near_clusters[0], train.column("normal")
    chosen: list[list[int]] = []
    keep: list[int] = []
    similarity: list[list[float]] = []
    for number, group in enumerate(groups):
        start = int(groups.starts[number])
        first: dict[int, tuple[int, float]] = {}
        kept = int(groups.keep[number])
        first[int(normal[kept])] = (kept, 1.0)
        for index, row in enumerate(group):
            first.setdefault(int(normal[row]), (int(row), float(groups.similarity[start + index])))
        if len(first) > 1:
            members = sorted(first.values())
            chosen.append([row for row, _ in members])
            similarity.append([value for _, value in members])
            keep.append(kept)
    return from_lists(chosen, keep, similarity)


@dataset_signal
def leaks(survey: Survey, evaluation: Split, near_clusters: tuple[Groups, Any] | None) -> Leaks:
    """Rows of the evaluation data that were trained on: the same, the same when normalised, or nearly the same."""
    train = survey.train
    found: dict[int, tuple[int, str]] = {}
    for name, how in (("exact", "exact"), ("normal", "normalised")):
        first: dict[int, int] = {}
        for row, key in enumerate(train.columns[name]):
            first.setdefault(key, row)
        for row, key in enumerate(evaluation.columns[name]):
            if key in first:
                found.setdefault(row, (first[key], how))
    for row, here, _ in near_clusters[1] if near_clusters else ():
        found.setdefault(row, (here, "near"))
    rows = tuple((there, here, how) for there, (here, how) in sorted(found.items()))
    return Leaks(rows, len(evaluation), near_clusters is not None)


@dataset_signal
def duplicate_share(exact_groups: Groups, normal_groups: Groups, near_groups: Groups | None, row_count: int) -> float:
    """Share of the rows that repeat another one: the same, the same when normalised, or nearly the same."""
    if not row_count:
        raise NotMeasurable("rows")
    return (exact_groups.removable + normal_groups.removable + (near_groups.removable if near_groups else 0)) / row_count


@dataset_signal
def effective_epochs(duplicate_share: float, row_count: int, survey: Survey) -> tuple[float, float]:
    """Passes over the data as planned, and how often a distinct row is really seen: epochs times duplication."""
    epochs = float(survey.config.get("num_train_epochs", DEFAULT_EPOCHS))
    return epochs, epochs / max(1 - duplicate_share, 1 / row_count)


OF_ROWS_ALONE = frozenset({"exact_groups", "normal_groups", "near_clusters", "near_groups", "duplicate_share"})
"""Measurements that no setting changes, and that take long."""


@dataset_signal
def volume(train: Split, survey: Survey) -> Volume:
    """How much there is to train on."""
    schemas = train.schemas
    name = max(schemas, key=lambda key: schemas[key], default="")
    method = str(survey.config.get("method") or (BY_NAME[name].method if name in BY_NAME else "sft"))
    tokens = int(train.column("prompt_tokens").sum() + train.column("answer_tokens").sum())
    sizes = [file.size for file in train.files]
    return Volume(method, len(train), tokens, len(sizes), max(sizes, default=0), sum(sizes), limits_of(method))


@dataset_signal
def sides(train: Split, evaluation: Split) -> Sides:
    """Rows to train on and rows to evaluate on."""
    return Sides(len(train), len(evaluation))


@dataset_signal
def lengths(train: Split, survey: Survey) -> Lengths:
    """Rows longer than the limit that is configured."""
    limit = int(survey.config.get("max_length", 0) or 0)
    if not limit:
        raise NotMeasurable("max_length")
    prompt, answer = train.column("prompt_tokens"), train.column("answer_tokens")
    whole = prompt + answer
    long = np.flatnonzero(whole > limit)
    lost = int(np.minimum(whole[long] - limit, answer[long]).sum())
    longest = int(whole.max()) if len(whole) else 0
    return Lengths(limit, len(long), len(whole), lost, int(answer.sum()), longest, long)


LEAST_TOKENS = 12
"""Tokens from which an answer is more than a label."""

WEIGHTLESS = (
    "answer-language",
    "refusal",
    "personal-data",
    "contact-data",
    "emoji-run",
    "newline-run",
    "cut-off-answer",
    "broken-length-limit",
)
"""Checks that do not make a row abnormal by themselves: they depend on what the data are for, or on a guess."""


@dataset_signal
def health(train: Split, exact_groups: Groups, normal_groups: Groups) -> Health:
    """Records with no fault that is certain: readable, not a duplicate, no garbled or empty text."""
    if not len(train):
        raise NotMeasurable("rows")
    counted = ~sum(1 << CHECKS.index(name) for name in WEIGHTLESS)
    bad = (train.column("flags") & counted) != 0
    for groups in (exact_groups, normal_groups):
        bad[np.setdiff1d(groups.rows, groups.keep)] = True
    counts = {name: found.count for name, found in train.problems.items()} | {"exact-duplicates": exact_groups.removable}
    worst = max(counts, key=lambda name: counts[name], default="")
    return Health(len(train) - int(bad.sum()), train.records, worst if counts.get(worst) else "")
