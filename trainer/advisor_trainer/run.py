"""A run from its configuration to its folder: check, load, train, and leave everything that tells of it."""

from __future__ import annotations

import errno
import logging
import os
import shutil
import warnings
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from transformers import PrinterCallback, TrainingArguments, set_seed

from advisor.errors import AdvisorError, UnreadableData
from advisor.live.callback import AdvisorCallback
from advisor.locale import default_language, strings
from advisor_trainer import abilities, checkpoints, dataset, folder
from advisor_trainer.arguments import arguments_of, decay_steps
from advisor_trainer.batches import Lines, Plan
from advisor_trainer.config import TrainConfig
from advisor_trainer.dataset import Data
from advisor_trainer.model import device_of, keeps_logits, model_of, precision_of, set_attention, tokenizer_of
from advisor_trainer.trainer import PackedTrainer
from advisor_trainer.watch import NONFINITE, Console, Interrupts, NonFinite, Patience, Restore

Say = Callable[[str], None]
Words = Mapping[str, str]
MODEL = "model"


class Interrupted(Exception):
    """The user or the system ended the run early. status: what a program ends with after this signal."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


class Failed(AdvisorError):
    """The run could not go on; the message says what stands in the folder and how to go on."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """Everything that a run needs, before its first step."""

    config: TrainConfig
    args: TrainingArguments
    device: torch.device
    tokenizer: Any
    data: Data
    plan: Plan
    lines: Lines


def prepare(config: TrainConfig, language: str) -> Prepared:
    """Read and tokenise the data and lay out the first epoch. The first of several processes does so for all."""
    if not config.data:
        raise UnreadableData("`data` is not set; give the file, the folder or the pattern to train on")
    device = device_of(config)
    abilities.check(config, device, precision_of(config, device))
    args = arguments_of(config, device)
    tokenizer = tokenizer_of(config)
    with args.main_process_first(local=False, desc="tokenising"):
        data = dataset.load(config, tokenizer, language)
    plan = Plan(
        data.pieces, size=config.max_length, batch=config.per_device_train_batch_size, packing=config.packing, seed=config.seed,
        rank=args.process_index, world=args.world_size,
    )  # fmt: skip
    # Devices like shapes that stay; a CPU likes no padding at all.
    constant = config.max_length if config.packing and (device.type != "cpu" or config.torch_compile) else 0
    filler = tokenizer.pad_token_id if tokenizer.pad_token_id is not None else tokenizer.eos_token_id or 0
    return Prepared(config, args, device, tokenizer, data, plan, Lines(data.train, data.pieces, size=constant, filler=filler))


def train(config: TrainConfig, *, resume: bool, callbacks: Sequence[Any], say: Say, language: str = "") -> Path:
    """See `advisor_trainer.train`."""
    language = language or default_language()
    try:
        return _run(config, resume, callbacks, say, language)
    except OSError as error:
        if not _no_room(error):
            raise
        words, run = strings(language, "train"), Path(config.output_dir)
        raise Failed(words["ended.no_room_at_all"].format(run=run, how_on=_how_on(run, words))) from error


def _run(config: TrainConfig, resume: bool, callbacks: Sequence[Any], say: Say, language: str) -> Path:
    words = strings(language, "train")
    run = Path(config.output_dir)
    checkpoint = folder.resumable(config) if resume else None
    first = int(os.environ.get("RANK", "0")) == 0
    if not resume and first:
        folder.begin(config)
    say = say if first else (lambda _line: None)
    quiet_libraries()
    ready = prepare(config, language)
    if resume and checkpoint is None:
        say(words["say.anew"].format(run=run))
    report(ready, say, language)
    set_seed(config.seed)  # the adapter's first weights are drawn here
    model = model_of(config, ready.device, ready.tokenizer)
    backend = set_attention(model, config.attention, ready.device, compiled=config.torch_compile)
    if config.attention not in ("auto", backend):
        say(words["say.attention"].format(wanted=config.attention, backend=backend))
    facts = facts_of(ready, model, backend)
    if first:
        folder.write_config(config)
        folder.write_environment(config, ready.device.type, facts | {"world_size": ready.args.world_size})
        if checkpoint is None:
            for line in folder.unusual(config, facts, language):
                say(words["say.unusual"].format(line=line))
    interrupts, console = Interrupts(), Console(say, language)
    live = AdvisorCallback(run / folder.LOG, lang=language, stop_on=STOPS[config.stop_on], facts=facts, say=console.say)
    nonfinite = NonFinite(ready.data.train, ready.data.pieces, config.nonfinite_patience, run)
    patience = Patience(config.early_stopping_patience)
    watching: list[Any] = [nonfinite, patience, interrupts, live, console, *callbacks]
    if checkpoint is not None:
        say(words["say.goes_on"].format(checkpoint=checkpoint))
        watching.insert(0, Restore(checkpoint))
    trainer = trainer_of(ready, model, backend, watching)
    for callback in watching:
        if isinstance(callback, NonFinite | Restore):
            callback.trainer = trainer
    try:
        with interrupts.listening():
            _train(trainer, checkpoint, live, words)
    finally:
        console.close()
        if live.diagnosis is not None:
            with suppress(AdvisorError):  # how the run ended is said below, and counts for more
                folder.write_report(run, language)
    trainer.accelerator.wait_for_everyone()
    step, planned = trainer.state.global_step, trainer.state.max_steps
    if interrupts.received and step < planned:
        trainer.save_state()
        said = words["ended.interrupted"].format(step=step, steps=planned, how_on=_how_on(run, words))
        raise Interrupted(said, 128 + interrupts.received)
    if nonfinite.stopped:
        bad = ", ".join(map(str, list(nonfinite.steps)[:SHOWN]))
        raise Failed(words["ended.nonfinite"].format(run=run, steps=bad, file=run / NONFINITE))
    trainer.save_state()
    if step < planned and not patience.stopped:
        raise Failed(words["ended.stop_on"].format(run=run, step=step, steps=planned, report=run / folder.REPORT))
    _keep_model(trainer, run, words)
    return run


STOPS: dict[str, Any] = {"never": None, "error": "error", "warning": "warning"}
SHOWN = 3
"""Steps that an error names."""


def trainer_of(
    ready: Prepared, model: Any, backend: str, callbacks: Sequence[Any], *, kind: Callable[..., PackedTrainer] = PackedTrainer
) -> PackedTrainer:
    """Return the trainer of a prepared run. kind: what it is made by."""
    config, data = ready.config, ready.data
    held_out = None
    if data.held_out is not None and data.held_out_pieces is not None:
        plan = Plan(
            data.held_out_pieces, size=config.max_length, batch=config.per_device_eval_batch_size, packing=True, seed=0,
            shuffle=False, rank=ready.args.process_index, world=ready.args.world_size,
        )  # fmt: skip
        held_out = (Lines(data.held_out, data.held_out_pieces), plan)
    elif ready.args.eval_strategy != "no":
        ready.args.eval_strategy = type(ready.args.eval_strategy)("no")
        ready.args.load_best_model_at_end, ready.args.metric_for_best_model = False, None
    per_epoch = -(-len(ready.plan) // config.gradient_accumulation_steps)
    steps = config.max_steps if config.max_steps > 0 else round(config.num_train_epochs * per_epoch)
    decay_steps(ready.args, steps)
    trainer = kind(
        lines=ready.lines, plan=ready.plan, held_out=held_out, backend=backend, keeps=keeps_logits(model), model=model,
        args=ready.args, processing_class=ready.tokenizer, callbacks=list(callbacks),
    )  # fmt: skip
    trainer.remove_callback(PrinterCallback)
    return trainer


def quiet_libraries() -> None:
    """Let the libraries speak of errors alone: what a run has to say it says itself."""
    from transformers.utils import logging as of_transformers

    of_transformers.set_verbosity_error()
    of_transformers.disable_progress_bar()
    logging.getLogger("accelerate").setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", category=FutureWarning)
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "true")


def report(ready: Prepared, say: Say, language: str) -> None:
    """Say what will be trained on, and which rows will not be as they are."""
    data, config, words = ready.data, ready.config, strings(language, "train")
    pieces, held_out = data.pieces, data.held_out_pieces
    rows, tokens = len(ready.plan.pattern), int(pieces.length.sum())
    say(words["say.examples"].format(count=len(pieces), tokens=tokens, labels=int(pieces.labels.sum())))
    if config.packing:
        say(words["say.packed"].format(rows=rows, length=config.max_length, fill=tokens / (rows * config.max_length)))
    if held_out is not None:
        say(words["say.held_out"].format(count=len(held_out)))
    if data.losses.cut or data.losses.empty:
        say(words["say.warning"].format(line=dataset.lost(data.losses, config.max_length, language)))


def facts_of(ready: Prepared, model: Any, backend: str) -> dict[str, Any]:
    """Return what is known of the run beside its settings, for the first line of the log."""
    data, held_out = ready.data, ready.data.held_out_pieces
    inner = model.get_base_model() if hasattr(model, "get_base_model") else model
    return {
        "objective": data.objective, "method": ready.config.method, "train_rows": len(data.pieces),
        # Packed rows hold several examples each: what rules count is examples.
        "total_train_batch_size": round(ready.args.train_batch_size * ready.args.gradient_accumulation_steps * ready.args.world_size
            * len(data.pieces) / len(ready.plan.pattern), 2),
        "max_length": ready.config.max_length, "packing": ready.config.packing,
        "learning_rate_decay_ratio": ready.config.learning_rate_decay_ratio, "model": ready.config.model,
        "eval_rows": len(held_out) if held_out is not None else 0, "vocab_size": inner.config.get_text_config().vocab_size,
        "num_parameters": sum(p.numel() for p in model.parameters()),
        "trainable_parameters": sum(p.numel() for p in model.parameters() if p.requires_grad),
        "precision": precision_of(ready.config, ready.device), "attention": backend, "chat_template": data.template,
        **({"target_modules": ready.config.target_modules} if ready.config.adapter else {}),
    }  # fmt: skip


def _train(trainer: PackedTrainer, checkpoint: Path | None, live: AdvisorCallback, words: Words) -> None:
    run = Path(trainer.args.output_dir)
    try:
        trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    except Exception as error:
        if trainer.is_world_process_zero():
            shutil.rmtree(run / checkpoints.STAGE, ignore_errors=True)
            live.failed(error)
        facts = {"run": run, "step": trainer.state.global_step, "how_on": _how_on(run, words)}
        if _no_room(error):
            raise Failed(words["ended.no_room"].format(**facts)) from error
        if _no_memory(error):
            said = " ".join(str(error).split())[:MESSAGE]
            raise Failed(words["ended.no_memory"].format(**facts, error=said)) from error
        if isinstance(error, ImportError):  # of an optimizer: the Trainer makes it only now
            raise Failed(words["ended.missing"].format(**facts, error=" ".join(str(error).split())[:MESSAGE])) from error
        raise


MESSAGE = 160
"""Characters of somebody else's message that an error repeats."""


NO_ROOM = (
    "No space left", "os error 28", "File too large", "PytorchStreamWriter failed", "iostream error", "unexpected pos",
)  # fmt: skip
"""What Rust and torch say where the disk is full: they have words of their own."""


def _no_room(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            return True
        if any(said in str(error) for said in NO_ROOM):
            return True
        error = error.__cause__ or error.__context__
    return False


def _no_memory(error: BaseException) -> bool:
    return isinstance(error, torch.OutOfMemoryError | MemoryError) or "can't allocate memory" in str(error)


def _how_on(run: Path, words: Words) -> str:
    known = checkpoints.complete(run)
    if not known:
        return words["ended.no_checkpoint"].format(run=run)
    return words["ended.goes_on"].format(checkpoint=known[-1], run=run)


def _keep_model(trainer: PackedTrainer, run: Path, words: Words) -> None:
    """Leave the trained model in the run folder, whole or not at all."""
    stage = run / checkpoints.STAGE
    try:
        trainer.save_model(str(stage / MODEL))
    except Exception as error:
        shutil.rmtree(stage, ignore_errors=True)
        if _no_room(error):
            raise Failed(words["ended.no_room_for_model"].format(run=run, how_on=_how_on(run, words))) from error
        raise
    if trainer.is_world_process_zero():
        shutil.rmtree(run / MODEL, ignore_errors=True)
        (stage / MODEL).replace(run / MODEL)
        shutil.rmtree(stage, ignore_errors=True)
