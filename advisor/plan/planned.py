"""What a plan is made of: parameters with their reasons, notes, and what it takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from advisor.model import Facts, Trust, Value
from advisor.plan.cost import Gpu, Memory
from advisor.plan.data import Data
from advisor.plan.model import Model

METHODS = ("lora", "full", "pretrain")
DIFFICULTIES = ("easy", "medium", "hard")


@dataclass(frozen=True, slots=True)
class Parameter:
    """One setting of a plan, under its transformers name. reason, source and changes are keys of the locale; facts fill the reason.

    changes: what would make it another value.
    """

    name: str
    value: Value
    reason: str
    source: str
    trust: Trust
    changes: tuple[str, ...] = ()
    facts: Facts = field(default_factory=dict)


@dataclass(frozen=True)
class Note:
    """Something to mind about a plan: a key of the locale and what fills it."""

    key: str
    facts: Facts = field(default_factory=dict)


@dataclass(frozen=True)
class Plan:
    """A training as planned.

    train_rows, held_out: rows, or packed rows of running text, on either side of the split. batch: rows an update sees,
    updates: how many there are. tokens: of the whole training. memory: on each accelerator. time: (least, most) hours, None
    where unknown.
    """

    model: Model
    data: Data
    method: str
    difficulty: str
    devices: int
    gpu: Gpu | None
    parameters: tuple[Parameter, ...]
    train_rows: int
    held_out: int
    batch: int
    updates: int
    tokens: int
    memory: Memory
    time: tuple[float, float] | None
    notes: tuple[Note, ...]

    @property
    def config(self) -> Mapping[str, Value]:
        """The settings by name."""
        return {parameter.name: parameter.value for parameter in self.parameters}
