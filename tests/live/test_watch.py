"""Following a log that somebody else is writing."""

import json
import os
import pty
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from advisor.errors import UnreadableLog
from advisor.live.judge import Budget, LiveJudge
from advisor.live.watch import follow

HEAD = {"event": "run", "schema": "advisor.log/1", "config": {"max_steps": 40, "learning_rate": 2e-4}}


def lines(good=20, bad=20):
    """Return a run that learns and then logs NaN."""
    points = [{"step": s, "loss": 3 - s / 20} for s in range(1, good + 1)]
    points += [{"step": s, "loss": float("nan")} for s in range(good + 1, good + bad + 1)]
    return [json.dumps(entry) + "\n" for entry in (HEAD, *points)]


END = json.dumps({"event": "end", "step": 40}) + "\n"


class Writer:
    """Writes the next lines of a log whenever the watcher rests."""

    def __init__(self, path, texts):
        self.path, self.texts = path, iter(texts)

    def __call__(self, _):
        text = next(self.texts, None)
        if text is None:
            raise AssertionError("the watcher goes on although the run has ended")
        with self.path.open("a", encoding="utf-8") as log:
            log.write(text)


@pytest.fixture
def judge(rules):
    return LiveJudge(rules)


def test_a_finding_is_said_once_when_it_shows_and_the_watch_ends_with_the_run(tmp_path, judge):
    log = tmp_path / "run.log"
    log.write_text("")
    looks = list(follow(log, judge, 0, Writer(log, [*lines(), END])))
    assert looks[0] is None
    assert looks[-1].ended
    assert [look.ended for look in looks if look].count(True) == 1
    told = [(finding.rule.id, look.step) for look in looks if look for finding in look.news.new]
    assert len({rule for rule, _ in told}) == len(told)
    step = dict(told)["NUMERIC-001"]
    assert 21 <= step <= 24, "NaN began at step 21"


def test_a_log_that_is_not_written_to_is_not_judged_again(tmp_path, judge):
    log = tmp_path / "run.log"
    log.write_text("".join(lines()))
    writer = Writer(log, ["", "", END])
    looks = list(follow(log, judge, 0, writer))
    assert len(looks) == 2


def test_a_folder_is_watched_before_there_is_a_log_in_it(tmp_path, judge):
    log = tmp_path / "run.log"
    looks = list(follow(tmp_path, judge, 0, Writer(log, ["", *lines(40, 0), END])))
    assert looks[0] is None
    assert looks[-1].ended
    assert looks[-1].step == 40


def test_a_log_of_another_tool_ends_with_its_planned_steps(tmp_path, judge):
    log = tmp_path / "train.jsonl"
    texts = [json.dumps({"step": s, "loss": 3 - s / 40, "epoch": s / 20, "max_steps": 40}) + "\n" for s in range(1, 41)]
    log.write_text(texts[0])
    (tmp_path / "training_args.json").write_text('{"max_steps": 40}')
    looks = [look for look in follow(log, judge, 0, Writer(log, texts[1:])) if look]
    assert looks[-1].step == 40
    assert looks[-1].ended


def test_what_is_no_log_is_an_error(tmp_path, judge):
    text = tmp_path / "notes.txt"
    text.write_text("nothing of the kind\n")
    with pytest.raises(UnreadableLog, match=r"notes\.txt"):
        next(follow(text, judge, 0))


def test_looks_cost_no_more_than_their_share_of_the_time():
    now = 0.0
    budget = Budget(share=0.01, at_once=0.1, clock=lambda: now)
    taken = 0.0
    for _ in range(10_000):
        now += 0.1
        if budget.affords():
            budget.took(0.05)
            taken += 0.05
    assert taken <= 0.1 + 0.01 * now
    assert taken > 0.9 * 0.01 * now, "and they use it"


def _watch(*arguments, **options):
    return subprocess.Popen(
        [sys.executable, "-m", "advisor", "watch", *map(str, arguments), "--interval", "0.05", "--lang", "en"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options,
    )  # fmt: skip


def test_in_a_pipe_each_finding_is_a_line_and_the_status_is_that_of_analyze(tmp_path):
    log = tmp_path / "run.log"
    log.write_text("".join(lines()))
    process = _watch(log)
    first = process.stdout.readline()
    with log.open("a", encoding="utf-8") as stream:
        stream.write(END)
    rest, error = process.communicate(timeout=60)
    assert "NUMERIC-" in first, error
    assert process.returncode == 1
    assert "advisor · end · " in rest


def test_ctrl_c_ends_the_watch_with_what_is_known(tmp_path):
    log = tmp_path / "run.log"
    log.write_text("".join(lines()))
    process = _watch(log, "--fail-on", "never")
    process.stdout.readline()
    process.send_signal(signal.SIGINT)
    rest, error = process.communicate(timeout=60)
    assert (process.returncode, error) == (0, "")
    assert "advisor · end · " in rest


def test_at_a_terminal_the_curve_is_drawn(tmp_path):
    log = tmp_path / "run.log"
    log.write_text("".join(lines()) + END)
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "advisor", "watch", str(log), "--lang", "en"], stdout=slave, stderr=slave,
        env={**os.environ, "COLUMNS": "100", "LINES": "60", "TERM": "xterm"},
    )  # fmt: skip
    os.close(slave)
    shown = b""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            part = os.read(master, 4096)
        except OSError:
            break
        if not part:
            break
        shown += part
    os.close(master)
    assert process.wait(timeout=60) == 1
    text = shown.decode()
    assert "NUMERIC-" in text
    assert "┤" in text


def test_a_path_that_is_not_there_is_one_line_and_status_2(tmp_path):
    process = _watch(tmp_path / "absent")
    _, error = process.communicate(timeout=60)
    assert process.returncode == 2
    assert error.startswith("Error: ")
    assert "Traceback" not in error
    assert Path(tmp_path / "absent").name in error
