"""Detectors of settings outside what is documented. They look at the configuration, and at the log only for what it does not say.

The documented ranges are those of large language models: a detector with `least_parameters` asks for the size of the model and is
silent on smaller ones, which take larger rates.
"""

from __future__ import annotations

from advisor.detectors.registry import detector
from advisor.model import Facts, Hit, NotMeasurable
from advisor.signals.settings import AdapterRate, number, number_or, text


def _sized(model_parameters: float | None, least_parameters: float) -> bool:
    """Tell whether the model is as large as the rule is about. Raises NotMeasurable where its size is not known."""
    if model_parameters is None:
        raise NotMeasurable("config", "model_name_or_path")
    return model_parameters >= least_parameters


@detector
def epochs_above(
    planned_epochs: float, training_kind: str, model_parameters: float | None, *, most: float, least_parameters: float
) -> Hit | None:
    """More than `most` passes over the rows are planned."""
    if not _sized(model_parameters, least_parameters) or planned_epochs <= most:
        return None
    return Hit({"epochs": planned_epochs, "kind": training_kind})


@detector
def epochs_for_rows(
    planned_epochs: float, training_rows: float, model_parameters: float | None,
    *, most: float, least_rows: int, least_parameters: float,
) -> Hit | None:  # fmt: skip
    """More than `most` passes over at least `least_rows` rows: fewer rows do need many passes."""
    if not _sized(model_parameters, least_parameters) or training_rows < least_rows or planned_epochs <= most:
        return None
    return Hit({"epochs": planned_epochs, "rows": int(training_rows)})


@detector
def learning_rate_outside(
    adapter_rate: AdapterRate, training_kind: str, config: Facts, model_parameters: float | None,
    *, kind: str, full_low: float, full_high: float, lora_low: float, lora_high: float, least_parameters: float,
) -> Hit | None:  # fmt: skip
    """The rate of AdamW lies outside its range; an adapter's is compared as rate × alpha / 32. kind: of training, or `any`."""
    if kind not in ("any", training_kind):
        return None
    if not _sized(model_parameters, least_parameters) or not _adam(config):
        return None
    low, high = (lora_low, lora_high) if adapter_rate.lora else (full_low, full_high)
    if low <= adapter_rate.equivalent <= high:
        return None
    facts: Facts = {"rate": adapter_rate.rate, "equivalent": adapter_rate.equivalent, "low": low, "high": high}
    return Hit(facts)


def _adam(config: Facts) -> bool:
    """Tell whether the optimizer is of the Adam family, as it is where none is named: others have other rates."""
    return "adam" in (text(config, "optim", "optimizer", "optimizer_type") or "adamw")


@detector
def effective_batch_below(
    rows_per_update: float, config: Facts, model_parameters: float | None, *, least: float, least_parameters: float
) -> Hit | None:
    """Fewer than `least` rows an update, where the accumulation is stated and not only assumed."""
    number(config, "gradient_accumulation_steps", "global_batch_size", "total_train_batch_size")
    if not _sized(model_parameters, least_parameters) or rows_per_update >= least:
        return None
    return Hit({"batch": int(rows_per_update)})


@detector
def batch_for_rows(
    rows_per_update: float, training_rows: float, planned_updates: float, model_parameters: float | None,
    *, max_share: float, most_updates: int, least_parameters: float,
) -> Hit | None:  # fmt: skip
    """One update sees more than `max_share` of all rows, and the run has fewer than `most_updates` of them."""
    share = rows_per_update / training_rows if training_rows > 0 else 0.0
    if not _sized(model_parameters, least_parameters) or share <= max_share or planned_updates >= most_updates:
        return None
    return Hit({"batch": int(rows_per_update), "rows": int(training_rows), "share": share, "updates": int(planned_updates)})


@detector
def updates_below(
    planned_updates: float, training_kind: str, model_parameters: float | None,
    *, least: int, least_small: int, least_parameters: float,
) -> Hit | None:  # fmt: skip
    """Fewer than `least` updates are planned; for a small model, or one of unknown size, fewer than `least_small`."""
    large = model_parameters is not None and model_parameters >= least_parameters
    if planned_updates >= (least if large else least_small):
        return None
    return Hit({"updates": int(planned_updates), "kind": training_kind})


@detector
def decay_ratio_outside(config: Facts, *, low: float, high: float, default: float) -> Hit | None:
    """The floor of the learning rate, as a share of it, lies outside its range and is not the documented `default`."""
    ratio = number(config, "learning_rate_decay_ratio")
    return None if low <= ratio <= high or ratio == default else Hit({"ratio": ratio, "low": low, "high": high})


@detector
def warmup_long(declared_warmup: float, planned_updates: float, *, max_share: float, least_updates: int) -> Hit | None:
    """More than `max_share` of a run of at least `least_updates` steps is warm-up."""
    if planned_updates < least_updates or declared_warmup <= max_share * planned_updates:
        return None
    share = declared_warmup / planned_updates
    return Hit({"share": share, "steps": int(declared_warmup), "updates": int(planned_updates)})


@detector
def warmup_absent(
    adapter_rate: AdapterRate, config: Facts, model_parameters: float | None,
    *, full_from: float, lora_from: float, least_parameters: float,
) -> Hit | None:  # fmt: skip
    """No warm-up is set, and the rate is at least `full_from`, or an adapter's (as rate × alpha / 32) `lora_from`."""
    if not {"warmup_ratio", "warmup_steps"} & config.keys():
        raise NotMeasurable("config", "warmup_ratio")
    if number_or(config, 0, "warmup_ratio") > 0 or number_or(config, 0, "warmup_steps") > 0:
        return None
    if not _sized(model_parameters, least_parameters):
        return None
    high = lora_from if adapter_rate.lora else full_from
    return Hit({"rate": adapter_rate.rate, "high": high}) if adapter_rate.equivalent >= high else None


@detector
def lora_rank_outside(config: Facts, model_parameters: float | None, *, low: int, high: int, least_parameters: float) -> Hit | None:
    """The rank of the adapter is below `low` or above `high`."""
    rank = number(config, "lora_r")
    if low <= rank <= high or not _sized(model_parameters, least_parameters):
        return None
    return Hit({"rank": int(rank), "low": low, "high": high})


@detector
def lora_alpha_outside(config: Facts, *, low: float, high: float, least_rank: int) -> Hit | None:
    """Alpha over the rank is below `low` or above `high`; ranks below `least_rank` have any ratio."""
    rank, alpha = number(config, "lora_r"), number(config, "lora_alpha")
    if rank < least_rank or config.get("use_rslora") is True or low <= alpha / rank <= high:
        return None
    return Hit({"rank": int(rank), "alpha": alpha, "ratio": alpha / rank})


ATTENTION = frozenset({
    "q_proj", "k_proj", "v_proj", "o_proj", "out_proj", "qkv_proj", "query_key_value", "c_attn", "wqkv", "w_pack", "q", "k", "v",
    "o", "wq", "wk", "wv", "wo", "query", "key", "value", "q_lin", "k_lin", "v_lin", "out_lin", "qkv",
})  # fmt: skip
"""Names of attention layers in the common model families."""


@detector
def attention_only(adapted_modules: frozenset[str], model_parameters: float | None, *, least_parameters: float) -> Hit | None:
    """Adapters sit on attention layers and on nothing else."""
    if not adapted_modules <= ATTENTION or not _sized(model_parameters, least_parameters):
        return None
    return Hit({"modules": ", ".join(sorted(adapted_modules))})


BF16_MODELS = (
    "qwen",
    "llama-2",
    "llama-3",
    "llama3",
    "llama2",
    "mistral",
    "mixtral",
    "gemma",
    "deepseek",
    "glm-4",
    "phi-3",
    "phi-4",
    "olmo",
)
"""Families whose published weights are bf16."""


@detector
def half_precision_of_bf16(config: Facts) -> Hit | None:
    """fp16 is on, and the model's weights were trained in bf16."""
    if "fp16" not in config:
        raise NotMeasurable("config", "fp16")
    if config["fp16"] is not True:
        return None
    name = text(config, "model_name_or_path", "base_model", "_name_or_path", "model_name", "model_id", "model")
    bf16 = any(family in name for family in BF16_MODELS) or text(config, "torch_dtype", "dtype").endswith("bfloat16")
    return Hit({"model": name or "bfloat16"}) if bf16 else None


@detector
def nan_filter_with_fp16(config: Facts) -> Hit | None:
    """The log's filter of NaN and infinity is on while fp16 can overflow."""
    if "fp16" not in config:
        raise NotMeasurable("config", "fp16")
    on = config["fp16"] is True and config.get("logging_nan_inf_filter") is True
    return Hit({"filter": "logging_nan_inf_filter"}) if on else None


@detector
def best_model_cannot_be_kept(config: Facts) -> Hit | None:
    """The best checkpoint shall be loaded at the end, but checkpoints are not written when evaluations are made."""
    if "load_best_model_at_end" not in config:
        raise NotMeasurable("config", "load_best_model_at_end")
    if config["load_best_model_at_end"] is not True:
        return None
    evaluates, saves = (text(config, name).removeprefix("intervalstrategy.") for name in ("eval_strategy", "save_strategy"))
    if not evaluates:
        raise NotMeasurable("config", "eval_strategy")
    saves = saves.removeprefix("savestrategy.") or "steps"
    facts: Facts = {"evaluates": evaluates, "saves": saves, "eval_steps": 0, "save_steps": 0}
    if saves == "best" and evaluates != "no":
        return None
    if evaluates != saves or evaluates == "no":
        return Hit(facts)
    if evaluates != "steps":
        return None
    every, kept = number_or(config, 0, "eval_steps", "logging_steps"), number(config, "save_steps")
    uneven = every >= 1 and kept >= 1 and kept % every != 0
    return Hit({**facts, "eval_steps": int(every), "save_steps": int(kept)}) if uneven else None


@detector
def rows_below(training_rows: float, training_kind: str, *, kind: str, least: int, from_rows: int, recommended: int) -> Hit | None:
    """A training of this kind has fewer than `least` rows, and at least `from_rows`, below which another rule is in charge."""
    if training_kind != kind or not from_rows <= training_rows < least:
        return None
    return Hit({"rows": int(training_rows), "least": least, "recommended": recommended})


@detector
def split_outside(config: Facts, training_rows: float, *, low: float, high: float, enough: int) -> Hit | None:
    """Training rows per evaluation row lie outside the range; `enough` evaluation rows are enough however many train."""
    held_out = number(config, "eval_rows", "num_eval_samples", "eval_samples")
    if held_out <= 0 or low <= training_rows / held_out <= high or (training_rows / held_out > high and held_out >= enough):
        return None
    return Hit({"rows": int(training_rows), "held_out": int(held_out), "ratio": training_rows / held_out})
