"""Runs of tools for one field each: detection of objects, speech, images, few examples."""

from __future__ import annotations

import os
import random
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import trl_runs


def without_torchvisions_operators() -> None:
    """Let torchvision be imported beside a torch for which its compiled operators are not built."""
    import torch

    known = torch._C._dispatch_has_kernel_for_dispatch_key
    torch._C._dispatch_has_kernel_for_dispatch_key = lambda name, key: (
        name.startswith("torchvision::") or known(name, key)
    )
    fake = torch.library.register_fake

    def register(name: str, *others: Any, **named: Any) -> Callable[[Any], Any]:
        if name.startswith("torchvision::"):
            return lambda function: function
        return fake(name, *others, **named)

    torch.library.register_fake = register


def boxes(part: str, count: int, seed: int) -> None:
    """Write images of red and green squares, with where they stand."""
    import numpy as np
    from PIL import Image

    draw = np.random.default_rng(seed)
    for kind in ("images", "labels"):
        Path("data", kind, part).mkdir(parents=True)
    for i in range(count):
        image = draw.integers(0, 60, (64, 64, 3), dtype=np.uint8)
        lines = []
        for _ in range(2):
            kind, size = int(draw.integers(2)), int(draw.integers(12, 24))
            x, y = (int(place) for place in draw.integers(0, 40, 2))
            image[y : y + size, x : x + size] = (220, 40, 40) if kind else (40, 220, 40)
            middle = [(place + size / 2) / 64 for place in (x, y)]
            lines.append(" ".join(map(str, [kind, *middle, size / 64, size / 64])))
        Image.fromarray(image).save(f"data/images/{part}/{i}.png")
        Path(f"data/labels/{part}/{i}.txt").write_text("\n".join(lines))


def ultralytics() -> None:
    """YOLO11n from nothing on 32 small images, ten epochs."""
    os.environ |= {"YOLO_CONFIG_DIR": str(Path.cwd()), "YOLO_OFFLINE": "1"}
    without_torchvisions_operators()
    import torchvision
    from ultralytics import YOLO
    from ultralytics.utils.nms import TorchNMS

    torchvision.ops.nms = TorchNMS.nms
    boxes("train", 32, 1)
    boxes("val", 16, 2)
    places = f"path: {Path.cwd()}/data\ntrain: images/train\nval: images/val\n"
    Path("data.yaml").write_text(f"{places}names: [green, red]\n")
    YOLO("yolo11n.yaml").train(
        data="data.yaml",
        epochs=10,
        imgsz=64,
        batch=8,
        device="cpu",
        workers=0,
        project=str(Path.cwd() / "runs"),
        name="train",
        plots=False,
        amp=False,
        seed=1,
    )


def setfit() -> None:
    """A sentence transformer of one layer, tuned on pairs by SetFit's Trainer."""
    from datasets import Dataset
    from sentence_transformers import SentenceTransformer, models
    from setfit import SetFitModel, Trainer, TrainingArguments
    from sklearn.linear_model import LogisticRegression
    from transformers import BertConfig, BertModel

    def rows(count: int, seed: int) -> Dataset:
        draw = random.Random(seed)
        kinds = [i % 2 for i in range(count)]
        words = trl_runs.WORDS
        texts = [
            " ".join(words[draw.randrange(25) + 15 * kind] for _ in range(6)) for kind in kinds
        ]
        return Dataset.from_dict({"text": texts, "label": kinds})

    tokenizer = trl_runs.tokenizer()
    tokenizer.save_pretrained("bert")
    trl_runs.config()  # sets the seed
    size = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
    config = BertConfig(vocab_size=len(tokenizer), intermediate_size=64, **size)
    BertModel(config).save_pretrained("bert")
    words = models.Transformer("bert", max_seq_length=16)
    pooled = models.Pooling(words.get_word_embedding_dimension())
    body = SentenceTransformer(modules=[words, pooled], device="cpu")
    arguments = TrainingArguments(
        "out",
        batch_size=8,
        num_epochs=2,
        num_iterations=10,
        body_learning_rate=1e-3,
        logging_steps=5,
        eval_strategy="steps",
        eval_steps=20,
        save_strategy="no",
        report_to="none",
    )
    model = SetFitModel(model_body=body, model_head=LogisticRegression())
    Trainer(model, arguments, train_dataset=rows(32, 1), eval_dataset=rows(16, 2)).train()


def coqui() -> None:
    """Coqui's Trainer on a classifier."""
    from dataclasses import dataclass

    import torch
    from torch.utils.data import DataLoader
    from trainer import Trainer, TrainerArgs, TrainerConfig, TrainerModel

    from make_tool_logs import noisy_labels

    sys.argv = ["train"]
    x, y, x_held, y_held = map(torch.from_numpy, noisy_labels())

    @dataclass
    class Config(TrainerConfig):
        epochs: int = 3
        batch_size: int = 20
        print_step: int = 5
        lr: float = 1e-2
        optimizer: str = "Adam"

    class Model(TrainerModel):
        def __init__(self) -> None:
            super().__init__()
            self.net = torch.nn.Sequential(
                torch.nn.Linear(10, 16), torch.nn.ReLU(), torch.nn.Linear(16, 2)
            )

        def forward(self, features: Any) -> Any:
            return self.net(features)

        def train_step(self, batch: Any, criterion: Any) -> Any:
            out = self.net(batch["features"])
            accuracy = (out.argmax(1) == batch["kind"]).float().mean()
            loss = criterion(out, batch["kind"])
            return {"model_outputs": out}, {"loss": loss, "accuracy": accuracy}

        eval_step = train_step

        @staticmethod
        def init_from_config(_: Any) -> Model:
            return Model()

        def get_criterion(self) -> Any:
            return torch.nn.CrossEntropyLoss()

        def get_data_loader(self, *, is_eval: bool, **_: Any) -> Any:
            pairs = zip(x_held, y_held.long()) if is_eval else zip(x, y.long())  # noqa: B905
            rows = [{"features": features, "kind": kind} for features, kind in pairs]
            return DataLoader(rows, 20, shuffle=not is_eval)

    torch.manual_seed(1)
    samples = {"train_samples": list(range(len(x))), "eval_samples": list(range(len(x_held)))}
    Trainer(TrainerArgs(), Config(), "out", model=Model(), **samples).fit()


def timm() -> None:
    """A tiny vision transformer and timm's `update_summary`, in a loop like its train.py's."""
    without_torchvisions_operators()
    from collections import OrderedDict

    import torch
    from timm import create_model
    from timm.optim import create_optimizer_v2
    from timm.scheduler import CosineLRScheduler
    from timm.utils import AverageMeter, accuracy, update_summary

    torch.manual_seed(1)
    kinds = torch.arange(320) % 2
    images = torch.randn(320, 3, 32, 32) + 0.15 * kinds[:, None, None, None]
    criterion = torch.nn.CrossEntropyLoss()
    model = create_model("test_vit", num_classes=2, img_size=32)
    optimizer = create_optimizer_v2(model, "adamw", lr=2e-3)
    scheduler = CosineLRScheduler(optimizer, t_initial=10)
    for epoch in range(10):
        found = {name: AverageMeter() for name in ("train", "loss", "top1")}
        model.train()
        for rows in torch.randperm(240).split(20):
            loss = criterion(model(images[rows]), kinds[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            found["train"].update(loss.item(), len(rows))
        model.eval()
        with torch.no_grad():
            out = model(images[240:])
        found["loss"].update(criterion(out, kinds[240:]).item())
        found["top1"].update(accuracy(out, kinds[240:])[0].item())
        evaluated = OrderedDict((name, found[name].avg) for name in ("loss", "top1"))
        update_summary(
            epoch,
            OrderedDict(loss=found["train"].avg),
            evaluated,
            filename="summary.csv",
            lr=optimizer.param_groups[0]["lr"],
            write_header=epoch == 0,
        )
        scheduler.step(epoch + 1)


def flair() -> None:
    """Flair's ModelTrainer on a classifier of texts."""
    import flair as tool
    from flair.data import Corpus, Sentence
    from flair.datasets import FlairDatapointDataset
    from flair.embeddings import DocumentRNNEmbeddings, OneHotEmbeddings
    from flair.models import TextClassifier
    from flair.trainers import ModelTrainer

    def texts(count: int, seed: int) -> FlairDatapointDataset:
        draw = random.Random(seed)
        made = []
        for i in range(count):
            words = [trl_runs.WORDS[draw.randrange(25) + 15 * (i % 2)] for _ in range(6)]
            made.append(Sentence(words).add_label("kind", ("low", "high")[i % 2]))
        return FlairDatapointDataset(made)

    tool.set_seed(1)
    corpus = Corpus(texts(200, 1), texts(40, 2), texts(40, 3))
    words = OneHotEmbeddings.from_corpus(corpus, min_freq=1, embedding_length=16)
    model = TextClassifier(
        DocumentRNNEmbeddings([words], hidden_size=16),
        label_type="kind",
        label_dictionary=corpus.make_label_dictionary("kind"),
    )
    ModelTrainer(model, corpus).train("out", learning_rate=0.5, mini_batch_size=10, max_epochs=4)


def composer() -> None:
    """Composer's Trainer on a classifier, with its console."""
    without_torchvisions_operators()
    import torch
    from composer import Trainer
    from composer.models import ComposerClassifier
    from composer.optim import DecoupledAdamW
    from torch.utils.data import DataLoader, TensorDataset

    from make_tool_logs import noisy_labels

    torch.manual_seed(1)
    x, y, x_held, y_held = map(torch.from_numpy, noisy_labels())
    net = torch.nn.Sequential(
        torch.nn.Linear(x.shape[1], 16), torch.nn.ReLU(), torch.nn.Linear(16, 2)
    )
    Trainer(
        model=ComposerClassifier(net, num_classes=2),
        train_dataloader=DataLoader(TensorDataset(x, y.long()), 20, shuffle=True),
        eval_dataloader=DataLoader(TensorDataset(x_held, y_held.long()), 20),
        optimizers=DecoupledAdamW(net.parameters(), lr=1e-2),
        max_duration="3ep",
        progress_bar=False,
        log_to_console=True,
        console_log_interval="5ba",
        device="cpu",
        seed=1,
    ).fit()
