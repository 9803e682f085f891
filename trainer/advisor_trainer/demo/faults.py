"""Faults by name, as a table: what goes wrong in data, settings, model, batches, gradients or schedule, and what it is called.

What each is stands in the locale `demo`. A fault is planted into a healthy run of a task (advisor_trainer.demo.runs);
everything else stays as it is. The causes are those of the closed vocabulary `advisor.model.CAUSES`.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from advisor_trainer.demo.tasks import Record

Rows = Callable[[list["Record"], random.Random], list["Record"]]
ALL = ("chat", "sums", "manual", "sources")
ASKED = ("chat", "sums", "sources")
"""Tasks in which only answers are trained on."""


@dataclass(frozen=True)
class Fault:
    """A fault. Of its hooks most are not there; the others are told in advisor_trainer.demo.hooks under these names.

    causes: names that are right, `healthy` among them where the curve cannot show it. scored: whether the curve can show it; of
    others only a wrong cause with high confidence is a mistake. tasks: where it makes sense; hidden_in: those in which the curve
    cannot show it although it can in others.
    settings: of the trainer; `rate` multiplies the task's learning rate, `rows` is how many rows there are.
    rows, held_out: change the records before they are written. batch, model, gradient, schedule, optimizer, loss: names of hooks.
    in_evaluation: the change of batches is made there as well.
    """

    name: str
    causes: tuple[str, ...]
    tasks: tuple[str, ...] = ALL
    scored: bool = True
    hidden_in: tuple[str, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)
    rows: Rows | None = None
    held_out: str = ""
    batch: str = ""
    in_evaluation: bool = False
    model: str = ""
    gradient: str = ""
    schedule: Callable[[float], float] | None = None
    optimizer: str = ""
    loss: str = ""
    order: str = ""


def _text_of(record: Record) -> str:
    if "text" in record:
        return str(record["text"])
    if "messages" in record:
        return "\n".join(str(message["content"]) for message in record["messages"])
    return f"{record['context']}\n{record['target']}"


def _with_prompt(rows: list[Record], _: random.Random) -> list[Record]:
    return [{"text": _text_of(row)} for row in rows]


def _few_many_times(unique: int) -> Rows:
    return lambda rows, generator: [generator.choice(rows[:unique]) for _ in rows]


def _swapped(share: float) -> Rows:
    """Give a share of the rows the answer of another row."""

    def swap(rows: list[Record], generator: random.Random) -> list[Record]:
        return [
            {**row, "target": generator.choice(rows)["target"]} if "target" in row and generator.random() < share else row
            for row in rows
        ]

    return swap


def _replies_of_others(rows: list[Record], generator: random.Random) -> list[Record]:
    """Answer every message with what was said in another chat."""
    others = [message["content"] for row in rows for message in row["messages"] if message["role"] == "assistant"]
    return [
        {"messages": [m if m["role"] == "user" else {**m, "content": generator.choice(others)} for m in row["messages"]]}
        for row in rows
    ]


def _unknowable(rows: list[Record], generator: random.Random) -> list[Record]:
    """Ask for numbers that nothing foretells."""
    return [{**row, "target": f"{generator.randint(100000, 999999)}"} for row in rows]


def _chopped(rows: list[Record], _: random.Random) -> list[Record]:
    """Cut every answer after its first word."""
    return [{**row, "target": str(row["target"]).split()[0][:2]} for row in rows]


def _longest_last(rows: list[Record], _: random.Random) -> list[Record]:
    return sorted(rows, key=lambda row: len(_text_of(row)))


def _spike(progress: float) -> float:
    return _cosine(progress) * (60 if 0.55 <= progress < 0.59 else 1)


def _cosine(progress: float) -> float:
    return progress / 0.05 if progress < 0.05 else (1 + math.cos(math.pi * (progress - 0.05) / 0.95)) / 2


def _ends_early(progress: float) -> float:
    return _cosine(min(1.0, 2 * progress))


def _stays_low(progress: float) -> float:
    return _cosine(progress) / (200 if progress > 0.15 else 1)


def _rises_for_ever(progress: float) -> float:
    return progress


def _fault(name: str, causes: str, **more: Any) -> Fault:
    return Fault(name, tuple(causes.split()), **more)


FAULTS: Mapping[str, Fault] = {
    fault.name: fault
    for fault in (
        _fault("lr-diverges", "learning_rate_too_high", settings={"rate": 150.0}),
        _fault("lr-high", "learning_rate_too_high", settings={"rate": 10.0}),
        _fault("lr-low", "learning_rate_too_low", settings={"rate": 1e-3}),
        _fault("lr-lowish", "learning_rate_too_low", settings={"rate": 0.02}),
        _fault("lora-lr-of-full", "learning_rate_too_low", settings={"method": "lora", "rate": 0.05}),
        _fault("lora-lr-high", "learning_rate_too_high", settings={"method": "lora", "rate": 30.0}),
        _fault("no-warmup", "no_warmup learning_rate_too_high", settings={"warmup_ratio": 0.0, "rate": 6.0}),
        _fault("lr-spike", "schedule_anomaly learning_rate_too_high", schedule=_spike),
        _fault("lr-ends-early", "schedule_anomaly", schedule=_ends_early),
        _fault("lr-dropped", "schedule_anomaly learning_rate_too_low", schedule=_stays_low),
        _fault("warmup-for-ever", "schedule_anomaly healthy", scored=False, schedule=_rises_for_ever),
        _fault("too-few-steps", "too_few_steps", settings={"max_steps": 14}),
        _fault("overfit", "too_many_epochs too_little_data", tasks=("chat", "manual"), settings={"rows": 72}),
        _fault("overfit-mildly", "too_many_epochs too_little_data", tasks=("chat", "manual"), settings={"rows": 240, "rate": 2.0}),
        _fault("duplicates", "duplicated_data too_many_epochs", tasks=("chat", "manual", "sums"), rows=_few_many_times(40)),
        _fault("data-stuck", "data_stuck duplicated_data", batch="first_again"),
        _fault("noisy-labels", "noisy_labels data_quality", tasks=("sources",), scored=False, rows=_swapped(0.5)),
        _fault("noisier-labels", "noisy_labels data_quality task_too_hard", tasks=("sources", "sums"), scored=False,
               rows=_swapped(0.8)),
        _fault("replies-of-others", "noisy_labels data_quality healthy", tasks=("chat",), scored=False, rows=_replies_of_others),
        _fault("unknowable", "task_too_hard noisy_labels data_quality eval_mismatch corrupt_targets", tasks=("sums",),
               scored=False, rows=_unknowable),
        _fault("random-targets", "corrupt_targets noisy_labels", batch="random_targets"),
        _fault("targets-shifted", "corrupt_targets eval_mismatch", batch="shifted_targets", tasks=("chat", "manual")),
        _fault("wrong-tokenizer", "tokenizer_mismatch", batch="other_ids", in_evaluation=True),
        _fault("labels-masked", "labels_masked truncation", batch="no_targets", loss="mean_over_none"),
        _fault("answers-cut-off", "labels_masked truncation", batch="cut_early", loss="mean_over_none", tasks=ASKED),
        # What one says in a chat is as hard to foretell as what the other answers.
        _fault("trained-on-prompts", "loss_on_prompt", tasks=("sums", "chat"), hidden_in=("chat",), rows=_with_prompt),
        _fault("answers-chopped", "eval_mismatch truncation corrupt_targets data_quality", tasks=("sums",), scored=False,
               rows=_chopped),
        _fault("no-end", "eval_mismatch", tasks=("chat", "sums"), scored=False, batch="no_end"),
        _fault("unshuffled", "unshuffled_data", tasks=("chat", "sums", "manual"), order="by_topic"),
        _fault("sorted-by-length", "unshuffled_data healthy", tasks=("chat", "manual"), scored=False, rows=_longest_last,
               order="as_in_file"),
        _fault("evaluation-leaks", "eval_leak", scored=False, tasks=("chat", "manual"), settings={"rows": 300},
               held_out="from_training"),
        _fault("evaluation-elsewhere", "eval_mismatch", hidden_in=("chat",), held_out="of_another_task"),
        _fault("bad-batch", "bad_batch", batch="garbage_once"),
        _fault("bad-batch-unclipped", "bad_batch unclipped_gradient learning_rate_too_high", batch="garbage_once",
               settings={"max_grad_norm": 0.0, "rate": 4.0}),
        _fault("batch-of-one", "batch_too_small", settings={"batch": 1, "rate": 0.5}, tasks=("chat", "manual")),
        _fault("batch-too-large", "batch_too_large too_few_steps", settings={"batch": 128, "rows": 400, "max_steps": 9}),
        _fault("accumulation", "accumulation_bug", settings={"batch": 4, "gradient_accumulation_steps": 4}, loss="not_averaged"),
        _fault("half-precision-overflow", "precision_overflow", gradient="overflow"),
        _fault("frozen", "nothing_trainable optimizer_ineffective learning_rate_too_low", model="freeze"),
        _fault("optimizer-elsewhere", "optimizer_ineffective nothing_trainable learning_rate_too_low", optimizer="of_a_copy"),
        _fault("adam-epsilon", "learning_rate_too_low optimizer_ineffective", optimizer="large_epsilon"),
        _fault("optimizer-lost", "optimizer_state_lost healthy", scored=False, optimizer="forgets"),
        _fault("gradients-kept", "zero_grad_missing unclipped_gradient healthy", scored=False, gradient="kept"),
        _fault("weight-decay", "weight_decay_too_high", settings={"weight_decay": 30.0}),
        _fault("dropout", "dropout_too_high healthy", scored=False, model="dropout"),
        _fault("rank-one", "rank_too_low healthy", scored=False, settings={"method": "lora", "lora_r": 1}),
    )
}  # fmt: skip

HEALTHY: Sequence[Fault] = (
    _fault("healthy", "healthy"),
    _fault("healthy-lora", "healthy", settings={"method": "lora"}),
    _fault("healthy-constant", "healthy", settings={"lr_scheduler_type": "constant_with_warmup", "rate": 0.5}),
    _fault("healthy-accumulated", "healthy", settings={"batch": 4, "gradient_accumulation_steps": 4}),
    # In chats so high a rate brings nothing for half of the run: no healthy one by construction.
    _fault("healthy-warmed-up", "healthy", tasks=("sums", "manual", "sources"), settings={"rate": 2.0, "warmup_ratio": 0.1}),
)  # fmt: skip
"""Twins without a fault, among them those that look most like one."""
