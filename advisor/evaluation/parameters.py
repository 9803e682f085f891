"""Inference parameters under one name each, whatever the program calls them, and the documented ranges."""

from __future__ import annotations

from collections.abc import Mapping

NAMES: Mapping[str, tuple[str, ...]] = {
    "temperature": ("temperature", "temp", "t"),
    "top_p": ("top_p", "topp", "nucleus", "topP"),
    "top_k": ("top_k", "topk", "topK"),
    "presence_penalty": ("presence_penalty", "presencePenalty"),
    "frequency_penalty": ("frequency_penalty", "frequencyPenalty"),
    "repetition_penalty": ("repetition_penalty", "repeat_penalty"),
    "max_tokens": ("max_tokens", "max_new_tokens", "max_completion_tokens", "max_token", "max_output_tokens", "num_predict"),
    "do_sample": ("do_sample",),
}
"""Our name → the names that OpenAI, vLLM, transformers, llama.cpp and Pangu give it."""

RANGES: Mapping[str, tuple[float, float]] = {"temperature": (0, 1), "top_p": (0, 1), "presence_penalty": (-2, 2)}
RECOMMENDED: Mapping[str, float] = {"temperature": 0.3, "top_p": 1.0, "presence_penalty": 0.0}
"""Documented (Pangu, "How do I adjust inference parameters"): start there, change one thing at a time."""

WANTS = ("deterministic", "creative", "diverse")

BY_NAME: Mapping[str, str] = {alias.lower(): name for name, aliases in NAMES.items() for alias in aliases}
