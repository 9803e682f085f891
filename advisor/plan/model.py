"""Facts about a model: from a folder with its `config.json` and weights, of which only headers are read, or from a size."""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from advisor.errors import BadPlan
from advisor.model import NotMeasurable
from advisor.signals.settings import model_parameters


@dataclass(frozen=True, slots=True)
class Model:
    """What of a model decides what it costs to train.

    parameters: number of weights. inner: width of the feed-forward layers; keys: width of keys and of values. context: tokens it
    reads, 0 where not known. origin: `weights` where they were counted, `config` where computed from the shape, `size` where the
    shape was estimated from a size. tokenizer: the folder, where it holds a tokenizer.
    """

    name: str
    parameters: float
    layers: int
    hidden: int
    inner: int
    keys: int
    vocabulary: int
    context: int
    origin: str
    tokenizer: Path | None = None

    @property
    def linear_sizes(self) -> tuple[tuple[int, int], ...]:
        """Width in and out of the linear layers of one block: query, key, value, output, gate, up, down."""
        h, i, k = self.hidden, self.inner, self.keys
        return (h, h), (h, k), (h, k), (h, h), (h, i), (h, i), (i, h)


def read_model(given: str) -> Model:
    """Return the facts of a model folder, of a size (`7B`), or of a name that holds its size. Raises BadPlan."""
    path = Path(given)
    if path.is_dir():
        return _of_folder(path)
    if path.is_file() or given.startswith(("/", "./", "../", "~")):
        raise BadPlan(
            f"{given}: no folder of a model; give the folder with its config.json, a name with its size, or a size like 7B"
        )
    try:
        parameters = model_parameters({"model": given})
    except NotMeasurable as error:
        raise BadPlan(
            f"--model {given}: no folder, and no size in the name; give a model's folder, a name like Qwen2.5-7B, or a size like 7B"
        ) from error
    return of_size(given, parameters)


LAYER_WIDTH = 128
"""Width over number of layers of usual models: Llama 7B has 4096 and 32, 13B 5120 and 40."""

INNER_WIDTH = 3.5
"""Width of the feed-forward layers over that of the model in Llama 3 and Qwen 2.5 (2.7 in Llama 2, up to 5.4 in small ones)."""

USUAL_VOCABULARY = 128_000
OWN_OUTPUT = 3e9
"""Weights from which on models have an output layer of their own, and do not read it from the embeddings."""


def of_size(name: str, parameters: float) -> Model:
    """Return a model of the usual shape for its number of weights, a quarter of which at most are embeddings of the vocabulary."""
    for layers in range(1, 1000):
        hidden = LAYER_WIDTH * layers
        inner = round(INNER_WIDTH * hidden)
        vocabulary = min(USUAL_VOCABULARY, max(round(parameters / 4 / hidden), 256))
        embeddings = vocabulary * hidden * (2 if parameters >= OWN_OUTPUT else 1)
        if layers * (4 * hidden + 3 * inner) * hidden + embeddings >= parameters:
            break
    return Model(name, parameters, layers, hidden, inner, hidden, vocabulary, 0, "size")


_NAMES: Mapping[str, tuple[str, ...]] = {
    "layers": ("num_hidden_layers", "n_layer", "num_layers", "n_layers"),
    "hidden": ("hidden_size", "n_embd", "d_model", "dim"),
    "inner": ("intermediate_size", "n_inner", "ffn_dim", "ffn_hidden_size", "d_ff"),
    "heads": ("num_attention_heads", "n_head", "n_heads"),
    "groups": ("num_key_value_heads", "multi_query_group_num"),
    "head": ("head_dim",),
    "vocabulary": ("vocab_size", "padded_vocab_size"),
    "context": ("max_position_embeddings", "n_positions", "seq_length", "max_sequence_length"),
    "experts": ("num_experts", "num_local_experts", "n_routed_experts"),
}
"""What a `config.json` of different families calls the same thing."""


def _of_folder(folder: Path) -> Model:
    adapter = folder / "adapter_config.json"
    if not (folder / "config.json").is_file() and adapter.is_file():
        base = _json(adapter).get("base_model_name_or_path")
        if not isinstance(base, str) or Path(base) == folder:
            raise BadPlan(f"{adapter}: names no base model in `base_model_name_or_path`; give the folder of the base model")
        return read_model(base)
    config = _json(folder / "config.json")
    # Models that see and hear keep the language model's shape in a part of their own.
    config = {**config, **(config["text_config"] if isinstance(config.get("text_config"), dict) else {})}

    def number(name: str, default: int = 0) -> int:
        for key in _NAMES[name]:
            value = config.get(key)
            if isinstance(value, int) and not isinstance(value, bool) and value > 0:
                return value
        return default

    layers, hidden = number("layers"), number("hidden")
    if not layers or not hidden:
        missing = " and ".join(_NAMES[name][0] for name, value in (("layers", layers), ("hidden", hidden)) if not value)
        raise BadPlan(f"{folder / 'config.json'}: lacks {missing}; give the folder of a transformer model, or its size such as 7B")
    heads = number("heads", max(hidden // 64, 1))
    keys = number("groups", heads) * number("head", max(hidden // heads, 1))
    inner, vocabulary = number("inner", 4 * hidden), number("vocabulary", USUAL_VOCABULARY)
    shape = Model(
        str(folder), 0, layers, hidden, inner, keys, vocabulary, number("context"), "config",
        folder if (folder / "tokenizer.json").is_file() else None,
    )  # fmt: skip
    counted = _counted(folder)
    if counted is None and number("experts"):
        raise BadPlan(
            f"{folder}: a mixture of experts without its weights; its size cannot be told: give it as a size, such as 30B"
        )
    embeddings = vocabulary * hidden * (1 if config.get("tie_word_embeddings") else 2)
    computed = layers * sum(a * b for a, b in shape.linear_sizes) + embeddings
    return Model(
        shape.name, float(counted or computed), layers, hidden, inner, keys, vocabulary, shape.context,
        "weights" if counted else "config", shape.tokenizer,
    )  # fmt: skip


MOST_HEADER = 100 << 20
"""Bytes of a header; the format itself allows no more."""


def _counted(folder: Path) -> int | None:
    """Return the number of weights in the safetensors files of a folder, by their headers; None where not all files are there."""
    files = sorted(folder.glob("*.safetensors"))
    index = folder / "model.safetensors.index.json"
    if index.is_file():
        named = _json(index).get("weight_map")
        wanted = set(named.values()) if isinstance(named, dict) else set()
        files = [file for file in files if file.name in wanted]
        if len(files) < len(wanted):
            return None
    files = [file for file in files if not file.name.startswith("adapter_")]
    return sum(map(_weights_in, files)) if files else None


def _weights_in(file: Path) -> int:
    try:
        with file.open("rb") as stream:
            (size,) = struct.unpack("<Q", stream.read(8))
            header = json.loads(stream.read(min(size, MOST_HEADER)))
        return sum(math.prod(about["shape"]) for name, about in header.items() if name != "__metadata__")
    except (OSError, struct.error, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise BadPlan(f"{file}: no safetensors file ({error}); download it again, or give the model's size such as 7B") from error


def _json(path: Path) -> dict[str, Any]:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise BadPlan(f"{path}: cannot be read as JSON ({error}); give the folder of a model, or its size such as 7B") from error
    if not isinstance(data, dict):
        raise BadPlan(f"{path}: holds no settings; give the folder of a model, or its size such as 7B")
    return data
