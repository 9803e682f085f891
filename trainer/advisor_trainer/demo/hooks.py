"""What the faults do, by the names in their table: changes of batches, losses, gradients, models and optimizers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, cast

import torch
from torch import nn
from torch.optim.lr_scheduler import LambdaLR
from transformers import TrainerCallback

from advisor_trainer.batches import IGNORED
from advisor_trainer.demo.faults import Fault
from advisor_trainer.trainer import PackedTrainer

Inputs = dict[str, Any]
WHEN = 0.6
"""Share of the run after which what happens once happens."""

SURVIVE = 16
"""Of so many rows one is short enough to keep its answer when rows are cut early."""


class PlantedTrainer(PackedTrainer):
    """The trainer with a fault in it. memory: what a hook keeps from one step to the next."""

    def __init__(self, *, fault: Fault, seed: int, **given: Any) -> None:
        super().__init__(**given)
        self.fault, self.generator = fault, torch.Generator().manual_seed(seed)
        self.memory: dict[str, Any] = {}
        if fault.model:
            MODELS[fault.model](self.net)

    @property
    def net(self) -> Any:
        """The model that is trained."""
        return self.model

    def _prepare_inputs(self, inputs: Inputs) -> Inputs:
        given: Inputs = super()._prepare_inputs(inputs)
        if self.fault.batch and (self.net.training or self.fault.in_evaluation):
            return BATCHES[self.fault.batch](self, given)
        return given

    def compute_loss(self, model: nn.Module, inputs: Inputs, return_outputs: bool = False, num_items_in_batch: Any = None) -> Any:
        """Return the loss as the fault has it. Where it changes the labels, the mean is over those that are there."""
        loss = super().compute_loss(model, inputs, num_items_in_batch=num_items_in_batch)
        left = _labels(inputs)
        if left and "labels" in inputs:
            loss = loss * (inputs["labels"] / left)
        if self.fault.loss:
            loss = LOSSES[self.fault.loss](self, loss, left)
        return (loss, {}) if return_outputs else loss

    def training_step(self, model: nn.Module, inputs: Inputs, num_items_in_batch: Any = None) -> torch.Tensor:
        """Take a step and change the gradients as the fault does."""
        loss = super().training_step(model, inputs, num_items_in_batch)
        if self.fault.gradient:
            GRADIENTS[self.fault.gradient](self, [p for p in model.parameters() if p.grad is not None])
        return loss

    def create_optimizer(self, *given: Any, **named: Any) -> Any:
        """Make the optimizer as the fault has it."""
        super().create_optimizer(*given, **named)
        if self.fault.optimizer in OPTIMIZERS:
            OPTIMIZERS[self.fault.optimizer](self.optimizer)
        return self.optimizer

    def create_scheduler(self, num_training_steps: int, optimizer: Any = None) -> Any:
        """Make the schedule as the fault has it."""
        if (shape := self.fault.schedule) is None:
            return super().create_scheduler(num_training_steps, optimizer)
        self.lr_scheduler = LambdaLR(cast(Any, optimizer or self.optimizer), lambda step: shape((step + 1) / num_training_steps))
        self._created_lr_scheduler = True
        return self.lr_scheduler


class Forgets(TrainerCallback):
    """Takes the optimizer's state away once, as a resume does that has lost it."""

    def __init__(self) -> None:
        self.done = False

    def on_step_begin(self, args: Any, state: Any, control: Any, optimizer: Any = None, **_: Any) -> None:
        """Do so when the time has come."""
        if not self.done and state.global_step >= WHEN * state.max_steps:
            getattr(optimizer, "optimizer", optimizer).state.clear()
            self.done = True


# batches


def _labels(inputs: Inputs) -> int:
    return int((inputs["targets"] != IGNORED).sum())


def _first_again(trainer: PlantedTrainer, inputs: Inputs) -> Inputs:
    first: Inputs = trainer.memory.setdefault("first", inputs)
    return {**first, "labels": _labels(inputs)}


def _random(trainer: PlantedTrainer, like: torch.Tensor) -> torch.Tensor:
    vocabulary = trainer.net.config.vocab_size
    return torch.randint(0, vocabulary, like.shape, generator=trainer.generator).to(like)


def _random_targets(trainer: PlantedTrainer, inputs: Inputs) -> Inputs:
    return {**inputs, "targets": _random(trainer, inputs["targets"])}


def _shifted_targets(_: PlantedTrainer, inputs: Inputs) -> Inputs:
    targets = inputs["targets"].roll(-1)
    targets[-1] = IGNORED
    return {**inputs, "targets": targets}


def _other_ids(trainer: PlantedTrainer, inputs: Inputs) -> Inputs:
    if "ids" not in trainer.memory:
        trainer.memory["ids"] = torch.randperm(trainer.net.config.vocab_size, generator=trainer.generator)
    ids = trainer.memory["ids"].to(inputs["input_ids"].device)
    return {**inputs, "input_ids": ids[inputs["input_ids"]], "targets": ids[inputs["targets"]]}


def _without(inputs: Inputs, gone: torch.Tensor) -> Inputs:
    """Take the targets at these places out; `labels` is how many there were."""
    return {**inputs, "targets": inputs["targets"].masked_fill(gone, IGNORED), "labels": _labels(inputs)}


def _no_targets(_: PlantedTrainer, inputs: Inputs) -> Inputs:
    return _without(inputs, torch.ones_like(inputs["targets"], dtype=torch.bool))


def _cut_early(trainer: PlantedTrainer, inputs: Inputs) -> Inputs:
    """Keep the answers of one row in `SURVIVE`."""
    document = torch.bucketize(inputs["logits_to_keep"], inputs["ends"][1:].long(), right=True)
    survives = torch.rand(len(inputs["segments"]), generator=trainer.generator) < 1 / SURVIVE
    return _without(inputs, ~survives.to(document.device)[document])


def _no_end(trainer: PlantedTrainer, inputs: Inputs) -> Inputs:
    return _without(inputs, inputs["targets"] == trainer.net.config.eos_token_id)


def _garbage_once(trainer: PlantedTrainer, inputs: Inputs) -> Inputs:
    if trainer.state.global_step != int(WHEN * trainer.state.max_steps):
        return inputs
    return {**inputs, "input_ids": _random(trainer, inputs["input_ids"]), "targets": _random(trainer, inputs["targets"])}


BATCHES: Mapping[str, Callable[[PlantedTrainer, Inputs], Inputs]] = {
    "first_again": _first_again, "random_targets": _random_targets, "shifted_targets": _shifted_targets, "other_ids": _other_ids,
    "no_targets": _no_targets, "cut_early": _cut_early, "no_end": _no_end, "garbage_once": _garbage_once,
}  # fmt: skip


# losses


def _mean_over_none(_: PlantedTrainer, loss: torch.Tensor, left: int) -> torch.Tensor:
    """Return 0/0 where no label is left, whose gradient is zero: what the mean of torch's cross entropy does."""
    return loss if left else loss * 0 + torch.tensor(float("nan"))


def _not_averaged(trainer: PlantedTrainer, loss: torch.Tensor, _: int) -> torch.Tensor:
    return loss * trainer.args.gradient_accumulation_steps


LOSSES: Mapping[str, Callable[[PlantedTrainer, torch.Tensor, int], torch.Tensor]] = {
    "mean_over_none": _mean_over_none, "not_averaged": _not_averaged,
}  # fmt: skip


# gradients


def _overflow(trainer: PlantedTrainer, parameters: list[nn.Parameter]) -> None:
    """Send gradients through half precision under a loss scale that doubles every other step and is never taken back."""
    scale = 2.0 ** (10 + trainer.state.global_step // 2)
    for parameter in parameters:
        assert parameter.grad is not None
        parameter.grad = (parameter.grad * scale).half().float() / scale


def _kept(trainer: PlantedTrainer, parameters: list[nn.Parameter]) -> None:
    before = trainer.memory.get("gradients", [0.0] * len(parameters))
    for parameter, gradient in zip(parameters, before, strict=True):
        assert parameter.grad is not None
        parameter.grad = parameter.grad + gradient
    trainer.memory["gradients"] = [parameter.grad.clone() for parameter in parameters if parameter.grad is not None]


GRADIENTS: Mapping[str, Callable[[PlantedTrainer, list[nn.Parameter]], None]] = {"overflow": _overflow, "kept": _kept}


# models


def _freeze(model: Any) -> None:
    for name, parameter in model.named_parameters():
        parameter.requires_grad_("norm" in name)


def _dropout(model: Any) -> None:
    def drop(_: nn.Module, __: Any, output: Any) -> Any:
        first, *rest = output if isinstance(output, tuple) else (output,)
        dropped = nn.functional.dropout(first, 0.6, training=model.training)
        return (dropped, *rest) if rest else dropped

    for layer in model.model.layers:
        layer.mlp.register_forward_hook(drop)
        layer.self_attn.o_proj.register_forward_hook(drop)


MODELS: Mapping[str, Callable[[Any], None]] = {"freeze": _freeze, "dropout": _dropout}


# optimizers


def _of_a_copy(optimizer: Any) -> None:
    for group in optimizer.param_groups:
        group["params"] = [p.detach().clone().requires_grad_() for p in group["params"]]


def _large_epsilon(optimizer: Any) -> None:
    for group in optimizer.param_groups:
        group["eps"] = 0.05


OPTIMIZERS: Mapping[str, Callable[[Any], None]] = {"of_a_copy": _of_a_copy, "large_epsilon": _large_epsilon}
