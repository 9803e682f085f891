"""Whether a log shows the beginning of its run."""

import pytest

from advisor.engine import diagnose
from advisor.readers import read_bytes
from advisor.rulebook import load

RULES = load()


def _diagnosis(text):
    (run,) = read_bytes(text.encode(), "train.log")
    return diagnose(run, RULES)


def _tail(first):
    return "".join(f"{{'loss': {0.3 - i / 300:.4f}, 'learning_rate': 0.0003, 'epoch': {first + i:.1f}}}\n" for i in range(24))


def test_a_log_that_begins_at_epoch_seventy_says_nothing_of_a_warmup():
    assert "no_warmup" not in {cause.name for cause in _diagnosis(_tail(70)).causes}


@pytest.mark.parametrize(("first", "fires"), [(1, True), (50, False)])
def test_a_small_first_loss_is_news_at_the_beginning_only(first, fires):
    assert (
        "START-004" in {f.rule.id for f in _diagnosis(_tail(first).replace("0.2", "0.0").replace("0.3", "0.0")).findings}
    ) is fires
