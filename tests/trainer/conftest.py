"""A tiny Llama with random weights and a byte-level tokenizer, made once; sums as training data."""

import json
import os
import random
import subprocess
import sys

import pytest

pytest.importorskip("torch", reason="the trainer's libraries are not installed")
pytest.importorskip("transformers", reason="the trainer's libraries are not installed")
pytest.importorskip("peft", reason="the trainer's libraries are not installed")

VOCABULARY = 400


def pytest_collection_modifyitems(items):
    """Libraries warn of each other's future."""
    for item in items:
        if "trainer" in item.path.parts:
            item.add_marker(pytest.mark.filterwarnings("ignore"))


@pytest.fixture(scope="session", autouse=True)
def _one_thread():
    import torch

    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def tokenizer():
    from pydoc_data import topics

    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
    from transformers import PreTrainedTokenizerFast

    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    # As GPT-2 and Llama 3 do it: the places of tokens leave out blanks, which is a trap for masks.
    bpe.post_processor = processors.ByteLevel(trim_offsets=True)
    learn = trainers.BpeTrainer(
        vocab_size=VOCABULARY, special_tokens=["<|end|>", "<|im_start|>", "<|im_end|>"], show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    )  # fmt: skip
    bpe.train_from_iterator(list(topics.topics.values())[:20], learn)
    return PreTrainedTokenizerFast(
        tokenizer_object=bpe, eos_token="<|end|>", pad_token="<|end|>", additional_special_tokens=["<|im_start|>", "<|im_end|>"]
    )


@pytest.fixture(scope="session")
def tiny(tmp_path_factory, tokenizer):
    """The folder of the model."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    folder = tmp_path_factory.mktemp("tiny")
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=VOCABULARY, hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, max_position_embeddings=512, bos_token_id=None, eos_token_id=0,
    )  # fmt: skip
    LlamaForCausalLM(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def sums(tmp_path_factory):
    """A file of 200 questions of different lengths."""
    draw = random.Random(1)
    path = tmp_path_factory.mktemp("data") / "sums.jsonl"
    with path.open("w", encoding="utf-8") as file:
        for _ in range(200):
            a, b = draw.randrange(100), draw.randrange(100)
            record = {"context": f"What is {a} plus {b}?" + " Please." * draw.randrange(9), "target": f"{a} plus {b} is {a + b}."}
            file.write(json.dumps(record) + "\n")
    return path


@pytest.fixture(autouse=True)
def _own_cache(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("ADVISOR_CACHE", str(tmp_path_factory.getbasetemp() / "tokens"))


@pytest.fixture
def settings(tiny, sums, tmp_path):
    """Make a configuration of a short run; keyword arguments are its settings."""
    from advisor_trainer.config import configured

    def make(**given):
        usual = {
            "model": str(tiny), "data": str(sums), "output_dir": str(tmp_path / "run"), "method": "full", "max_length": 96,
            "per_device_train_batch_size": 4, "num_train_epochs": 1, "learning_rate": 3e-3, "eval_strategy": "no",
            "save_strategy": "no", "use_cpu": True,
        }  # fmt: skip
        return configured(usual | given)

    return make


@pytest.fixture
def two_processes(tmp_path):
    """Train with a configuration in two processes of this machine, which talk by gloo; return what they said."""
    from advisor_trainer.written import commented

    def start(config, *more):
        path = tmp_path / "two.toml"
        path.write_text(commented(config, "en"), encoding="utf-8")
        torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
        done = subprocess.run(
            [*torchrun, "-m", "advisor", "train", str(path), *more],
            capture_output=True, text=True, env=os.environ | {"OMP_NUM_THREADS": "1", "ADVISOR_LANG": "en"}, timeout=600,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stderr

    return start
