"""What the many names of one quantity mean: a table of aliases, and nothing clever.

Names are compared after normalising: lower case, and every run of characters other than letters, digits and `%` is one `_`.
Earlier aliases win where a row carries several (`train_loss_step` before `train_loss_epoch`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import TypeVar

from advisor.readers.quantities import QUANTITIES

V = TypeVar("V")

ALIASES: Mapping[str, tuple[str, ...]] = {
    "step": (
        "step", "global_step", "train_global_step", "global_steps", "current_steps", "current_step", "iteration",
        "iterations",
        "iter", "it", "num_updates", "update", "updates", "train_step", "training_step", "optimizer_step", "trainer_global_step",
        "batch", "_step", "steps", "checkpoint", "seen_batches", "step_number",
        "global_step_max_steps",
    ),
    "epoch": (
        "epoch", "epochs", "train_epoch", "current_epoch", "epoch_num", "num_epoch", "ep", "train_global_epoch",
        "epoch_number",
        "progress_or_epoch",
    ),
    "train_loss": (
        "loss", "train_loss_step", "train_loss", "training_loss", "tr_loss", "trn_loss", "loss_train", "lm_loss",
        "train_loss_epoch", "loss_step", "train_lm_loss", "train_ce_loss", "train_nll_loss", "total_loss", "ce_loss", "nll_loss",
        "training_loss_step", "avg_loss", "average_loss", "mean_loss", "batch_loss", "train_total_loss", "loss_iter",
        "reduced_train_loss", "running_loss", "train_batch_loss", "train_epoch_loss", "epoch_loss", "train_running_loss",
        "xent",
        "train_losses", "training_losses", "losses", "step_loss", "avr_loss", "train_crossentropyloss",
        "embedding_loss", "gpt_loss", "t_loss", "train_avg_loss", "main_loss", "cross_entropy", "train_cross_entropy",
        "closs", "log_loss", "logloss",
        "损失", "训练损失", "训练集损失", "平均损失", "平均训练损失", "训练loss", "损失值", "loss_total_loss",
    ),
    "eval_loss": (
        "eval_loss", "val_loss", "valid_loss", "validation_loss", "dev_loss", "loss_val", "loss_valid", "loss_eval",
        "loss_validation", "vloss", "val_loss_epoch", "valid_loss_epoch", "eval_lm_loss", "valid_lm_loss",
        "validation_lm_loss", "eval_loss_epoch", "validation_loss_epoch", "val_loss_step", "full_valid_loss", "val_ce_loss",
        "valid_nll_loss", "val_nll_loss", "eval_nll_loss", "validation_lm_loss_value", "lm_loss_value", "test_loss",
        "lm_loss_validation", "validation_metrics_loss",
        "val_total_loss", "valid_total_loss",
        "val_epoch_loss", "avg_val_loss", "average_val_loss", "mean_val_loss", "cv_loss", "evaluation_loss", "loss_dev",
        "loss_test", "heldout_loss", "验证损失", "验证集损失", "评估损失", "测试损失",
        "平均验证损失", "验证损失值", "验证loss", "测试loss", "clip_val_loss",
        "test_loss_epoch", "avg_valid_loss", "val_lm_loss", "val_losses", "valid_losses", "validation_losses", "eval_losses",
        "test_losses", "dev_losses", "valid_avg_loss", "val_avg_loss", "validation_main_loss", "val_cross_entropy",
        "validation_cross_entropy", "eval_crossentropyloss", "eval_embedding_loss",
    ),
    "train_perplexity": (
        "train_perplexity", "train_ppl", "perplexity_train", "training_perplexity", "ppl", "perplexity", "train_perplexity_step",
        "lm_loss_ppl",
    ),
    "eval_perplexity": (
        "eval_perplexity", "eval_ppl", "val_perplexity", "val_ppl", "valid_ppl", "valid_perplexity", "perplexity_val",
        "perplexity_valid", "validation_perplexity", "dev_ppl", "dev_perplexity", "test_ppl", "test_perplexity",
        "validation_ppl", "lm_loss_ppl_value",
    ),
    "train_bits": ("train_bpb", "train_bpc", "train_bits_per_byte", "train_bits_per_character"),
    "eval_bits": (
        "val_bpb", "eval_bpb", "validation_bpb", "valid_bpb", "val_bpc", "eval_bpc", "valid_bpc", "validation_bpc",
    ),
    "learning_rate": (
        "learning_rate", "lr", "train_learning_rate", "train_lr", "current_lr", "lr_adamw", "lr_0", "lr_pg0", "cur_lr",
        "optimizer_lr", "lr_group_0", "last_lr", "lr_abs", "actor_lr", "学习率", "lrs", "learning_rates",
    ),
    "grad_norm": (
        "grad_norm", "gnorm", "gradient_norm", "grad_norms", "train_grad_norm", "global_grad_norm", "total_grad_norm",
        "norm_grad", "grad", "gn", "actor_grad_norm", "grad_2_0_norm_total", "norm",
    ),
    "loss_scale": ("loss_scale", "train_loss_scale", "grad_scale", "lossscale"),
    "num_tokens": ("num_tokens", "num_input_tokens_seen", "tokens_seen", "consumed_tokens"),
    "mean_token_accuracy": ("mean_token_accuracy", "token_accuracy", "train_mean_token_accuracy", "token_acc"),
    "eval_mean_token_accuracy": ("eval_mean_token_accuracy", "valid_mean_token_accuracy", "eval_token_acc"),
    "eval_accuracy": (
        "eval_accuracy", "val_accuracy", "val_accuracies", "val_acc", "val_accs", "valid_accuracy", "valid_acc", "eval_acc",
        "validation_accuracy", "dev_accuracy", "test_accuracy", "test_acc", "验证准确率",
    ),
    "train_accuracy": ("train_accuracy", "train_acc", "accuracy", "acc", "training_accuracy", "准确率", "训练准确率"),
    "time": ("time", "timestamp", "wall_time", "elapsed"),
    **QUANTITIES,
}  # fmt: skip

AXES = ("step", "epoch")
UNITS: Mapping[str, str] = {
    "train_loss": "nats", "eval_loss": "nats", "train_perplexity": "perplexity", "eval_perplexity": "perplexity",
    "train_bits": "bits", "eval_bits": "bits", "train_mean_loss": "nats", "train_mean_bits": "bits", "train_mean_error": "",
    "train_sentence_loss": "nats-per-sentence", "eval_sentence_loss": "nats-per-sentence",
    "train_loss_sum": "", "eval_loss_sum": "", "train_error": "", "eval_error": "",
}  # fmt: skip
"""The units of losses and of what stands in for them; every other quantity has none.

mean: over the epoch that ends there. sum: of the parts of a loss. error: what is minimised and is no mean cross-entropy in nats,
such as RMSE or a weighted sum of losses.
"""

LOSS_LIKE = frozenset({*UNITS, "reward"})
"""Quantities of which at least one must be there for a file to be a training log."""

OTHER_LOSSES = (
    "aux", "kl", "balance", "router", "z", "policy", "value", "critic", "generator", "discriminator", "logits", "box", "cls",
    "obj", "dfl", "kd", "distill", "contrastive", "reg", "mtp", "regularization", "style", "content", "load balancing", "best",
    "best val", "best eval", "best valid", "best train", "min", "final", "g", "d", "moe", "lb", "previous", "prev",
    "best validation", "initial", "policy gradient", "entropy", "commit", "recon", "reconstruction", "target", "last", "lowest",
)  # fmt: skip
"""Words that make `<word> loss` something other than the run's training loss."""

OF_EVALUATION: Mapping[str, str] = {
    "train_loss": "eval_loss",
    "train_perplexity": "eval_perplexity",
    "train_bits": "eval_bits",
    "train_accuracy": "eval_accuracy",
    "mean_token_accuracy": "eval_mean_token_accuracy",
}
"""What quantities are called in an evaluation whose entry names the data set apart."""

SPLIT_KEYS = ("split", "mode", "phase", "stage", "type", "subset", "dataset", "set", "kind", "event")
"""Keys and columns that name the data set of an entry: `{"split": "val", "loss": 2.3}`."""

_EVALUATION = re.compile(r"(?:val(?:id(?:ation|ate)?)?|eval(?:uation|uate)?|dev|test(?:ing)?)(?:_\w+)?", re.IGNORECASE)

_CAMEL_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])")
_SEPARATORS = re.compile(r"[^0-9a-z%\u4e00-\u9fff]+")
_ALIAS_TO_NAME = {alias: (name, rank) for name, aliases in ALIASES.items() for rank, alias in enumerate(aliases)}
_NOT_METRICS = re.compile(
    r"runtime|per_second|total_flos|time_|_time|^percentage|^elapsed|^remaining|^total_steps|^memory|^train_speed|^best_metric"
)


def normalise(name: str) -> str:
    """Return `name` in the form in which aliases are compared: `Training Loss` → `training_loss`."""
    return _SEPARATORS.sub("_", name.lower()).strip("_")


@lru_cache(maxsize=4096)
def canonical(name: str) -> str | None:
    """Return the quantity that `name` means, or None where the table does not know it."""
    found = _known(name)
    return found[0] if found else None


def _known(name: str) -> tuple[str, int] | None:
    """Look `name` up as it stands, then with its words told apart by their capitals: `ValLoss`."""
    return _ALIAS_TO_NAME.get(normalise(name)) or _ALIAS_TO_NAME.get(normalise(_CAMEL_HUMP.sub("_", name)))


@lru_cache(maxsize=1024)
def canonical_keys(keys: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """Map the keys of one row to quantities: pairs (key, quantity), each quantity once, the best alias winning.

    Keys the table does not know keep their own name, unless they are bookkeeping (run times, speeds, percentages).
    """
    best: dict[str, tuple[int, str]] = {}
    extra: list[tuple[str, str]] = []
    for key in keys:
        plain = normalise(key)
        found = _known(key)
        if found is None:
            if plain and not _NOT_METRICS.search(plain):
                extra.append((key, key))
            continue
        name, rank = found
        if name not in best or rank < best[name][0]:
            best[name] = (rank, key)
    known = [(key, name) for name, (_, key) in best.items()]
    return (*known, *((key, name) for key, name in extra if name not in best))


def is_evaluation(split: object) -> bool:
    """Tell whether the value of one of `SPLIT_KEYS` names an evaluation."""
    return isinstance(split, str) and _EVALUATION.fullmatch(split.strip()) is not None


def of_evaluation(values: Mapping[str, V]) -> dict[str, V]:
    """Return quantities that name no data set, or where they stand, as those of an evaluation."""
    return {name: value for name, value in values.items() if name not in OF_EVALUATION} | {
        OF_EVALUATION[name]: value for name, value in values.items() if name in OF_EVALUATION and OF_EVALUATION[name] not in values
    }


def is_loss_like(names: Iterable[str]) -> bool:
    """Tell whether any of these quantities makes a row a measurement of training."""
    return not LOSS_LIKE.isdisjoint(names)
