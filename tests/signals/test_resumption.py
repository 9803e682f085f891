"""Where a run was resumed: told by its log, and compared with the noise of the loss."""

import numpy as np
import pytest

from advisor.engine import diagnose
from advisor.readers import read_bytes
from advisor.rulebook import load

RULES = load(subject="run")
SAID = (
    "Continuing training from checkpoint, will skip to saved global_step",
    "Resuming training from output/checkpoint-200",
    "  successfully loaded checkpoint from /ckpt at iteration 200",
)
NOT_SAID = ("resume_from_checkpoint=None", "resume from: none", "successfully loaded checkpoint from /ckpt at iteration 0")


def log(line, after):
    noise = np.random.default_rng(1).normal(0, 0.02, 80)
    points = [f"step {10 * i} loss {(2.0 if i <= 40 else after) + noise[i - 1]:.4f}" for i in range(1, 81)]
    return "\n".join([*points[:40], line, *points[40:]])


def fired(text):
    return {f.rule.id for f in diagnose(read_bytes(text.encode(), "run.log")[0], RULES).findings}


@pytest.mark.parametrize("line", SAID)
def test_a_jump_at_a_resume_is_told(line):
    assert "START-005" in fired(log(line, 2.2))


@pytest.mark.parametrize("line", SAID)
def test_a_resume_that_goes_on_is_no_finding(line):
    assert "START-005" not in fired(log(line, 2.0))


@pytest.mark.parametrize("line", NOT_SAID)
def test_a_setting_that_resumes_nothing_is_no_resume(line):
    assert "START-005" not in fired(log(line, 2.2))


def test_a_lost_optimizer_state_is_the_first_cause_of_a_jump_at_a_resume():
    diagnosis = diagnose(read_bytes(log(SAID[0], 2.2).encode(), "run.log")[0], RULES)
    assert diagnosis.causes[0].name == "optimizer_state_lost"
