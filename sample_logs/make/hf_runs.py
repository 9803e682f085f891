"""Runs of tools that stand on the Trainer, each on a tiny Llama that speaks forty words."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import trl_runs
from tool_runs import HELD_OUT, SENTENCES, options, sentences


def _halves(count: int, seed: int) -> list[tuple[str, str]]:
    made = sentences(count, seed)
    return [(text[: len(text) // 2], text[len(text) // 2 :]) for text in made]


def _lines(path: str, rows: list[dict[str, object]]) -> None:
    Path(path).write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def ms_swift() -> None:
    """Full fine-tuning by `swift sft`, with its logging.jsonl."""
    os.environ |= {"USE_HF": "1", "CUDA_VISIBLE_DEVICES": ""}
    from swift import sft_main

    trl_runs.saved()
    for name, count, seed in (("train", SENTENCES, 1), ("valid", HELD_OUT, 2)):
        pairs = _halves(count, seed)
        rows = [
            [{"role": "user", "content": said}, {"role": "assistant", "content": answered}]
            for said, answered in pairs
        ]
        _lines(f"{name}.jsonl", [{"messages": messages} for messages in rows])
    settings = {
        "model": "model",
        "model_type": "llama",
        "template": "llama3",
        "dataset": "train.jsonl",
        "val_dataset": "valid.jsonl",
        "tuner_type": "full",
        "torch_dtype": "float32",
        "attn_impl": "eager",
        "gradient_checkpointing": "false",
        "gradient_accumulation_steps": 1,
        "num_train_epochs": 2,
        "per_device_train_batch_size": 4,
        "per_device_eval_batch_size": 8,
        "learning_rate": 5e-3,
        "logging_steps": 5,
        "eval_steps": 20,
        "save_steps": 100,
        "max_length": 64,
        "output_dir": "out",
        "report_to": "none",
        "dataloader_num_workers": 0,
        "seed": 1,
    }
    sys.argv = ["sft", *options(settings)]
    sft_main()


_AXOLOTL = """
base_model: model
datasets: [{path: train.jsonl, ds_type: json, type: completion, field: text}]
test_datasets: [{path: valid.jsonl, ds_type: json, type: completion, field: text, split: train}]
output_dir: out
dataset_prepared_path: prepared
sequence_len: 64
sample_packing: false
micro_batch_size: 4
gradient_accumulation_steps: 1
num_epochs: 2
optimizer: adamw_torch
lr_scheduler: cosine
learning_rate: 0.005
bf16: false
fp16: false
tf32: false
eager_attention: true
logging_steps: 5
eval_steps: 20
save_steps: 100
seed: 1
special_tokens: {pad_token: "<pad>", eos_token: "<eos>", unk_token: "<unk>"}
"""


def axolotl() -> None:
    """Full fine-tuning by `axolotl train`."""
    os.environ |= {"AXOLOTL_DO_NOT_TRACK": "1", "CUDA_VISIBLE_DEVICES": ""}
    from axolotl.cli.train import do_cli

    trl_runs.saved()
    for name, count, seed in (("train", SENTENCES, 1), ("valid", HELD_OUT, 2)):
        _lines(f"{name}.jsonl", [{"text": text} for text in sentences(count, seed)])
    Path("config.yaml").write_text(_AXOLOTL)
    do_cli("config.yaml")


def trainer() -> None:
    """The Trainer itself: its log_history as a JSON array, and the results that it saves."""
    from transformers import DataCollatorForLanguageModeling, Trainer, TrainingArguments

    tokenizer = trl_runs.tokenizer()
    training, held_out = (
        [tokenizer(text) for text in sentences(*made)] for made in ((SENTENCES, 1), (HELD_OUT, 2))
    )
    arguments = TrainingArguments(
        "out",
        num_train_epochs=2,
        per_device_train_batch_size=4,
        learning_rate=5e-3,
        logging_steps=5,
        eval_strategy="steps",
        eval_steps=20,
        save_strategy="no",
        report_to="none",
        use_cpu=True,
    )
    collator = DataCollatorForLanguageModeling(tokenizer, mlm=False)
    run = Trainer(trl_runs.saved(), arguments, collator, training, held_out)
    result = run.train()
    history = json.dumps(run.state.log_history, indent=2)
    Path("log-history.json").write_text(history, encoding="utf-8")
    run.save_metrics("train", result.metrics)
    run.save_metrics("eval", run.evaluate())


def unsloth() -> None:
    """Full fine-tuning by TRL's SFTTrainer, with the model and the patches of Unsloth."""
    os.environ |= {"CUDA_VISIBLE_DEVICES": "", "UNSLOTH_DISABLE_STATISTICS": "1"}
    from unsloth import FastLanguageModel  # isort: skip  (it patches what is imported after it)
    from datasets import Dataset
    from trl import SFTConfig, SFTTrainer

    trl_runs.saved()
    model, tokenizer = FastLanguageModel.from_pretrained(
        "model", max_seq_length=64, load_in_4bit=False, full_finetuning=True
    )
    arguments = SFTConfig(
        "out",
        max_steps=20,
        logging_steps=1,
        per_device_train_batch_size=4,
        learning_rate=5e-3,
        report_to="none",
        use_cpu=True,
        bf16=False,
    )
    rows = Dataset.from_list([{"text": text} for text in sentences(SENTENCES, 1)])
    SFTTrainer(model, arguments, train_dataset=rows, processing_class=tokenizer).train()
