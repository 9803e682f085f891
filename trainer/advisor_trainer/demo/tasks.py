"""What is learned in a demonstration: four tasks on real text, each with settings under which a run is healthy."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from advisor_trainer.demo import texts

Record = Mapping[str, Any]
WINDOW = 4
"""Turns of a chat that make one row."""

SNIPPET = 120
"""Characters of a text whose source is asked for."""


@dataclass(frozen=True)
class Task:
    """A task: its rows by count and seed, and the settings with which it is learned well.

    rows: trained on in a run; rate: a good learning rate for all weights; lora_rate: for an adapter of rank 8.
    """

    name: str
    make: Callable[[int, int], list[Record]]
    rows: int
    rate: float
    lora_rate: float
    objective: str = "sft"
    steps: int = 90
    batch: int = 16
    held_out: int = 64


def _asked(question: str, answer: str) -> Record:
    return {"context": question, "target": answer}


def _of_chats(count: int, seed: int) -> list[Record]:
    """Return stretches of chats: what one says, what the other answers."""
    rows: list[Record] = []
    chats = texts.chats()
    for turns in chats:
        for begin in range(0, len(turns) - WINDOW + 1, WINDOW):
            roles = ("user", "assistant") * (WINDOW // 2)
            stretch = turns[begin : begin + WINDOW]
            rows.append({"messages": [{"role": r, "content": t} for r, t in zip(roles, stretch, strict=True)]})
    return _drawn(rows, count, seed)


def _of_sums(count: int, seed: int) -> list[Record]:
    return [_asked(*pair) for pair in texts.sums(count, seed)]


def _of_reference(count: int, seed: int) -> list[Record]:
    return _drawn([{"text": text} for text in texts.passages(200)], count, seed)


SOURCES = ("chat", "manual", "sums", "facts")


def _of_sources(count: int, seed: int) -> list[Record]:
    """Return pieces of text, each with the name of what it comes from."""
    each = count // len(SOURCES) + 1
    pools: tuple[Sequence[str], ...] = (
        [turn for turns in texts.chats() for turn in turns if len(turn) > SNIPPET // 4],
        list(texts.passages(SNIPPET)),
        [f"{question} {answer}" for question, answer in texts.sums(2 * each, 7)],
        [answer for _, answer in texts.questions() if len(answer) > SNIPPET // 4],
    )
    rows = [
        _asked(f"{' '.join(text.split())[:SNIPPET]}\nSource:", source)
        for source, pool in zip(SOURCES, pools, strict=True)
        for text in islice(iter(_shuffled(pool, 3)), each)
    ]
    return _drawn(rows, count, seed)


def _shuffled(items: Sequence[Any], seed: int) -> list[Any]:
    mixed = list(items)
    random.Random(seed).shuffle(mixed)
    return mixed


def _drawn(rows: Sequence[Record], count: int, seed: int) -> list[Record]:
    return _shuffled(rows, seed)[:count]


TASKS: Mapping[str, Task] = {
    task.name: task
    for task in (
        Task("chat", _of_chats, 2400, 2e-3, 6e-3),
        Task("sums", _of_sums, 2400, 2e-3, 8e-3),
        Task("manual", _of_reference, 2000, 2e-3, 8e-3, objective="self-supervised"),
        Task("sources", _of_sources, 2400, 1e-3, 5e-3),
    )
}


def data_of(task: Task, rows: int, seed: int) -> tuple[list[Record], list[Record]]:
    """Return (rows to train on, rows that are held out); no row stands in both."""
    known: set[str] = set()
    unique = []
    for record in task.make(2 * (rows + task.held_out) + 400, seed):
        key = repr(record)
        if key not in known:
            known.add(key)
            unique.append(record)
    return unique[task.held_out : task.held_out + rows], unique[: task.held_out]
