"""Running text at a terminal is wrapped as its script asks, and a run is drawn by what it was trained for."""

import io
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from advisor.engine import diagnose
from advisor.readers import read_bytes, read_path
from advisor.render.curve import shown
from advisor.render.layout import NOT_FIRST, NOT_LAST, lines_of
from advisor.rulebook import load

CONSOLE = Console(file=io.StringIO())
WORDS = st.sampled_from(["损", "失", "。", "，", "（", "）", "learning_rate", "3e-07", " ", "loss", "第", "→"])


@given(st.lists(WORDS, max_size=60).map("".join), st.integers(20, 60))
def test_no_character_is_lost_and_no_line_is_too_long(text, width):
    lines = [line.plain for line in lines_of(Text(text), width, CONSOLE)]
    assert "".join("".join(lines).split()) == "".join(text.split())
    assert all(cell_len(line) <= width for line in lines)


CLAUSES = st.sampled_from(["损失下降，", "训练。", "（第三步）", "最佳", "学习率（过高）；"])


@given(st.lists(CLAUSES, min_size=5, max_size=30).map("".join), st.integers(20, 40))
def test_a_chinese_line_neither_begins_with_a_closing_mark_nor_ends_with_an_opening_one(text, width):
    lines = [line.plain for line in lines_of(Text(text), width, CONSOLE)]
    assert not any(line[0] in NOT_FIRST for line in lines[1:])
    assert not any(line[-1] in NOT_LAST for line in lines[:-1])


def test_chinese_fills_its_lines():
    lines = [line.plain for line in lines_of(Text("已检查，无问题：" + "日志中的报错、非数值、不稳定、停滞" * 3), 40, CONSOLE)]
    assert all(cell_len(line) >= 36 for line in lines[:-1])


def test_english_breaks_at_blanks():
    assert [line.plain for line in lines_of(Text("the loss was still falling"), 10, CONSOLE)] == [
        "the loss",
        "was still",
        "falling",
    ]


def test_of_a_run_that_was_trained_for_a_reward_the_reward_is_drawn():
    (run,) = read_path(Path(__file__).parents[1] / "sample_logs" / "faulty" / "kl-drift" / "trainer_state.json")
    curves = shown(diagnose(run, load()))
    assert curves.quantity == "reward"
    assert curves.train is not None
    assert list(curves.train.values) == list(run.series["reward"].values)


def test_the_best_of_logged_evaluation_rewards_is_the_highest():
    rows = [f'{{"step": {n}, "loss": 0.0, "reward": {n / 10}, "kl": 0.01, "reward_std": 0.1}}' for n in range(1, 9)]
    rows += [f'{{"step": {n}, "eval_reward": {value}}}' for n, value in ((2, 0.1), (4, 0.5), (8, 0.3))]
    (run,) = read_bytes("\n".join(rows).encode(), "run.jsonl")
    curves = shown(diagnose(run, load()))
    assert curves.evals is not None
    assert curves.evals.values[curves.best] == 0.5
