"""Attention within documents, for rows in which several stand one after the other: registered with transformers by its interface.

Every backend gives a packed document exactly what it has alone. `segments` runs torch's attention on each document (the
quickest on a CPU); `varlen` and `flash_attention_2` are kernels that know where documents end; `mask` is transformers' own dense
mask, the reference that the others are tested against.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

SEGMENTS, VARLEN = "advisor_segments", "advisor_varlen"
NAMES = {"segments": SEGMENTS, "varlen": VARLEN, "flash_attention_2": "flash_attention_2", "mask": "sdpa"}
"""Name in the configuration → name that transformers knows."""

HALF = (torch.float16, torch.bfloat16)


def register() -> None:
    """Make the backends known to transformers; both want no mask, which it makes for no backend that it does not know itself."""
    from transformers import AttentionInterface

    AttentionInterface.register(SEGMENTS, _segments)
    AttentionInterface.register(VARLEN, _varlen)


def chosen(wanted: str, device: torch.device, dtype: torch.dtype) -> str:
    """Return the backend for `auto` on this device: kernels where they are there, else torch's attention per document."""
    if wanted != "auto":
        return wanted
    if device.type == "cuda" and dtype in HALF:
        try:
            from torch.nn.attention.varlen import varlen_attn  # noqa: F401  is it there?
        except ImportError:
            pass
        else:
            return "varlen"
        from transformers.utils import is_flash_attn_2_available

        if is_flash_attn_2_available():
            return "flash_attention_2"
    return "segments"


def _repeated(states: torch.Tensor, groups: int) -> torch.Tensor:
    return states.repeat_interleave(groups, dim=1) if groups > 1 else states


def _segments(
    _module: nn.Module, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, attention_mask: torch.Tensor | None,
    *, scaling: float | None = None, dropout: float = 0.0, segments: tuple[int, ...] | None = None,
    sliding_window: int | None = None, softcap: float | None = None, **_: Any,
) -> tuple[torch.Tensor, None]:  # fmt: skip
    """Run torch's attention on each document by itself. segments: lengths of the documents, in order."""
    _supported(attention_mask, softcap)
    groups = query.shape[1] // key.shape[1]
    key, value = _repeated(key, groups), _repeated(value, groups)
    outputs = []
    for q, k, v in zip(*(states.split(segments or (query.shape[2],), dim=2) for states in (query, key, value)), strict=True):
        length = q.shape[2]
        mask = None
        if sliding_window is not None and length > sliding_window:
            place = torch.arange(length, device=q.device)
            behind = place[:, None] - place[None, :]
            mask = (behind >= 0) & (behind < sliding_window)
        outputs.append(
            nn.functional.scaled_dot_product_attention(
                q, k, v, attn_mask=mask, dropout_p=dropout, scale=scaling, is_causal=mask is None and length > 1
            )
        )
    return torch.cat(outputs, dim=2).transpose(1, 2).contiguous(), None


def _varlen(
    _module: nn.Module, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, attention_mask: torch.Tensor | None,
    *, scaling: float | None = None, dropout: float = 0.0, cu_seq_lens_q: torch.Tensor | None = None,
    max_length_q: int | None = None, sliding_window: int | None = None, softcap: float | None = None, **_: Any,
) -> tuple[torch.Tensor, None]:  # fmt: skip
    """Run the kernel that knows where documents end."""
    import inspect

    from torch.nn.attention.varlen import varlen_attn

    _supported(attention_mask, softcap)
    if dropout:
        raise ValueError("varlen attention has no dropout; set attention to `segments`, or attention_dropout of the model to 0")
    groups = query.shape[1] // key.shape[1]
    q, k, v = (states[0].transpose(0, 1).contiguous() for states in (query, _repeated(key, groups), _repeated(value, groups)))
    ends = cu_seq_lens_q if cu_seq_lens_q is not None else torch.tensor([0, len(q)], dtype=torch.int32, device=q.device)
    longest = max_length_q or len(q)
    known = inspect.signature(varlen_attn).parameters
    if "window_size" in known:
        more: dict[str, Any] = {"window_size": (sliding_window - 1 if sliding_window else -1, 0)}
    else:
        more = {"is_causal": True}
    if scaling is not None and "scale" in known:
        more["scale"] = scaling
    output = varlen_attn(q, k, v, ends, ends, longest, longest, **more)
    return output.unsqueeze(0), None


def _supported(attention_mask: torch.Tensor | None, softcap: float | None) -> None:
    if attention_mask is not None or softcap is not None:
        raise ValueError("this model wants a mask or a cap of its own; set attention to `mask`")
