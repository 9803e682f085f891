"""What is trained: healthy configurations under several seeds, one task under several schedules, one recipe for more epochs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace


@dataclass(frozen=True)
class Entry:
    """One configuration. `rows` are counted in rows, `rate` is the highest learning rate.

    healthy: part of the A/A check: no seed of it may get a warning. family: the same but for its number of epochs.
    """

    name: str
    task: str
    rows: int
    batch: int
    rate: float
    schedule: str = "cosine"
    epochs: int = 1
    base: str = ""
    lora_rank: int = 0
    evaluated: bool = True
    eval_task: str = ""
    scheduler: Mapping[str, float] = field(default_factory=dict)
    seeds: tuple[int, ...] = (1, 2)
    healthy: bool = False
    family: str = ""

    @property
    def objective(self) -> str:
        """What the run trains, by the names of the log format."""
        return "classification" if self.task == "votes" else "sft"


def _wsd(steps: int, share: float = 0.25) -> Mapping[str, float]:
    return {"num_decay_steps": round(steps * share)}


WSD = "warmup_stable_decay"
WEATHER = Entry("", "weather", 16 * 240, 16, 3e-3, base="topics")
TOPICS = Entry("", "topics", 16 * 300, 16, 5e-3)
VOTES = Entry("", "votes", 128 * 250, 128, 3e-3)
ANSWERS = Entry("", "answers", 128 * 300, 128, 2e-3)
FACTS = Entry("", "facts", 3840, 128, 1e-2, "linear", 3, "known-facts", 4, eval_task="facts-rephrased")

HEALTHY = (
    replace(WEATHER, name="weather-cosine"),
    replace(WEATHER, name="weather-linear-2-epochs", rows=16 * 120, epochs=2, schedule="linear"),
    replace(WEATHER, name="weather-lora-3-epochs", rows=16 * 80, epochs=3, lora_rank=8, rate=1e-2),
    replace(WEATHER, name="weather-constant", schedule="constant_with_warmup", rate=2e-3),
    replace(WEATHER, name="weather-small-batch", rows=4 * 300, batch=4, rate=1e-3, schedule="linear"),
    replace(TOPICS, name="topics-wsd", schedule=WSD, scheduler=_wsd(300)),
    replace(TOPICS, name="topics-without-evaluation", evaluated=False),
    replace(VOTES, name="votes-linear", schedule="linear"),
    replace(ANSWERS, name="answers-constant", schedule="constant_with_warmup"),
    replace(FACTS, name="facts-lora-3-epochs"),
    replace(TOPICS, name="topics-batch-2", rows=2 * 400, batch=2, rate=3e-3),
    replace(VOTES, name="votes-batch-16", rows=16 * 400, batch=16, rate=1e-3, schedule="constant_with_warmup"),
    replace(WEATHER, name="weather-lora-batch-4", rows=4 * 150, batch=4, epochs=2, lora_rank=8, rate=5e-3, schedule="linear"),
)

SCHEDULES = (
    *(replace(WEATHER, name=f"weather-{s}", schedule=s) for s in ("linear", "cosine_with_min_lr")),
    replace(WEATHER, name="weather-wsd", schedule=WSD, scheduler=_wsd(240)),
    *(replace(TOPICS, name=f"topics-{s}", schedule=s) for s in ("linear", "cosine", "constant_with_warmup")),
    *(replace(VOTES, name=f"votes-{s}", schedule=s) for s in ("cosine", "constant_with_warmup")),
    replace(VOTES, name="votes-wsd", schedule=WSD, scheduler=_wsd(250)),
    replace(ANSWERS, name="answers-wsd", schedule=WSD, scheduler=_wsd(300)),
    replace(ANSWERS, name="answers-cosine"),
    replace(WEATHER, name="weather-lora-wsd", lora_rank=8, rate=1e-2, schedule=WSD, scheduler=_wsd(240)),
    replace(WEATHER, name="weather-lora-linear", lora_rank=8, rate=1e-2, schedule="linear"),
)

EPOCHS = tuple(
    replace(base, name=f"{name}-{n}-epochs", rows=base.batch * batches, epochs=n, family=name)
    for name, base, batches, epochs in (
        ("more-weather", WEATHER, 60, (1, 2, 4)),
        ("more-weather-constant", replace(WEATHER, schedule="constant_with_warmup", rate=1e-3), 60, (1, 2, 4)),
        ("more-weather-few-rows", WEATHER, 20, (2, 4, 8)),
        ("more-weather-lora", replace(WEATHER, lora_rank=8, rate=1e-2), 60, (1, 2, 4)),
        ("more-topics", TOPICS, 80, (1, 2, 4)),
        ("more-topics-few-rows", TOPICS, 25, (2, 4, 8)),
        ("more-votes", VOTES, 40, (1, 2, 4)),
    )
    for n in epochs
)

PLAN = (
    *(replace(entry, healthy=True, seeds=(1, 2, 3)) for entry in HEALTHY),
    *(replace(entry, scheduler={"min_lr_rate": 0.1}) if entry.schedule == "cosine_with_min_lr" else entry for entry in SCHEDULES),
    *EPOCHS,
)
