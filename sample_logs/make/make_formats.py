"""Make the samples of formats that other tools write: `python …/make_formats.py [NAME…]`.

Without names, all of them; requirements-formats.txt pins the tools. Each sample is what the tool
itself wrote, less the names of the machine, the user and the folders; MANIFEST.toml names the
versions it was made with.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import re
import shutil
import sqlite3
import sys
import tempfile
import tomllib
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from importlib.metadata import version
from pathlib import Path

from formats_list import SAMPLES, Sample
from formats_training import TRAINING

MAKE = Path(__file__).resolve().parent
FORMATS = MAKE.parent / "formats"
SEED = 7
HEAD = "# Samples of formats that other tools write. Written by make/make_formats.py.\n"


@contextmanager
def inside(folder: Path) -> Iterator[None]:
    """Work in `folder`, so that no tool writes a path of this machine."""
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


def make_trainer(work: Path, to: Path) -> None:
    """Train once with TensorBoard and W&B looking on; keep their files and its state."""
    os.environ |= {
        "WANDB_MODE": "offline",
        "WANDB_SILENT": "true",
        "TENSORBOARD_LOGGING_DIR": "tensorboard",
    }
    import wandb

    settings = wandb.Settings(
        x_disable_stats=True,
        x_disable_meta=True,
        x_disable_machine_info=True,
        disable_git=True,
        disable_code=True,
        console="off",
    )
    run = wandb.init(project="formats", name="trainer-sample", dir=str(work), settings=settings)
    scope: dict[str, Callable] = {}
    with inside(work):
        exec(TRAINING, scope)
        trainer = scope["trainer"](report_to=["tensorboard", "wandb"], disable_tqdm=True)
        trainer.train()
        trainer.save_state()
        run.finish()
    keep_one(
        work,
        "tensorboard/*tfevents*",
        to / "tensorboard/trainer/events.out.tfevents.1700000000.host.1.0",
    )
    keep_one(work, "wandb/offline-run-*/*.wandb", to / "wandb/trainer/run-trainer.wandb")
    keep_one(work, "out/trainer_state.json", to / "tensorboard/trainer_state.json")
    export_csv(
        json.loads((work / "out/trainer_state.json").read_text())["log_history"], to / "wandb"
    )


def export_csv(history: list[dict[str, float]], to: Path) -> None:
    """Write the run as the W&B page exports it: by hand, as an export needs the page."""
    with (to / "run-export.csv").open("w", newline="") as file:
        writer = csv.writer(file, quoting=csv.QUOTE_ALL)
        writer.writerow(["Step", "train/loss", "eval/loss"])
        for entry in history:
            if "loss" in entry or "eval_loss" in entry:
                writer.writerow([entry["step"], entry.get("loss", ""), entry.get("eval_loss", "")])
    with (to / "chart-export.csv").open("w", newline="") as file:
        writer = csv.writer(file, quoting=csv.QUOTE_ALL)
        names = ("calm-sun-1", "brisk - moon-2")
        writer.writerow(
            [
                "train/global_step",
                *(f"{n} - train/loss{part}" for n in names for part in ("", "__MIN", "__MAX")),
            ]
        )
        for entry in history:
            if "loss" in entry:
                loss = float(entry["loss"])
                late = ["", "", ""] if entry["step"] > 20 else [loss + 1] * 3
                writer.writerow([entry["step"], loss, loss, loss, *late])


def make_pytorch(work: Path, to: Path) -> None:
    """Write a loop's scalars, its evaluations numbered by epochs; and two by add_scalars."""
    from torch.utils.tensorboard import SummaryWriter

    writer = SummaryWriter(str(work / "loop"))
    for step in range(60):
        writer.add_scalar("Loss/train", 2 - step / 40, step)
        if step % 12 == 11:
            writer.add_scalar("Loss/val", 2.1 - step / 45, step // 12)
    writer.add_hparams({"lr": 0.1, "optimizer": "sgd"}, {"final": 0.5})
    writer.close()
    with SummaryWriter(str(work / "curves")) as writer:
        for step in range(8):
            writer.add_scalars("Loss", {"train": 2 - step / 10, "val": 2.1 - step / 12}, step)
    keep_all(work, to / "tensorboard/pytorch")


def make_keras(work: Path, to: Path) -> None:
    """Fit with Keras' TensorBoard callback: `train` and `validation` folders with the same tags."""
    os.environ |= {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"}
    import keras
    import numpy as np

    keras.utils.set_random_seed(SEED)
    x = np.random.default_rng(SEED).random((64, 3))
    model = keras.Sequential([keras.layers.Input((3,)), keras.layers.Dense(1)])
    model.compile("adam", "mse")
    log = keras.callbacks.TensorBoard(str(work / "keras"), write_graph=False)
    model.fit(
        x,
        x @ np.array([1.0, 2.0, 3.0]),
        epochs=6,
        validation_split=0.25,
        batch_size=8,
        verbose=0,
        callbacks=[log],
    )
    keep_all(work, to / "tensorboard")


def keep_all(work: Path, to: Path) -> None:
    """Keep all event files of `work`, under names without the machine's and without the day."""
    for place in {path.parent for path in work.rglob("*tfevents*")}:
        below = re.sub(r"\d{10}\.\d+", "1700000000.5", str(place.relative_to(work)))
        shutil.rmtree(to / below, ignore_errors=True)
        for number, path in enumerate(sorted(place.glob("*tfevents*"))):
            keep(path, to / below / f"events.out.tfevents.{1700000000 + number}.host.1.0")


def make_mlflow(work: Path, to: Path) -> None:
    """Log two runs to a file store and to a database."""
    os.environ["MLFLOW_ALLOW_FILE_STORE"] = "true"
    import mlflow

    for uri in (f"file://{work}/mlruns", f"sqlite:///{work}/mlflow.db"):
        mlflow.set_tracking_uri(uri)
        mlflow.set_experiment("formats")
        for number in range(2):
            with mlflow.start_run(run_name=f"sample-{number}"):
                mlflow.log_params(
                    {"learning_rate": 2e-4, "num_train_epochs": 3, "fp16": True}
                    if number == 0
                    else {"seed": 3}
                )
                for i in range(1, 7):
                    mlflow.log_metrics(
                        {"loss": 2 - i / 6 + number, "epoch": i / 2, "learning_rate": 1e-4 / i},
                        step=i * 10,
                    )
                    if i % 2 == 0:
                        mlflow.log_metrics(
                            {"eval_loss": float("nan") if i == 4 else 2.1 - i / 7 + number},
                            step=i * 10,
                        )
    shutil.rmtree(to / "mlflow", ignore_errors=True)
    for path in (work / "mlruns").rglob("*"):
        if path.is_file() and "tags" not in path.parts and path.parent.name != "0":
            keep(path, to / "mlflow" / path.relative_to(work))
    for meta in (to / "mlflow").rglob("meta.yaml"):
        text = meta.read_text().replace(str(work), "…")
        meta.write_text(re.sub(r"^user_id: .*$", "user_id: user", text, flags=re.MULTILINE))
    small_database(work / "mlflow.db")
    keep(work / "mlflow.db", to / "mlflow" / "mlflow.db")


def small_database(path: Path) -> None:
    """Leave the tables of runs, metrics and parameters, without the user's name."""
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute("PRAGMA foreign_keys = OFF")
        query = "SELECT type, name FROM sqlite_master WHERE sql IS NOT NULL ORDER BY type"
        for kind, name in database.execute(query).fetchall():
            if name not in ("runs", "metrics", "params") and kind in ("index", "table"):
                database.execute(f'DROP {kind} IF EXISTS "{name}"')
        database.execute("UPDATE runs SET user_id = 'user', source_name = '', artifact_uri = ''")
        database.execute("PRAGMA page_size = 512")
        database.execute("VACUUM")


def make_trackio(work: Path, to: Path) -> None:
    """Log two runs with Trackio, as the Trainer's callback names their quantities."""
    os.environ |= {"TRACKIO_DIR": str(work)}
    import trackio

    for number in range(2):
        trackio.init(project="formats", name=f"sample-{number}", config={"learning_rate": 2e-4})
        for i in range(1, 7):
            place = {"train/global_step": i * 10, "train/epoch": i / 2}
            trackio.log({"train/loss": 2 - i / 6 + number, **place}, step=i * 10)
            if i % 2 == 0:
                trackio.log({"eval/loss": 2.1 - i / 7 + number, **place}, step=i * 10)
        trackio.finish()
    shutil.rmtree(to / "trackio", ignore_errors=True)
    small_trackio(work / "formats.db")
    keep(work / "formats.db", to / "trackio" / "formats.db")


def small_trackio(path: Path) -> None:
    """Leave the tables of metrics and settings."""
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute("PRAGMA journal_mode = DELETE")
        query = "SELECT type, name FROM sqlite_master WHERE sql IS NOT NULL ORDER BY type"
        for kind, name in database.execute(query).fetchall():
            if name not in ("metrics", "configs", "sqlite_sequence"):
                database.execute(f'DROP {kind} IF EXISTS "{name}"')
        database.execute("PRAGMA page_size = 512")
        database.execute("VACUUM")


def make_swanlab(work: Path, to: Path) -> None:
    """Log a run with SwanLab, offline."""
    _swanlab(work, to / "swanlab" / "run-sample")


def make_swanlab_until_2025(work: Path, to: Path) -> None:
    """Log the same run with SwanLab 0.6."""
    _swanlab(work, to / "swanlab" / "run-earlier")


def _swanlab(work: Path, to: Path) -> None:
    import swanlab

    swanlab.init(
        project="formats",
        experiment_name="sample",
        mode="offline",
        logdir=str(work),
        config={"learning_rate": 2e-4},
    )
    for i in range(1, 7):
        swanlab.log({"train/loss": 2 - i / 6, "train/epoch": i / 2}, step=i * 10)
        if i % 2 == 0:
            swanlab.log({"eval/loss": 2.1 - i / 7}, step=i * 10)
    swanlab.finish()
    shutil.rmtree(to, ignore_errors=True)
    (to / "files").mkdir(parents=True)
    (run,) = work.glob("run-*")
    shutil.copyfile(run / "files" / "config.yaml", to / "files" / "config.yaml")
    (file,) = run.glob("*.swanlab")
    # The folders of the machine are made dots, as long as they were.
    content = file.read_bytes().replace(str(work).encode(), b"." * len(str(work)))
    (to / "run-sample.swanlab").write_bytes(content)


def make_notebooks(work: Path, to: Path) -> None:
    """Execute notebooks: one shows the Trainer's table, one prints two trainings."""
    import nbformat
    from nbclient import NotebookClient

    quiet = 'report_to="none", disable_tqdm=True'
    other = 'weight_decay=0.5, lr_scheduler_type="constant"'
    books = {
        "table": [
            't = trainer(report_to="none")\nt.train()',
            "t.evaluate()",
            "t.state.log_history",
        ],
        "printed": [f"trainer({quiet}).train();", f"trainer({quiet}, {other}).train();"],
    }
    os.environ["PYTHONWARNINGS"] = "ignore"
    for name, cells in books.items():
        book = nbformat.v4.new_notebook(
            cells=[nbformat.v4.new_code_cell(source) for source in (TRAINING, *cells)]
        )
        NotebookClient(
            book, timeout=600, kernel_name="python3", resources={"metadata": {"path": str(work)}}
        ).execute()
        for number, cell in enumerate(book.cells):
            cell.id = f"cell-{number}"
            cell.metadata.clear()
            cell.outputs = [o for o in cell.outputs if o.get("name") != "stderr"]
        path = to / "notebook" / f"{name}.ipynb"
        path.parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(book, path)


def keep(path: Path, to: Path) -> None:
    """Copy one file."""
    to.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(path, to)


def keep_one(work: Path, pattern: str, to: Path) -> None:
    """Copy the one file that matches."""
    (path,) = work.glob(pattern)
    keep(path, to)


MAKERS = {
    "trainer": make_trainer,
    "pytorch": make_pytorch,
    "keras": make_keras,
    "mlflow": make_mlflow,
    "trackio": make_trackio,
    "swanlab": make_swanlab,
    "swanlab-until-2025": make_swanlab_until_2025,
    "notebooks": make_notebooks,
}


def write_manifest(path: Path, names: list[str]) -> None:
    """Write the entries of the samples just made and keep those of the others as they were."""
    text = path.read_text(encoding="utf-8") if path.exists() else "sample = []"
    before = {entry["path"]: entry for entry in tomllib.loads(text)["sample"]}
    entries = [HEAD]
    for name, samples in SAMPLES.items():
        for sample in samples:
            if name in names:
                versions = {package: version(package) for package in sample.packages}
            elif sample.path in before:
                versions = before[sample.path]["versions"]
            else:
                continue
            entries.append(entry_of(name, sample, versions))
    path.write_text("\n".join(entries), encoding="utf-8")


def entry_of(name: str, sample: Sample, versions: dict[str, str]) -> str:
    """Return one entry of the manifest."""
    listed = ", ".join(f"{package} = {json.dumps(number)}" for package, number in versions.items())
    facts = {
        "path": sample.path,
        "format": sample.format,
        "made_by": f"python sample_logs/make/make_formats.py {name}",
        "note": sample.note,
        "train_points": sample.train_points,
        "eval_points": sample.eval_points,
    }
    lines = [f"{key} = {json.dumps(fact)}" for key, fact in facts.items()]
    return "\n".join(["[[sample]]", *lines, f"versions = {{{listed and f' {listed} '}}}", ""])


def main() -> None:
    """Make the named samples, or all, and bring the manifest up to date."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(MAKERS))
    names = parser.parse_args().names or [*MAKERS]
    if unknown := set(names) - MAKERS.keys():
        parser.error(f"no such sample: {', '.join(sorted(unknown))}")
    for name in names:
        with tempfile.TemporaryDirectory() as work:
            MAKERS[name](Path(work), FORMATS)
    write_manifest(FORMATS / "MANIFEST.toml", names)


if __name__ == "__main__":
    sys.exit(main())
