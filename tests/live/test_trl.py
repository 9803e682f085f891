"""The callback in TRL's trainers, as its documentation has it: what is said live is what `advisor analyze` says of the folder."""

import json

import pytest

torch = pytest.importorskip("torch", reason="the train extra is not installed")
trl = pytest.importorskip("trl", reason="TRL is not installed")
datasets = pytest.importorskip("datasets", reason="TRL is not installed")

from advisor_trainer.demo.runs import BASE
from click.testing import CliRunner
from transformers import AutoModelForCausalLM, AutoTokenizer

from advisor.cli import main
from advisor.live import AdvisorCallback

pytestmark = pytest.mark.filterwarnings("ignore")

COMMON = {
    "use_cpu": True, "bf16": False, "per_device_train_batch_size": 4, "max_steps": 24, "logging_steps": 1, "report_to": "none",
    "save_strategy": "no", "disable_tqdm": True, "learning_rate": 0.3, "gradient_checkpointing": False, "seed": 1,
}  # fmt: skip
"""A rate at which every one of them goes wrong."""

SUMS = [(f"What is {a} plus {b}?", f" {a} plus {b} is {a + b}.") for a in range(8) for b in range(8)]


def model():
    torch.manual_seed(0)
    torch.set_num_threads(1)
    return AutoModelForCausalLM.from_pretrained(BASE)


def sft(folder, callbacks):
    rows = [{"prompt": question, "completion": answer} for question, answer in SUMS]
    args = trl.SFTConfig(str(folder), **COMMON, eval_strategy="steps", eval_steps=4)
    data = datasets.Dataset.from_list(rows)
    return trl.SFTTrainer(model(), args, train_dataset=data, eval_dataset=data.select(range(8)), callbacks=callbacks,
                          processing_class=AutoTokenizer.from_pretrained(BASE))  # fmt: skip


def dpo(folder, callbacks):
    rows = [{"prompt": question, "chosen": answer, "rejected": " I do not know."} for question, answer in SUMS]
    args = trl.DPOConfig(str(folder), **COMMON)
    return trl.DPOTrainer(model(), None, args, train_dataset=datasets.Dataset.from_list(rows), callbacks=callbacks,
                          processing_class=AutoTokenizer.from_pretrained(BASE))  # fmt: skip


def grpo(folder, callbacks):
    def short(completions, **_):
        return [-float(len(text)) for text in completions]

    args = trl.GRPOConfig(str(folder), **COMMON, num_generations=4, max_completion_length=8)
    rows = datasets.Dataset.from_list([{"prompt": question} for question, _ in SUMS])
    return trl.GRPOTrainer(model(), short, args, train_dataset=rows, callbacks=callbacks,
                           processing_class=AutoTokenizer.from_pretrained(BASE))  # fmt: skip


@pytest.mark.parametrize("made", [sft, dpo, grpo], ids=lambda made: made.__name__)
def test_what_was_said_live_in_a_trainer_of_trl_is_what_analyze_says_of_its_folder(tmp_path, made, warnings_of):
    said = []
    callback = AdvisorCallback(say=said.append, lang="en")
    made(tmp_path, [callback]).train()
    done = CliRunner().invoke(main, ["analyze", str(tmp_path), "--format", "json", "--fail-on", "never"])
    (later,) = json.loads(done.stdout)["runs"]
    live = json.loads((tmp_path / "diagnosis.json").read_text(encoding="utf-8"))["runs"][0]
    for key in ("verdict", "findings", "causes"):
        assert live[key] == later[key]
    assert set(callback.said) == set(warnings_of(callback.diagnosis))
    assert callback.said, "a rate of 0.3 shows nothing: the test says nothing"
    for rule in callback.said:
        assert sum(f" {rule}:" in text and "no longer" not in text for text in said) == 1, f"{rule} was not said once"
