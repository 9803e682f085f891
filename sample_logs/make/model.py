"""The tiny Llama: random weights, a base model trained on Python's help texts, LoRA on top."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from peft import LoraConfig, get_peft_model
from torch import nn
from transformers import LlamaConfig, LlamaForCausalLM, Trainer, TrainingArguments, set_seed

from tasks import TASKS

HIDDEN = 64
BASE_SEED = 1


@dataclass(frozen=True)
class Base:
    """How a base model is trained before the run that is kept."""

    rows: int
    batch: int
    epochs: int


BASES = {
    "topics": Base(rows=12_800, batch=32, epochs=1),
    "known-facts": Base(rows=3840, batch=128, epochs=12),
}


def tiny_llama(vocab_size: int) -> LlamaForCausalLM:
    """Return a Llama of two layers with random weights."""
    config = LlamaConfig(
        vocab_size=vocab_size,
        hidden_size=HIDDEN,
        intermediate_size=2 * HIDDEN,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=256,
        bos_token_id=None,
        eos_token_id=None,
        use_cache=False,
    )
    return LlamaForCausalLM(config)


def base_model(task: str, vocab_size: int) -> LlamaForCausalLM:
    """Return the model trained on the task, whose weights lie above the folder of the run."""
    model = tiny_llama(vocab_size)
    model.load_state_dict(torch.load(_weights(task)))
    return model


def train_base(task: str) -> None:
    """Train a base model and keep its weights above the folder of the run, for all runs."""
    set_seed(BASE_SEED)
    recipe = BASES[task]
    rows = TASKS[task](recipe.rows, BASE_SEED)
    model = tiny_llama(rows.vocab_size)
    arguments = TrainingArguments(
        "base",
        learning_rate=4e-3,
        lr_scheduler_type="cosine",
        warmup_steps=0.05,
        num_train_epochs=recipe.epochs,
        per_device_train_batch_size=recipe.batch,
        logging_steps=50,
        save_strategy="no",
        seed=BASE_SEED,
        use_cpu=True,
    )
    Trainer(model, arguments, train_dataset=rows).train()
    torch.save(model.state_dict(), _weights(task))


def _weights(task: str) -> Path:
    return Path("..", f"base-{task}.pt")


def with_lora(model: LlamaForCausalLM, rank: int) -> nn.Module:
    """Freeze the model but for the embeddings, as tokens are new; adapt the attention."""
    config = LoraConfig(
        r=rank,
        lora_alpha=rank,
        target_modules=["q_proj", "v_proj"],
        modules_to_save=["embed_tokens"],
        task_type="CAUSAL_LM",
    )
    return get_peft_model(model, config)
