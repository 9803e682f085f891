"""Runs of tools for machine translation: sentences of made-up words, to be turned round."""

from __future__ import annotations

import logging
import runpy
import sys
from pathlib import Path

from tool_runs import HELD_OUT, SENTENCES, options, sentences


def _pairs() -> None:
    """Write train.src, train.tgt, valid.src and valid.tgt."""
    for name, count, seed in (("train", 4 * SENTENCES, 1), ("valid", HELD_OUT, 2)):
        source = sentences(count, seed)
        turned = [" ".join(reversed(text.split())) for text in source]
        for side, texts in (("src", source), ("tgt", turned)):
            Path(f"{name}.{side}").write_text("\n".join(texts) + "\n", encoding="utf-8")


def sockeye() -> None:
    """A tiny transformer by `sockeye-train`, a checkpoint every hundred updates."""
    from sockeye.train import main

    _pairs()
    settings = {
        "source": "train.src",
        "target": "train.tgt",
        "validation-source": "valid.src",
        "validation-target": "valid.tgt",
        "output": "model",
        "num-layers": 1,
        "transformer-model-size": 32,
        "transformer-attention-heads": 2,
        "transformer-feed-forward-num-hidden": 64,
        "num-embed": 32,
        "max-seq-len": 10,
        "batch-size": 20,
        "batch-type": "sentence",
        "initial-learning-rate": 5e-3,
        "learning-rate-scheduler-type": "none",
        "checkpoint-interval": 100,
        "max-updates": 400,
        "decode-and-evaluate": 0,
        "seed": 1,
    }
    sys.argv = ["sockeye-train", *options(settings), "--use-cpu"]
    main()


_ONMT = """
data:
  corpus: {path_src: train.src, path_tgt: train.tgt}
  valid: {path_src: valid.src, path_tgt: valid.tgt}
save_data: data
src_vocab: vocab.src
tgt_vocab: vocab.tgt
save_model: model
encoder_type: transformer
decoder_type: transformer
position_encoding: true
layers: 1
heads: 2
hidden_size: 32
word_vec_size: 32
transformer_ff: 64
batch_size: 20
batch_type: sents
bucket_size: 800
optim: adam
learning_rate: 0.005
train_steps: 200
valid_steps: 50
report_every: 10
save_checkpoint_steps: 200
num_workers: 0
seed: 1
"""


def opennmt() -> None:
    """A tiny transformer by `onmt_build_vocab` and `onmt_train`."""
    from onmt.bin.build_vocab import main as build_vocab
    from onmt.bin.train import main

    _pairs()
    Path("config.yaml").write_text(_ONMT)
    sys.argv = ["onmt_build_vocab", "-config", "config.yaml", "-n_sample", "-1"]
    build_vocab()
    sys.argv = ["onmt_train", "-config", "config.yaml"]
    main()


def fairseq_simple() -> None:
    """A tiny transformer by `fairseq-train --log-format simple`."""
    _fairseq("simple")


def fairseq_json() -> None:
    """The same run, `--log-format json`."""
    _fairseq("json")


def _fairseq(form: str) -> None:
    _pairs()
    logging.disable(logging.CRITICAL)
    settings = {
        "source-lang": "src",
        "target-lang": "tgt",
        "trainpref": "train",
        "validpref": "valid",
        "destdir": "data",
    }
    sys.argv = ["fairseq-preprocess", *options(settings)]
    runpy.run_module("fairseq_cli.preprocess", run_name="__main__")
    logging.disable(logging.NOTSET)
    settings = {
        "arch": "transformer_tiny",
        "optimizer": "adam",
        "lr": 5e-3,
        "batch-size": 20,
        "max-epoch": 4,
        "log-interval": 10,
        "log-format": form,
        "seed": 1,
        "save-dir": "checkpoints",
        "plasma-path": "plasma",
    }
    sys.argv = ["fairseq-train", "data", *options(settings), "--no-save", "--cpu"]
    runpy.run_module("fairseq_cli.train", run_name="__main__")
