"""`advisor explain`: from an error message to meaning, causes, checks and fix, and honesty about what is not known."""

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from advisor.changes import propose
from advisor.cli import main
from advisor.engine import diagnose
from advisor.explain import explain
from advisor.readers import read_bytes
from advisor.readers.base import Source
from advisor.readers.traceback import roots, tracebacks
from advisor.rulebook import load
from advisor.signals import Measurements

RULES = load()
SAMPLES = Path(__file__).parent.parent / "sample_logs"
CHAIN = """Traceback (most recent call last):
  File "/env/lib/python3.11/site-packages/datasets/builder.py", line 1989, in _prepare_split_single
    writer.write_table(table)
  File "/env/lib/python3.11/site-packages/datasets/table.py", line 2240, in cast_table_to_schema
    raise CastError(
datasets.table.CastError: Couldn't cast
choices: list<item: string>
because column names don't match

The above exception was the direct cause of the following exception:

Traceback (most recent call last):
  File "/home/me/train.py", line 12, in main
    data = load_dataset("json", data_files=FILES)
  File "/env/lib/python3.11/site-packages/datasets/builder.py", line 1890, in download_and_prepare
    raise DatasetGenerationError("An error occurred while generating the dataset") from e
datasets.exceptions.DatasetGenerationError: An error occurred while generating the dataset
"""
UNKNOWN = """Traceback (most recent call last):
  File "/home/me/train.py", line 40, in <module>
    main()
  File "/home/me/train.py", line 31, in main
    trainer.train(resume=CHECKPOINT)
  File "/env/lib/python3.11/site-packages/somelib/core.py", line 7, in fit
    raise WidgetError("the frobnicator is not calibrated")
somelib.WidgetError: the frobnicator is not calibrated

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "/home/me/train.py", line 45, in <module>
    cleanup()
RuntimeError: cannot clean up
"""


def run(*arguments, stdin=None):
    return CliRunner().invoke(main, ["explain", *arguments], input=stdin, catch_exceptions=False)


def of(text):
    return explain(Source("text", data=text.encode()), RULES)


@pytest.mark.parametrize(
    ("language", "words"), [("en", ("means", "causes", "check", "do", "source")), ("zh", ("含义", "原因", "检查"))]
)
def test_a_known_error_is_answered_with_meaning_causes_checks_fix_and_source(language, words):
    result = run("RuntimeError: Attempting to unscale FP16 gradients.", "--lang", language)
    assert result.exit_code == 0
    assert "ERROR-056" in result.stdout
    for word in words:
        assert re.search(rf"^\s+{word}\b", result.stdout, re.MULTILINE), word
    assert not [line for line in result.stdout.splitlines() if line != line.rstrip()]


def test_every_error_rule_can_be_explained_from_the_log_of_its_own_case():
    for rule in RULES:
        if rule.family != "errors" or rule.detector not in ("event_logged", "memory_short") or rule.slug == "python-error":
            continue
        case = next(c for c in rule.cases if c["expect"] == "fires")
        assert rule.id in {f.rule.id for f in of(case["log"]).findings}, rule.id


def test_the_error_that_began_a_chain_counts_and_its_wrapper_follows():
    result = of(CHAIN)
    assert [f.rule.slug for f in result.findings] == ["columns-differ"]
    assert [e.kind for e in result.follows] == ["dataset-generation"]
    assert result.unknown == ()


def test_an_exception_whose_message_names_the_error_on_a_later_line_is_no_unknown_one():
    older = CHAIN.replace("datasets.table.CastError", "ValueError").replace("Couldn't cast", "The table cannot be cast")
    result = of(older)
    assert [f.rule.slug for f in result.findings] == ["columns-differ"]
    assert result.unknown == ()


def test_several_errors_in_one_text_are_each_explained():
    found = of("ValueError: Attempting to unscale FP16 gradients.\nOSError: [Errno 28] No space left on device\n").findings
    assert {f.rule.slug for f in found} == {"unscale-half-gradients", "disk-full"}


def test_an_unknown_error_is_said_to_be_unknown_with_what_it_looks_like():
    result = run("-", "--lang", "en", stdin=UNKNOWN)
    text = " ".join(result.stdout.split())
    assert result.exit_code == 1
    assert "No known error" in text
    assert "somelib.WidgetError (the frobnicator is not calibrated)" in text
    assert "/home/me/train.py, line 31, in main" in text
    assert "inside the library somelib" in text
    assert "then ended with RuntimeError (cannot clean up)" in text
    assert "whole traceback" in text


def test_a_text_without_any_error_is_not_forced_into_one():
    result = run("the run went well and the loss fell to 0.4", "--lang", "en")
    assert (result.exit_code, "nothing in this text looks like an exception" in " ".join(result.stdout.split())) == (1, True)


@pytest.mark.parametrize("what", ["no-such-file.log", "logs/none", ""])
def test_what_cannot_be_read_ends_with_status_2_and_one_line(what):
    result = run(what)
    assert (result.exit_code, result.stdout) == (2, "")
    assert len(result.stderr.splitlines()) == 1


def test_binary_data_and_too_much_on_standard_input_are_refused(monkeypatch):
    assert run("-", stdin=bytes(range(256)) * 40).exit_code == 2
    monkeypatch.setattr("advisor.cli.explain.MOST_BYTES", 1000)
    result = run("-", stdin="x\n" * 1000)
    assert result.exit_code == 2
    assert "advisor explain FILE" in result.stderr


def test_a_file_is_read_line_by_line_and_whatever_its_encoding(tmp_path):
    path = tmp_path / "train.err"
    path.write_bytes(("训练开始\n" * 1000 + "ValueError: label_map not match\n").encode("gb18030"))
    result = run(str(path), "--format", "json")
    assert result.exit_code == 0
    assert json.loads(result.stdout)["findings"][0]["rule"] == "ERROR-004"


def test_the_json_names_rule_causes_checks_and_sources():
    document = json.loads(run("-", "--format", "json", stdin=CHAIN).stdout)
    assert (document["schema"], document["known"]) == ("advisor.explanation/1", True)
    (finding,) = document["findings"]
    assert {"rule", "title", "why", "causes", "checks", "remedy", "limits", "sources"} <= finding.keys()
    assert len(finding["causes"]) >= 3
    assert document["raised"][0]["first"]["type"] == "datasets.table.CastError"
    assert document["raised"][0]["last"]["own_frame"]["function"] == "main"


def test_nothing_of_a_message_becomes_markup():
    hostile = "RuntimeError: <script>alert(1)</script> [bold]x[/bold]\nValueError: label_map not match <script>alert(2)</script>"
    assert "<script>" not in run("-", "--format", "markdown", stdin=hostile).stdout
    assert "[bold]x[/bold]" in " ".join(run("-", stdin=hostile).stdout.split())


def test_tracebacks_are_read_behind_ranks_and_a_cut_off_one_is_left_out():
    text = (
        "".join(f"[rank1]: {line}\n" for line in UNKNOWN.splitlines())
        + 'Traceback (most recent call last):\n  File "a.py", line 1, in f\n'
    )
    raised = list(tracebacks(enumerate(text.splitlines(), 1)))
    assert [r.kind for r in raised] == ["somelib.WidgetError", "RuntimeError"]
    ((first, last),) = roots(raised)
    assert (first.line, last.chained) == (8, True)


def _diagnosis(log, **config):
    from dataclasses import replace

    (one,) = read_bytes(log.encode(), "log")
    return diagnose(replace(one, config={**one.config, **config}), RULES)


OOM = (
    "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate {asked}. GPU 0 has a total capacty of 23.69 GiB of which "
    "120.00 MiB is free. Process 11 has {others} memory in use. Including non-PyTorch memory, this process has 17179869184.00 GiB "
    "memory in use. Of the allocated memory 20.10 GiB is allocated by PyTorch, and {spare} is reserved by PyTorch but unallocated."
)
EVALUATING = 'Traceback (most recent call last):\n  File "t.py", line 3, in evaluation_loop\n'
STEPS = "".join(f"step {s} loss {2 - s / 100:.2f}\n" for s in range(1, 4))


def _oom(asked="512.00 MiB", others="0 bytes", spare="150.00 MiB"):
    return STEPS + OOM.format(asked=asked, others=others, spare=spare) + "\n"


def test_the_numbers_of_an_out_of_memory_message_are_facts_in_gib():
    (one,) = read_bytes(_oom(others="1.50 GiB").encode(), "log")
    short = Measurements(one)["shortage"]
    assert (short.requested, short.capacity, short.free) == (0.5, 23.69, 120 / 1024)
    assert (short.allocated, short.unallocated, short.others) == (20.10, 150 / 1024, 1.5)


def test_out_of_memory_halves_the_batch_and_keeps_the_effective_one():
    found = _diagnosis(_oom(), per_device_train_batch_size=8, gradient_accumulation_steps=2)
    changes = {c.parameter: (c.old, c.new) for c in found.changes}
    assert changes["per_device_train_batch_size"] == (8, 4)
    assert changes["gradient_accumulation_steps"] == (2, 4)
    assert changes["gradient_checkpointing"] == (None, True)


@pytest.mark.parametrize("batch", [1, 3, 8])
def test_the_effective_batch_never_shrinks(batch):
    changes = {
        c.parameter: c.new for c in _diagnosis(_oom(), per_device_train_batch_size=batch, gradient_accumulation_steps=4).changes
    }
    new = changes.get("per_device_train_batch_size", batch) * changes.get("gradient_accumulation_steps", 4)
    assert new >= batch * 4


def test_at_batch_1_the_length_is_halved_instead_and_nothing_is_invented_where_nothing_is_known():
    one = {
        c.parameter: c.new
        for c in _diagnosis(_oom(), per_device_train_batch_size=1, max_length=4096, gradient_checkpointing=True).changes
    }
    assert one == {"max_length": 2048}
    assert {c.parameter for c in _diagnosis(_oom()).changes} == {"gradient_checkpointing"}


@pytest.mark.parametrize(
    ("log", "slug"),
    [
        (_oom(), "out-of-memory"),
        (_oom(asked="2.00 GiB", spare="3.00 GiB"), "memory-fragmented"),
        (_oom(asked="1.00 GiB", others="12.00 GiB", spare="3.00 GiB"), "memory-taken"),
        (_oom(asked="9.00 GiB"), "memory-short-for-one-tensor"),
        (STEPS + EVALUATING + _oom()[len(STEPS) :], "memory-short-in-evaluation"),
        ("".join(f"step {s} loss {3 - s / 10:.1f}\n" for s in range(1, 12)) + _oom()[len(STEPS) :], "memory-short-midway"),
    ],
)  # fmt: skip
def test_the_way_in_which_memory_ran_out_is_told_alone(log, slug):
    assert [f.rule.slug for f in _diagnosis(log).findings if f.rule.family == "errors"] == [slug]


def test_evaluation_out_of_memory_changes_the_evaluation_and_not_the_training():
    log = (
        "{'loss': 2.3, 'epoch': 0.1}\n" * 3
        + 'Traceback (most recent call last):\n  File "t.py", line 3, in prediction_step\n'
        + _oom()[len(STEPS) :]
    )
    changes = {c.parameter: (c.old, c.new) for c in _diagnosis(log, per_device_train_batch_size=8).changes}
    assert changes == {"per_device_eval_batch_size": (None, 4), "eval_accumulation_steps": (None, 8)}


def test_a_log_that_holds_only_an_error_gets_a_useful_answer_and_no_list_of_what_it_lacks():
    result = CliRunner().invoke(main, ["analyze", "-", "--lang", "en"], input="ValueError: label_map not match\n")
    assert result.exit_code == 1
    text = " ".join(result.stdout.split())
    assert "The run stopped with an error." in text
    assert "causes 1. A rare class" in text
    assert "only its errors were judged" in text
    assert "Could not be judged" not in text


def test_the_sample_with_a_bad_row_is_explained_from_its_console():
    result = of((SAMPLES / "faulty/read-example-failed/console.log").read_text(encoding="utf-8"))
    assert [f.rule.slug for f in result.findings] == ["read-example-failed"]


def test_a_proposal_needs_a_number():
    (finding,) = (f for f in _diagnosis(_oom()).findings if f.rule.slug == "out-of-memory")
    (one,) = read_bytes(_oom().encode(), "log")
    assert all(c.new is not None for c in propose(finding.rule, finding.hit, Measurements(one)))
