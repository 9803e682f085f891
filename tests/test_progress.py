"""The progress bar: where it is shown, how far it says the work is, and that nothing of it gets into a pipe."""

import io
import os
import select
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from rich.console import Console

from advisor.cli import main, progress
from advisor.parallel import Input, Judge, analyse

SAMPLES = Path(__file__).parent.parent / "sample_logs"
STATE = SAMPLES / "faulty/validation-rise/trainer_state.json"
LOG = SAMPLES / "faulty/loss-explosion/run.jsonl"


@pytest.fixture
def at_once(monkeypatch):
    """As if everything took long."""
    monkeypatch.setattr(progress, "LOOKED_AT_AFTER", 0.0)
    monkeypatch.setattr(progress, "SHOWN_FROM", 0.0)


def terminal():
    return Console(file=io.StringIO(), force_terminal=True, width=100)


def todo(*paths):
    return [Input(path, path, path.stat().st_size) for path in paths]


@pytest.mark.parametrize("workers", [0, 2])
def test_the_bar_shows_how_many_runs_are_done(at_once, rules, workers):
    console, work = terminal(), todo(STATE, LOG, STATE)
    with progress.Bar(work, "Reading", console) as bar:
        analyse(work, Judge(rules, {}), workers, bar)
        assert bar._done == pytest.approx(bar._whole)
    assert "Reading" in console.file.getvalue()
    assert "/3" in console.file.getvalue()


def test_the_bar_of_one_file_moves_with_the_bytes_read(at_once):
    (one,) = todo(LOG)
    with progress.Bar([one], "Reading", terminal()) as bar:
        bar.read(one, one.size // 2)
        half = bar._within / bar._whole
        bar.read(one, one.size * 3)  # a file is read again where the first format was not its own
        assert (half, bar._within) == (pytest.approx(0.5, abs=0.01), pytest.approx(bar._whole))


def test_what_is_soon_done_shows_no_bar(rules):
    console, work = terminal(), todo(LOG)
    with progress.Bar(work, "Reading", console) as bar:
        analyse(work, Judge(rules, {}), 0, bar)
    assert console.file.getvalue() == ""


def test_a_bar_that_was_begun_is_gone_afterwards(at_once):
    console, work = terminal(), todo(LOG)
    with progress.Bar(work, "Reading", console) as bar:
        bar.finished(work[0])
    assert console.file.getvalue().endswith("\x1b[2K")


def test_there_is_no_bar_where_standard_error_is_no_terminal(at_once):
    result = CliRunner().invoke(main, ["analyze", str(LOG), str(STATE)], catch_exceptions=False)
    assert result.stderr == ""


@pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo-terminals")
def test_a_folder_of_a_thousand_runs_shows_a_bar_and_ends_at_once_at_the_keyboard(tmp_path):
    import pty

    for number in range(1000):
        (tmp_path / "runs" / f"{number}").mkdir(parents=True)
        shutil.copy(STATE, tmp_path / "runs" / f"{number}" / "trainer_state.json")
    terminal, other_end = pty.openpty()
    with (tmp_path / "report.txt").open("wb") as report:
        process = subprocess.Popen(
            [sys.executable, "-m", "advisor", "analyze", str(tmp_path / "runs"), "--jobs", "2"],
            stdout=report,
            stderr=other_end,
            start_new_session=True,
        )
    os.close(other_end)
    shown = b""
    while b"Reading" not in shown and select.select([terminal], [], [], 60)[0]:
        shown += os.read(terminal, 1 << 16)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: the workers get it as well
    assert process.wait(timeout=30) == 130
    while select.select([terminal], [], [], 1)[0]:
        try:
            shown += os.read(terminal, 1 << 16)
        except OSError:  # nobody holds the other end any more: no worker is left
            break
    else:
        pytest.fail("a worker outlived its parent")
    os.close(terminal)
    assert b"Reading" in shown
    assert b"Traceback" not in shown
    assert (tmp_path / "report.txt").read_bytes() == b""


def test_a_reader_that_stops_listening_gets_no_traceback(tmp_path):
    log = tmp_path / "long.log"
    log.write_text("".join(f"step {s} loss {2 if s % 3 else 'nan'}\n" for s in [*range(1, 40)] * 100))
    for output in ("json", "text", "markdown"):
        with subprocess.Popen(
            [sys.executable, "-m", "advisor", "analyze", str(log), "--format", output],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        ) as process:
            process.stdout.readline()
            process.stdout.close()
            assert process.stderr.read() == b""
