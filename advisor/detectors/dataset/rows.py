"""Detectors of what is wrong with a dataset. They see measurements of it; reading it is not theirs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from advisor.detectors.registry import detector_about
from advisor.model import Hit, NotMeasurable, Place, Term

if TYPE_CHECKING:
    from advisor.data.groups import Groups
    from advisor.data.measured import Health, Leaks, Lengths, Share, Sides, Volume
    from advisor.data.model import Occurrences
    from advisor.data.survey import Split

about_rows = detector_about("dataset")

MOST_PLACES = 10_000
"""Rows that a finding names; of more it says the number."""


@about_rows
def record_problem(problems: Mapping[str, Occurrences], record_count: int, *, cause: str, min_share: float) -> Hit | None:
    """At least `min_share` of the records, and one at least, cannot be used for this cause."""
    return _of(problems.get(cause), record_count, min_share)


@about_rows
def text_problem(
    text_findings: Mapping[str, Occurrences], row_count: int, *, check: str, min_count: int, min_share: float
) -> Hit | None:
    """At least `min_count` rows, and `min_share` of all, fail this check of their text."""
    found = text_findings.get(check)
    return _of(found, row_count, min_share) if found and found.count >= min_count else None


def _of(found: Occurrences | None, of: int, min_share: float) -> Hit | None:
    if found is None or not found.count or found.count < min_share * of:
        return None
    first = found.places[0]
    facts: dict[str, Any] = {**first.facts, "count": found.count, "of": of, "share": found.count / max(of, 1), "line": first.line}
    return Hit(facts, places=tuple(found.places))


@about_rows
def cut_off_answers(
    text_findings: Mapping[str, Occurrences], habit: tuple[float, int], row_count: int,
    *, min_habit: float, min_prose: int, min_share: float,
) -> Hit | None:  # fmt: skip
    """Answers stop in the middle, in a dataset whose prose answers end properly in at least `min_habit` of the cases."""
    ended, prose = habit
    found = text_findings.get("cut-off-answer")
    if prose < min_prose:
        raise NotMeasurable("prose_answers", need=min_prose, have=prose)
    if ended < min_habit:
        return None
    hit = _of(found, row_count, min_share)
    return hit and Hit({**hit.facts, "habit": ended}, places=hit.places)


def _of_groups(
    groups: Groups, train: Split, row_count: int, *, min_share: float, min_groups: int, conflict: bool = False
) -> Hit | None:
    """Return a hit that names every row of a group but the kept one; in a conflict every row counts."""
    rows = len(groups.rows) if conflict else groups.removable
    if len(groups) < min_groups or not rows or rows < min_share * row_count:
        return None
    places: list[Place] = []
    for number, group in enumerate(groups):
        kept, start = int(groups.keep[number]), int(groups.starts[number])
        for index, row in enumerate(group):
            if len(places) >= MOST_PLACES or (int(row) == kept and not conflict):
                continue
            similarity = float(groups.similarity[start + index])
            other = kept if int(row) != kept else int(group[group != kept][0])
            places.append(train.place(int(row), like=train.name_of(other), similarity=similarity))
    first = places[0]
    facts = {
        "groups": len(groups), "count": rows, "of": row_count, "share": rows / max(row_count, 1), "line": first.line,
        "like": first.facts["like"], "largest": max(map(len, groups)), "similarity": first.facts["similarity"],
    }  # fmt: skip
    return Hit(facts, places=tuple(places))


@about_rows
def exact_duplicates(
    exact_groups: Groups, train: Split, row_count: int, effective_epochs: tuple[float, float], *, min_share: float
) -> Hit | None:
    """Rows with the same text are at least `min_share` of all."""
    hit = _of_groups(exact_groups, train, row_count, min_share=min_share, min_groups=1)
    return hit and Hit({**hit.facts, "epochs": effective_epochs[0], "effective": effective_epochs[1]}, places=hit.places)


@about_rows
def normalised_duplicates(normal_groups: Groups, train: Split, row_count: int, *, min_share: float) -> Hit | None:
    """Rows that differ in case, white space or character forms only are at least `min_share` of all."""
    return _of_groups(normal_groups, train, row_count, min_share=min_share, min_groups=1)


@about_rows
def near_duplicates(
    near_groups: Groups, train: Split, row_count: int, effective_epochs: tuple[float, float], *, min_share: float
) -> Hit | None:
    """Rows that are nearly the same are at least `min_share` of all."""
    hit = _of_groups(near_groups, train, row_count, min_share=min_share, min_groups=1)
    return hit and Hit({**hit.facts, "epochs": effective_epochs[0], "effective": effective_epochs[1]}, places=hit.places)


@about_rows
def scattered_duplicates(
    exact_groups: Groups, normal_groups: Groups, near_groups: Groups | None, train: Split, row_count: int, *, below_share: float
) -> Hit | None:
    """There are repeated rows, and of each kind fewer than `below_share` of all."""
    hits = []
    for groups in (exact_groups, normal_groups, near_groups):
        if groups is not None and groups.removable < below_share * row_count:
            hits.append(_of_groups(groups, train, row_count, min_share=0, min_groups=1))
    found = [hit for hit in hits if hit]
    if not found:
        return None
    count = sum(int(hit.facts["count"]) for hit in found)
    places = tuple(place for hit in found for place in hit.places)
    facts = {**found[0].facts, "count": count, "share": count / max(row_count, 1)}
    return Hit(facts, places=places)


@about_rows
def conflicting_answers(conflict_groups: Groups, train: Split, row_count: int, *, min_groups: int, min_share: float) -> Hit | None:
    """The same prompt has different answers, in at least `min_groups` groups and `min_share` of the rows."""
    return _of_groups(conflict_groups, train, row_count, min_share=min_share, min_groups=min_groups, conflict=True)


@about_rows
def repeated_template(template_groups: Groups, train: Split, row_count: int, *, min_group: int, min_share: float) -> Hit | None:
    """Rows that differ in their numbers only: a group of at least `min_group`, and `min_share` of all rows in such groups."""
    if not len(template_groups) or max(map(len, template_groups)) < min_group:
        return None
    return _of_groups(template_groups, train, row_count, min_share=min_share, min_groups=1)


@about_rows
def repeated_answers(answer_groups: Groups, train: Split, row_count: int, *, min_share: float) -> Hit | None:
    """The same answer, more than a label, is given to different prompts, in at least `min_share` of the rows."""
    return _of_groups(answer_groups, train, row_count, min_share=min_share, min_groups=1)


@about_rows
def evaluation_leak(leaks: Leaks, train: Split, evaluation: Split, *, min_count: int) -> Hit | None:
    """At least `min_count` rows of the evaluation data stand in the training data."""
    if len(leaks.rows) < min_count:
        return None
    places = tuple(
        evaluation.place(there, like=train.name_of(here), how=Term(f"leak-{how}")) for there, here, how in leaks.rows[:MOST_PLACES]
    )
    count = len(leaks.rows)
    facts: dict[str, Any] = {
        "count": count,
        "of": leaks.of,
        "share": count / max(leaks.of, 1),
        **places[0].facts,
        "line": places[0].line,
    }
    return Hit(facts, places=places)


@about_rows
def too_few_rows(volume: Volume, *, recommended: bool) -> Hit | None:
    """There are fewer rows than the method's documented minimum, or with `recommended` fewer than recommended but enough."""
    limits = volume.limits
    if recommended:
        enough = volume.rows >= limits.good_rows and volume.tokens >= limits.good_tokens
        if enough or volume.rows < limits.least_rows:
            return None
    elif volume.rows >= limits.least_rows:
        return None
    facts: dict[str, Any] = {
        "rows": volume.rows, "least": limits.least_rows, "good": limits.good_rows, "method": Term(f"method-{volume.method}"),
        "tokens": volume.tokens, "missing": (limits.good_rows if recommended else limits.least_rows) - volume.rows,
    }  # fmt: skip
    return Hit(facts)


@about_rows
def upload_limits(volume: Volume) -> Hit | None:
    """There are more files, or more bytes, than the documented limits of an upload."""
    limits = volume.limits
    over = []
    if volume.files > limits.files:
        over.append("files")
    if volume.largest > limits.file_bytes or volume.size > limits.total_bytes:
        over.append("bytes")
    if not over:
        return None
    gib = limits.file_bytes
    facts = {
        "files": volume.files, "most_files": limits.files, "largest": volume.largest / gib, "most_file": limits.file_bytes / gib,
        "size": volume.size / gib, "most_size": limits.total_bytes / gib,
    }  # fmt: skip
    return Hit(facts)


@about_rows
def split_ratio(sides: Sides, *, good: float, least: float, most: float) -> Hit | None:
    """There are fewer than `least` or more than `most` training rows for one evaluation row; `good` is the documented ratio."""
    if not sides.evaluation:
        return None
    ratio = sides.train / sides.evaluation
    if least <= ratio <= most:
        return None
    return Hit({"train": sides.train, "evaluation": sides.evaluation, "ratio": ratio, "wanted": max(1, round(sides.train / good))})


@about_rows
def overlong_rows(lengths: Lengths, train: Split, *, min_share: float) -> Hit | None:
    """Rows are longer than the configured limit, at least `min_share` of all."""
    if not lengths.count or lengths.count < min_share * lengths.of:
        return None
    tokens = train.column("prompt_tokens") + train.column("answer_tokens")
    places = tuple(train.place(int(row), tokens=int(tokens[row])) for row in lengths.rows[:MOST_PLACES])
    facts = {
        "count": lengths.count, "of": lengths.of, "share": lengths.count / max(lengths.of, 1), "limit": lengths.limit,
        "lost": lengths.lost, "lost_share": lengths.lost / max(lengths.answers, 1), "longest": lengths.longest,
        "line": places[0].line, "tokens": places[0].facts["tokens"],
    }  # fmt: skip
    return Hit(facts, places=places)


@about_rows
def reasoning_in_some(reasoned: Share, train: Split, *, least: float, most: float) -> Hit | None:
    """Between `least` and `most` of the answers show their reasoning, and the others do not."""
    share = reasoned.count / max(reasoned.of, 1)
    if not least <= share <= most:
        return None
    places = tuple(train.place(int(row)) for row in reasoned.rows[:MOST_PLACES])
    return Hit({"count": reasoned.count, "of": reasoned.of, "share": share, "line": places[0].line}, places=places)


@about_rows
def health_low(health: Health, *, green: float) -> Hit | None:
    """Fewer than `green` of the records are free of certain faults."""
    share = health.normal / max(health.of, 1)
    if share >= green:
        return None
    return Hit({"share": share, "normal": health.normal, "of": health.of, "worst": health.worst or "-"})
