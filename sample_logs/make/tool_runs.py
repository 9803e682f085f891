"""Runs of tools for language models and of their frameworks, each of a few seconds on a CPU."""

from __future__ import annotations

import json
import os
import random
import sys
from pathlib import Path

import trl_runs

MAKE = Path(__file__).resolve().parent
SENTENCES, HELD_OUT = 200, 40


def sentences(count: int, seed: int) -> list[str]:
    """Return sentences of eight words in a row, but for a fifth that are drawn at random."""
    draw = random.Random(seed)
    found = []
    for _ in range(count):
        begin = draw.randrange(40)
        places = [begin + i if draw.random() < 0.8 else draw.randrange(40) for i in range(8)]
        found.append(" ".join(trl_runs.WORDS[place % 40] for place in places))
    return found


def _records(path: Path, records: list[dict[str, str]]) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")


def mlx_lm() -> None:
    """Full fine-tuning with `mlx_lm.lora`: its table, or until 2025 its lines."""
    import mlx.core as mx
    from mlx.utils import tree_flatten
    from mlx_lm import lora
    from mlx_lm.models import llama

    model = Path("model")
    model.mkdir()
    _word_tokenizer(model)
    config = {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "num_key_value_heads": 2,
        "vocab_size": len(trl_runs.SPECIAL) + len(trl_runs.WORDS),
        "rms_norm_eps": 1e-6,
        "rope_theta": 10000.0,
        "tie_word_embeddings": False,
    }
    (model / "config.json").write_text(json.dumps(config))
    mx.random.seed(1)
    weights = dict(tree_flatten(llama.Model(llama.ModelArgs.from_dict(config)).parameters()))
    mx.save_safetensors("model/model.safetensors", weights, metadata={"format": "mlx"})
    for name, count, seed in (("train", SENTENCES, 1), ("valid", HELD_OUT, 2)):
        _records(Path(f"data/{name}.jsonl"), [{"text": text} for text in sentences(count, seed)])
    settings = {
        "model": "model",
        "data": "data",
        "iters": 60,
        "batch-size": 4,
        "learning-rate": 1e-2,
        "steps-per-report": 5,
        "steps-per-eval": 20,
        "val-batches": 5,
        "save-every": 60,
        "fine-tune-type": "full",
        "num-layers": -1,
        "adapter-path": "adapters",
    }
    sys.argv = ["lora", "--train", *options(settings)]
    lora.main()


_TUNE = """
output_dir: out
tokenizer: {_component_: tiny_tune.tokenizer}
dataset: {_component_: tiny_tune.dataset, packed: false}
seed: 1
shuffle: true
model: {_component_: tiny_tune.model}
checkpointer:
  _component_: torchtune.training.FullModelTorchTuneCheckpointer
  checkpoint_dir: checkpoint
  checkpoint_files: [model.pt]
  recipe_checkpoint: null
  output_dir: out
  model_type: LLAMA3
resume_from_checkpoint: false
batch_size: 4
epochs: 2
optimizer: {_component_: torch.optim.AdamW, lr: 1e-2}
optimizer_in_bwd: false
loss: {_component_: torchtune.modules.loss.CEWithChunkedOutputLoss}
max_steps_per_epoch: null
gradient_accumulation_steps: 1
clip_grad_norm: 1.0
compile: false
device: cpu
enable_activation_checkpointing: false
enable_activation_offloading: false
dtype: fp32
metric_logger:
  _component_: torchtune.training.metric_logging.DiskLogger
  log_dir: logs
  filename: log.txt
log_every_n_steps: 2
log_peak_memory_stats: false
"""


def torchtune() -> None:
    """Full fine-tuning by its recipe, with the file of its DiskLogger."""
    import torch
    from torchtune._cli.tune import main

    import tiny_tune

    torch.manual_seed(1)
    Path("checkpoint").mkdir()
    torch.save(tiny_tune.model().state_dict(), "checkpoint/model.pt")
    Path("config.yaml").write_text(_TUNE)
    sys.argv = ["tune", "run", "full_finetune_single_device", "--config", "config.yaml"]
    main()


def litgpt() -> None:
    """Full fine-tuning by its command, two iterations a step."""
    import torch
    from litgpt.__main__ import main
    from litgpt.config import Config
    from litgpt.model import GPT
    from litgpt.utils import save_config

    folder = Path("checkpoint")
    folder.mkdir()
    words = len(trl_runs.SPECIAL) + len(trl_runs.WORDS)
    config = Config(
        name="tiny",
        block_size=64,
        vocab_size=words,
        padded_vocab_size=64,
        n_layer=1,
        n_head=2,
        n_embd=32,
        intermediate_size=64,
        mlp_class_name="LLaMAMLP",
        norm_class_name="RMSNorm",
        bias=False,
        rotary_percentage=1.0,
        parallel_residual=False,
    )
    save_config(config, folder)
    torch.manual_seed(1)
    torch.save(GPT(config).state_dict(), folder / "lit_model.pth")
    _word_tokenizer(folder)
    (folder / "generation_config.json").write_text('{"eos_token_id": 1, "bos_token_id": 1}')
    rows = [
        {"instruction": text[: len(text) // 2], "input": "", "output": text[len(text) // 2 :]}
        for text in sentences(SENTENCES, 1)
    ]
    Path("data.json").write_text(json.dumps(rows))
    settings = {
        "data": "JSON",
        "data.json_path": "data.json",
        "data.val_split_fraction": 0.1,
        "train.epochs": 2,
        "train.global_batch_size": 8,
        "train.micro_batch_size": 4,
        "train.log_interval": 2,
        "eval.interval": 10,
        "eval.max_new_tokens": 4,
        "train.max_seq_length": 64,
        "precision": "32-true",
        "devices": 1,
        "out_dir": "out",
    }
    sys.argv = ["litgpt", "finetune_full", "checkpoint", *options(settings)]
    main()


def options(settings: dict[str, object]) -> list[str]:
    """Return the settings as the arguments of a command."""
    return [part for name, value in settings.items() for part in (f"--{name}", str(value))]


def _word_tokenizer(folder: Path) -> None:
    from tokenizers import Tokenizer, models, pre_tokenizers

    words = [*trl_runs.SPECIAL.values(), *trl_runs.WORDS]
    tokenizer = Tokenizer(models.WordLevel({w: i for i, w in enumerate(words)}, "<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.save(str(folder / "tokenizer.json"))
    kind = {"tokenizer_class": "PreTrainedTokenizerFast", **trl_runs.SPECIAL}
    (folder / "tokenizer_config.json").write_text(json.dumps(kind))


def mindspore() -> None:
    """A classifier, with LossMonitor and TimeMonitor."""
    import mindspore
    from mindspore import dataset, nn
    from mindspore.train import LossMonitor, Model, TimeMonitor

    from make_tool_logs import noisy_labels

    mindspore.set_seed(1)
    x, y, _, _ = noisy_labels()
    rows = dataset.NumpySlicesDataset((x, y.astype("int32")), shuffle=True).batch(20)
    net = nn.SequentialCell(nn.Dense(x.shape[1], 16), nn.ReLU(), nn.Dense(16, 2))
    loss = nn.SoftmaxCrossEntropyWithLogits(sparse=True, reduction="mean")
    model = Model(net, loss, nn.Adam(net.trainable_params(), 1e-2))
    model.train(3, rows, callbacks=[LossMonitor(5), TimeMonitor()], dataset_sink_mode=False)


def paddle_fit() -> None:
    """A classifier by Paddle's `Model.fit`, a line every five batches."""
    import paddle
    from paddle import nn
    from paddle.io import TensorDataset

    from make_tool_logs import noisy_labels

    paddle.seed(1)
    parts = [paddle.to_tensor(part) for part in noisy_labels()]
    training, held_out = (
        TensorDataset([x, y.astype("int64").unsqueeze(1)]) for x, y in (parts[:2], parts[2:])
    )
    net = nn.Sequential(nn.Linear(10, 16), nn.ReLU(), nn.Linear(16, 2))
    model = paddle.Model(net)
    adam = paddle.optimizer.Adam(1e-2, parameters=net.parameters())
    model.prepare(adam, nn.CrossEntropyLoss(), paddle.metric.Accuracy())
    model.fit(training, held_out, epochs=3, batch_size=20, verbose=2, log_freq=5)


def mmengine_epochs() -> None:
    """The Runner of mmengine in epochs."""
    _mmengine(in_epochs=True)


def mmengine_steps() -> None:
    """The Runner of mmengine in steps, as xtuner runs it."""
    _mmengine(in_epochs=False)


def _mmengine(*, in_epochs: bool) -> None:
    import torch
    from mmengine.evaluator import BaseMetric
    from mmengine.model import BaseModel
    from mmengine.runner import Runner
    from torch.nn.functional import cross_entropy
    from torch.utils.data import DataLoader, TensorDataset

    from make_tool_logs import noisy_labels

    class Classifier(BaseModel):
        def __init__(self):
            super().__init__()
            self.net = torch.nn.Sequential(
                torch.nn.Linear(10, 16), torch.nn.ReLU(), torch.nn.Linear(16, 2)
            )

        def forward(self, x, y, mode):
            out = self.net(x)
            return {"loss": cross_entropy(out, y)} if mode == "loss" else (out, y)

    class Scores(BaseMetric):
        def process(self, data_batch, data_samples):  # noqa: ARG002  (mmengine's own arguments)
            out, y = data_samples
            losses = cross_entropy(out, y, reduction="none").tolist()
            self.results += zip(losses, (out.argmax(1) == y).tolist(), strict=True)

        def compute_metrics(self, results):
            losses, hits = zip(*results, strict=True)
            return {"accuracy": sum(hits) / len(hits), "loss": sum(losses) / len(losses)}

    # What machine it ran on is no business of a sample.
    Runner._log_env = lambda *_: None
    torch.manual_seed(1)
    x, y, x_held, y_held = map(torch.from_numpy, noisy_labels())
    length = {"max_epochs": 3, "val_interval": 1} if in_epochs else {"max_iters": 60}
    logger = {"type": "LoggerHook", "interval": 5, "log_metric_by_epoch": in_epochs}
    Runner(
        Classifier(),
        work_dir="work",
        train_dataloader=DataLoader(TensorDataset(x, y.long()), 20, shuffle=True),
        val_dataloader=DataLoader(TensorDataset(x_held, y_held.long()), 20),
        train_cfg={"by_epoch": in_epochs, "val_interval": 20, **length},
        val_cfg={},
        val_evaluator={"type": Scores},
        optim_wrapper={"optimizer": {"type": "Adam", "lr": 1e-2}},
        default_hooks={"logger": logger, "checkpoint": None},
        log_processor={"by_epoch": in_epochs, "window_size": 5},
    ).train()


def llama_factory() -> None:
    """The Trainer with LLaMA-Factory's own LogCallback, which writes the files of its web page.

    The whole command needs torchaudio, which has no CPU build beside this torch.
    """
    os.environ |= {"LLAMABOARD_ENABLED": "1", "LLAMABOARD_WORKDIR": "."}
    import transformers
    from llamafactory.train.callbacks import LogCallback
    from transformers import DataCollatorForLanguageModeling, Trainer, TrainingArguments

    transformers.logging.set_verbosity_info()
    transformers.logging.enable_default_handler()
    tokenizer = trl_runs.tokenizer()
    training, held_out = (
        [tokenizer(text) for text in sentences(*made)] for made in ((SENTENCES, 1), (HELD_OUT, 2))
    )
    model = trl_runs.saved()
    arguments = TrainingArguments(
        "out",
        num_train_epochs=2,
        per_device_train_batch_size=4,
        per_device_eval_batch_size=8,
        learning_rate=5e-3,
        lr_scheduler_type="cosine",
        logging_steps=5,
        eval_strategy="steps",
        eval_steps=20,
        save_steps=100,
        report_to="none",
        use_cpu=True,
    )
    Trainer(
        model,
        arguments,
        DataCollatorForLanguageModeling(tokenizer, mlm=False),
        training,
        held_out,
        callbacks=[LogCallback()],
    ).train()
