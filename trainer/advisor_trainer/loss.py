"""The loss of a line of documents: summed over its label tokens, the head computed for those alone."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from advisor_trainer.batches import IGNORED

INPUTS = ("input_ids", "position_ids", "logits_to_keep")


def where_documents_end(backend: str, inputs: dict[str, Any]) -> dict[str, Any]:
    """Return what tells an attention backend where documents end."""
    if backend == "segments":
        return {"segments": inputs["segments"]}
    if backend == "mask":
        return {}  # transformers sees it in the positions
    ends, longest = inputs["ends"], inputs["longest"]
    return {"cu_seq_lens_q": ends, "cu_seq_lens_k": ends, "max_length_q": longest, "max_length_k": longest}


def label_logits(model: nn.Module, inputs: dict[str, Any], backend: str, *, keeps: bool) -> torch.Tensor:
    """Return the logits that predict label tokens, one line each. keeps: the model computes no others when told so.

    No attention mask is given, not even one of ones, and no cache is used: with either, transformers lets documents see each other.
    """
    given = {name: inputs[name] for name in INPUTS if keeps or name != "logits_to_keep"}
    output = model(**given, use_cache=False, **where_documents_end(backend, inputs))
    logits: torch.Tensor = output["logits"] if isinstance(output, dict) else output[0]
    return logits[0] if keeps else logits[0, inputs["logits_to_keep"]]


def summed(model: nn.Module, inputs: dict[str, Any], backend: str, *, keeps: bool) -> torch.Tensor:
    """Return the cross entropy in nats, summed over the label tokens."""
    logits = label_logits(model, inputs, backend, keeps=keeps)
    return nn.functional.cross_entropy(logits.float(), inputs["targets"], ignore_index=IGNORED, reduction="sum")
