"""A run from its configuration to its folder, and what happens when it cannot go as planned."""

import errno
import json
import os
import re
import resource
import shutil
import signal
import subprocess
import sys

import pytest
from advisor_trainer import checkpoints, train
from advisor_trainer.run import Failed
from advisor_trainer.written import commented
from click.testing import CliRunner

from advisor.cli import main
from advisor.errors import AdvisorError, BadConfig, UnreadableData
from advisor.readers import read_path


def points(run):
    """(step, loss, eval_loss, grad_norm, tokens) of every line of the log that measures something."""
    entries = map(json.loads, (run / "run.log").read_text(encoding="utf-8").splitlines())
    names = ("step", "loss", "eval_loss", "grad_norm", "num_tokens", "learning_rate")
    return [tuple(entry.get(name) for name in names) for entry in entries if "event" not in entry]


def test_a_run_folder_tells_the_whole_story(settings):
    said = []
    run = train(
        settings(num_train_epochs=2, eval_strategy="epoch", save_strategy="steps", save_steps=5, save_total_limit=99),
        say=said.append,
    )
    assert {path.name for path in run.iterdir()} >= {
        "run.log", "trainer_state.json", "config.toml", "environment.json", "diagnosis.json", "report.html", "model",
        "checkpoint-5",
    }  # fmt: skip
    (of_log,) = read_path(run / "run.log")
    (of_state,) = read_path(run / "trainer_state.json")
    for name in ("train_loss", "eval_loss", "grad_norm", "learning_rate"):
        assert of_log.series[name].values.tolist() == of_state.series[name].values.tolist()
    losses = of_log.series["train_loss"].values
    assert losses[-1] < losses[0] - 0.5
    assert of_log.config["train_rows"] == 182  # ten to one is held out
    assert of_log.config["eval_rows"] == 18
    environment = json.loads((run / "environment.json").read_text())
    assert environment["seed"] == 42
    assert environment["packages"]["torch"].startswith("2.")
    assert any(line.startswith("step 1/") and "tokens/s" in line and "left" in line for line in said)


def test_the_trained_model_is_one_that_others_load(settings):
    from transformers import AutoModelForCausalLM, AutoTokenizer

    run = train(settings(max_steps=2))
    assert AutoModelForCausalLM.from_pretrained(run / "model").num_parameters() > 0
    assert AutoTokenizer.from_pretrained(run / "model").eos_token == "<|end|>"


@pytest.mark.parametrize("more", [{}, {"use_dora": True}, {"use_rslora": True}])
def test_an_adapter_is_trained_and_nothing_else(settings, more):
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    config = settings(method="lora", max_steps=3, lora_r=4, **more)
    run = train(config)
    base = AutoModelForCausalLM.from_pretrained(config.model)
    before = base.model.embed_tokens.weight.clone()
    model = PeftModel.from_pretrained(base, run / "model")
    adapter = next(iter(model.peft_config.values()))
    assert (adapter.r, adapter.use_dora, adapter.use_rslora) == (4, more.get("use_dora", False), more.get("use_rslora", False))
    assert (model.get_base_model().model.embed_tokens.weight == before).all()
    assert any(p.abs().max() > 0 for name, p in model.named_parameters() if "lora_B" in name)


def test_analyze_and_the_live_diagnosis_agree(settings):
    run = train(settings(num_train_epochs=1))
    live = json.loads((run / "diagnosis.json").read_text())["runs"][0]
    done = CliRunner().invoke(main, ["analyze", str(run), "--format", "json", "--fail-on", "never"])
    (later,) = json.loads(done.stdout)["runs"]
    assert later["verdict"] == live["verdict"]
    assert [f["rule"] for f in later["findings"]] == [f["rule"] for f in live["findings"]]


def test_unusual_settings_are_said_with_the_name_of_the_rule(settings):
    said = []
    train(settings(max_steps=2, method="lora", lora_r=256), say=said.append)
    assert any(line.startswith("unusual: SETTING-") and "256" in line for line in said)


def test_on_a_terminal_there_is_a_bar_with_loss_speed_and_time_left_and_findings_stand_above_it(settings, tmp_path):
    import pexpect

    config = tmp_path / "c.toml"
    config.write_text(commented(settings(max_steps=25, learning_rate=0.5, packing=False), "en"), encoding="utf-8")
    command = ["-m", "advisor", "train", str(config), "--lang", "en"]
    program = pexpect.spawn(sys.executable, command, dimensions=(24, 80), encoding="utf-8", timeout=120)
    program.expect(pexpect.EOF)
    program.close()
    lines = re.split(r"[\r\n]+", re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", program.before))
    bars = [line for line in lines if "━" in line and "loss" in line]
    assert re.search(r"━ +\d+/25 loss \d+\.\d{4}  tokens/s [\d,]+ left \d\d:\d\d", bars[-1]), bars[-1]
    assert any(re.match(r"advisor · step \d+ · (warning|error) [A-Z]+-\d+: ", line) for line in lines)
    assert not any(line.startswith("step 1/25") for line in lines), "a line a step is for where there is no terminal"
    assert program.exitstatus == 0


# going on


INTERVALS = {
    "num_train_epochs": 3, "eval_strategy": "steps", "eval_steps": 5, "save_strategy": "steps", "save_steps": 7, "logging_steps": 3,
    "gradient_accumulation_steps": 2, "method": "lora", "lora_dropout": 0.2,
}  # fmt: skip


def test_a_run_that_was_interrupted_goes_on_as_if_it_had_not_been(settings, tmp_path):
    whole = train(settings(**INTERVALS, output_dir=str(tmp_path / "whole")))
    config = tmp_path / "parts.toml"
    config.write_text(commented(settings(**INTERVALS, output_dir=str(tmp_path / "parts")), "en"), encoding="utf-8")
    program = subprocess.Popen([sys.executable, "-m", "advisor", "train", str(config)], stderr=subprocess.PIPE, text=True)
    for line in program.stderr:
        if line.startswith("step 9/"):
            program.send_signal(signal.SIGINT)
            break
    rest = program.stderr.read()
    assert program.wait() == 130
    assert "interrupted at step" in rest
    assert "advisor train" in rest
    assert "--resume` goes on from it" in rest
    parts = tmp_path / "parts"
    train(settings(**INTERVALS, output_dir=str(parts)), resume=True)
    assert points(parts) == points(whole)
    events = [e for e in map(json.loads, (parts / "run.log").read_text().splitlines()) if e.get("event") == "end"]
    assert len(events) == 1


def test_a_run_that_was_killed_goes_on_from_its_newest_whole_checkpoint(settings, tmp_path):
    whole = train(settings(**INTERVALS, output_dir=str(tmp_path / "whole")))
    config = tmp_path / "parts.toml"
    config.write_text(commented(settings(**INTERVALS, output_dir=str(tmp_path / "parts")), "en"), encoding="utf-8")
    program = subprocess.Popen([sys.executable, "-m", "advisor", "train", str(config)], stderr=subprocess.PIPE, text=True)
    for line in program.stderr:
        if line.startswith("step 12/"):
            program.kill()
            break
    program.stderr.close()
    program.wait()
    parts = tmp_path / "parts"
    # Whatever a kill leaves behind: a checkpoint that was being written, and half a line.
    (parts / checkpoints.STAGE / "checkpoint-14").mkdir(parents=True, exist_ok=True)
    broken = parts / "checkpoint-99"
    broken.mkdir()
    (broken / "trainer_state.json").write_text("{}", encoding="utf-8")
    with (parts / "run.log").open("a", encoding="utf-8") as file:
        file.write('{"step": 13, "lo')
    said = []
    train(settings(**INTERVALS, output_dir=str(parts)), resume=True, say=said.append)
    assert f"goes on from {parts / 'checkpoint-7'}" in said
    assert points(parts) == points(whole)


def test_a_checkpoint_that_lacks_a_byte_is_not_gone_on_from(tmp_path):
    for step in (2, 4):
        folder = tmp_path / f"checkpoint-{step}"
        folder.mkdir()
        (folder / "model.safetensors").write_bytes(b"12345678")
        checkpoints.sealed(folder, {"last_logged": step})
    assert [path.name for path in checkpoints.complete(tmp_path)] == ["checkpoint-2", "checkpoint-4"]
    (tmp_path / "checkpoint-4" / "model.safetensors").write_bytes(b"1234567")
    assert [path.name for path in checkpoints.complete(tmp_path)] == ["checkpoint-2"]


def test_a_run_folder_is_not_written_over(settings):
    run = train(settings(max_steps=1))
    with pytest.raises(BadConfig, match="holds a run already; add --resume"):
        train(settings(max_steps=1))
    with pytest.raises(BadConfig, match="`seed` was 42 when this run began and is 7 now"):
        train(settings(max_steps=2, seed=7), resume=True)
    assert len(points(run)) == 1


def test_resume_without_a_run_says_so(settings):
    with pytest.raises(AdvisorError, match="holds no run to go on with"):
        train(settings(), resume=True)


def test_old_checkpoints_go_and_the_best_stays(settings):
    run = train(settings(max_steps=8, eval_strategy="steps", eval_steps=1, save_strategy="steps", save_steps=1, save_total_limit=2))
    state = json.loads((run / "trainer_state.json").read_text())
    kept = {path.name for path in checkpoints.complete(run)}
    assert kept == {
        f"checkpoint-{state['best_global_step']}",
        "checkpoint-8",
        *(["checkpoint-7"] if state["best_global_step"] == 8 else []),
    }
    assert not (run / checkpoints.STAGE).exists()


def test_the_best_model_is_left_where_that_is_asked_for(settings):
    import torch
    from safetensors.torch import load_file

    given = {
        "max_steps": 6,
        "eval_strategy": "steps",
        "eval_steps": 2,
        "save_strategy": "steps",
        "save_steps": 2,
        "learning_rate": 0.9,
    }
    run = train(settings(**given, load_best_model_at_end=True, warmup_ratio=0))
    state = json.loads((run / "trainer_state.json").read_text())
    best = load_file(run / f"checkpoint-{state['best_global_step']}" / "model.safetensors")
    left = load_file(run / "model" / "model.safetensors")
    assert all(torch.equal(best[name], left[name]) for name in best)


def test_early_stopping_ends_a_run_whose_evaluation_no_longer_improves(settings):
    run = train(settings(max_steps=40, eval_strategy="steps", eval_steps=1, early_stopping_patience=3, learning_rate=0.5))
    evaluations = [loss for _, _, loss, *_ in points(run) if loss is not None]
    assert len(evaluations) < 40
    assert evaluations.index(min(evaluations)) == len(evaluations) - 4
    assert (run / "model").is_dir()


# what goes wrong


def test_a_loss_that_is_no_number_stops_the_run_with_the_rows_of_its_steps(settings, tmp_path, monkeypatch):
    import advisor_trainer.trainer as module

    summed, calls = module.summed, iter(range(1000))
    monkeypatch.setattr(module, "summed", lambda *a, **k: summed(*a, **k) * (float("nan") if next(calls) >= 4 else 1))
    with pytest.raises(Failed, match="no finite number at steps 5, 6, 7"):
        train(settings(nonfinite_patience=3, num_train_epochs=3, logging_steps=2))
    run = tmp_path / "run"
    steps = json.loads((run / "nonfinite.json").read_text())["steps"]
    assert list(steps)[:3] == ["5", "6", "7"]
    assert all(row.rpartition(":")[2].isdigit() and "sums.jsonl" in row for rows in steps.values() for row in rows)
    assert "NaN" in (run / "run.log").read_text()
    assert not (run / "model").exists()


@pytest.mark.parametrize("every", [1, 2])
def test_steps_after_one_bad_batch_are_logged_truly(settings, monkeypatch, every):
    import advisor_trainer.trainer as module

    # As the mean over no label does: a loss of NaN, and a gradient of zero.
    summed, calls = module.summed, iter(range(1000))
    monkeypatch.setattr(
        module, "summed", lambda *a, **k: summed(*a, **k) * (0 if (bad := next(calls) == 2) else 1) + (float("nan") if bad else 0)
    )
    run = train(settings(max_steps=8, logging_steps=every, save_strategy="steps", save_steps=3))
    logged = {step: loss for step, loss, *_ in points(run)}
    assert [step for step, loss in logged.items() if loss != loss] == [3 + (3 % every)]
    assert logged[8] < logged[every]


def test_steps_that_are_numbers_again_begin_the_count_anew(tmp_path):
    from collections import deque
    from types import SimpleNamespace

    import numpy as np
    import torch
    from advisor_trainer.arena import Arena, Pieces
    from advisor_trainer.batches import Micro
    from advisor_trainer.watch import NonFinite

    arena = Arena(np.empty(0, np.int32), np.empty(0, np.uint8), np.array([[0, 1, 0, 8], [2, 1, 0, 9]]), ("a.jsonl",), text=False)
    one = np.arange(2)
    watch = NonFinite(arena, Pieces(one, one, one, one), 2, tmp_path)
    watch.trainer = SimpleNamespace(recent=deque())
    args, control = SimpleNamespace(world_size=1, process_index=0), SimpleNamespace(should_training_stop=False)

    def logged(step, *losses):
        micro = Micro((np.array([1]),), 1, 1)
        watch.trainer.recent = deque([(step + n, micro, torch.tensor(loss)) for n, loss in enumerate(losses)])
        watch.on_log(args, None, control, {"loss": sum(losses)})

    nan = float("nan")
    logged(1, 1.0, nan, 1.0, nan)
    logged(5, 1.0, 1.0)
    logged(7, nan)
    assert not control.should_training_stop
    logged(8, nan)
    assert control.should_training_stop
    assert json.loads((tmp_path / "nonfinite.json").read_text())["steps"]["8"] == ["a.jsonl:9"]


def _full_disk():
    resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000))


def test_a_full_disk_ends_the_run_cleanly(settings, tmp_path):
    config = tmp_path / "c.toml"
    config.write_text(commented(settings(max_steps=6, save_strategy="steps", save_steps=3), "en"), encoding="utf-8")
    command = [sys.executable, "-m", "advisor", "train", str(config)]
    CliRunner().invoke(main, ["train", str(config), "--show-batch"])  # the tokens are in the cache already
    done = subprocess.run(command, capture_output=True, text=True, preexec_fn=_full_disk, env=os.environ, timeout=120)
    assert done.returncode == 2
    assert "no room left on the disk at step 3; no checkpoint was written yet: `advisor train " in done.stderr
    assert "Traceback" not in done.stderr
    assert checkpoints.complete(tmp_path / "run") == []
    assert not (tmp_path / "run" / checkpoints.STAGE).exists()
    assert len(points(tmp_path / "run")) == 3
    assert '"event": "error"' in (tmp_path / "run" / "run.log").read_text()


def test_a_disk_that_is_full_before_the_first_step_is_said_in_one_line(settings, monkeypatch):
    from advisor_trainer import folder

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(folder, "write_environment", full)
    with pytest.raises(Failed, match="no room left on the disk; no checkpoint was written yet"):
        train(settings(max_steps=1), language="en")


@pytest.mark.parametrize(
    "said",
    [
        "[enforce fail at inline_container.cc:672] . unexpected pos 1057920 vs 1057808",
        "basic_ios::clear: iostream error",
        "Error while serializing: I/O error: No space left on device (os error 28)",
    ],
)
def test_what_libraries_say_of_a_full_disk_is_understood(said):
    from advisor_trainer.run import _no_room

    assert _no_room(RuntimeError(said))
    outer = RuntimeError("another")
    outer.__context__ = RuntimeError(said)
    assert _no_room(outer)
    assert not _no_room(RuntimeError("another"))


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (
            '{"context": "a", "traget": "b"}',
            r"read example failed: .*bad.jsonl:3:\d+: Line 3: `target` is missing; `traget` is there",
        ),
        ('{"context": "a", "target": "b"', r"read example failed: .*bad.jsonl:3"),
        ('{"context": "a", "target": ""}', r"read example failed: .*bad.jsonl:3"),
    ],
)
def test_a_bad_record_is_said_in_the_documented_words_with_its_place_and_the_fix(settings, tmp_path, sums, line, said):
    bad = tmp_path / "bad.jsonl"
    good = sums.read_text(encoding="utf-8").splitlines()
    bad.write_text("\n".join([*good[:2], line, *good[2:5]]) + "\n", encoding="utf-8")
    with pytest.raises(UnreadableData, match=said) as error:
        train(settings(data=str(bad)))
    assert "DATA-" in str(error.value)


def test_answers_that_are_cut_are_counted_before_training(settings):
    said = []
    train(settings(max_steps=1, max_length=60), say=said.append)
    (warning,) = [line for line in said if line.startswith("warning")]
    assert re.search(r"of 200 rows: answers cut by max_length 60: \d+ \(the first: ", warning)


def test_a_limit_that_leaves_most_rows_nothing_to_learn_stops_the_run(settings):
    with pytest.raises(UnreadableData, match="more than half of the rows cannot be learned from"):
        train(settings(max_length=16))


def test_errors_are_said_in_the_language_of_the_run(settings):
    with pytest.raises(UnreadableData, match=r"共 200 行：.*超过一半的行无法学习：请调大 max_length"):
        train(settings(max_length=16), language="zh")


def test_preference_data_are_refused(settings, tmp_path):
    path = tmp_path / "dpo.jsonl"
    path.write_text('{"prompt": "a", "chosen": "b", "rejected": "c"}\n' * 3, encoding="utf-8")
    with pytest.raises(UnreadableData, match=r"read example failed: .*dpo.jsonl: records of the schema dpo are for dpo"):
        train(settings(data=str(path)))


def test_a_model_that_is_not_there_says_where_it_was_looked_for(settings):
    with pytest.raises(AdvisorError, match="tokenizer cannot be loaded"):
        train(settings(model="/nowhere/model"))


# formats and text


def test_running_text_is_cut_into_windows_and_all_of_it_is_learned(settings, tmp_path, tokenizer):
    path = tmp_path / "text.jsonl"
    text = "The tide turns twice a day. " * 40
    path.write_text(json.dumps({"text": text}) + "\n" + json.dumps({"text": "Short."}) + "\n", encoding="utf-8")
    from advisor_trainer.dataset import load
    from advisor_trainer.model import tokenizer_of

    config = settings(data=str(path), max_length=32)
    data = load(config, tokenizer_of(config))
    tokens = len(tokenizer(text)["input_ids"]) + 1
    assert data.objective == "self-supervised"
    assert data.pieces.length.max() == 32
    # Each token but the first is predicted once, the end token too.
    assert data.pieces.labels[data.pieces.row == 0].sum() == tokens - 1
    run = train(config)
    assert read_path(run / "run.log")[0].config["objective"] == "self-supervised"


def test_tokens_are_kept_for_the_next_run_and_made_anew_when_the_data_change(settings, tmp_path, sums, monkeypatch):
    import advisor_trainer.dataset as module
    from advisor_trainer.model import tokenizer_of

    monkeypatch.setenv("ADVISOR_CACHE", str(tmp_path / "cache"))
    copy = tmp_path / "copy.jsonl"
    copy.write_bytes(sums.read_bytes())
    config = settings(data=str(copy))
    first = module.load(config, tokenizer_of(config))
    monkeypatch.setattr(module, "build", lambda *_: pytest.fail("made anew"))
    again = module.load(config, tokenizer_of(config))
    assert (first.train.tokens == again.train.tokens).all()
    monkeypatch.undo()
    monkeypatch.setenv("ADVISOR_CACHE", str(tmp_path / "cache"))
    copy.write_bytes(sums.read_bytes().replace(b"plus", b"and", 1))
    changed = module.load(config, tokenizer_of(config))
    assert len(changed.train.tokens) != len(first.train.tokens) or (changed.train.tokens != first.train.tokens).any()


def test_show_batch_marks_what_is_trained_on(settings, tmp_path):
    config = tmp_path / "c.toml"
    config.write_text(commented(settings(), "en"), encoding="utf-8")
    done = CliRunner().invoke(main, ["train", str(config), "--show-batch"])
    assert done.exit_code == 0
    assert "what is trained on stands between « and »:" in done.stdout
    assert re.search(r"sums.jsonl:\d+ · \d+ tokens, \d+ of them trained on", done.stdout)
    shown = [line for line in done.stdout.splitlines() if line.startswith("«")]
    assert shown
    assert all(line.endswith(".<|end|>»") and " plus " in line for line in shown)
    assert not (tmp_path / "run").exists()


def test_a_printed_configuration_is_taken_as_it_is(tmp_path):
    printed = CliRunner().invoke(main, ["train", "--print-config", "--learning-rate", "2e-5", "--model", "m"]).stdout
    path = tmp_path / "c.toml"
    path.write_text(printed, encoding="utf-8")
    again = CliRunner().invoke(main, ["train", str(path), "--print-config"]).stdout
    assert again == printed
    assert "learning_rate = 2e-5" in printed


def test_a_table_without_a_header_is_trained_on_as_documented(settings, tmp_path):
    from advisor_trainer.dataset import load
    from advisor_trainer.model import tokenizer_of

    path = tmp_path / "t.csv"
    path.write_text('Be brief.,"Two plus two, please?",Four.\nBe kind.,One plus one?,Two.\n', encoding="utf-8")
    config = settings(data=str(path))
    tokenizer = tokenizer_of(config)
    data = load(config, tokenizer)
    assert tokenizer.decode(data.train.tokens.tolist()) == (
        "Be brief.\nTwo plus two, please?\nFour.<|end|>Be kind.\nOne plus one?\nTwo.<|end|>"
    )
    assert tokenizer.decode(data.train.tokens[data.train.mask == 1].tolist()) == "Four.<|end|>Two.<|end|>"


def test_several_files_are_one_dataset_and_rows_keep_their_place(settings, tmp_path, sums):
    from advisor_trainer.dataset import load
    from advisor_trainer.model import tokenizer_of

    lines = sums.read_text(encoding="utf-8").splitlines(keepends=True)
    for name, part in (("a.jsonl", lines[:5]), ("b.jsonl", lines[5:9])):
        (tmp_path / name).write_text("".join(part), encoding="utf-8")
    config = settings(data=f"{tmp_path / 'a.jsonl'},{tmp_path / 'b.jsonl'}")
    data = load(config, tokenizer_of(config))
    assert [data.train.place(row).rpartition("/")[2] for row in (0, 4, 5, 8)] == [
        "a.jsonl:1",
        "a.jsonl:5",
        "b.jsonl:1",
        "b.jsonl:4",
    ]


def test_computing_activations_twice_changes_no_loss(settings, tmp_path):
    kept, twice = (
        train(settings(max_steps=3, method="lora", gradient_checkpointing=on, output_dir=str(tmp_path / str(on))))
        for on in (False, True)
    )
    assert [p[1] for p in points(kept)] == pytest.approx([p[1] for p in points(twice)], rel=1e-6)


def test_a_run_that_is_done_stays_as_it_is_when_it_is_resumed(settings):
    given = {"max_steps": 4, "save_strategy": "steps", "save_steps": 2}
    run = train(settings(**given))
    before = points(run)
    train(settings(**given), resume=True)
    assert points(run) == before
    # One that was killed between its last checkpoint and the end still leaves its model.
    shutil.rmtree(run / "model")
    train(settings(**given), resume=True)
    assert (run / "model" / "model.safetensors").is_file()
    assert points(run) == before
    train(settings(**given | {"max_steps": 6}), resume=True)
    assert points(run)[:4] == before
    assert [point[0] for point in points(run)] == [1, 2, 3, 4, 5, 6]


def test_a_hopeless_run_is_stopped_where_that_is_asked_for(settings, tmp_path):
    with pytest.raises(Failed, match="as stop_on asks for"):
        train(
            settings(
                num_train_epochs=20,
                learning_rate=0.9,
                warmup_ratio=0,
                max_grad_norm=0,
                optim="sgd",
                stop_on="error",
                weight_decay=0.9,
            )
        )
    assert not (tmp_path / "run" / "model").exists()
