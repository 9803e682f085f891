"""The tasks the tiny models learn: rows of token ids with labels, from Python's docs or generated.

A task is a function `(rows, seed) -> Rows`. Every row of a task has the same length, so a batch
is a plain stack of tensors. Context tokens carry the label -100, which the loss ignores.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pydoc_data import topics as python_topics
from string import ascii_uppercase

import torch
from torch.utils.data import Dataset

IGNORED = -100
BYTES = 256
WINDOW = 64
REPORT_LENGTH = 96
WORLD_SEED = 20  # what is true in the made-up world; the seed of a run only draws rows from it

CODE_LENGTH = 8
CITIES = ("Oslo", "Lima", "Cairo", "Tokyo", "Quito", "Perth", "Delhi", "Turin", "Accra", "Hanoi")
MONTHS = ("January", "March", "May", "July", "September", "November")
SKIES = ("clear sky", "light snow", "heavy rain", "thin cloud", "morning fog", "warm haze")
WINDS = ("north", "east", "south", "west")

QUERIES, ANSWERS = 64, 32
CLASSES, WORDS, WORDS_A_ROW, VOTE_WEIGHT = 4, 28, 6, 3
ENTITIES, VALUES, OPENINGS, PHRASINGS = 5760, 64, 16, 2
KNOWN_ENTITIES, NEW_ENTITIES = range(1920), range(1920, ENTITIES)


@dataclass(frozen=True)
class Rows(Dataset[dict[str, torch.Tensor]]):
    """Equally long rows of one vocabulary."""

    input_ids: torch.Tensor
    labels: torch.Tensor
    vocab_size: int

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.input_ids)

    def __getitem__(self, index: int) -> dict[str, torch.Tensor]:
        """Return one row as the keyword arguments of the model."""
        return {"input_ids": self.input_ids[index], "labels": self.labels[index]}


def topics(rows: int, seed: int) -> Rows:
    """Windows of Python's own help texts, as bytes: continued pre-training, every token a label."""
    text = "\n".join(python_topics.topics.values()).encode()
    draw = random.Random(seed)
    starts = (draw.randrange(len(text) - WINDOW) for _ in range(rows))
    ids = torch.tensor([list(text[start : start + WINDOW]) for start in starts])
    return Rows(ids, ids.clone(), BYTES)


def weather(rows: int, seed: int) -> Rows:
    """Questions about the weather of a city with a likely, not a certain, answer: fine-tuning.

    The code at the end of an answer is drawn anew for each row: the loss has a floor well above 0.
    """
    ids = torch.zeros(rows, REPORT_LENGTH, dtype=torch.long)
    labels = torch.full((rows, REPORT_LENGTH), IGNORED)
    for row, (context, target) in enumerate(weather_records(rows, seed)):
        start, end = len(context), len(context) + len(target)
        ids[row, :end] = torch.tensor(list((context + target).encode()))
        labels[row, start:end] = ids[row, start:end]
    return Rows(ids, labels, BYTES)


def weather_records(rows: int, seed: int) -> Iterator[tuple[str, str]]:
    """Draw questions and answers as text."""
    draw = random.Random(seed)
    for _ in range(rows):
        city, month = draw.randrange(len(CITIES)), draw.randrange(len(MONTHS))
        climate = random.Random(f"{WORLD_SEED} {city} {month}")
        sky = _usually(draw, SKIES, climate.randrange(len(SKIES)))
        degrees = round(draw.gauss(climate.randrange(12, 30), 3))
        wind = _usually(draw, WINDS, climate.randrange(len(WINDS)))
        code = "".join(draw.choices(ascii_uppercase, k=CODE_LENGTH))
        yield (
            f"Weather in {CITIES[city]} in {MONTHS[month]}? ",
            f"{sky}, {degrees} degrees, {wind} wind, report {code}.\n",
        )


def _usually(draw: random.Random, choices: Sequence[str], likely: int) -> str:
    """Return the likely choice in two draws of three, any choice otherwise."""
    return choices[likely] if draw.random() < 2 / 3 else draw.choice(choices)


def answers(rows: int, seed: int) -> Rows:
    """One query, one answer token that is the right one in half of the draws."""
    draw = random.Random(seed)
    world = random.Random(WORLD_SEED)
    right = [world.randrange(ANSWERS) for _ in range(QUERIES)]
    ids = torch.zeros(rows, 2, dtype=torch.long)
    for row in range(rows):
        query = draw.randrange(QUERIES)
        answer = right[query] if draw.random() < 1 / 2 else draw.randrange(ANSWERS)
        ids[row] = torch.tensor([ANSWERS + query, answer])
    labels = ids.clone()
    labels[:, 0] = IGNORED
    return Rows(ids, labels, ANSWERS + QUERIES)


def votes(rows: int, seed: int) -> Rows:
    """Six words, each a vote for one of four classes, and a class drawn by the votes."""
    draw = random.Random(seed)
    world = random.Random(WORLD_SEED)
    choice = [world.randrange(CLASSES) for _ in range(WORDS)]
    ids = torch.zeros(rows, WORDS_A_ROW + 1, dtype=torch.long)
    for row in range(rows):
        words = draw.choices(range(WORDS), k=WORDS_A_ROW)
        weights = [VOTE_WEIGHT ** sum(choice[word] == c for word in words) for c in range(CLASSES)]
        drawn = draw.choices(range(CLASSES), weights)
        ids[row] = torch.tensor([CLASSES + word for word in words] + drawn)
    labels = ids.clone()
    labels[:, :WORDS_A_ROW] = IGNORED
    return Rows(ids, labels, CLASSES + WORDS)


def facts(rows: int, seed: int, entities: range = NEW_ENTITIES, phrasing: int = 0) -> Rows:
    """Facts about entities, each stated once in an epoch, after two words nobody can foretell."""
    world = random.Random(WORLD_SEED)
    values = [world.randrange(VALUES) for _ in range(ENTITIES)]
    draw = random.Random(seed)
    first_entity, first_phrasing = VALUES, VALUES + ENTITIES
    ids = torch.tensor(
        [
            [first_phrasing + phrasing, *draw.choices(range(OPENINGS), k=2), first_entity + e, v]
            for e, v in ((entity, values[entity]) for entity in draw.sample(entities, rows))
        ]
    )
    labels = ids.clone()
    labels[:, [0, 3]] = IGNORED
    return Rows(ids, labels, first_phrasing + PHRASINGS)


def facts_rephrased(rows: int, seed: int) -> Rows:
    """Ask for the same facts in the other phrasing."""
    return facts(rows, seed, phrasing=1)


def known_facts(rows: int, seed: int) -> Rows:
    """Facts about other entities in both phrasings: what the base model has learnt."""
    halves = [facts(rows // 2, seed, KNOWN_ENTITIES, phrasing) for phrasing in range(PHRASINGS)]
    ids, labels = (
        torch.cat([getattr(half, name) for half in halves]) for name in ("input_ids", "labels")
    )
    return Rows(ids, labels, halves[0].vocab_size)


TASKS: dict[str, Callable[[int, int], Rows]] = {
    "topics": topics,
    "weather": weather,
    "answers": answers,
    "votes": votes,
    "facts": facts,
    "facts-rephrased": facts_rephrased,
    "known-facts": known_facts,
}
