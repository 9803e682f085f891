"""What prints a tool's log, by itself: for tools whose training wants a GPU.

The function or class is the tool's own, out of its installed package, and what it prints is of a
loop of ours on a CPU. Where its module imports what only a GPU can run, the part is taken alone.
"""

from __future__ import annotations

import ast
import importlib.util
import math
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

EPOCHS, BATCH = 3, 10


def _file_of(module: str) -> Path:
    below = f"{module.replace('.', '/')}.py"
    return next(path for folder in sys.path if (path := Path(folder, below)).exists())


def module_alone(name: str) -> ModuleType:
    """Return a module of an installed package, without the modules of the packages around it."""
    spec = importlib.util.spec_from_file_location(name.rpartition(".")[2], _file_of(name))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def parts_of(name: str, *parts: str, **given: Any) -> dict[str, Any]:
    """Return functions or classes of a module, run where nothing stands but what is given."""
    tree = ast.parse(_file_of(name).read_text(encoding="utf-8"))
    future = [n for n in tree.body if isinstance(n, ast.ImportFrom) and n.module == "__future__"]
    kept = [n for n in tree.body if getattr(n, "name", None) in parts]
    annotations = ast.parse("from __future__ import annotations").body
    tree.body = [*(future or annotations), *kept]
    exec(compile(tree, name, "exec"), given)
    return given


def _descent() -> Iterator[tuple[int, float, float, float, Any]]:
    """Train a classifier; yield the step, its loss, its gradient's norm, its rate, and the net."""
    import torch
    from torch.nn.functional import cross_entropy

    from make_tool_logs import noisy_labels

    torch.manual_seed(1)
    x, y, _, _ = map(torch.from_numpy, noisy_labels())
    net = torch.nn.Sequential(
        torch.nn.Linear(x.shape[1], 16), torch.nn.ReLU(), torch.nn.Linear(16, 2)
    )
    adam = torch.optim.Adam(net.parameters(), 1e-2)
    fall = torch.optim.lr_scheduler.LinearLR(adam, 1.0, 0.1, EPOCHS * len(x) // BATCH)
    for step in range(EPOCHS * len(x) // BATCH):
        rows = torch.arange(step * BATCH, (step + 1) * BATCH) % len(x)
        loss = cross_entropy(net(x[rows]), y[rows].long())
        adam.zero_grad()
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        rate = adam.param_groups[0]["lr"]
        adam.step()
        fall.step()
        yield step + 1, loss.item(), norm.item(), rate, net


def held_out_loss(net: Any) -> float:
    """Return the mean loss over what is not trained on."""
    import torch
    from torch.nn.functional import cross_entropy

    from make_tool_logs import noisy_labels

    _, _, x, y = map(torch.from_numpy, noisy_labels())
    with torch.no_grad():
        return cross_entropy(net(x), y.long()).item()


def megatron() -> None:
    """`training_log` and `evaluate_and_print_results` of Megatron Bridge."""
    import datetime

    import torch

    class OnCpu:
        """Torch, whose tensors are made on the CPU wherever they are asked for."""

        float, Tensor = torch.float, torch.Tensor

        @staticmethod
        def tensor(values: Any, dtype: Any, device: str) -> Any:  # noqa: ARG004
            return torch.tensor(values, dtype=dtype)

    class Timers:
        """The one timer that is asked for."""

        def __init__(self) -> None:
            self.since = time.perf_counter()

        def __call__(self, _name: str) -> Timers:
            return self

        def elapsed(self, *, barrier: bool) -> float:  # noqa: ARG002
            now = time.perf_counter()
            since, self.since = self.since, now
            return now - since

        def log(self, *_: Any, **__: Any) -> None:
            pass

    log = parts_of(
        "megatron.bridge.training.utils.train_utils",
        "training_log",
        torch=OnCpu,
        datetime=datetime.datetime,
        get_num_microbatches=lambda: 1,
        get_pg_collection=lambda _: SimpleNamespace(mp=None, dp=None),
        get_world_size_safe=lambda: 1,
        num_floating_point_operations=lambda *_: 1e9,
        print_rank_0=print,
        print_rank_last=print,
        reduce_max_stat_across_model_parallel_group=lambda value, mp_group: value,  # noqa: ARG005
    )["training_log"]
    losses: dict[str, Any] = {}
    evaluate = parts_of(
        "megatron.bridge.training.eval",
        "evaluate_and_print_results",
        math=math,
        evaluate=lambda *_, **__: (losses, None, False),
        should_fire=lambda *_: False,
        is_last_rank=lambda: True,
        print_rank_last=print,
    )["evaluate_and_print_results"]
    nothing = dict.fromkeys(("num_moe_experts", "mtp_num_layers"))
    board = ("log_timers_to_tensorboard", "log_throughput_to_tensorboard")
    logger = {"timing_log_level": 0, "log_interval": 5, "log_throughput": True}
    config = SimpleNamespace(
        logger=SimpleNamespace(**logger, **dict.fromkeys(board, False)),
        train=SimpleNamespace(micro_batch_size=BATCH, train_iters=120),
        model=SimpleNamespace(**nothing),
        data_parallel_size=1,
        profiling=None,
    )
    state = SimpleNamespace(
        timers=Timers(),
        train_state=SimpleNamespace(step=0, consumed_train_samples=0, skipped_train_samples=0),
        **dict.fromkeys(("tensorboard_logger", "wandb_logger", "mlflow_logger", "energy_monitor")),
    )
    totals: dict[str, Any] = {}
    for step, loss, norm, rate, net in _descent():
        state.train_state.step = step
        state.train_state.consumed_train_samples = step * BATCH
        found = {"lm loss": torch.tensor([loss])}
        log(found, totals, rate, None, 1.0, False, 0, norm, None, None, config, state, [], [])
        if step % 40 == 0:
            losses["lm loss"] = torch.tensor([held_out_loss(net)])
            place = f"iteration {step} on validation set"
            evaluate(state, place, None, None, [], config, verbose=True)


def nemo() -> None:
    """NeMo's ProgressPrinter, as the callback of a Lightning Trainer."""
    import lightning.pytorch
    import torch
    from torch.nn.functional import cross_entropy
    from torch.utils.data import DataLoader, TensorDataset

    from make_tool_logs import noisy_labels

    printer = module_alone("nemo.lightning.pytorch.callbacks.progress_printer").ProgressPrinter

    class Model(lightning.pytorch.LightningModule):
        def __init__(self) -> None:
            super().__init__()
            self.net = torch.nn.Sequential(
                torch.nn.Linear(10, 16), torch.nn.ReLU(), torch.nn.Linear(16, 2)
            )

        def training_step(self, batch: Any, place: int) -> Any:
            loss = cross_entropy(self.net(batch[0]), batch[1])
            # NeMo's strategy counts the batches of an epoch and logs these.
            self.trainer.strategy.current_epoch_step = place + 1
            step = float(self.trainer.global_step)
            told = {"lr": 1e-2, "global_batch_size": float(BATCH), "global_step": step}
            for name, value in (told | {"reduced_train_loss": loss}).items():
                self.log(name, value, prog_bar=True, batch_size=1)
            return loss

        def configure_optimizers(self) -> Any:
            return torch.optim.Adam(self.parameters(), 1e-2)

    lightning.pytorch.seed_everything(1)
    x, y, _, _ = map(torch.from_numpy, noisy_labels())
    lightning.pytorch.Trainer(
        max_epochs=EPOCHS,
        accelerator="cpu",
        logger=False,
        enable_checkpointing=False,
        callbacks=[printer(log_interval=4)],
    ).fit(Model(), DataLoader(TensorDataset(x, y.long()), BATCH, shuffle=True))
