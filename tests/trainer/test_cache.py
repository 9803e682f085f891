"""The cache of tokens: what stays, what goes, and that many processes write what one does."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from advisor_trainer import cache, dataset
from advisor_trainer.arena import build, opened
from advisor_trainer.config import configured
from advisor_trainer.dataset import load
from advisor_trainer.model import tokenizer_of

from advisor.errors import UnreadableData

DAY = 86_400


def entry(folder, name, *, days, tokens=1000):
    """An entry that was last used so many days ago."""
    rows = [((np.zeros(tokens, dtype=np.int32), np.ones(tokens, dtype=np.uint8)), 0, 1)]
    build(folder / name, rows, ["a.jsonl"], text=True)
    then = time.time() - days * DAY
    os.utime(folder / name / "meta.json", (then, then))
    return name


def names(folder):
    return {path.name for path in folder.iterdir()}


OLD, OLDER, NEW, MINE = (letter * 32 for letter in "abcd")


def test_what_was_not_used_for_a_month_goes_and_the_rest_stays(tmp_path):
    entry(tmp_path, OLD, days=29)
    entry(tmp_path, OLDER, days=31)
    cache.pruned(tmp_path)
    assert names(tmp_path) == {OLD}


def test_the_longest_unused_goes_where_the_cache_is_too_large(tmp_path, monkeypatch):
    monkeypatch.setattr(cache, "MOST_BYTES", 13_000)  # an entry takes 5 kB and its index
    for name, days in ((OLD, 3), (OLDER, 4), (NEW, 2)):
        entry(tmp_path, name, days=days)
    cache.pruned(tmp_path)
    assert names(tmp_path) == {NEW, OLD}


def test_what_another_run_may_be_reading_and_what_this_one_uses_stay(tmp_path, monkeypatch):
    monkeypatch.setattr(cache, "MOST_BYTES", 0)
    entry(tmp_path, NEW, days=0.5)
    entry(tmp_path, MINE, days=40)
    cache.pruned(tmp_path, MINE)
    assert names(tmp_path) == {NEW, MINE}


def test_leavings_of_killed_processes_go_and_files_of_others_do_not(tmp_path):
    for name in (f"{OLD}.4711", f"{OLD}.gone-4711", "notes"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "tokens.bin").write_bytes(b"1234")
        os.utime(tmp_path / name, (0, 0))
    cache.pruned(tmp_path)
    assert names(tmp_path) == {"notes"}


def test_an_arena_that_is_open_can_be_read_on_when_its_entry_is_deleted(tmp_path):
    entry(tmp_path, OLD, days=40)
    arena = opened(tmp_path / OLD)
    cache.pruned(tmp_path)
    assert names(tmp_path) == set()
    assert arena.mask.sum() == 1000


def test_a_run_that_finds_its_tokens_keeps_them_young(tmp_path, monkeypatch, tiny, sums):
    monkeypatch.setenv("ADVISOR_CACHE", str(tmp_path))
    config = configured({"model": str(tiny), "data": str(sums)})
    tokenizer = tokenizer_of(config)
    load(config, tokenizer)
    (mark,) = tmp_path.glob("*/meta.json")
    os.utime(mark, (0, 0))
    load(config, tokenizer)
    assert time.time() - mark.stat().st_mtime < 60


# many processes

CHATML = "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n{% endfor %}"


@pytest.fixture
def chats(tmp_path):
    path = tmp_path / "chats.jsonl"
    turns = [[("user", f"Say {n}."), ("assistant", f"{n} is said." * (n % 7 + 1))] for n in range(3500)]
    with path.open("w", encoding="utf-8") as file:
        for pairs in turns:
            file.write(json.dumps({"messages": [{"role": role, "content": text} for role, text in pairs]}) + "\n")
    return path


@pytest.fixture
def tokenised(tmp_path, monkeypatch, tiny):
    """Tokenise a file with so many processes, into a cache of its own."""

    def make(path, workers):
        monkeypatch.setattr(dataset, "workers_for", lambda _size: workers)
        monkeypatch.setenv("ADVISOR_CACHE", str(tmp_path / f"cache-{workers}"))
        config = configured({"model": str(tiny), "data": str(path), "eval_strategy": "no"})
        tokenizer = tokenizer_of(config)
        tokenizer.chat_template = CHATML
        return load(config, tokenizer).train

    return make


def test_many_processes_write_the_arena_that_one_writes(chats, tokenised):
    one, many = tokenised(chats, 0), tokenised(chats, 3)
    assert len(one) == 3500
    assert one.place(3499) == many.place(3499)
    for name in ("tokens", "mask", "rows"):
        assert (getattr(one, name) == getattr(many, name)).all()


def test_a_record_that_a_process_refuses_is_named_by_its_line(chats, tokenised):
    lines = chats.read_text(encoding="utf-8").splitlines()
    lines[2345] = lines[2345].replace('"assistant"', '"tool"')
    chats.write_text("\n".join(lines) + "\n", encoding="utf-8")
    with pytest.raises(UnreadableData) as of_one:
        tokenised(chats, 0)
    with pytest.raises(UnreadableData) as of_many:
        tokenised(chats, 3)
    assert str(of_many.value) == str(of_one.value)
    assert "chats.jsonl:2346" in str(of_one.value)


def test_a_template_that_rewrites_an_answer_is_said_by_line_whoever_found_it(chats, tokenised, monkeypatch):
    monkeypatch.setattr(f"{__name__}.CHATML", CHATML.replace("m['content']", "m['content'].replace('2345 is', '2345 was')"))
    with pytest.raises(UnreadableData, match=r"chats.jsonl:2346: the chat template rewrites an answer"):
        tokenised(chats, 3)


def test_small_data_are_not_worth_a_process():
    from advisor_trainer.spread import WORTH_IT, workers_for

    assert workers_for(WORTH_IT - 1) == 0
    if len(os.sched_getaffinity(0)) > 1:
        assert workers_for(WORTH_IT) > 1


WORKERS = "import time; from advisor_trainer.spread import spread; [wait() for _, wait in spread(time.sleep, iter([60] * 8), 2)]"


def _running(process):
    try:
        return Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="elsewhere no processes are forked")
def test_processes_end_with_the_one_that_reads_though_it_is_killed():
    reader = subprocess.Popen([sys.executable, "-c", WORKERS])
    listed = Path(f"/proc/{reader.pid}/task/{reader.pid}/children")
    workers = []
    for _ in range(300):
        workers = listed.read_text(encoding="utf-8").split()
        if len(workers) == 2:
            break
        time.sleep(0.1)
    time.sleep(0.5)
    assert [_running(worker) for worker in workers] == [True, True]
    reader.kill()
    reader.wait()
    for _ in range(100):
        if not any(map(_running, workers)):
            break
        time.sleep(0.1)
    assert not any(map(_running, workers))
