"""What is printed before the first step becomes settings: the plan of the run and the size of the model."""

import pytest

from advisor.readers import read_bytes
from advisor.readers.banners import settings_in

BANNER = """***** Running training *****
  Num examples = 51,760
  Num Epochs = 3
  Instantaneous batch size per device = 2
  Gradient Accumulation steps = 8
  Total optimization steps = 9,705
  Number of trainable parameters = 41,943,040
"""
PLAN = {
    "train_rows": 51760,
    "num_train_epochs": 3,
    "per_device_train_batch_size": 2,
    "gradient_accumulation_steps": 8,
    "max_steps": 9705,
    "trainable_parameters": 41943040,
}


@pytest.mark.parametrize(
    "lines",
    ["{'loss': 2.31, 'learning_rate': 1e-05, 'epoch': 0.01}\n", "step 10 | loss 2.31 | lr 1e-4\nstep 20 | loss 2.2 | lr 1e-4\n"],
    ids=["hf-console", "text"],
)
def test_the_banner_of_the_trainer_is_the_plan_of_the_run(lines):
    (run,) = read_bytes((BANNER + lines).encode(), "train.log")
    assert PLAN.items() <= run.config.items()
    assert len(run.series["train_loss"]) == lines.count("\n")


@pytest.mark.parametrize(
    ("line", "settings"),
    [
        (
            "trainable params: 4,194,304 || all params: 6,742,609,920 || trainable%: 0.0622",
            {"trainable_parameters": 4194304, "num_parameters": 6742609920},
        ),
        ("number of parameters: 124.44M", {"num_parameters": 124440000}),
        ("Model Params: 30.03M", {"num_parameters": 30030000}),
        ("Num examples = 1,000 | Num Epochs = 1 | Total steps = 60", {"train_rows": 1000, "num_train_epochs": 1, "max_steps": 60}),
        ("INFO:absl:  Num steps = 8242", {"max_steps": 8242}),
        ("the number of parameters is a matter of taste", {}),
        ("params: lr=0.1", {}),
        ("number of parameters on model parallel rank 3: 805560320", {}),
    ],
)
def test_only_what_a_banner_names_is_taken(line, settings):
    assert settings_in(line) == settings


def test_a_run_that_stopped_before_its_planned_end_is_known_to_be_unfinished(judged):
    lines = "".join(f"{{'loss': {2 - s / 200}, 'learning_rate': 1e-05, 'epoch': {s / 100}}}\n" for s in range(1, 60))
    (diagnosis,) = judged(BANNER + lines)
    assert "UNDERFIT-001" in {n.rule.id for n in diagnosis.not_judged}


def test_the_rows_of_an_evaluation_are_not_those_of_the_training():
    evaluation = "***** Running Evaluation *****\n  Num examples = 40\n  Batch size = 8\n"
    lines = "".join(f"{{'loss': {2 - s / 200}, 'epoch': {s / 100}}}\n{evaluation}" for s in range(1, 9))
    (run,) = read_bytes((BANNER + lines).encode(), "train.log")
    assert PLAN.items() <= run.config.items()
