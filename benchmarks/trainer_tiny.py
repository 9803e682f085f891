"""What the benchmarks of the trainer train: a tiny Llama with random weights, its tokenizer, and made-up data."""

from __future__ import annotations

import json
import random
from pathlib import Path


def tiny_model(folder: Path, *, vocabulary: int = 400, hidden: int = 32, layers: int = 2, positions: int = 2048) -> None:
    """Write a model and a byte-level tokenizer, which is learned from Python's own help texts, into `folder`."""
    from pydoc_data import topics

    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast
    from transformers.utils import logging

    logging.disable_progress_bar()
    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    bpe.post_processor = processors.ByteLevel(trim_offsets=True)
    learn = trainers.BpeTrainer(
        vocab_size=vocabulary, special_tokens=["<|end|>"], initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False
    )
    bpe.train_from_iterator(list(topics.topics.values()), learn)
    PreTrainedTokenizerFast(tokenizer_object=bpe, eos_token="<|end|>", pad_token="<|end|>").save_pretrained(folder)
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=vocabulary, hidden_size=hidden, intermediate_size=3 * hidden, num_hidden_layers=layers, num_attention_heads=4,
        num_key_value_heads=2, max_position_embeddings=positions, bos_token_id=None, eos_token_id=0, tie_word_embeddings=True,
    )  # fmt: skip
    LlamaForCausalLM(config).save_pretrained(folder)


def write_sums(path: Path, rows: int) -> None:
    """Write questions of different lengths with short answers."""
    draw = random.Random(1)
    with path.open("w", encoding="utf-8") as file:
        for _ in range(rows):
            a, b = draw.randrange(100), draw.randrange(100)
            record = {"context": f"What is {a} plus {b}?" + " Please." * draw.randrange(9), "target": f"{a} plus {b} is {a + b}."}
            file.write(json.dumps(record) + "\n")
