"""Trains the small base model of `advisor demo` and the planted faults: `python benchmarks/base_model.py FOLDER`.

A Llama of 1.05 M parameters with a vocabulary of 2,048, from chats between people (chitchat-dataset, MIT) alone; the tokenizer
also saw the language reference (PSF), questions and answers (chatterbot-corpus, BSD) and sums. About five minutes of one CPU core.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from advisor_trainer import TrainConfig, train
from advisor_trainer.demo import texts
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import AutoModelForCausalLM, LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

VOCABULARY = 2048
END = "<|end|>"
STEPS = 1400
HELD_OUT = 60


def main() -> None:
    """Train tokenizer and model and leave both in the folder."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--steps", type=int, default=STEPS)
    options = parser.parse_args()
    torch.set_num_threads(1)
    folder = options.folder
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = tokenizer_of()
    tokenizer.save_pretrained(folder / "start")
    torch.manual_seed(0)
    LlamaForCausalLM(
        LlamaConfig(
            vocab_size=VOCABULARY,
            hidden_size=128,
            intermediate_size=384,
            num_hidden_layers=4,
            num_attention_heads=4,
            num_key_value_heads=2,
            max_position_embeddings=512,
            tie_word_embeddings=True,
            bos_token_id=None,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
        )
    ).save_pretrained(folder / "start")
    chats = ["\n".join(turns) + "\n" for turns in texts.chats_of_the_base()]
    random.Random(1).shuffle(chats)
    for name, part in (("train", chats[HELD_OUT:]), ("held-out", chats[:HELD_OUT])):
        (folder / f"{name}.jsonl").write_text("".join(json.dumps({"text": text}) + "\n" for text in part), encoding="utf-8")
    began = time.process_time()
    run = train(
        TrainConfig(
            model=str(folder / "start"),
            data=str(folder / "train.jsonl"),
            eval_data=str(folder / "held-out.jsonl"),
            output_dir=str(folder / "run"),
            method="full",
            max_length=256,
            per_device_train_batch_size=8,
            max_steps=options.steps,
            learning_rate=3e-3,
            learning_rate_decay_ratio=0.05,
            warmup_ratio=0.03,
            weight_decay=0.1,
            logging_steps=10,
            eval_strategy="steps",
            eval_steps=100,
            save_strategy="no",
            seed=0,
            use_cpu=True,
            precision="fp32",
        ),
        say=lambda line: print(line, flush=True),
    )
    print(f"{time.process_time() - began:.0f} s of CPU")
    model = AutoModelForCausalLM.from_pretrained(run / "model", dtype=torch.bfloat16)
    model.save_pretrained(folder / "model")
    tokenizer.save_pretrained(folder / "model")


def tokenizer_of() -> Any:
    """Return a byte-level BPE tokenizer that puts an end token after every text."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY, special_tokens=[END], initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False
    )
    tokenizer.train_from_iterator(_seen(), trainer)
    tokenizer.post_processor = processors.TemplateProcessing(single=f"$A {END}", special_tokens=[(END, tokenizer.token_to_id(END))])
    make: Any = PreTrainedTokenizerFast
    return make(tokenizer_object=tokenizer, eos_token=END, pad_token=END)


def _seen() -> Iterator[str]:
    yield from ("\n".join(turns) for turns in texts.chats_of_the_base())
    yield from texts.passages(1000)
    yield from (f"{question}\n{answer}" for question, answer in texts.questions())
    yield from (f"{question}\n{answer}" for question, answer in texts.sums(2000, 0))


if __name__ == "__main__":
    main()
