"""From the files that the configuration names to arenas: read by the dataset doctor's reader, tokenised once, kept in the cache."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from advisor.data.model import Example, Problem
from advisor.data.normal import reader
from advisor.data.reading import Reading
from advisor.data.schemas import Schema
from advisor.data.sources import File, files_of
from advisor.data.survey import NOTES
from advisor.errors import BadConfig, UnreadableData
from advisor.locale import strings
from advisor_trainer.arena import Arena, Losses, Pieces, Row, build, opened, pieces_of
from advisor_trainer.cache import cache_folder, pruned, used
from advisor_trainer.config import TrainConfig
from advisor_trainer.encode import Encoded, Encoder, Unmaskable
from advisor_trainer.spread import spread, workers_for

LAYOUT = 2
"""Goes up when the same data would be tokenised otherwise than before."""

BATCH = 1000
"""Records that are tokenised together: enough to be worth sending to a process, few enough for memory."""

BATCH_CHARACTERS = 4_000_000
"""Characters after which a batch is tokenised though it has fewer records."""

MOST_LOST = 0.5
"""Share of rows that are cut or have nothing to learn, beyond which a run does not begin."""

METHODS = ("sft", "pretrain")


@dataclass(frozen=True, slots=True)
class Data:
    """What a run learns from and is evaluated on. losses: rows that cannot be used as they are, of the training data."""

    train: Arena
    pieces: Pieces
    held_out: Arena | None
    held_out_pieces: Pieces | None
    losses: Losses
    template: bool

    @property
    def objective(self) -> str:
        """`self-supervised` for running text, else `sft`."""
        return "self-supervised" if self.train.text else "sft"


def load(config: TrainConfig, tokenizer: Any, language: str = "en") -> Data:
    """Read, tokenise and split the data. Raises UnreadableData (`read example failed: …`) or BadConfig."""
    template = with_template(config, tokenizer)
    encoder = Encoder(tokenizer, template=template)
    train = arena_of(config.data, config, encoder, tokenizer, language)
    pieces, losses = pieces_of(train, config.max_length)
    if losses.share > MOST_LOST:
        too_many = strings(language, "train")["lost.too_many"]
        raise UnreadableData(too_many.format(data=config.data, lost=lost(losses, config.max_length, language)))
    held_out: Arena | None = None
    held_out_pieces: Pieces | None = None
    if config.eval_strategy != "no":
        if config.eval_data:
            held_out = arena_of(config.eval_data, config, encoder, tokenizer, language)
            held_out_pieces, _ = pieces_of(held_out, config.max_length)
        elif config.eval_split_ratio and not train.text:
            held_out = train
            pieces, held_out_pieces = split(pieces, config.eval_split_ratio, config.seed)
        if held_out_pieces is not None and not len(held_out_pieces):
            held_out = held_out_pieces = None
    if not len(pieces):
        raise UnreadableData(f"{config.data}: no row has a token to learn; see `advisor data check`")
    return Data(train, pieces, held_out, held_out_pieces, losses, template)


def lost(losses: Losses, max_length: int, language: str) -> str:
    """Return in words how many rows cannot be used as they are."""
    words = strings(language, "train")
    parts = []
    if losses.cut:
        parts.append(words["lost.cut"].format(count=losses.cut, limit=max_length, first=losses.first_cut))
    if losses.empty:
        parts.append(words["lost.empty"].format(count=losses.empty, limit=max_length, first=losses.first_empty))
    return words["lost.rows"].format(rows=losses.rows, parts=words["lost.and"].join(parts))


def split(pieces: Pieces, ratio: float, seed: int) -> tuple[Pieces, Pieces]:
    """Return (trained on, held out): one row in `ratio` + 1 is held out, drawn by the seed. Pieces of a row stay together."""
    rows = np.unique(pieces.row)
    count = int(len(rows) / (ratio + 1))
    chosen = np.random.default_rng((seed, len(rows))).permutation(rows)[:count]
    out = np.isin(pieces.row, chosen)
    return pieces.take(~out), pieces.take(out)


def with_template(config: TrainConfig, tokenizer: Any) -> bool:
    """Tell whether conversations are written by a chat template, and put one from a file in place. Raises BadConfig."""
    if config.chat_template == "none":
        return False
    if config.chat_template == "auto":
        return bool(tokenizer.chat_template)
    try:
        tokenizer.chat_template = Path(config.chat_template).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadConfig(f"`chat_template` is {config.chat_template!r}; expected auto, none or a Jinja file ({error})") from error
    return True


def arena_of(spec: str, config: TrainConfig, encoder: Encoder, tokenizer: Any, language: str) -> Arena:
    """Return the tokens of the files that `spec` names (paths between commas), from the cache where they are there."""
    files = files_of([Path(part.strip()) for part in spec.split(",") if part.strip()])
    folder = cache_folder() / _key(files, config, tokenizer)
    kept = opened(folder)
    if kept is not None:
        used(folder)
        return Arena(kept.tokens, kept.mask, kept.rows, tuple(file.name for file in files), kept.text)
    source = _Source(files, config, encoder, language)
    first = next(source.rows, None)
    if first is None:
        raise UnreadableData(f"{spec}: holds no record; see `advisor data check`")
    try:
        pruned(folder.parent, folder.name)
        return build(folder, _chained(first, source.rows), [file.name for file in files], text=source.text)
    except OSError as error:
        raise UnreadableData(
            f"{folder}: the tokens cannot be written ({error.strerror}); make room there or set ADVISOR_CACHE to another folder"
        ) from error


def _chained(first: Row, rest: Iterator[Row]) -> Iterator[Row]:
    yield first
    yield from rest


def _key(files: Sequence[File], config: TrainConfig, tokenizer: Any) -> str:
    """Return a name for these contents tokenised this way."""
    digest = hashlib.blake2b(digest_size=16)
    digest.update(f"{LAYOUT} {config.data_format} {config.train_on} {config.chat_template == 'none'}".encode())
    digest.update(tokenizer.backend_tokenizer.to_str().encode())
    digest.update(f"{tokenizer.chat_template} {tokenizer.bos_token} {tokenizer.eos_token}".encode())
    for file in files:
        digest.update(file.suffix.encode() + b"\0")
        assert file.path is not None
        with file.path.open("rb") as stream:
            digest.update(hashlib.file_digest(stream, lambda: hashlib.blake2b(digest_size=16)).digest())
    return digest.hexdigest()


@dataclass(frozen=True, slots=True)
class _Batch:
    """Records that are encoded together. file: its number. lines: where they stand in it. last_only: see `Encoder.encode`."""

    file: int
    lines: list[int]
    examples: list[Example]
    last_only: bool


class _Source:
    """The rows of all files, tokenised. text: whether they are running text, known after the first."""

    def __init__(self, files: Sequence[File], config: TrainConfig, encoder: Encoder, language: str) -> None:
        self.text = False
        self._schema = ""
        self._files, self._config, self._encoder, self._language = files, config, encoder, language
        self.rows = self._rows()

    def _rows(self) -> Iterator[Row]:
        workers = workers_for(sum(file.path.stat().st_size for file in self._files if file.path))
        for batch, encoded in spread(self._encode, self._batches(), workers):
            try:
                rows = encoded()
            except Unmaskable as error:
                nth, _, reason = str(error).partition(": ")
                place = f"{self._files[batch.file].name}:{batch.lines[int(nth)]}"
                raise UnreadableData(f"read example failed: {place}: {reason}") from error
            for row, line in zip(rows, batch.lines, strict=True):
                yield row, batch.file, line

    def _encode(self, batch: _Batch) -> list[Encoded]:
        return self._encoder.encode(batch.examples, last_only=batch.last_only)

    def _batches(self) -> Iterator[_Batch]:
        for number, file in enumerate(self._files):
            reading = Reading(file, self._refuse, spec=self._config.data_format)
            lines: list[int] = []
            examples: list[Example] = []
            size = 0
            example_of: Callable[[Any], Example] | None = None
            for line, _, raw, value in reading:
                if example_of is None:
                    assert reading.schema is not None
                    example_of = self._reader(reading.schema, file)
                lines.append(line)
                examples.append(example_of(value))
                size += len(raw)
                if len(lines) == BATCH or size > BATCH_CHARACTERS:
                    yield _Batch(number, lines, examples, self._last_only(reading.schema))
                    lines, examples, size = [], [], 0
            if lines:
                yield _Batch(number, lines, examples, self._last_only(reading.schema))

    def _last_only(self, schema: Schema | None) -> bool:
        assert schema is not None
        train_on = self._config.train_on
        return train_on == "last" or (train_on == "auto" and schema.shape == "flat")

    def _reader(self, schema: Schema, file: File) -> Callable[[Any], Any]:
        if schema.method not in METHODS:
            raise UnreadableData(
                f"read example failed: {file.name}: records of the schema {schema.name} are for {schema.method}, which this "
                "trainer does not do; give records to fine-tune on (see `advisor data convert`)"
            )
        text = schema.method == "pretrain"
        if self._schema and text != self.text:
            raise UnreadableData(
                f"read example failed: {file.name}: {schema.name} beside {self._schema}: running text and questions with answers "
                "are trained apart; give one kind"
            )
        self._schema, self.text = schema.name, text
        return reader(schema)

    def _refuse(self, problem: Problem) -> None:
        """Raise UnreadableData in the dataset doctor's words for the first record that cannot be used."""
        if problem.cause in NOTES:
            return
        from advisor.render.words import Words
        from advisor.rulebook import load as rules

        place = problem.place
        where = f"{place.source}:{place.line}" + (f":{place.column}" if place.column else "")
        words = Words(self._language)
        for rule in rules(subject="dataset"):
            if rule.thresholds.get("cause") == problem.cause and rule.severity == "error":
                facts = {**place.facts, "line": place.line, "count": 1, "of": 1, "share": 1.0}
                said = rule.words[self._language]
                reason, fix = words.fill(said["message"], facts), words.fill(said["remedy"], facts)
                more = strings(self._language, "train")["say.data_check"].format(rule=rule.id, file=place.source)
                raise UnreadableData(f"read example failed: {where}: {reason} {fix} ({more})")
