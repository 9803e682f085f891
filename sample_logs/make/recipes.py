"""The recipes: what each sample trains, with which fault, and which of its logs are kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

TRAINER_STATE = "trainer_state.json"
CONSOLE = "console.log"
ADVISOR_LOG = "run.jsonl"
TABLE = "log.csv"
CONFIG = "config.json"
CHECKPOINTS = "checkpoint-*"


@dataclass(frozen=True)
class Recipe:
    """One run: where it goes, what it trains, what is planted, what its log must show."""

    name: str
    """The folder below sample_logs/; its second part is the rule of a faulty run."""
    note: str
    """What was planted and what the curve shows, in one sentence."""
    task: str
    rows: int
    keep: tuple[str, ...]
    arguments: dict[str, Any]
    expect: str = "healthy"
    eval_rows: int = 0
    eval_task: str = ""
    fault: str = ""
    fault_in_eval: bool = False
    base: str = "topics"
    """The task the base model has learnt; empty for random weights."""
    lora_rank: int = 0
    seed: int = 7

    @property
    def rule(self) -> str:
        """The slug of the rule that must come first, empty for a healthy run."""
        family, slug = self.name.split("/")
        return slug if family == "faulty" else ""


def arguments(
    epochs: float,
    rate: float,
    batch: int,
    log_every: int,
    eval_every: int = 0,
    schedule: str = "cosine",
    warmup: float = 0.05,
    **others: Any,
) -> dict[str, Any]:
    """Return training arguments by their short names."""
    chosen: dict[str, Any] = {
        "num_train_epochs": epochs,
        "learning_rate": rate,
        "per_device_train_batch_size": batch,
        "logging_steps": log_every,
        "lr_scheduler_type": schedule,
        "warmup_steps": warmup,
    }
    if eval_every:
        chosen |= {
            "eval_strategy": "steps",
            "eval_steps": eval_every,
            "per_device_eval_batch_size": 64,
        }
    return chosen | others


HEALTHY = (
    Recipe(
        "healthy/sft-weather",
        "Full fine-tuning on fresh rows, cosine: falls smoothly, levels off with its evaluation.",
        "weather",
        rows=64 * 300,
        eval_rows=256,
        keep=(TRAINER_STATE, CONSOLE, CONFIG),
        arguments=arguments(1, 4e-3, 64, 3, 30),
    ),
    Recipe(
        "healthy/output-folder",
        "Pre-training kept as an output folder; the later checkpoint shows a settled curve.",
        "topics",
        rows=48 * 600,
        eval_rows=256,
        keep=(CHECKPOINTS, CONFIG),
        base="",
        arguments=arguments(
            1,
            6e-3,
            48,
            10,
            60,
            schedule="polynomial",
            lr_scheduler_kwargs={"power": 2.0},
            save_strategy="steps",
            save_steps=300,
            save_only_model=True,
        ),
    ),
    Recipe(
        "healthy/stepwise-lora",
        "LoRA on facts: the loss falls in steps at the borders of its three epochs, as it should.",
        "facts",
        rows=3840,
        eval_rows=1280,
        eval_task="facts-rephrased",
        keep=(ADVISOR_LOG,),
        base="known-facts",
        lora_rank=4,
        arguments=arguments(3, 1e-2, 128, 1, 10, schedule="linear"),
    ),
    Recipe(
        "healthy/without-evaluation",
        "Fine-tuning without an evaluation set: sound as far as the training loss can tell.",
        "weather",
        rows=48 * 300,
        keep=(TABLE,),
        arguments=arguments(1, 4e-3, 48, 3, schedule="linear"),
        seed=11,
    ),
    Recipe(
        "healthy/constant-rate",
        "A constant learning rate, and nothing more to gain: the loss has settled on the noise.",
        "answers",
        rows=512 * 800,
        eval_rows=2048,
        keep=(TRAINER_STATE, CONFIG),
        base="",
        arguments=arguments(1, 1e-3, 512, 8, 50, schedule="constant_with_warmup"),
    ),
    Recipe(
        "healthy/short-cosine",
        "80 steps with warm-up, cosine and accumulation, logged at every step: short, but settled.",
        "weather",
        rows=128 * 80,
        eval_rows=256,
        keep=(CONSOLE,),
        arguments=arguments(1, 1e-2, 64, 1, 10, warmup=0.1, gradient_accumulation_steps=2),
    ),
    Recipe(
        "healthy/classification",
        "Six words and one of four classes drawn by them: sound, though the floor is high.",
        "votes",
        rows=512 * 400,
        eval_rows=2048,
        keep=(ADVISOR_LOG,),
        base="",
        arguments=arguments(1, 3e-3, 512, 4, 40),
    ),
    Recipe(
        "healthy/noisy-small-batch",
        "Batches of two rows logged every second step: a noisy curve that still falls and settles.",
        "topics",
        rows=2 * 400,
        eval_rows=256,
        keep=(TRAINER_STATE, CONFIG),
        base="",
        arguments=arguments(1, 3e-3, 2, 2, 40),
    ),
)

FAULTY = (
    Recipe(
        "faulty/validation-rise",
        "64 rows for 40 epochs: the evaluation loss turns early and climbs while training falls.",
        "weather",
        expect="overfitting",
        rows=64,
        eval_rows=256,
        keep=(TRAINER_STATE, CONSOLE, CONFIG),
        arguments=arguments(40, 4e-3, 8, 4, 8, schedule="linear"),
    ),
    Recipe(
        "faulty/validation-rise-few-evaluations",
        "64 rows for 32 epochs, four evaluations: each is clearly above the one before.",
        "weather",
        expect="overfitting",
        rows=64,
        eval_rows=256,
        keep=(ADVISOR_LOG,),
        arguments=arguments(32, 4e-3, 8, 4, 64),
    ),
    Recipe(
        "faulty/memorised-without-evaluation",
        "32 rows for 80 epochs and no evaluation: the training loss ends next to zero.",
        "weather",
        expect="overfitting",
        rows=32,
        keep=(TABLE,),
        arguments=arguments(80, 6e-3, 8, 5, schedule="linear"),
    ),
    Recipe(
        "faulty/ended-while-improving",
        "Stopped after 40 steps at a full learning rate: both losses are still falling steeply.",
        "weather",
        expect="underfitting",
        rows=64 * 40,
        eval_rows=256,
        keep=(TRAINER_STATE, CONFIG),
        arguments=arguments(1, 4e-4, 64, 1, 5, schedule="constant"),
    ),
    Recipe(
        "faulty/slow-descent",
        "A learning rate of 3e-7: 200 steps lower the loss by about 1 %.",
        "weather",
        expect="underfitting",
        rows=64 * 200,
        eval_rows=256,
        keep=(TRAINER_STATE, CONFIG),
        arguments=arguments(1, 3e-7, 64, 4, 20),
    ),
    Recipe(
        "faulty/loss-rise",
        "The learning rate warms up to 0.1: the loss falls at first, then rises and stays up.",
        "weather",
        expect="divergence",
        rows=32 * 300,
        eval_rows=256,
        keep=(TRAINER_STATE, CONSOLE, CONFIG),
        arguments=arguments(1, 1e-1, 32, 5, 30, schedule="constant_with_warmup", warmup=0.6),
    ),
    Recipe(
        "faulty/loss-explosion",
        "A learning rate that climbs to 3: the loss ends far above its start, finite throughout.",
        "weather",
        expect="divergence",
        rows=16 * 100,
        eval_rows=64,
        keep=(ADVISOR_LOG,),
        arguments=arguments(1, 3.0, 16, 1, 20, schedule="constant_with_warmup", warmup=100),
    ),
    Recipe(
        "faulty/loss-jitter",
        "One row a batch, four labels in ten drawn at random, logged at every step: only jitter.",
        "votes",
        expect="instability",
        fault="noisy-labels",
        rows=300,
        keep=(TABLE,),
        base="",
        arguments=arguments(1, 3e-3, 1, 1, schedule="constant"),
    ),
    Recipe(
        "faulty/spikes-at-one-place",
        "One batch of random bytes, met again in each of six epochs: six spikes, each recovered.",
        "weather",
        expect="data",
        fault="corrupt-batch",
        rows=16 * 50,
        eval_rows=128,
        keep=(TRAINER_STATE, CONFIG),
        arguments=arguments(6, 2e-3, 16, 2, 50, train_sampling_strategy="sequential"),
    ),
    Recipe(
        "faulty/flat-and-high",
        "Targets drawn evenly from all 256 bytes: the loss stays at ln 256, whatever is done.",
        "topics",
        expect="plateau",
        fault="random-labels",
        fault_in_eval=True,
        rows=32 * 200,
        eval_rows=128,
        keep=(TRAINER_STATE, CONFIG),
        base="",
        arguments=arguments(1, 1e-3, 32, 4, 20),
    ),
    Recipe(
        "faulty/non-finite-loss",
        "Weights in 16 bit and no NaN filter: finite at first, then NaN to the end.",
        "weather",
        expect="non-finite",
        fault="half-precision",
        rows=16 * 120,
        eval_rows=64,
        keep=(ADVISOR_LOG, CONSOLE),
        arguments=arguments(
            1, 2e-2, 16, 2, 20, warmup=0.5, adam_epsilon=1e-5, logging_nan_inf_filter=False
        ),
    ),
    Recipe(
        "faulty/hidden-nan",
        "Weights in 16 bit: NaN from an early step on, printed as a loss of 0.0 by the filter.",
        "weather",
        expect="non-finite",
        fault="half-precision",
        rows=16 * 100,
        keep=(TRAINER_STATE, CONSOLE, CONFIG),
        arguments=arguments(1, 1e-3, 16, 2),
    ),
    Recipe(
        "faulty/zero-loss-without-gradient",
        "Every label is masked: loss 0 and gradient 0 from the first step on.",
        "weather",
        expect="zero-loss",
        fault="masked-labels",
        rows=16 * 100,
        keep=(TRAINER_STATE, CONSOLE, CONFIG),
        arguments=arguments(1, 1e-3, 16, 2),
    ),
    Recipe(
        "faulty/learning-rate-zero",
        "The learning rate is 0: the weights never change.",
        "weather",
        expect="schedule",
        rows=64 * 100,
        eval_rows=256,
        keep=(TRAINER_STATE, CONFIG),
        arguments=arguments(1, 0.0, 64, 2, 10),
    ),
    Recipe(
        "faulty/first-loss-above-chance",
        "The tokenizer numbers bytes in another order than the base model: starts above ln 256.",
        "topics",
        expect="data",
        fault="other-tokenizer",
        fault_in_eval=True,
        rows=32 * 200,
        eval_rows=128,
        keep=(TRAINER_STATE, CONFIG),
        arguments=arguments(1, 2e-3, 32, 2, 20),
    ),
    Recipe(
        "faulty/read-example-failed",
        "Line 361 of the JSON lines leaves a quotation mark open: the run dies on its 23rd batch.",
        "json-lines",
        expect="crash",
        rows=800,
        keep=(CONSOLE,),
        arguments=arguments(1, 2e-3, 16, 2, train_sampling_strategy="sequential"),
    ),
)

RECIPES = {recipe.name: recipe for recipe in HEALTHY + FAULTY}
