"""Make the sample logs of other tools: `python sample_logs/make/make_tool_logs.py NAME…`.

Each NAME is a key of `LOGS`; the tool must be installed (requirements-tools.txt). What the tool
prints is kept as it prints it, in `sample_logs/formats/FORMAT/`. Every run is of seconds, Unsloth's
of two minutes. The logs of tools that cannot run here are written by hand, after the tool's
documentation; MANIFEST-tools.toml and MANIFEST-consoles.toml say which, and why.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import framework_runs
import hf_runs
import logger_runs
import parallel_runs
import tool_runs
import translation_runs
import trl_runs
import vision_runs
from console import without_machine_paths

MAKE = Path(__file__).resolve().parent
FORMATS = MAKE.parent / "formats"
ENVIRONMENT = {"OMP_NUM_THREADS": "1", "PYTHONIOENCODING": "utf-8", "KERAS_BACKEND": "torch"}
PYTHON_PATH = {"PYTHONPATH": os.pathsep.join([str(MAKE), os.environ.get("PYTHONPATH", "")])}
OFFLINE = {"HF_HUB_OFFLINE": "1", "HF_DATASETS_DISABLE_PROGRESS_BARS": "1"}
ROWS, HELD_OUT, FEATURES = 600, 200, 10


def noisy_labels():
    """Return features and 0/1 labels, a fifth of them wrong, for training and for evaluation."""
    import numpy as np

    random = np.random.default_rng(1)
    x = random.normal(size=(ROWS, FEATURES)).astype("float32")
    y = ((x[:, 0] + x[:, 1] * x[:, 2] > 0) ^ (random.random(ROWS) < 0.2)).astype("float32")
    return x[HELD_OUT:], y[HELD_OUT:], x[:HELD_OUT], y[:HELD_OUT]


def xgboost_train() -> None:
    """Two metrics on two named sets, stopped early."""
    import xgboost

    x, y, x_held, y_held = noisy_labels()
    train, held = xgboost.DMatrix(x, y), xgboost.DMatrix(x_held, y_held)
    xgboost.train(
        {"objective": "binary:logistic", "eval_metric": ["logloss", "auc"]},
        train,
        60,
        evals=[(train, "train"), (held, "eval")],
        early_stopping_rounds=12,
    )


def xgboost_sklearn() -> None:
    """The interface of scikit-learn, which names no sets."""
    import xgboost

    x, y, x_held, y_held = noisy_labels()
    model = xgboost.XGBRegressor(n_estimators=30, eval_metric="rmse")
    model.fit(x, y, eval_set=[(x, y), (x_held, y_held)])


def lightgbm_train() -> None:
    """Two metrics on two sets, the best iteration told again."""
    import lightgbm

    x, y, x_held, y_held = noisy_labels()
    train = lightgbm.Dataset(x, y)
    lightgbm.train(
        {"objective": "binary", "metric": ["auc", "binary_logloss"], "num_leaves": 15},
        train,
        60,
        valid_sets=[train, lightgbm.Dataset(x_held, y_held, reference=train)],
        callbacks=[lightgbm.log_evaluation(5), lightgbm.early_stopping(30)],
    )


def catboost_fit() -> None:
    """A loss that the log does not name."""
    import catboost

    x, y, x_held, y_held = noisy_labels()
    model = catboost.CatBoostClassifier(
        iterations=60, metric_period=5, learning_rate=0.1, allow_writing_files=False, thread_count=1
    )
    model.fit(x, y, eval_set=(x_held, y_held))


def keras_bars() -> None:
    """Bars written over one another, and an evaluation after the last epoch."""
    _keras(1)


def keras_lines() -> None:
    """A line an epoch, with CSVLogger and the history."""
    import keras

    history = _keras(2, keras.callbacks.CSVLogger("log.csv"))
    Path("history.json").write_text(json.dumps(history.history), encoding="utf-8")


def _keras(verbose: int, *callbacks: Any) -> Any:
    import keras

    keras.utils.set_random_seed(1)
    x, y, x_held, y_held = noisy_labels()
    layers = [keras.layers.Dense(16, "relu"), keras.layers.Dense(1, "sigmoid")]
    model = keras.Sequential(layers)
    model.compile(keras.optimizers.Adam(0.01), "binary_crossentropy", metrics=["accuracy"])
    held = (x_held, y_held)
    history = model.fit(
        x, y, 100, 5, verbose=verbose, validation_data=held, callbacks=list(callbacks)
    )
    model.evaluate(x_held, y_held)
    return history


def lightning_fit() -> None:
    """A bar on the console, and `metrics.csv`."""
    import lightning
    import torch
    from lightning.pytorch.callbacks import TQDMProgressBar
    from lightning.pytorch.loggers import CSVLogger
    from torch.nn.functional import binary_cross_entropy_with_logits as cross_entropy
    from torch.utils.data import DataLoader, TensorDataset

    class Model(lightning.LightningModule):
        def __init__(self):
            super().__init__()
            self.net = torch.nn.Sequential(
                torch.nn.Linear(FEATURES, 16), torch.nn.ReLU(), torch.nn.Linear(16, 1)
            )

        def training_step(self, batch, _):
            loss = cross_entropy(self.net(batch[0])[:, 0], batch[1])
            self.log("train_loss", loss, prog_bar=True, on_step=True, on_epoch=True)
            return loss

        def validation_step(self, batch, _):
            self.log("val_loss", cross_entropy(self.net(batch[0])[:, 0], batch[1]), prog_bar=True)

        def configure_optimizers(self):
            return torch.optim.Adam(self.parameters(), 1e-2)

    lightning.seed_everything(1)
    x, y, x_held, y_held = map(torch.from_numpy, noisy_labels())
    trainer = lightning.Trainer(
        max_epochs=4,
        accelerator="cpu",
        logger=CSVLogger("."),
        log_every_n_steps=4,
        enable_checkpointing=False,
        callbacks=[TQDMProgressBar(refresh_rate=5)],
    )
    train = DataLoader(TensorDataset(x, y), 20, shuffle=True)
    trainer.fit(Model(), train, DataLoader(TensorDataset(x_held, y_held), 20))


def fastai_fit() -> None:
    """The printed table, between fastprogress's bars."""
    import fastai.callback.schedule  # noqa: F401  (adds fit_one_cycle)
    import torch
    from fastai.data.core import DataLoaders
    from fastai.learner import Learner
    from fastai.metrics import rmse

    torch.manual_seed(1)
    x, y, x_held, y_held = (torch.from_numpy(part) for part in noisy_labels())
    train, held = (
        list(zip(x, y[:, None], strict=True)),
        list(zip(x_held, y_held[:, None], strict=True)),
    )
    net = torch.nn.Sequential(
        torch.nn.Linear(FEATURES, 16), torch.nn.ReLU(), torch.nn.Linear(16, 1)
    )
    loaders = DataLoaders.from_dsets(train, held, bs=50)
    Learner(loaders, net, loss_func=torch.nn.MSELoss(), metrics=[rmse]).fit_one_cycle(5, 1e-2)


LOGS: dict[str, tuple[Callable[[], None], dict[str, str]]] = {
    "xgboost": (xgboost_train, {"": "boosting/xgboost.log"}),
    "xgboost-sklearn": (xgboost_sklearn, {"": "boosting/xgboost-sklearn.log"}),
    "lightgbm": (lightgbm_train, {"": "boosting/lightgbm.log"}),
    "catboost": (catboost_fit, {"": "catboost/catboost.log"}),
    "keras-bars": (keras_bars, {"": "keras-console/bars.log"}),
    "keras-lines": (
        keras_lines,
        {
            "": "keras-console/lines.log",
            "log.csv": "csv/keras-csv-logger.csv",
            "history.json": "json-document/keras-history.json",
        },
    ),
    "trainer": (
        hf_runs.trainer,
        {
            "log-history.json": "json-array/log-history.json",
            "out/all_results.json": "json-document/all_results.json",
        },
    ),
    "lightning": (
        lightning_fit,
        {"": "text/lightning-bar.log", "**/metrics.csv": "csv/lightning-metrics.csv"},
    ),
    "mlx-lm": (tool_runs.mlx_lm, {"": "mlx-console/train.log"}),
    "mlx-lm-until-2025": (tool_runs.mlx_lm, {"": "text/mlx-lm.log"}),
    "torchtune": (
        tool_runs.torchtune,
        {"": "text/torchtune-bar.log", "logs/log.txt": "text/torchtune.log"},
    ),
    "litgpt": (tool_runs.litgpt, {"": "litgpt/finetune.log"}),
    "mindspore": (tool_runs.mindspore, {"": "text/mindspore.log"}),
    "paddle-fit": (tool_runs.paddle_fit, {"": "text/paddle-fit.log"}),
    "mmengine-epochs": (
        tool_runs.mmengine_epochs,
        {
            "work/*/*.log": "text/mmengine-epochs.log",
            "work/*/vis_data/scalars.json": "json-lines/mmengine-epochs.json",
        },
    ),
    "mmengine-steps": (
        tool_runs.mmengine_steps,
        {
            "work/*/*.log": "text/xtuner.log",
            "work/*/vis_data/scalars.json": "json-lines/mmengine-scalars.json",
        },
    ),
    "llama-factory": (
        tool_runs.llama_factory,
        {
            "": "hf-console/llama-factory.log",
            "running_log.txt": "hf-console/llama-factory-running.log",
            "out/trainer_log.jsonl": "json-lines/llama-factory-trainer-log.jsonl",
            "out/checkpoint-100/trainer_state.json": "hf-trainer-state/llama-factory.json",
        },
    ),
    "ms-swift": (
        hf_runs.ms_swift,
        {"": "hf-console/ms-swift.log", "out/*/logging.jsonl": "json-lines/ms-swift-logging.jsonl"},
    ),
    "unsloth": (hf_runs.unsloth, {"": "hf-console/unsloth.log"}),
    "axolotl": (hf_runs.axolotl, {"": "hf-console/axolotl.log"}),
    "ultralytics": (
        framework_runs.ultralytics,
        {
            "": "ultralytics-console/yolo.log",
            "runs/train/results.csv": "ultralytics/results.csv",
        },
    ),
    "yolov5": (
        vision_runs.yolov5,
        {"runs/train/results.csv": "ultralytics/yolov5-results.csv"},
    ),
    "paddledetection": (vision_runs.paddledetection, {"": "text/paddledetection.log"}),
    "timm": (framework_runs.timm, {"summary.csv": "csv/timm-summary.csv"}),
    "setfit": (framework_runs.setfit, {"": "hf-console/setfit.log"}),
    "composer": (framework_runs.composer, {"": "paragraphs/composer.log"}),
    "flair": (framework_runs.flair, {"": "text/flair.log"}),
    "coqui": (framework_runs.coqui, {"": "paragraphs/coqui-tts.log"}),
    "megatron": (logger_runs.megatron, {"": "text/megatron-lm.log"}),
    "nemo": (logger_runs.nemo, {"": "text/nemo.log"}),
    "deepspeed": (parallel_runs.deepspeed_pipeline, {"": "text/deepspeed-pipeline.log"}),
    "sockeye": (
        translation_runs.sockeye,
        {"": "sockeye/train.log", "model/metrics": "text/sockeye-metrics.log"},
    ),
    "opennmt": (translation_runs.opennmt, {"": "text/opennmt.log"}),
    "fairseq-simple": (translation_runs.fairseq_simple, {"": "fairseq/simple.log"}),
    "fairseq-json": (translation_runs.fairseq_json, {"": "fairseq/json.log"}),
    "fastai": (fastai_fit, {"": "aligned-table/fastai.log"}),
    **{
        f"trl-{name}": (
            run,
            {
                "": f"hf-console/trl-{name}.log",
                "**/trainer_state.json": f"hf-trainer-state/trl-{name}.json",
            },
        )
        for name, run in (
            ("sft", trl_runs.sft),
            ("dpo", trl_runs.dpo),
            ("kto", trl_runs.kto),
            ("orpo", trl_runs.orpo),
            ("reward", trl_runs.reward),
            ("grpo", trl_runs.grpo),
        )
    },
}
"""What to run, and what to keep: its console (the empty name), or files of its working folder."""


def main() -> None:
    """Make the named logs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*LOGS], metavar="NAME", help=", ".join(LOGS))
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    for name in options.names:
        run, kept = LOGS[name]
        if options.here:
            run()
        else:
            keep(name, kept)


def keep(name: str, kept: dict[str, str]) -> None:
    """Run one tool in a folder of its own and keep what it leaves."""
    with tempfile.TemporaryDirectory() as work:
        command = [sys.executable, str(Path(__file__).resolve()), "--here", name]
        done = subprocess.run(
            command,
            cwd=work,
            env={**os.environ, **ENVIRONMENT, **OFFLINE, **PYTHON_PATH},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(done.stdout.decode(errors="replace")[-2000:])
        for pattern, target in kept.items():
            path = FORMATS / target
            path.parent.mkdir(parents=True, exist_ok=True)
            log = next(Path(work).glob(pattern)).read_bytes() if pattern else done.stdout
            path.write_bytes(without_machine_paths(log.replace(f"{work}/".encode(), b""), MAKE))
            print(f"made {target}", flush=True)


if __name__ == "__main__":
    main()
