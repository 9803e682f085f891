"""What the settings say, by whatever names trainers write them."""

import pytest

from advisor.model import NotMeasurable, Run
from advisor.signals import Measurements


def of(config, name):
    return Measurements(Run("x", "case", {}, config=config))[name]


@pytest.mark.parametrize(
    ("config", "parameters"),
    [
        ({"model_name_or_path": "Qwen/Qwen2.5-7B-Instruct"}, 7e9),
        ({"base_model": "NousResearch/Llama-3.2-1B"}, 1e9),
        ({"model": "Llama 1.05M"}, 1.05e6),
        ({"_name_or_path": "/data/models/qwen2_0.5b"}, 0.5e9),
        ({"model_name": "mistralai/Mixtral-8x7B-v0.1"}, 7e9),
        ({"model": "x", "num_parameters": 124_000_000}, 1.24e8),
    ],
)
def test_the_size_of_a_model_is_counted_or_stands_in_its_name(config, parameters):
    assert of(config, "model_parameters") == pytest.approx(parameters)


@pytest.mark.parametrize("name", ["gpt2", "bert-base-uncased", "model-b", "checkpoint-3000", "v2mini", "run_4bit", "llama-4bits"])
def test_a_name_without_a_size_has_none(name):
    with pytest.raises(NotMeasurable):
        of({"model": name}, "model_parameters")


def test_rows_of_an_update_are_batch_times_accumulation_times_devices():
    config = {"per_device_train_batch_size": 4, "gradient_accumulation_steps": 8, "world_size": 2}
    assert of(config, "rows_per_update") == 64
    assert of({**config, "global_batch_size": 32}, "rows_per_update") == 32
    with pytest.raises(NotMeasurable):
        of({"per_device_train_batch_size": "auto"}, "rows_per_update")


def test_max_steps_overrules_the_epochs_and_minus_one_does_not():
    config = {"num_train_epochs": 3, "train_rows": 1000, "per_device_train_batch_size": 10}
    assert of(config, "planned_updates") == 300
    assert of({**config, "max_steps": -1}, "planned_updates") == 300
    assert of({**config, "max_steps": 50}, "planned_updates") == 50
    assert of({**config, "max_steps": 50}, "planned_epochs") == 0.5


def test_warmup_is_a_share_or_a_number_of_steps():
    assert of({"max_steps": 200, "warmup_ratio": 0.1}, "declared_warmup") == 20
    assert of({"max_steps": 200, "warmup_ratio": 0.1, "warmup_steps": 7}, "declared_warmup") == 7
    assert of({"max_steps": 200, "warmup_steps": 0.05}, "declared_warmup") == 10
    assert of({"max_steps": 200, "warmup_ratio": 0.0}, "declared_warmup") == 0


def test_an_adapters_rate_is_compared_at_alpha_32():
    config = {"learning_rate": 2e-4, "method": "lora", "lora_alpha": 16, "lora_r": 16}
    assert of(config, "adapter_rate").equivalent == pytest.approx(1e-4)
    assert of({**config, "use_rslora": True}, "adapter_rate").equivalent == pytest.approx(4e-4)
    assert of({"learning_rate": 2e-5, "method": "full"}, "adapter_rate").equivalent == 2e-5


def test_what_is_trained_is_said_by_the_settings_and_not_guessed():
    assert of({"stage": "pt"}, "training_kind") == "self-supervised"
    assert of({"rl": "dpo"}, "training_kind") == "dpo"
    assert of({"lora_r": 8}, "training_kind") == "sft"
    with pytest.raises(NotMeasurable):
        of({"learning_rate": 1e-3}, "training_kind")
