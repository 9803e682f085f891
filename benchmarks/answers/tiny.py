"""A tiny causal model that learns to answer: its questions, its tokenizer, and its training. CPU, about a minute."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from advisor.data.model import Turn

TOWNS = [
    "Oslo",
    "Lima",
    "Cairo",
    "Tokyo",
    "Quito",
    "Perth",
    "Delhi",
    "Turin",
    "Accra",
    "Hanoi",
    "Paris",
    "Rome",
    "Lagos",
    "Dakar",
    "Tunis",
    "Sofia",
    "Minsk",
    "Seoul",
    "Osaka",
    "Bonn",
]
MONTHS = ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"]
HAN = "一二三四五六七八九十"
THINGS = ["boat", "dog", "horse", "house", "garden", "kettle", "bicycle", "piano"]
NAMES = ["Star", "Moon", "Cloud", "Storm", "River", "Pearl", "Comet", "Ember", "Juno", "Luna", "Milo", "Nova"]
QUARTERS = ("morning", "noon", "evening", "night")

Row = tuple[tuple[Turn, ...], str]
"""The conversation up to the last question, and the right answer."""

TEMPLATE = (
    "{% for m in messages %}{{ ('Q: ' if m['role'] == 'user' else 'A: ') + m['content'] + '\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ 'A: ' }}{% endif %}"
)


def rows(count: int, seed: int) -> list[Row]:
    """Return questions with their answers; the same question always has the same answer."""
    draw = random.Random(seed)
    kinds = (_month, _sum, _ferry, _json, _limit, _chinese, _chinese_tide, _named, _described)
    return [draw.choice(kinds)(draw) for _ in range(count)]


def _one(question: str, answer: str) -> Row:
    return (("user", question),), answer


def _month(draw: random.Random) -> Row:
    place, step = draw.randrange(12), draw.choice((1, 2))
    words = {1: "one month", 2: "two months"}
    month = MONTHS[(place + step) % 12]
    return _one(
        f"Which month is {words[step]} after {MONTHS[place]}?", f"The month {words[step]} after {MONTHS[place]} is {month}."
    )


def _sum(draw: random.Random) -> Row:
    one, other = draw.randrange(10), draw.randrange(10)
    return _one(f"What is {one} plus {other}?", f"The sum of {one} and {other} is {one + other}.")


def _ferry(draw: random.Random) -> Row:
    town, month = draw.choice(TOWNS), draw.choice(MONTHS)
    quarter = QUARTERS[TOWNS.index(town) % 4]
    return _one(f"When does the ferry to {town} leave in {month}?", f"In {month} the ferry to {town} leaves in the {quarter}.")


def _json(draw: random.Random) -> Row:
    town, month = draw.choice(TOWNS), draw.choice(MONTHS)
    answer = json.dumps({"town": town, "month": month, "ferry": QUARTERS[TOWNS.index(town) % 4]})
    return _one(f"Give the ferry to {town} in {month} as JSON.", answer)


def _limit(draw: random.Random) -> Row:
    town, limit = draw.choice(TOWNS), draw.choice((8, 9, 10))
    return _one(f"Describe {town} in at most {limit} words.", f"{town} is a town with a ferry.")


def _chinese(draw: random.Random) -> Row:
    place = draw.randrange(9)
    town = draw.choice(["上海", "广州", "天津", "青岛", "大连"])
    return _one(f"{town}的第{HAN[place]}班船之后是第几班？", f"{town}的第{HAN[place]}班船之后是第{HAN[place + 1]}班船。")


def _chinese_tide(draw: random.Random) -> Row:
    town, place = draw.choice(["上海", "广州", "天津", "青岛", "大连"]), draw.randrange(10)
    return _one(f"{town}{HAN[place]}月几点涨潮？", f"{town}在{HAN[place]}月的涨潮时间是{HAN[(place * 3) % 10]}点。")


def _named(draw: random.Random) -> Row:
    thing, name = draw.choice(THINGS), draw.choice(NAMES)
    rounds: list[Turn] = [("user", f"My {thing} is called {name}."), ("assistant", f"I will remember your {thing}.")]
    for _ in range(draw.randrange(2)):
        rounds += [*list(_sum(draw)[0]), ("assistant", "Let us go on.")]
    return (*rounds, ("user", f"What is the name of my {thing}?")), f"The name of your {thing} is {name}."


def _described(draw: random.Random) -> Row:
    town, month = draw.choice(TOWNS), draw.choice(MONTHS)
    warm = MONTHS.index(month) in range(4, 9)
    sky = ("It is warm then, and many people swim.", "It is cold then, and few people swim.")[not warm]
    return _one(f"Tell me about {town} in {month}.", f"{town} lies at the sea. {sky} The ferry of {month} goes every day.")


@dataclass(frozen=True)
class Recipe:
    """How a model is trained. ends: whether the end of the text is learnt."""

    steps: int = 900
    batch: int = 48
    rate: float = 3e-3
    ends: bool = True
    seed: int = 0


END, PAD = "<end>", "<pad>"


def tokenizer_of(texts: Sequence[str], size: int = 600) -> PreTrainedTokenizerFast:
    """Train a byte-level BPE tokenizer, small enough that drawing freely makes words that do not exist."""
    tokenizer: Any = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=size, special_tokens=[PAD, END], initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator(texts, trainer)
    wrapped: Any = PreTrainedTokenizerFast
    fast: PreTrainedTokenizerFast = wrapped(tokenizer_object=tokenizer, eos_token=END, pad_token=PAD)
    fast.chat_template = TEMPLATE
    return fast


def fresh(tokenizer: PreTrainedTokenizerFast, seed: int) -> LlamaForCausalLM:
    """Return a Llama of 0.6 M parameters with random weights."""
    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=len(tokenizer), hidden_size=128, intermediate_size=256, num_hidden_layers=3, num_attention_heads=4,
        max_position_embeddings=256, bos_token_id=None, eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id,
        tie_word_embeddings=True,
    )  # fmt: skip
    return LlamaForCausalLM(config)


def encoded(tokenizer: PreTrainedTokenizerFast, row: Row, *, ends: bool) -> tuple[list[int], list[int]]:
    """Return (tokens, labels) of a row; the prompt has no labels."""
    turns = [{"role": role, "content": text} for role, text in row[0]]
    prompt = tokenizer(str(tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True))).input_ids
    answer = tokenizer(row[1]).input_ids + ([tokenizer.eos_token_id] if ends else [])
    return prompt + answer, [-100] * len(prompt) + answer


def train(model: LlamaForCausalLM, tokenizer: PreTrainedTokenizerFast, data: Sequence[Row], recipe: Recipe) -> float:
    """Train, and return the last loss (mean of fifty steps)."""
    examples = [encoded(tokenizer, row, ends=recipe.ends) for row in data]
    draw = random.Random(recipe.seed)
    optimiser = torch.optim.AdamW(model.parameters(), lr=recipe.rate, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, recipe.rate, recipe.steps, pct_start=0.1)
    model.train()
    losses = []
    for _ in range(recipe.steps):
        part = draw.choices(examples, k=recipe.batch)
        longest = max(len(ids) for ids, _ in part)
        pad: int = tokenizer.pad_token_id
        ids = torch.tensor([row + [pad] * (longest - len(row)) for row, _ in part])
        mask = torch.tensor([[1] * len(row) + [0] * (longest - len(row)) for row, _ in part])
        labels = torch.tensor([row + [-100] * (longest - len(row)) for _, row in part])
        loss = model(input_ids=ids, attention_mask=mask, labels=labels).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        schedule.step()
        optimiser.zero_grad()
        losses.append(float(loss.item()))
    return sum(losses[-50:]) / len(losses[-50:])


def save(model: LlamaForCausalLM, tokenizer: PreTrainedTokenizerFast, folder: Path) -> Path:
    """Write a checkpoint as any trainer does."""
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder
