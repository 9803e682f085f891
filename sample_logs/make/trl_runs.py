"""One run of each of TRL's trainers on a tiny Llama that speaks forty words."""

from __future__ import annotations

WORDS = [f"w{i}" for i in range(40)]
SPECIAL = {"pad_token": "<pad>", "eos_token": "<eos>", "unk_token": "<unk>"}
COMMON = {
    "max_steps": 20,
    "per_device_train_batch_size": 4,
    "logging_steps": 2,
    "eval_strategy": "steps",
    "eval_steps": 10,
    "save_steps": 20,
    "learning_rate": 5e-3,
    "report_to": "none",
    "use_cpu": True,
    "bf16": False,
}


def tokenizer():
    """Return a tokenizer of whole words."""
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    vocabulary = {word: i for i, word in enumerate([*SPECIAL.values(), *WORDS])}
    inner = Tokenizer(models.WordLevel(vocabulary, unk_token=SPECIAL["unk_token"]))
    inner.pre_tokenizer = pre_tokenizers.Whitespace()
    return PreTrainedTokenizerFast(tokenizer_object=inner, **SPECIAL)


def config(**more):
    """Return the configuration of the model."""
    import torch
    from transformers import LlamaConfig

    torch.manual_seed(1)
    return LlamaConfig(
        vocab_size=len(SPECIAL) + len(WORDS),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=1,
        num_attention_heads=2,
        num_key_value_heads=2,
        pad_token_id=0,
        eos_token_id=1,
        **more,
    )


def saved():
    """Return a fresh model that knows a folder from which some trainers load it again."""
    from transformers import LlamaForCausalLM

    LlamaForCausalLM(config()).save_pretrained("model")
    tokenizer().save_pretrained("model")
    return LlamaForCausalLM.from_pretrained("model")


def sentence(i: int, gap: int, words: int = 6) -> str:
    """Return words that stand `gap` apart."""
    return " ".join(WORDS[(i + gap * j) % 40] for j in range(words))


def rows(columns):
    """Return (training, evaluation) rows of what `columns` gives for a number."""
    from datasets import Dataset

    made = Dataset.from_list([columns(i) for i in range(80)])
    return made.select(range(64)), made.select(range(64, 80))


def preferred(i: int) -> dict[str, str]:
    """Return a pair: threes are preferred to fives."""
    return {
        "prompt": sentence(i, 1, 3),
        "chosen": " " + sentence(i, 3),
        "rejected": " " + sentence(i, 5),
    }


def train(trainer_class, config_class, data, model=None, **settings) -> None:
    """Train once."""
    training, evaluation = rows(data)
    trainer_class(
        model=model or saved(),
        args=config_class("out", **{**COMMON, **settings}),
        train_dataset=training,
        eval_dataset=evaluation,
        processing_class=tokenizer(),
    ).train()


def sft() -> None:
    """Supervised fine-tuning on twelve-word sentences."""
    from trl import SFTConfig, SFTTrainer

    train(SFTTrainer, SFTConfig, lambda i: {"text": sentence(i, 3, 12)}, max_length=32)


def dpo() -> None:
    """Direct preference optimisation."""
    from trl import DPOConfig, DPOTrainer

    train(DPOTrainer, DPOConfig, preferred, max_length=32)


def orpo() -> None:
    """Odds ratio preference optimisation."""
    from trl.experimental.orpo import ORPOConfig, ORPOTrainer

    train(ORPOTrainer, ORPOConfig, preferred, max_length=32)


def kto() -> None:
    """Kahneman-Tversky optimisation: single answers, good or bad."""
    from trl import KTOConfig, KTOTrainer

    def judged(i: int) -> dict[str, object]:
        return {
            "prompt": sentence(i, 1, 3),
            "completion": " " + sentence(i, 3 if i % 2 else 5),
            "label": bool(i % 2),
        }

    train(KTOTrainer, KTOConfig, judged, max_length=32)


def reward() -> None:
    """A reward model."""
    from transformers import LlamaForSequenceClassification
    from trl import RewardConfig, RewardTrainer

    model = LlamaForSequenceClassification(config(num_labels=1))
    train(RewardTrainer, RewardConfig, preferred, model, max_length=32)


def grpo() -> None:
    """Group relative policy optimisation: the reward counts a word."""
    from trl import GRPOConfig, GRPOTrainer

    def share_of_w3(completions: list[str], **_: object) -> list[float]:
        return [text.split().count("w3") / 8 for text in completions]

    training, evaluation = rows(lambda i: {"prompt": sentence(i, 1, 3)})
    settings = {
        **COMMON,
        "learning_rate": 2e-2,
        "num_generations": 4,
        "max_completion_length": 8,
        "beta": 0.04,
    }
    GRPOTrainer(
        model=saved(),
        reward_funcs=share_of_w3,
        args=GRPOConfig("out", **settings),
        train_dataset=training,
        eval_dataset=evaluation.select(range(4)),
        processing_class=tokenizer(),
    ).train()
