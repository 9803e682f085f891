"""Loading: tokenizer, model, adapter, and the check that packed documents do not see each other in this very model."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import torch
from torch import nn

from advisor.errors import AdvisorError, BadConfig
from advisor_trainer import attention
from advisor_trainer.config import TrainConfig

DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


class UnloadableModel(AdvisorError):
    """The model that the configuration names cannot be loaded or trained."""


def device_of(config: TrainConfig) -> torch.device:
    """Return the kind of device that the run will use."""
    if config.use_cpu:
        return torch.device("cpu")
    if torch.cuda.is_available():
        return torch.device("cuda")
    npu = getattr(torch, "npu", None)
    return torch.device("npu" if npu is not None and npu.is_available() else "cpu")


def precision_of(config: TrainConfig, device: torch.device) -> str:
    """Return the precision for `auto`: bf16 where the device has it, else fp32."""
    if config.precision != "auto":
        return config.precision
    if device.type == "npu" or (device.type == "cuda" and torch.cuda.is_bf16_supported()):
        return "bf16"
    return "fp32"


def tokenizer_of(config: TrainConfig) -> Any:
    """Return the model's tokenizer. Raises UnloadableModel."""
    from transformers import AutoTokenizer

    if not config.model:
        raise BadConfig("`model` is not set; give a local folder or the name of a model on the hub")
    try:
        return AutoTokenizer.from_pretrained(config.model)
    except (OSError, ValueError, ImportError) as error:
        raise _unloadable(config.model, "tokenizer", error) from error


def _unloadable(name: str, what: str, error: Exception) -> UnloadableModel:
    said = " ".join(str(error).split())[:300]
    place = "the folder must hold config.json, the weights and tokenizer.json" if Path(name).exists() else (
        "no such folder here, and the hub does not give it; check the name and the connection"
    )  # fmt: skip
    return UnloadableModel(f"{name}: the {what} cannot be loaded ({said}); {place}")


def model_of(config: TrainConfig, device: torch.device, tokenizer: Any) -> nn.Module:
    """Return the model with its adapter, its attention set for packed rows. Raises UnloadableModel or BadConfig."""
    from transformers import AutoModelForCausalLM

    attention.register()
    precision = precision_of(config, device)
    # Adapters keep their own weights in float32; the frozen ones need not be.
    dtype = DTYPES[precision] if config.adapter and precision != "fp16" else torch.float32
    more: dict[str, Any] = {"quantization_config": _quantised(dtype)} if config.method == "qlora" else {}
    try:
        model = AutoModelForCausalLM.from_pretrained(config.model, dtype=dtype, **more)
    except (OSError, ValueError, ImportError, KeyError, RuntimeError) as error:
        raise _unloadable(config.model, "model", error) from error
    size = model.get_input_embeddings().weight.shape[0]
    if len(tokenizer) > size:
        raise UnloadableModel(
            f"{config.model}: the tokenizer has {len(tokenizer)} tokens and the model embeds {size}; they do not belong together"
        )
    model.config.use_cache = False
    return _adapted(model, config) if config.adapter else model


def _quantised(dtype: torch.dtype) -> Any:
    from transformers import BitsAndBytesConfig

    return BitsAndBytesConfig(
        load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_use_double_quant=True, bnb_4bit_compute_dtype=dtype
    )


def _adapted(model: nn.Module, config: TrainConfig) -> nn.Module:
    from peft import LoraConfig, get_peft_model, prepare_model_for_kbit_training

    if config.method == "qlora":
        model = prepare_model_for_kbit_training(model, use_gradient_checkpointing=config.gradient_checkpointing)
    targets: Any = [name.strip() for name in config.target_modules.split(",")]
    lora = LoraConfig(
        r=config.lora_r, lora_alpha=config.lora_alpha, lora_dropout=config.lora_dropout, use_dora=config.use_dora,
        use_rslora=config.use_rslora, target_modules="all-linear" if targets == ["all-linear"] else targets, task_type="CAUSAL_LM",
    )  # fmt: skip
    try:
        return get_peft_model(model, lora)
    except ValueError as error:
        raise BadConfig(f"`target_modules` is {config.target_modules!r}: {error}") from error


def keeps_logits(model: nn.Module) -> bool:
    """Tell whether the model can compute the logits of chosen places alone."""
    inner = model.get_base_model() if hasattr(model, "get_base_model") else model
    return "logits_to_keep" in inspect.signature(inner.forward).parameters


TOLERANCES = {torch.float32: 1e-3, torch.bfloat16: 0.25, torch.float16: 0.05}
"""Largest difference, in units of the logits' spread, between a packed document and the same one alone that is rounding."""

PROBE = (7, 5, 9)
"""Tokens of the documents that the check is made with."""


def set_attention(model: nn.Module, wanted: str, device: torch.device, *, compiled: bool) -> str:
    """Set the attention backend and return its name; a model that cannot take it gets the dense mask.

    Raises UnloadableModel where even then packed documents see each other: such a model cannot be trained in packed rows.
    """
    inner = model.get_base_model() if hasattr(model, "get_base_model") else model
    own = inner.config._attn_implementation
    dtype = next(model.parameters()).dtype
    backend = attention.chosen(wanted, device, dtype)
    if compiled and backend == "segments":
        backend = "mask"  # the number of documents would be compiled in
    failed: Exception | None = None
    for name in dict.fromkeys((backend, "mask")):
        try:
            if _apart(inner, name, own, device):
                return name
            failed = None
        except (ValueError, TypeError, NotImplementedError, RuntimeError) as error:
            failed = error
    if failed is not None:
        said = " ".join(str(failed).split())[:300]
        raise UnloadableModel(
            f"{type(inner).__name__}: cannot compute a packed row ({said}); give another model, method or precision"
        )
    raise UnloadableModel(
        f"{type(inner).__name__}: documents in one row see each other in this model, whatever the attention; "
        "it cannot be trained here"
    )


def _apart(model: Any, backend: str, own: str, device: torch.device) -> bool:
    """Tell whether packed documents have the logits that each has alone under the model's own attention."""
    from advisor_trainer.loss import where_documents_end

    training = model.training
    model.eval().to(device)
    generator = torch.Generator().manual_seed(0)
    documents = [torch.randint(0, model.config.get_text_config().vocab_size, (1, n), generator=generator).to(device) for n in PROBE]
    ends = torch.tensor([0, *PROBE]).cumsum(0).to(device=device, dtype=torch.int32)
    facts = {"segments": PROBE, "ends": ends, "longest": max(PROBE)}
    try:
        with torch.no_grad():
            model.set_attn_implementation("eager" if own == "eager" else "sdpa" if model._supports_sdpa else own)
            apart = torch.cat([model(input_ids=ids, use_cache=False).logits for ids in documents], dim=1)
            model.set_attn_implementation(own if backend == "mask" else attention.NAMES[backend])
            positions = torch.cat([torch.arange(n) for n in PROBE])[None].to(device)
            ids = torch.cat(documents, dim=1)
            packed = model(input_ids=ids, position_ids=positions, use_cache=False, **where_documents_end(backend, facts)).logits
    finally:
        model.train(training)
    difference = (packed - apart).abs().max() / apart.float().std().clamp_min(1e-6)
    return bool(difference < TOLERANCES.get(apart.dtype, 1e-3))
