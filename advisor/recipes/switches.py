"""Recipes that set one setting to one value."""

from __future__ import annotations

from advisor.model import Value
from advisor.recipes.base import RECIPES, Context, Edit, Recipe

SWITCHES: dict[str, tuple[str, Value]] = {
    "checkpointing_on": ("gradient_checkpointing", True),
    "find_unused_on": ("ddp_find_unused_parameters", True),
    "find_unused_off": ("ddp_find_unused_parameters", False),
    "fp16_off": ("fp16", False),
    "fp16_on": ("fp16", True),
    "bf16_off": ("bf16", False),
    "expandable_segments": ("PYTORCH_CUDA_ALLOC_CONF", "expandable_segments:True"),
    "target_all_linear": ("target_modules", "all-linear"),
    "data_workers_zero": ("dataloader_num_workers", 0),
    "bf16_on": ("bf16", True),
    "nan_filter_off": ("logging_nan_inf_filter", False),
    "best_model_at_end": ("load_best_model_at_end", True),
    "truncated_completions_masked": ("mask_truncated_completions", True),
    "importance_sampling_corrected": ("vllm_importance_sampling_correction", True),
    "cosine_schedule": ("lr_scheduler_type", "cosine"),
}
"""Recipe → (setting, the value it gets)."""


def _switch(name: str, new: Value) -> Recipe:
    def switch(context: Context) -> Edit | None:
        old = context.config.get(name)
        return (old, new) if old != new else None

    return switch


RECIPES.update({recipe: _switch(name, new) for recipe, (name, new) in SWITCHES.items()})
