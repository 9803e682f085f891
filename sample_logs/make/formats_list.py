"""The samples of formats that other tools write: which there are, and what is in each."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Sample:
    """One sample.

    path: below formats/. format: the reader's name. packages: those that wrote it.
    """

    path: str
    format: str
    packages: tuple[str, ...]
    train_points: int
    eval_points: int
    note: str


HF = ("transformers", "torch")
BOARD = ("torch", "tensorboard")
KERAS = ("keras", "tensorflow-cpu", "tensorboard")
BOOK = (*HF, "nbclient")
RUN = "tensorboard/trainer"
LOOP = "tensorboard/pytorch/loop"
CURVES = "tensorboard/pytorch/curves"
WANDB = "wandb/trainer/run-trainer.wandb"
SAMPLES: dict[str, tuple[Sample, ...]] = {
    "trainer": (
        Sample(RUN, "tensorboard", (*HF, "tensorboard"), 6, 3, "The Trainer's own callback."),
        Sample(f"{RUN}_state.json", "hf-trainer-state", HF, 6, 3, "The same run's state."),
        Sample(WANDB, "wandb", (*HF, "wandb"), 6, 3, "The same run, W&B offline."),
        Sample("wandb/run-export.csv", "csv", (), 6, 3, "A run's export; laid out by hand."),
        Sample("wandb/chart-export.csv", "wandb-chart", (), 10, 0, "Two runs; laid out by hand."),
    ),
    "pytorch": (
        Sample(LOOP, "tensorboard", BOARD, 60, 5, "Evaluations counted by epochs."),
        Sample(CURVES, "tensorboard", BOARD, 8, 8, "add_scalars: a folder a curve."),
    ),
    "keras": (Sample("tensorboard/keras", "tensorboard", KERAS, 6, 6, "A folder a side."),),
    "mlflow": (
        Sample("mlflow/mlruns", "mlflow", ("mlflow",), 12, 6, "Two runs, without their tags."),
        Sample(
            "mlflow/mlflow.db", "mlflow-database", ("mlflow",), 12, 6, "The tables that are read."
        ),
    ),
    "trackio": (
        Sample("trackio/formats.db", "trackio", ("trackio",), 12, 6, "The tables that are read."),
    ),
    "swanlab": (Sample("swanlab/run-sample", "swanlab", ("swanlab",), 6, 3, "A run, offline."),),
    "swanlab-until-2025": (
        Sample("swanlab/run-earlier", "swanlab", ("swanlab",), 6, 3, "Records in JSON."),
    ),
    "notebooks": (
        Sample("notebook/table.ipynb", "notebook", BOOK, 6, 3, "Table, evaluation and history."),
        Sample("notebook/printed.ipynb", "notebook", BOOK, 12, 6, "Two trainings, printed."),
    ),
}
