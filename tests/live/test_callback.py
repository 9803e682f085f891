"""The callback in the real Trainer, on a tiny random model: what it writes, what it says, and what it never does."""

import json
import os
import subprocess
import sys
from collections import Counter
from contextlib import suppress
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="the train extra is not installed")
pytest.importorskip("transformers", reason="the train extra is not installed")

from transformers import LlamaConfig, LlamaForCausalLM, PrinterCallback, Trainer, TrainingArguments

from advisor.engine import diagnose
from advisor.live import AdvisorCallback
from advisor.readers import read_path

pytestmark = pytest.mark.filterwarnings("ignore")
VOCABULARY = 64


def rows(count, seed):
    """Return rows that count on from a random number: a task that is learnt in a hundred steps."""
    generator = torch.Generator().manual_seed(seed)
    starts = torch.randint(0, VOCABULARY, (count, 1), generator=generator)
    return [{"input_ids": row, "labels": row} for row in (starts + torch.arange(10)) % VOCABULARY]


def model(kind=LlamaForCausalLM):
    torch.manual_seed(0)
    return kind(
        LlamaConfig(
            vocab_size=VOCABULARY, hidden_size=16, intermediate_size=32, num_hidden_layers=1, num_attention_heads=2,
            num_key_value_heads=2,
        )
    )  # fmt: skip


def arguments(folder, **changed):
    settings = {
        "use_cpu": True, "per_device_train_batch_size": 4, "learning_rate": 3e-3, "max_steps": 30, "logging_steps": 1,
        "eval_strategy": "steps", "eval_steps": 5, "save_steps": 10, "report_to": [], "disable_tqdm": True, "seed": 1,
        "remove_unused_columns": False,
    }  # fmt: skip
    return TrainingArguments(str(folder), **(settings | changed))


def train(folder, callback, network=None, resume=None, **changed):
    """Train and return the trainer."""
    trainer = Trainer(
        network or model(), arguments(folder, **changed), train_dataset=rows(64, 0), eval_dataset=rows(16, 1),
        callbacks=[callback],
    )  # fmt: skip
    trainer.remove_callback(PrinterCallback)
    trainer.train(resume_from_checkpoint=resume)
    return trainer


def lines(folder):
    return [json.loads(line) for line in (folder / "run.log").read_text(encoding="utf-8").splitlines()]


def points(folder):
    return [entry for entry in lines(folder) if "event" not in entry]


@pytest.fixture
def said():
    return []


class Breaks(LlamaForCausalLM):
    """A model whose loss is NaN from a call on."""

    breaks_at = 12

    def forward(self, *given, **named):
        self.calls = getattr(self, "calls", 0) + 1
        output = super().forward(*given, **named)
        if self.training and self.calls >= self.breaks_at:
            output.loss = output.loss * float("nan")
        return output


def test_the_log_holds_every_number_of_the_trainer_and_the_run_s_settings(tmp_path, said):
    trainer = train(tmp_path, AdvisorCallback(say=said.append))
    history = [entry for entry in trainer.state.log_history if "loss" in entry or "eval_loss" in entry]
    assert [
        {k: entry[k] for k in ("step", "loss", "eval_loss", "grad_norm", "learning_rate", "epoch") if k in entry}
        for entry in history
    ] == [{k: v for k, v in point.items() if k != "time"} for point in points(tmp_path)]
    config = read_path(tmp_path)[0].config
    expected = {"learning_rate": 3e-3, "max_steps": 30, "per_device_train_batch_size": 4, "vocab_size": VOCABULARY,
                "train_rows": 64, "eval_rows": 16, "method": "full", "lr_scheduler_type": "linear"}  # fmt: skip
    assert {name: config.get(name) for name in expected} == expected
    assert [entry["event"] for entry in lines(tmp_path) if "event" in entry] == ["run", "settings", *["checkpoint"] * 3, "end"]


def test_an_adapter_is_written_down(tmp_path, said):
    peft = pytest.importorskip("peft", reason="the train extra is not installed")
    network = peft.get_peft_model(model(), peft.LoraConfig(r=4, lora_alpha=8, target_modules=["v_proj", "q_proj"]))
    train(tmp_path, AdvisorCallback(say=said.append), network, max_steps=2)
    config = lines(tmp_path)[0]["config"]
    expected = {"method": "lora", "lora_r": 4, "lora_alpha": 8, "target_modules": "q_proj,v_proj", "vocab_size": VOCABULARY}
    assert {name: config.get(name) for name in expected} == expected
    assert 0 < config["trainable_parameters"] < config["num_parameters"]


def test_what_was_said_live_and_what_analyze_says_of_the_folder_agree(tmp_path, said, rules, warnings_of):
    callback = AdvisorCallback(say=said.append)
    trainer = train(tmp_path, callback, learning_rate=0.5)
    trainer.save_state()  # the folder holds the trainer's own state as well
    (run,) = read_path(tmp_path)
    expected = diagnose(run, rules)
    assert warnings_of(expected), "a rate of 0.5 shows nothing: the test says nothing"
    assert set(callback.said) == set(warnings_of(expected))
    assert callback.diagnosis.verdict == expected.verdict
    written = json.loads((tmp_path / "diagnosis.json").read_text(encoding="utf-8"))["runs"][0]
    assert [f["rule"] for f in written["findings"]] == [f.rule.id for f in expected.findings]
    assert [c["cause"] for c in written["causes"]] == [c.name for c in expected.causes]
    for rule in callback.said:
        assert sum(f" {rule}:" in text for text in said) == 1, f"{rule} was not said once"


def test_a_nan_is_said_at_its_step_although_the_trainer_would_hide_it_and_stops_the_run(tmp_path, said):
    trainer = train(tmp_path, AdvisorCallback(say=said.append, stop_on="error", lang="en"), model(Breaks))
    first = next(point["step"] for point in points(tmp_path) if point.get("loss") != point.get("loss"))
    assert first <= 12
    assert trainer.state.global_step <= first + 4, "the run went on"
    assert any("NUMERIC-" in text and f"step {first}" in text for text in said)
    assert lines(tmp_path)[-1]["event"] == "stopped"


def test_without_stop_on_no_finding_ends_a_run(tmp_path, said):
    trainer = train(tmp_path, AdvisorCallback(say=said.append), model(Breaks))
    assert trainer.state.global_step == 30
    assert any("NUMERIC-" in text for text in said)


@pytest.mark.parametrize("tail", ["", '{"step": 21, "lo'], ids=["whole lines", "a line cut in two"])
def test_a_resumed_run_continues_its_log_without_gaps_or_repeats(tmp_path, said, tail):
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    train(whole, AdvisorCallback(say=said.append))
    train(broken, AdvisorCallback(say=said.append), save_total_limit=3)
    log = broken / "run.log"
    kept = [line for line in log.read_text(encoding="utf-8").splitlines() if json.loads(line).get("step", 0) <= 27]
    log.write_text("\n".join(kept) + "\n" + tail, encoding="utf-8")  # as a process leaves it that is killed at step 27
    train(broken, AdvisorCallback(say=said.append), resume=str(broken / "checkpoint-20"))
    told = [(p["step"], "eval_loss" in p) for p in points(broken)]
    assert told == [(p["step"], "eval_loss" in p) for p in points(whole)]
    assert max(Counter(told).values()) == 1
    for mine, other in zip(points(broken), points(whole), strict=True):
        key = "eval_loss" if "eval_loss" in mine else "loss"
        assert mine[key] == pytest.approx(other[key], rel=1e-5)
    assert [e["event"] for e in lines(broken) if "event" in e] == ["run", "settings", *["checkpoint"] * 3, "end"]
    times = [p["time"] for p in points(broken)]
    assert times == sorted(times)


@pytest.mark.parametrize("restored", [False, True], ids=["callback of the script", "callback from the checkpoint"])
def test_a_resumed_run_does_not_say_again_what_was_said(tmp_path, capfd, restored):
    first = AdvisorCallback()
    train(tmp_path, first, model(Breaks))
    capfd.readouterr()
    kept = json.loads((tmp_path / "checkpoint-20/trainer_state.json").read_text(encoding="utf-8"))
    known = kept["stateful_callbacks"]["AdvisorCallback"]["attributes"]["said"]
    assert known, "nothing was said by step 20: the test says nothing"
    train(
        tmp_path, AdvisorCallback(), model(Breaks), resume=str(tmp_path / "checkpoint-20"),
        restore_callback_states_from_checkpoint=restored,
    )  # fmt: skip
    text = capfd.readouterr().err
    assert [rule for rule in known if f" {rule}:" in text and f"no longer holds: {rule}" not in text] == []


def test_a_log_that_is_lost_is_written_anew_from_the_trainer_s_memory_when_the_run_resumes(tmp_path, said):
    train(tmp_path, AdvisorCallback(say=said.append))
    (tmp_path / "run.log").unlink()
    train(tmp_path, AdvisorCallback(say=said.append), resume=str(tmp_path / "checkpoint-20"))
    assert [p["step"] for p in points(tmp_path) if "loss" in p] == list(range(1, 31))


def test_a_new_run_in_an_old_folder_has_a_log_of_its_own_and_keeps_the_old_one(tmp_path, said):
    train(tmp_path, AdvisorCallback(say=said.append))
    before = (tmp_path / "run.log").read_text(encoding="utf-8")
    train(tmp_path, AdvisorCallback(say=said.append), max_steps=5)
    assert [p["step"] for p in points(tmp_path) if "loss" in p] == [1, 2, 3, 4, 5]
    assert (tmp_path / "run.log.before").read_text(encoding="utf-8") == before


def test_a_log_that_cannot_be_written_does_not_end_the_training(tmp_path, said):
    (tmp_path / "file").write_text("")
    trainer = train(tmp_path / "out", AdvisorCallback(tmp_path / "file" / "run.log", say=said.append))
    assert trainer.state.global_step == 30
    assert sum("cannot be written" in text for text in said) == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no device that is always full")
def test_a_full_disk_is_said_once_and_training_goes_on(tmp_path, said):
    class Full(AdvisorCallback):
        def on_epoch_begin(self, args, state, control, **_):
            if self._log:
                self._log._file = full

    with suppress(OSError), Path("/dev/full").open("w", encoding="utf-8") as full:
        trainer = train(tmp_path, Full(say=said.append))
    assert trainer.state.global_step == 30
    assert sum("can no longer be written" in text for text in said) == 1


def test_only_the_first_process_writes(tmp_path, said, monkeypatch):
    from transformers import TrainerState

    monkeypatch.setattr(TrainerState, "__post_init__", _of_another_process(TrainerState.__post_init__))
    callback = AdvisorCallback(say=said.append)
    trainer = Trainer(model(), arguments(tmp_path, max_steps=3, save_strategy="no"), train_dataset=rows(64, 0),
                      eval_dataset=rows(16, 1), callbacks=[callback])  # fmt: skip
    trainer.is_world_process_zero = lambda: False
    trainer.is_local_process_zero = lambda: False
    trainer.train()
    assert (tmp_path / "run.log").exists() is False
    assert said == []


def _of_another_process(function):
    def init(self):
        function(self)
        self.is_world_process_zero = False

    return init


FAILS = """
import sys
sys.path.insert(0, {tests!r})
from test_callback import *

class Fails(LlamaForCausalLM):
    def forward(self, *given, **named):
        self.calls = getattr(self, "calls", 0) + 1
        if self.calls == 6:
            raise torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
        return super().forward(*given, **named)

train({folder!r}, AdvisorCallback(lang="en"), model(Fails), eval_strategy="no")
"""


def test_an_error_that_ends_the_run_stands_in_the_log_and_is_diagnosed(tmp_path):
    code = FAILS.format(tests=str(Path(__file__).parent), folder=str(tmp_path))
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"}, check=False
    )
    assert done.returncode == 1
    last = lines(tmp_path)[-1]
    assert (last["event"], last["step"]) == ("error", 5)
    assert "CUDA out of memory" in last["message"]
    assert "MEMORY-005" in done.stderr
    assert "OutOfMemoryError" in done.stderr.splitlines()[-1], "the error itself is no longer shown"


def test_a_wrong_stop_on_is_an_error_that_names_what_there_is():
    with pytest.raises(ValueError, match="'error', 'warning' or None"):
        AdvisorCallback(stop_on="info")
