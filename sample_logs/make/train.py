"""Train one recipe with `transformers.Trainer` and leave its logs in the folder `run`.

Run by make_samples.py in a folder of its own, so that no path of the machine gets into a log.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pandas
import torch
from torch import nn
from transformers import Trainer, TrainingArguments, set_seed

from advisor_log import AdvisorLog
from faults import FAULTS_IN_MODEL, FAULTS_IN_ROWS
from json_lines import JsonLines, json_lines
from model import BASES, base_model, tiny_llama, train_base, with_lora
from recipes import RECIPES, Recipe
from tasks import TASKS, Rows

RUN = Path("run")
EVAL_SEED_OFFSET = 1000


def main() -> None:
    """Train the recipe named first; a seed after it replaces the recipe's own."""
    torch.set_num_threads(1)
    name, *seed = sys.argv[1:]
    if name in BASES:
        train_base(name)
        return
    recipe = RECIPES[name]
    train(recipe, int(seed[0]) if seed else recipe.seed)


def train(recipe: Recipe, seed: int) -> None:
    """Train the recipe and write every log of it."""
    set_seed(seed)
    train_rows = rows_of(recipe, seed)
    eval_rows = eval_rows_of(recipe, seed)
    model = model_of(recipe, train_rows.vocab_size)
    arguments = TrainingArguments(
        str(RUN), seed=seed, use_cpu=True, **({"save_strategy": "no"} | recipe.arguments)
    )
    log = AdvisorLog(RUN / "run.jsonl", facts_of(recipe, train_rows))
    RUN.mkdir()
    trainer = Trainer(
        model, arguments, train_dataset=train_rows, eval_dataset=eval_rows, callbacks=[log]
    )
    trainer.train()
    trainer.save_state()
    model.config.save_pretrained(RUN)
    pandas.DataFrame(trainer.state.log_history).to_csv(RUN / "log.csv", index=False)


def rows_of(recipe: Recipe, seed: int) -> Rows | JsonLines:
    """Return the training rows, with the recipe's fault where it is one of the rows."""
    if recipe.task == "json-lines":
        return json_lines(recipe.rows, seed)
    rows = TASKS[recipe.task](recipe.rows, seed)
    fault = FAULTS_IN_ROWS.get(recipe.fault)
    return fault(rows, seed) if fault else rows


def eval_rows_of(recipe: Recipe, seed: int) -> Rows | None:
    """Return the rows to evaluate on, with the same fault where it is one of every row."""
    if not recipe.eval_rows:
        return None
    rows = TASKS[recipe.eval_task or recipe.task](recipe.eval_rows, seed + EVAL_SEED_OFFSET)
    fault = FAULTS_IN_ROWS.get(recipe.fault) if recipe.fault_in_eval else None
    return fault(rows, seed + EVAL_SEED_OFFSET) if fault else rows


def model_of(recipe: Recipe, vocab_size: int) -> nn.Module:
    """Return the model to start from, with the recipe's fault where it is one of the model."""
    model = base_model(recipe.base, vocab_size) if recipe.base else tiny_llama(vocab_size)
    if recipe.fault in FAULTS_IN_MODEL:
        FAULTS_IN_MODEL[recipe.fault](model)
    return with_lora(model, recipe.lora_rank) if recipe.lora_rank else model


def facts_of(recipe: Recipe, rows: Rows | JsonLines) -> dict[str, int | str]:
    """Return what the training arguments do not say about the run."""
    facts: dict[str, int | str] = {
        "vocab_size": rows.vocab_size,
        "train_rows": len(rows),
        "method": "lora" if recipe.lora_rank else "full",
        "objective": "sft",
    }
    if recipe.lora_rank:
        facts |= {"lora_r": recipe.lora_rank, "lora_alpha": recipe.lora_rank}
    return facts


if __name__ == "__main__":
    main()
