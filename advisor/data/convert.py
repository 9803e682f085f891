"""`advisor data convert`: between schemas without loss, and from plain text to questions and answers, by rules or by a model."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from advisor.data.asking.pairs import judged, request_for
from advisor.data.asking.replies import KEPT, Model, Replies, in_order
from advisor.data.from_text import tasks_of
from advisor.data.keys import normalised
from advisor.data.mixing import Mixture, Share, Taken
from advisor.data.model import Example, Problem
from advisor.data.normal import Lossy, reader, write
from advisor.data.parse import dumps
from advisor.data.passages import PASSAGE, Passage, of_lines, of_record
from advisor.data.reading import Reading
from advisor.data.records import Record
from advisor.data.schemas import BY_NAME, Schema
from advisor.data.sources import File, files_of
from advisor.data.writing import writer_of
from advisor.errors import AdvisorError, UnreadableData

REJECTED = ".rejected.jsonl"


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be written.

    target: the schema. rules: those that make questions of plain text; tasks: at most so many of one passage. model: what is asked
    for questions, `pairs` of each passage, so many passages at once (`parallel`). passage: tokens of one. mix: what is mixed in.
    """

    target: str
    out: Path
    spec: str = "auto"
    keep_extra: bool = True
    language: str = "en"
    rules: tuple[str, ...] = ()
    tasks: int | None = None
    seed: int = 0
    passage: int = PASSAGE
    model: Model | None = None
    pairs: int = 3
    parallel: int = 1
    mix: tuple[Share, ...] = ()

    @property
    def from_text(self) -> bool:
        """Whether questions are made of plain text."""
        return bool(self.rules) or self.model is not None

    def beside(self, suffix: str) -> Path:
        """Return the file beside the one that is written."""
        return self.out.with_name(self.out.name + suffix)


@dataclass(slots=True)
class Outcome:
    """What was done. rows: all that were written; main: those that nothing was mixed with.

    made: by what → questions. left_out: reason → questions that were not taken. kept: replies known from an earlier run.
    """

    rows: int = 0
    main: int = 0
    passages: int = 0
    kept: int = 0
    made: Counter[str] = field(default_factory=Counter)
    left_out: Counter[str] = field(default_factory=Counter)
    taken: list[Taken] = field(default_factory=list)


Progress = Callable[[int, int], None]
"""Called with (passages done, passages in all) while a model is asked."""


def convert(paths: Sequence[Path], plan: Plan, progress: Progress | None = None) -> Outcome:
    """Write all records in the schema of the plan; nothing where one of them cannot be read or would lose something.

    Raises AdvisorError (Lossy, UnreadableData), which names the file and the line.
    """
    if plan.target not in BY_NAME:
        raise UnreadableData(f"no schema `{plan.target}`; expected one of {', '.join(BY_NAME)}")
    schema, done = BY_NAME[plan.target], Outcome()
    if plan.from_text:
        # A schema that holds no question and answer is found out before a model is asked.
        write(Example([("user", "?"), ("assistant", "!")]), schema)
    writer = writer_of(plan.out.suffix)
    part, spool = plan.beside(".part"), plan.beside(".spool")
    try:
        records = _from_text(paths, plan, schema, done, progress) if plan.from_text else _between_schemas(paths, plan, schema)
        if not plan.mix:
            done.rows = writer(part, records, schema)
        else:
            with spool.open("w+b") as stream:
                mixture = Mixture(stream, plan.seed)
                mixture.fill(records, [(share, _between_schemas([share.path], plan, schema)) for share in plan.mix])
                done.main, done.taken = mixture.main, mixture.taken
                done.rows = writer(part, iter(mixture), schema)
        if plan.from_text and not done.made:
            raise UnreadableData(_nothing_made(plan, done))
        part.replace(plan.out)
    finally:
        part.unlink(missing_ok=True)
        spool.unlink(missing_ok=True)
    if plan.model is not None:
        plan.beside(KEPT).unlink(missing_ok=True)
    return done


def _nothing_made(plan: Plan, done: Outcome) -> str:
    if plan.model is None:
        return f"no question was made of {done.passages} passages: too few sentences or paragraphs for {', '.join(plan.rules)}"
    reasons = ", ".join(f"{reason} {count}" for reason, count in done.left_out.most_common(3))
    return f"no question of {done.passages} passages was taken ({reasons}); see {plan.beside(REJECTED)}"


def _readable(file: File, spec: str) -> Iterator[tuple[Reading, Record]]:
    """Yield the records of a file. Raises UnreadableData at its end where one of them could not be read."""
    bad: list[Problem] = []
    reading = Reading(file, bad.append, spec=spec)
    for record in reading:
        if reading.schema is None:
            break
        yield reading, record
    unreadable = [problem for problem in bad if problem.cause not in _HARMLESS]
    if unreadable:
        first = unreadable[0]
        raise UnreadableData(
            f"{file.name}:{first.place.line}: {len(unreadable)} records cannot be read, the first for `{first.cause}`; "
            "see `advisor data check`, and mend them with its --repair"
        )


_HARMLESS = frozenset({"blank-line", "carriage-return", "csv-header", "wide-encoding", "repeated-key", "wrapped-records"})


def _between_schemas(paths: Sequence[Path], plan: Plan, schema: Schema) -> Iterator[Any]:
    for file in files_of(paths):
        for reading, (line, _, _, value) in _readable(file, plan.spec):
            assert reading.schema is not None
            if reading.schema is schema and plan.keep_extra:
                # As it stands: through the neutral form an instruction and its input would become one text.
                yield {key: item for key, item in value.items() if item is not None} if isinstance(value, dict) else value
                continue
            example = reader(reading.schema)(value)
            if not plan.keep_extra:
                example.extra = {}
            yield _written(example, schema, f"{file.name}:{line}", keep_extra=plan.keep_extra)


def _written(example: Example, schema: Schema, where: str, *, keep_extra: bool = True) -> Any:
    try:
        return write(example, schema, keep_extra=keep_extra)
    except Lossy as error:
        raise Lossy(f"{where}: {error}") from error


def _passages(paths: Sequence[Path], plan: Plan) -> Iterator[Passage]:
    """Yield the passages of all files; a passage that was there before is left out."""
    seen: set[int] = set()
    for file in files_of(paths):
        for passage in _of_file(file, plan):
            key = hash(normalised(passage.text))
            if key not in seen:
                seen.add(key)
                yield passage


def _of_file(file: File, plan: Plan) -> Iterator[Passage]:
    records = _readable(file, plan.spec)
    first = next(records, None)
    if first is None:
        return
    reading = first[0]
    if reading.schema is None or "text" not in reading.schema.keys.values():
        raise UnreadableData(f"{file.name}: questions are made of plain text; these records have questions already")

    def all_records() -> Iterator[Record]:
        yield first[1]
        yield from (record for _, record in records)

    if reading.kind == "text":
        yield from of_lines(file.name, ((line, value["text"]) for line, _, _, value in all_records()), plan.passage)
        return
    for line, _, _, value in all_records():
        about = {key: item for key, item in value.items() if key != "text"}
        yield from of_record(file.name, line, value["text"], about, plan.passage)


def _from_text(paths: Sequence[Path], plan: Plan, schema: Schema, done: Outcome, progress: Progress | None) -> Iterator[Any]:
    seen: set[int] = set()

    def taken(example: Example, passage: Passage, by: str) -> Iterator[Any]:
        key = hash((normalised(example.prompt), normalised(example.answer)))
        if key in seen:
            done.left_out["repeated"] += 1
            return
        seen.add(key)
        done.made[by] += 1
        yield _written(example, schema, f"{passage.source}:{passage.line}")

    for passage in _passages(paths, plan) if plan.rules else ():
        done.passages += plan.model is None
        for example in tasks_of(passage, plan.rules, most=plan.tasks, seed=plan.seed, language=plan.language):
            yield from taken(example, passage, "rules")
    if plan.model is not None:
        for passage, question, answer in _asked(paths, plan, done, progress):
            yield from taken(Example([("user", question), ("assistant", answer)]), passage, "model")


def _asked(paths: Sequence[Path], plan: Plan, done: Outcome, progress: Progress | None) -> Iterator[tuple[Passage, str, str]]:
    """Yield the questions and answers of a model that hold; the others are written beside, each with its reason."""
    model = plan.model
    assert model is not None
    total = sum(1 for _ in _passages(paths, plan))
    questions: set[str] = set()
    rejected = plan.beside(REJECTED)
    part = rejected.with_name(rejected.name + ".part")
    try:
        with Replies(plan.beside(KEPT)) as replies, part.open("wb") as beside:
            done.kept = len(replies)

            def ask(passage: Passage) -> tuple[str, str]:
                return replies.of(model, request_for(passage.text, plan.pairs, plan.language))

            for passage, (reply, refused) in in_order(_passages(paths, plan), ask, plan.parallel):
                done.passages += 1
                if progress is not None:
                    progress(done.passages, total)
                for pair in judged(reply, passage.text, refused):
                    reason = pair.reason or ("repeated" if normalised(pair.question) in questions else "")
                    if not reason:
                        questions.add(normalised(pair.question))
                        yield passage, pair.question, pair.answer
                        continue
                    done.left_out[reason] += 1
                    entry = {
                        "file": passage.source, "line": passage.line, "reason": reason, "missing": pair.missing,
                        "question": pair.question, "answer": pair.answer, "passage": passage.text,
                    }  # fmt: skip
                    beside.write(dumps(entry) + b"\n")
        part.replace(rejected)
    except AdvisorError as error:
        known = plan.beside(KEPT)
        if known.exists():
            raise AdvisorError(
                f"{error}. {len(replies)} replies are kept in {known}; the same command goes on from there"
            ) from error
        raise
    finally:
        part.unlink(missing_ok=True)
