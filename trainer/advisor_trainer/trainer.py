"""`transformers.Trainer` with our data, our loss and our checkpoints; everything else is its own."""

from __future__ import annotations

import math
import shutil
import time
from collections import deque
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

import torch
from torch import nn
from transformers import Trainer
from transformers.trainer_utils import EvalLoopOutput

from advisor_trainer import checkpoints
from advisor_trainer.batches import Lines, Loader, Micro, Plan
from advisor_trainer.loss import summed

STATE = "trainer_state.json"


class PackedTrainer(Trainer):
    """Trains on lines of packed documents. backend: the attention; keeps: the model computes chosen logits alone.

    Every process knows the label tokens of the whole step from the plan: the loss is their mean, over accumulation and processes,
    without asking anybody. recent: the latest micro-batches with their loss, still on the device.
    """

    def __init__(
        self, *, lines: Lines, plan: Plan, held_out: tuple[Lines, Plan] | None, backend: str, keeps: bool, **given: Any
    ) -> None:
        # Only that there are datasets matters to the Trainer: the loaders below make the batches.
        super().__init__(train_dataset=lines, eval_dataset=held_out[0] if held_out else None, **given)
        self._lines, self._plan, self._held_out = lines, plan, held_out
        self._backend, self._keeps = backend, keeps
        self.model_accepts_loss_kwargs = True
        self._parameters = sum(p.numel() for p in self.model.parameters())
        self._tokens_seen = 0
        self._tokens_logged, self._time_logged = 0, time.perf_counter()
        self._stage: Path | None = None
        self.recent: deque[tuple[int, Micro, torch.Tensor]] = deque(maxlen=4096)

    # batches

    def get_train_dataloader(self) -> Any:
        """Return the loader of the plan; accelerate is not asked to shard what is sharded already."""
        return self._loader(self._lines, self._plan)

    def get_eval_dataloader(self, eval_dataset: Any = None) -> Any:  # noqa: ARG002  the Trainer's interface
        """Return the loader of what is held out."""
        assert self._held_out is not None
        return self._loader(*self._held_out)

    def _loader(self, lines: Lines, plan: Plan) -> Loader:
        accelerator = self.args.device.type != "cpu"
        return Loader(lines, plan, pin=self.args.device.type == "cuda", workers=2 if accelerator else 0)

    def get_batch_samples(self, epoch_iterator: Iterator[Any], num_batches: int, device: Any) -> tuple[list[Any], int]:  # noqa: ARG002
        """Return the micro-batches of a step and the label tokens in them, of all processes."""
        batches = list(islice(epoch_iterator, num_batches))
        micros: list[Micro] = [batch["micro"] for batch in batches]
        self._tokens_seen += sum(micro.tokens for micro in micros)
        self.state.num_input_tokens_seen += sum(micro.tokens for micro in micros)
        return batches, max(1, sum(micro.labels for micro in micros))

    def floating_point_ops(self, inputs: Mapping[str, Any]) -> int:
        """Return about what a step computes; the Trainer would count the weights anew each time."""
        return 6 * int(inputs["input_ids"].numel()) * self._parameters

    # loss

    def compute_loss(
        self, model: nn.Module, inputs: dict[str, Any], return_outputs: bool = False, num_items_in_batch: int | None = None
    ) -> Any:
        """Return the loss of a micro-batch: its sum over the label tokens of the whole step.

        Gradients and logged losses are averaged over processes, hence the factor.
        """
        loss = summed(model, inputs, self._backend, keeps=self._keeps) * (self.args.world_size / (num_items_in_batch or 1))
        self.recent.append((self.state.global_step + 1, inputs["micro"], loss.detach()))
        return (loss, {}) if return_outputs else loss

    def evaluation_loop(self, dataloader: Any, *_: Any, metric_key_prefix: str = "eval", **__: Any) -> EvalLoopOutput:
        """Return the mean loss over all label tokens that are held out, whatever the batches are."""
        model = self.model
        training = model.training
        model.eval()
        total = torch.zeros(2, dtype=torch.float64)
        with torch.no_grad(), self.compute_loss_context_manager():
            for batch in dataloader:
                inputs = self._prepare_inputs(batch)
                total[0] += summed(model, inputs, self._backend, keeps=self._keeps).double().cpu()
                total[1] += int((inputs["targets"] >= 0).sum())
        model.train(training)
        if self.args.world_size > 1:
            total = self.accelerator.reduce(total.to(self.args.device, torch.float32), "sum").cpu()
        loss = float(total[0] / total[1].clamp_min(1))
        rows = len(self._held_out[1].pieces) if self._held_out else 0
        self._not_training()
        return EvalLoopOutput(predictions=None, label_ids=None, metrics={f"{metric_key_prefix}_loss": loss}, num_samples=rows)

    # log

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """Add throughput to what is logged."""
        if "loss" in logs:
            now = time.perf_counter()
            rate = (self._tokens_seen - self._tokens_logged) / max(now - self._time_logged, 1e-9)
            if rate:  # nothing is known of the first step after an evaluation that ends an epoch
                logs["tokens_per_second"] = round(rate, 1)
            logs["num_tokens"] = self.state.num_input_tokens_seen
            self._tokens_logged, self._time_logged = self._tokens_seen, now
            # The Trainer begins the next interval by taking the sum from itself, and NaN less NaN is NaN for ever.
            self._tr_loss.zero_()
        super().log(logs, start_time)

    def _run_epoch(self, *given: Any, **named: Any) -> None:
        """Run an epoch; but a run that is resumed at its last step has none left, where the Trainer would take one more."""
        if self.state.global_step >= self.state.max_steps:
            self.control.should_training_stop = True
        else:
            super()._run_epoch(*given, **named)

    def _maybe_log_save_evaluate(self, *given: Any, **named: Any) -> None:
        """Do as the Trainer does; where only one process found a reason to stop, let all stop at the same step."""
        several = self.args.world_size > 1 and (self.control.should_log or self.control.should_evaluate or self.control.should_save)
        super()._maybe_log_save_evaluate(*given, **named)
        if several:
            stop = torch.tensor([float(self.control.should_training_stop)], device=self.args.device)
            torch.distributed.all_reduce(stop)
            self.control.should_training_stop = bool(stop.item())

    def _not_training(self) -> None:
        """Leave the time until now out of the throughput that is logged next."""
        self._tokens_logged, self._time_logged = self._tokens_seen, time.perf_counter()

    # checkpoints

    def _get_output_dir(self, trial: Any) -> str:
        return str(self._stage) if self._stage is not None else super()._get_output_dir(trial)

    def _save_checkpoint(self, model: Any, trial: Any) -> None:
        """Write a checkpoint aside, seal it, give it its name by one rename, and only then delete old ones."""
        run = Path(self.args.output_dir)
        stage = run / checkpoints.STAGE
        if self.is_world_process_zero():
            shutil.rmtree(stage, ignore_errors=True)
            stage.mkdir(parents=True)
        self.accelerator.wait_for_everyone()
        limit, self.args.save_total_limit = self.args.save_total_limit, None
        self._stage = stage
        try:
            super()._save_checkpoint(model, trial)
        finally:
            self._stage, self.args.save_total_limit = None, limit
        self._point_at_best(run, stage)
        name = f"checkpoint-{self.state.global_step}"
        interval = self._interval()
        self.accelerator.wait_for_everyone()
        if self.is_world_process_zero():
            self.state.save_to_json(str(stage / name / STATE))
            checkpoints.sealed(stage / name, interval)
            checkpoints.named(stage / name, run / name)
            shutil.rmtree(stage, ignore_errors=True)
            checkpoints.thinned(run, limit or 1, self.state.best_model_checkpoint)
            self.state.save_to_json(str(run / STATE))
        self.accelerator.wait_for_everyone()
        self._not_training()

    def _point_at_best(self, run: Path, stage: Path) -> None:
        best = self.state.best_model_checkpoint
        if best is not None and Path(best).parent == stage:
            self.state.best_model_checkpoint = str(run / Path(best).name)

    def _interval(self) -> dict[str, Any]:
        """Return the loss since the last log line, which the next one will be the mean of."""
        loss = self._tr_loss.detach().double().to(self.args.device)
        if self.args.world_size > 1:
            loss = self.accelerator.reduce(loss.float(), "mean")
        return {"tr_loss": float(loss), "last_logged": self._globalstep_last_logged}

    def restore(self, checkpoint: Path) -> None:
        """Go on with the log interval in which `checkpoint` was written. To be called when training begins."""
        state = checkpoints.state_of(checkpoint) or {}
        loss = float(state.get("tr_loss", 0.0))
        self._tr_loss += loss if math.isfinite(loss) else float("nan")
        self._globalstep_last_logged = int(state.get("last_logged", self.state.global_step))
