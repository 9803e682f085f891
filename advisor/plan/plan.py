"""From model, data and accelerator to a plan: each parameter chosen, the cost estimated, and what to mind said."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator

from advisor.errors import BadPlan
from advisor.model import Facts
from advisor.plan import choices
from advisor.plan.cost import GIB, Gpu, Memory, hours
from advisor.plan.data import Data
from advisor.plan.model import Model
from advisor.plan.planned import Note, Parameter, Plan
from advisor.recipes.base import RANGES, WARMUP
from advisor.recipes.evaluation import EVALUATIONS

LOGGED = 500
"""Points of the training loss that a run should leave: enough to judge noise, few enough to draw."""

LONGEST_WARMUP = 100
"""Updates of warm-up that are enough however long the run."""


def plan(
    model: Model, data: Data, method: str, *, difficulty: str = "medium", gpu: Gpu | None = None, devices: int = 1,
    max_length: int | None = None,
) -> Plan:  # fmt: skip
    """Return the plan of a training. Raises BadPlan where the data do not fit the method, or are too few."""
    _check(data, method)
    length = choices.length(model, data, max_length)
    size = int(length.value)
    whole = math.ceil(data.tokens / size) if data.text else data.rows
    if whole < choices.LEAST_SEQUENCES:
        raise BadPlan(f"{data.path}: {data.tokens} tokens, {whole} rows of {size}; too little text to train on")
    held_out = max(round(whole / (choices.SPLIT + 1)), 1)
    rows = whole - held_out
    adapter = tuple(choices.adapter(rows, difficulty)) if method == "lora" else ()
    rank = int(adapter[0].value) if adapter else 0
    batch = choices.rows_of_an_update(rows, model.parameters)
    spread = choices.spread(model, rank=rank, batch=batch, length=size, gpu=gpu, devices=devices)
    batch = spread.each * spread.accumulated * devices
    epochs = choices.epochs(rows, batch, method, difficulty)
    updates = math.ceil(int(epochs.value) * rows / batch)
    parameters = (
        *_of_data(length, data, rows, held_out),
        epochs,
        *_of_updates(model, method, spread, batch=batch, rows=rows, devices=devices, gpu=gpu),
        *_of_schedule(updates),
        *adapter,
        *_of_watching(updates, batch * size),
    )
    tokens = round(float(data.lengths.clip(max=size).sum()) * rows / whole) * int(epochs.value)
    fits = gpu is not None and spread.need.fits(gpu)
    time = hours(model, tokens=tokens, trained=not rank, again=spread.again, gpu=gpu, devices=devices) if gpu and fits else None
    notes = tuple(_notes(model, data, gpu, spread.need, time, devices=devices, adapter=bool(adapter)))
    return Plan(
        model, data, method, difficulty, devices, gpu, parameters, rows, held_out, batch, updates, tokens, spread.need, time, notes
    )


def _of_data(length: Parameter, data: Data, rows: int, held_out: int) -> Iterator[Parameter]:
    yield length
    yield Parameter("packing", data.text, "packing.text" if data.text else "packing.rows", "own", "try", ("speed",))
    sides: Facts = {"held_out": held_out, "rows": rows}
    yield Parameter("eval_split_ratio", choices.SPLIT, "split", "volume", "safe", ("eval_data",), sides)


def _of_updates(
    model: Model, method: str, spread: choices.Spread, *, batch: int, rows: int, devices: int, gpu: Gpu | None
) -> Iterator[Parameter]:
    facts: Facts = {"batch": batch, "rows": rows, "devices": devices, "each": spread.each}
    reason = "batch.any" if gpu is None else "batch.gpu" if spread.need.fits(gpu) else "batch.unfit"
    yield Parameter("per_device_train_batch_size", spread.each, reason, "parameters", "try", ("memory",))
    more = ("rows", "size")
    yield Parameter("gradient_accumulation_steps", spread.accumulated, "accumulation", "parameters", "try", more, facts)
    again = "again.on" if spread.again else "again.off"
    yield Parameter("gradient_checkpointing", spread.again, again, "activations", "try", ("memory",))
    yield choices.rate(model, method, batch)


def _of_schedule(updates: int) -> Iterator[Parameter]:
    floor = RANGES["learning_rate_decay_ratio"][1]
    share = min(WARMUP, LONGEST_WARMUP / updates)
    yield Parameter("lr_scheduler_type", "cosine", "schedule", "own", "safe")
    yield Parameter("learning_rate_decay_ratio", floor, "decay", "parameters", "safe", ("curve",))
    steps: Facts = {"steps": max(round(share * updates), 1)}
    yield Parameter("warmup_ratio", round(share, 4), "warmup", "warmup", "safe", ("spikes",), steps)
    yield Parameter("weight_decay", 0.01, "weight_decay", "optimizer", "safe", ("overfit",))
    yield Parameter("max_grad_norm", 1.0, "clipping", "own", "safe", ("norms",))


def _of_watching(updates: int, tokens_of_an_update: int) -> Iterator[Parameter]:
    interval = choices.interval(updates)
    often: Facts = {"count": EVALUATIONS, "updates": updates}
    between: Facts = {"tokens": interval * tokens_of_an_update}
    yield Parameter("eval_strategy", "steps", "evaluate", "own", "safe")
    yield Parameter("eval_steps", interval, "interval", "own", "safe", ("updates",), often)
    yield Parameter("save_strategy", "steps", "evaluate", "own", "safe")
    yield Parameter("save_steps", interval, "save", "saving", "safe", ("disk",), between)
    yield Parameter("load_best_model_at_end", value=True, reason="best", source="own", trust="safe")
    yield Parameter("logging_steps", max(updates // LOGGED, 1), "logging", "own", "safe")


def _check(data: Data, method: str) -> None:
    if data.text and method != "pretrain":
        raise BadPlan(
            f"{data.path}: running text without questions; plan it with --method pretrain, or make rows of it: "
            f"advisor data convert {data.path} --rule continue-paragraph --to pangu-sft -o rows.jsonl"
        )
    if not data.text and method == "pretrain":
        raise BadPlan(f"{data.path}: rows with answers; pre-training takes running text: use --method lora or --method full")


_SIZE = re.compile(r"\d+(?:\.\d+)?\s?[bBmM]")

SOME = 0.01
"""Share of repeated rows from which on they are worth a word: they fall on both sides of the split."""

LEAST_DOCUMENTED, ENOUGH_TEXT = 1000, 1_000_000_000
"""Rows at least for supervised fine-tuning, and tokens recommended for pre-training, as documented."""


def _notes(
    model: Model, data: Data, gpu: Gpu | None, need: Memory, time: tuple[float, float] | None, *, devices: int, adapter: bool
) -> Iterator[Note]:
    if not data.text and data.rows < LEAST_DOCUMENTED:
        yield Note("few_rows", {"rows": data.rows, "least": LEAST_DOCUMENTED})
    if data.text and data.tokens < ENOUGH_TEXT:
        yield Note("little_text", {"tokens": data.tokens, "enough": ENOUGH_TEXT})
    if data.repeated > SOME * data.rows:
        yield Note("repeated_rows", {"repeated": data.repeated, "rows": data.rows, "path": str(data.path)})
    if not data.counted:
        yield Note("estimated_lengths")
    if model.origin == "size":
        yield Note("estimated_shape", {"layers": model.layers, "hidden": model.hidden})
    if gpu is not None and not need.fits(gpu):
        facts: Facts = {"need": need.total / GIB, "have": gpu.memory, "gpu": gpu.name}
        yield Note("too_large.lora" if adapter else "too_large.full", facts)
    if gpu is not None and not gpu.bf16:
        yield Note("only_fp16", {"gpu": gpu.name})
    if devices > 1 and not adapter:
        yield Note("shared_states", {"devices": devices})
    if model.parameters < choices.DOCUMENTED_FROM:
        yield Note("small_model")
    if _SIZE.fullmatch(model.name):
        yield Note("size_as_name", {"name": model.name})
    if gpu is None:
        yield Note("time.gpu")
    elif not need.fits(gpu):
        yield Note("time.unfit")
    elif time is None:
        yield Note("time.peak", {"gpu": gpu.name})
