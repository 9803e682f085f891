"""Whether this machine can do what a configuration asks for: said in one line, before data and model are loaded."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from difflib import get_close_matches
from importlib.util import find_spec

import torch
from transformers.training_args import OptimizerNames

from advisor.errors import BadConfig
from advisor_trainer.config import TrainConfig

ADAMW = "adamw"
COMPILERS = ("g++", "clang++", "c++")
KERNELS = ("varlen", "flash_attention_2")
"""Attention that is there for GPUs alone, in half precision."""


def check(config: TrainConfig, device: torch.device, precision: str) -> None:
    """Raise BadConfig for the first setting that cannot work here."""
    for said in _impossible(config, device, precision):
        raise BadConfig(said)


def _impossible(config: TrainConfig, device: torch.device, precision: str) -> Iterator[str]:
    kind = device.type.upper()
    if precision == "fp16" and device.type == "cpu":
        yield "`precision` is fp16, in which a CPU does not train; set bf16 or fp32, or train on a GPU"
    if precision == "bf16" and device.type == "cuda" and not torch.cuda.is_bf16_supported():
        yield "`precision` is bf16, which this GPU does not have; set fp16 or fp32"
    if config.attention in KERNELS and (device.type != "cuda" or precision == "fp32"):
        yield f"`attention` is {config.attention}, which needs a GPU and half precision, not {kind} and {precision}; set auto"
    if config.attention == "flash_attention_2" and find_spec("flash_attn") is None:
        yield "`attention` is flash_attention_2, which needs flash-attn; install it, or set auto"
    if config.use_liger_kernel and device.type == "cpu":
        yield "`use_liger_kernel` is set; its kernels run on a GPU or NPU; leave it out here"
    if config.use_liger_kernel and (lacks := _missing("liger_kernel", "triton")):
        yield f"`use_liger_kernel` is set, which needs {lacks}; `pip install liger-kernel`, or leave it out"
    if config.method == "qlora" and _missing("bitsandbytes"):
        yield "`method` is qlora, which needs bitsandbytes; `pip install bitsandbytes`, or set lora"
    if config.adapter and _missing("peft"):
        yield f"`method` is {config.method}, which needs peft; `pip install finetune-advisor[train]`, or set full"
    if config.optim != ADAMW and config.optim not in (known := [name.value for name in OptimizerNames]):
        near = ", ".join(get_close_matches(config.optim, known) or known[:4])
        yield f"`optim` is {config.optim!r}; expected {ADAMW} or a name that transformers knows, such as {near}"
    if config.deepspeed and _missing("deepspeed"):
        yield "`deepspeed` is set, which needs deepspeed; `pip install deepspeed`, or leave it out"
    if config.deepspeed and config.fsdp:
        yield "`deepspeed` and `fsdp` are both set; both shard the model: keep one"
    if config.torch_compile and device.type == "cpu" and not _compiler():
        yield f"`torch_compile` is set, which needs a C++ compiler; install one ({', '.join(COMPILERS)}), or leave it out"
    if (config.fsdp or config.deepspeed) and "RANK" not in os.environ:
        name = "fsdp" if config.fsdp else "deepspeed"
        yield f"`{name}` is set and this is a single process; start with `torchrun --nproc-per-node N -m advisor train …`"


def _missing(*packages: str) -> str:
    return " and ".join(name.replace("_", "-") for name in packages if find_spec(name) is None)


def _compiler() -> bool:
    return any(shutil.which(name) for name in (os.environ.get("CXX", ""), *COMPILERS) if name)
