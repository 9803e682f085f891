"""`advisor should-finetune` at a real terminal: from the first question to the outcome, in both languages, and ending early."""

import json
import os
import re
import sys

import pytest
from click.testing import CliRunner
from rich.cells import cell_len

from advisor.cli import main
from advisor.cli.ask import keys
from advisor.locale import strings

pexpect = pytest.importorskip("pexpect", reason="drives a terminal; `pip install finetune-advisor[test]`")
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="pexpect drives Unix terminals")

UP, DOWN, LEFT, ENTER, CTRL_C = "\x1b[A", "\x1b[B", "\x1b[D", "\r", "\x03"
CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class Person:
    """Somebody at a terminal: waits for a question, answers it, reads what is printed."""

    def __init__(self, language, *arguments, lines=40):
        self.words = strings(language, "suitability")
        environment = {**os.environ, "TERM": "xterm", "COLUMNS": "100", "LINES": str(lines), "NO_COLOR": "1"}
        self.child = pexpect.spawn(
            sys.executable, ["-m", "advisor", "should-finetune", "--lang", language, *arguments],
            encoding="utf-8", timeout=30, dimensions=(lines, 100), env=environment,
        )  # fmt: skip

    def sees(self, key):
        self.child.expect_exact(self.words[key])

    def answers(self, fact, *pressed):
        self.sees(f"ask.{fact}")
        self.sees(f"help.{fact}")
        self.sees("keys_number" if fact in ("rows", "raw_tokens", "pairs") else "keys")
        for key in pressed:
            self.child.send(key)

    def ends(self):
        """Return what is printed to the end, without control sequences, and the exit status."""
        self.child.expect(pexpect.EOF)
        self.child.close()
        return CONTROL.sub("", self.child.before), self.child.exitstatus


@pytest.mark.parametrize("language", ["en", "zh"])
def test_from_the_first_question_to_the_outcome(language):
    person = Person(language)
    person.answers("prompting", UP, ENTER)  # from the first to the last: extensive
    person.answers("prompt_result", "3", ENTER)
    person.answers("task", DOWN, ENTER)
    person.answers("knowledge", "3", ENTER)
    person.answers("rows", "3000", ENTER)
    person.answers("quality", "3", ENTER)
    person.answers("lengths", "2", ENTER)
    person.answers("raw_tokens", "0", ENTER)
    shown, status = person.ends()
    assert status == 0
    assert person.words["outcome.fine-tune-lora"] in shown
    assert "SUIT-011" in shown
    assert "SUIT-035" in shown
    again = re.search(r"advisor should-finetune (--prompting.*)", shown.replace("\r\n", " "))
    options = again[1].split()
    assert "--rows" in options
    by_options = CliRunner().invoke(main, ["should-finetune", *options, "--format", "json"], catch_exceptions=False)
    assert json.loads(by_options.stdout)["outcome"] == "fine-tune-lora"


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_shortest_way_asks_three_questions(language):
    person = Person(language)
    person.answers("prompting", "2", ENTER)
    person.answers("prompt_result", ENTER)
    person.answers("wish", ENTER)
    shown, status = person.ends()
    assert (status, person.words["outcome.prompt-engineering-first"] in shown) == (0, True)


def test_an_answer_can_be_taken_back_and_given_anew():
    person = Person("en")
    person.answers("prompting", "1", ENTER)
    person.answers("task", LEFT)
    person.answers("prompting", DOWN, ENTER)  # from none, which stays marked, to basic
    person.answers("prompt_result", "1", ENTER)
    person.answers("wish", "1", ENTER)
    shown, status = person.ends()
    assert status == 0
    assert "prompt engineering: a few prompts" in shown


def test_back_at_the_first_question_asks_it_again():
    person = Person("en")
    person.answers("prompting", LEFT)
    person.answers("prompting", CTRL_C)
    assert person.ends()[1] == 130


def test_what_is_no_number_is_refused_and_can_be_mended():
    person = Person("en", "--prompting", "extensive", "--prompt-result", "far", "--wish", "none", "--task", "general-task",
                    "--knowledge", "none", "--difficulty", "medium")  # fmt: skip
    person.answers("rows", "many", ENTER)
    person.sees("no_number")
    for _ in "many":
        person.child.send("\x7f")
    person.child.send("0.5k" + ENTER)  # all keys at once, as a fast hand or a paste sends them
    shown, status = person.ends()
    assert status == 0
    assert person.words["outcome.collect-or-clean-data"] in shown
    assert "500 rows" in shown


def test_only_what_a_file_of_answers_leaves_open_is_asked(tmp_path):
    path = tmp_path / "answers.toml"
    path.write_text('prompting = "basic"\nprompt_result = "good-enough"\n', encoding="utf-8")
    person = Person("en", "--answers", str(path))
    person.answers("wish", ENTER)
    assert person.ends()[1] == 0


@pytest.mark.parametrize("after", [0, 2])
@pytest.mark.parametrize("how", [CTRL_C, "\x04"])
def test_ctrl_c_leaves_nothing_behind(tmp_path, monkeypatch, after, how):
    monkeypatch.chdir(tmp_path)
    person = Person("en")
    for fact in ("prompting", "prompt_result")[:after]:
        person.answers(fact, "2", ENTER)
    person.sees("keys")
    person.child.send(how)
    person.child.expect(pexpect.EOF)
    person.child.close()
    raw = person.child.before
    assert person.child.exitstatus == 130
    assert "Traceback" not in raw
    assert "Aborted" not in raw
    assert raw.rindex("\x1b[?25h") > raw.rfind("\x1b[?25l")  # the cursor is shown again
    assert "\x1b[2K" in raw  # the question is taken off the screen
    assert list(tmp_path.iterdir()) == []


def test_after_ctrl_c_the_terminal_is_as_it_was():
    command = f"stty -g; {sys.executable} -m advisor should-finetune --lang en; echo ended with $?; stty -g"
    shell = pexpect.spawn("/bin/sh", ["-c", command], encoding="utf-8", timeout=30, env={**os.environ, "TERM": "xterm"})
    shell.expect_exact(strings("en", "suitability")["keys"])
    before = CONTROL.sub("", shell.before).splitlines()[0]
    shell.send(CTRL_C)
    shell.expect_exact("ended with 130")
    shell.expect(pexpect.EOF)
    assert shell.before.split() == [before]


def test_no_input_asks_nothing_on_a_terminal():
    person = Person("en", "--no-input")
    shown, status = person.ends()
    assert status == 2
    assert "Not decided yet" in shown


def test_a_question_and_its_help_are_one_line_each():
    for language in ("en", "zh"):
        words = strings(language, "suitability")
        shown = [text for key, text in words.items() if key.startswith(("ask.", "help.")) or key in ("keys", "keys_number")]
        assert max(map(cell_len, shown)) <= 79


def test_in_a_low_window_the_question_is_seen_and_the_oldest_answers_are_not():
    person = Person("en", lines=12)
    person.answers("prompting", "3", ENTER)
    person.answers("prompt_result", "3", ENTER)
    person.answers("task", "2", ENTER)
    person.answers("knowledge", "3", ENTER)
    person.answers("rows", "3000", ENTER)
    person.answers("quality", CTRL_C)
    assert person.ends()[1] == 130


def test_the_keys_of_terminals_are_told_apart_even_where_several_arrive_at_once():
    assert keys("2\r") == ["2", "enter"]
    assert keys("\x1b[A\x1bOB\x1b[D") == ["up", "down", "left"]
    assert keys("k\x7f3万") == ["k", "rubout", "3", "万"]
    assert keys("\x1b") == ["\x1b"]
    assert keys("\xe0H\xe0K\r") == ["up", "left", "enter"]  # as Windows sends them
