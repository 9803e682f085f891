"""Preference and reinforcement runs of TRL with a tiny Llama: `python alignment.py [NAME…]`.

Without names, all of them; `--to FOLDER` writes elsewhere, and leaves the manifest alone. The
tokenizer is built here from sixteen words; nothing is downloaded. A minute for each run.
"""

from __future__ import annotations

import argparse
import random
import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from manifest import add_to_manifest, versions_of

WORDS = ("ask", "is", "?", "sun", "rain", "wind", "snow", "fog", "ice", "hot", "cold", "yes", "no")
SPECIAL = ("<pad>", "<end>", "<unknown>")
SKY = ("sun", "rain", "wind", "snow", "fog", "ice")
LIKELY = {
    "sun": "hot",
    "rain": "cold",
    "wind": "cold",
    "snow": "cold",
    "fog": "cold",
    "ice": "cold",
}
REWARDED = "yes"


@dataclass(frozen=True)
class Alignment:
    """One run: where it goes, what it trains, what its log must show."""

    name: str
    note: str
    method: str
    rows: int
    arguments: dict[str, Any] = field(default_factory=dict)
    expect: str = "healthy"
    swapped: float = 0.0
    """Share of the pairs in which the worse answer is the chosen one."""
    reward: str = ""
    seed: int = 7

    @property
    def rule(self) -> str:
        """The slug of the rule that must come first, empty for a healthy run."""
        family, slug = self.name.split("/")
        return slug if family == "faulty" else ""


PAIRS = {
    "per_device_train_batch_size": 16,
    "logging_steps": 2,
    "eval_strategy": "steps",
    "eval_steps": 20,
    "lr_scheduler_type": "linear",
    "warmup_steps": 10,
    "beta": 0.1,
}
GROUPS = {
    "per_device_train_batch_size": 32,
    "num_generations": 8,
    "max_completion_length": 32,
    "logging_steps": 1,
    "lr_scheduler_type": "constant",
    "temperature": 1.0,
}

ALIGNMENT: dict[str, Alignment] = {
    run.name: run
    for run in (
        Alignment(
            "healthy/dpo",
            "DPO on pairs of which an eighth are swapped: the margin grows, the evaluations agree.",
            "dpo",
            rows=16 * 160,
            swapped=0.125,
            arguments=PAIRS | {"learning_rate": 2e-4},
        ),
        Alignment(
            "healthy/grpo",
            "GRPO, graded reward: the reward climbs; its loss is near zero, as it should be.",
            "grpo",
            rows=4 * 150,
            reward="share",
            arguments=GROUPS | {"learning_rate": 2e-4, "beta": 0.2},
        ),
        Alignment(
            "faulty/margin-zero",
            "DPO with beta = 0: loss ln 2 and margin zero from the first step to the last.",
            "dpo",
            rows=16 * 120,
            expect="plateau",
            arguments=PAIRS | {"learning_rate": 1e-3, "beta": 0.0},
        ),
        Alignment(
            "faulty/preferences-saturated",
            "DPO on pairs that one word tells apart, at a high rate: all are won at once.",
            "dpo",
            rows=16 * 160,
            expect="overfitting",
            arguments=PAIRS | {"learning_rate": 1e-2, "beta": 0.5},
        ),
        Alignment(
            "faulty/dead-groups",
            "GRPO, a reward that few answers earn: most groups have no spread.",
            "grpo",
            rows=4 * 80,
            expect="plateau",
            reward="exact",
            arguments=GROUPS | {"learning_rate": 1e-4, "beta": 0.0},
        ),
        Alignment(
            "faulty/entropy-collapse",
            "GRPO, a judge that tosses a coin, a high rate: the policy soon says one thing only.",
            "grpo",
            rows=4 * 120,
            expect="plateau",
            reward="coin",
            arguments=GROUPS | {"learning_rate": 1e-2, "beta": 0.0},
        ),
        Alignment(
            "faulty/kl-drift",
            "GRPO hardly held to its reference: the divergence passes a nat a token.",
            "grpo",
            rows=4 * 80,
            expect="divergence",
            reward="share",
            arguments=GROUPS | {"learning_rate": 5e-4, "beta": 0.001, "max_completion_length": 96},
        ),
        Alignment(
            "faulty/completions-cut-off",
            "GRPO with room for four words: three in four answers are cut off.",
            "grpo",
            rows=4 * 60,
            expect="data",
            reward="share",
            arguments=GROUPS | {"learning_rate": 1e-4, "beta": 0.04, "max_completion_length": 4},
        ),
    )
}


def tokenizer() -> Any:
    """Return a tokenizer of whole words."""
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from tokenizers.pre_tokenizers import WhitespaceSplit
    from transformers import PreTrainedTokenizerFast

    made = Tokenizer(
        WordLevel({word: i for i, word in enumerate((*SPECIAL, *WORDS))}, unk_token=SPECIAL[2])
    )
    made.pre_tokenizer = WhitespaceSplit()
    return PreTrainedTokenizerFast(
        tokenizer_object=made,
        pad_token=SPECIAL[0],
        eos_token=SPECIAL[1],
        unk_token=SPECIAL[2],
        padding_side="left",
    )


def policy(tokens: Any, folder: Path) -> str:
    """Save a Llama of two layers with random weights; TRL loads it twice, once as reference."""
    from transformers import LlamaConfig, LlamaForCausalLM

    config = LlamaConfig(
        vocab_size=len(tokens),
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=256,
        bos_token_id=None,
        eos_token_id=tokens.eos_token_id,
        pad_token_id=tokens.pad_token_id,
    )
    LlamaForCausalLM(config).save_pretrained(folder)
    return str(folder)


def pairs(rows: int, swapped: float, seed: int) -> list[dict[str, str]]:
    """Draw questions with a likely and an unlikely answer."""
    draw = random.Random(seed)
    found = []
    for _ in range(rows):
        sky = draw.choice(SKY)
        good = LIKELY[sky]
        bad = "cold" if good == "hot" else "hot"
        filler = " ".join(draw.choices(SKY, k=draw.randint(1, 4)))
        chosen, rejected = f" {good} {filler}", f" {bad} {filler}"
        if draw.random() < swapped:
            chosen, rejected = rejected, chosen
        found.append({"prompt": f"ask {sky} is ?", "chosen": chosen, "rejected": rejected})
    return found


def share(completions: Sequence[str], **_: Any) -> list[float]:
    """Reward the share of the wanted word: graded, so that every group has a spread."""
    return [c.split().count(REWARDED) / max(len(c.split()), 1) for c in completions]


def exact(completions: Sequence[str], **_: Any) -> list[float]:
    """Reward an answer that begins with the wanted word twice, and nothing else."""
    return [float(c.split()[:2] == [REWARDED, REWARDED]) for c in completions]


def coin(completions: Sequence[str], **_: Any) -> list[float]:
    """Reward every second answer, whatever it says."""
    return [float(random.random() < 1 / 2) for _ in completions]


REWARDS: dict[str, Callable[..., list[float]]] = {"share": share, "exact": exact, "coin": coin}


def train(run: Alignment, folder: Path) -> None:
    """Train one recipe and leave its trainer state in `folder`."""
    from datasets import Dataset
    from transformers import set_seed
    from trl import DPOConfig, DPOTrainer, GRPOConfig, GRPOTrainer

    set_seed(run.seed)
    tokens = tokenizer()
    base = policy(tokens, folder.parent / "base")
    common = {
        "output_dir": str(folder),
        "num_train_epochs": 1,
        "report_to": "none",
        "save_strategy": "no",
        "use_cpu": True,
        "seed": run.seed,
        "disable_tqdm": True,
        "bf16": False,
        "gradient_checkpointing": False,
    } | run.arguments
    if run.method == "dpo":
        trainer: Any = DPOTrainer(
            base,
            args=DPOConfig(**common),
            processing_class=tokens,
            train_dataset=Dataset.from_list(pairs(run.rows, run.swapped, run.seed)),
            eval_dataset=Dataset.from_list(pairs(256, run.swapped, run.seed + 1)),
        )
    else:
        draw = random.Random(run.seed)
        prompts = Dataset.from_list(
            [{"prompt": f"ask {draw.choice(SKY)} is ?"} for _ in range(run.rows)]
        )
        trainer = GRPOTrainer(
            base,
            REWARDS[run.reward],
            args=GRPOConfig(**common),
            processing_class=tokens,
            train_dataset=prompts,
        )
    trainer.train()
    trainer.state.save_to_json(str(folder / "trainer_state.json"))


def entry(run: Alignment) -> dict[str, Any]:
    """Return what the manifest says of a run."""
    return {
        "path": f"{run.name}/trainer_state.json",
        "expect": run.expect,
        **({"rule": run.rule} if run.rule else {}),
        "format": "trainer-state",
        "made_by": f"python sample_logs/make/alignment.py {run.name}",
        "seed": run.seed,
        "versions": versions_of("torch", "transformers", "trl"),
        "note": run.note,
    }


def main() -> None:
    """Make the named samples, or all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="for example healthy/grpo")
    parser.add_argument("--to", type=Path, metavar="FOLDER")
    options = parser.parse_args()
    names = options.names or list(ALIGNMENT)
    samples = Path(__file__).resolve().parent.parent
    for name in names:
        to = (options.to or samples) / name
        with tempfile.TemporaryDirectory() as work:
            (folder := Path(work) / "run").mkdir()
            train(ALIGNMENT[name], folder)
            to.mkdir(parents=True, exist_ok=True)
            shutil.copy(folder / "trainer_state.json", to)
        print(f"made {name}", flush=True)
    if options.to is None:
        add_to_manifest(samples / "MANIFEST.toml", [entry(ALIGNMENT[name]) for name in names])


if __name__ == "__main__":
    main()
