"""What trains elsewhere or otherwise: shards, other precisions, recomputed activations, 4 bits; and what cannot work here."""

import json
import shutil
from importlib.resources import files
from importlib.util import find_spec

import pytest
from advisor_trainer import abilities, train
from advisor_trainer.model import UnloadableModel
from advisor_trainer.run import Failed

from advisor.errors import BadConfig

BASE = files("advisor_trainer") / "base_model"
SHORT = {"max_steps": 6, "eval_strategy": "steps", "eval_steps": 3, "save_strategy": "steps", "save_steps": 3}


def losses(run):
    """The losses of a run, evaluations included, in the order of its log."""
    entries = map(json.loads, (run / "run.log").read_text(encoding="utf-8").splitlines())
    return [entry.get("loss", entry.get("eval_loss")) for entry in entries if "event" not in entry]


@pytest.fixture
def one(settings, tmp_path):
    """The losses of one process that does nothing special."""

    def make(**given):
        return losses(train(settings(**SHORT, **given, output_dir=str(tmp_path / "one"))))

    return make


@pytest.mark.parametrize("method", ["full", "lora"])
def test_shards_in_two_processes_have_the_losses_of_one_and_go_on_from_their_checkpoint(
    settings, tmp_path, one, two_processes, method
):
    expected = one(method=method)
    config = settings(
        **SHORT, method=method, per_device_train_batch_size=2, fsdp="full_shard auto_wrap", output_dir=str(tmp_path / "two")
    )
    two_processes(config)
    run = tmp_path / "two"
    assert losses(run) == pytest.approx(expected, rel=1e-4)
    for name in ("checkpoint-6", "model"):
        shutil.rmtree(run / name)
    assert "goes on from" in two_processes(config, "--resume")
    assert losses(run) == pytest.approx(expected, rel=1e-4)
    kept = "adapter_model.safetensors" if method == "lora" else "model.safetensors"
    assert (run / "model" / kept).is_file()


@pytest.mark.skipif(find_spec("deepspeed") is None, reason="DeepSpeed is not installed")
@pytest.mark.parametrize("stage", [1, 2])
def test_deepspeed_by_its_configuration_has_the_losses_of_one_process(settings, tmp_path, one, two_processes, stage):
    expected = one()
    path = tmp_path / "ds.json"
    path.write_text(json.dumps({
        "train_micro_batch_size_per_gpu": "auto", "gradient_accumulation_steps": "auto", "gradient_clipping": "auto",
        "zero_optimization": {"stage": stage},
        "zero_allow_untested_optimizer": True,
    }), encoding="utf-8")  # fmt: skip
    config = settings(**SHORT, per_device_train_batch_size=2, deepspeed=str(path), output_dir=str(tmp_path / "two"))
    two_processes(config)
    assert losses(tmp_path / "two") == pytest.approx(expected, rel=1e-4)
    assert (tmp_path / "two" / "model" / "model.safetensors").is_file()


@pytest.mark.parametrize("method", ["full", "lora"])
def test_recomputed_activations_change_no_loss(settings, tmp_path, one, method):
    run = train(settings(**SHORT, method=method, gradient_checkpointing=True, output_dir=str(tmp_path / "again")))
    assert losses(run) == pytest.approx(one(method=method), rel=1e-5)


@pytest.mark.parametrize("method", ["full", "lora"])
def test_half_precision_on_a_cpu_trains_as_well_within_its_rounding(settings, tmp_path, one, method):
    run = train(settings(**SHORT, method=method, precision="bf16", output_dir=str(tmp_path / "half")))
    assert losses(run) == pytest.approx(one(method=method), rel=0.01)
    assert json.loads((run / "environment.json").read_text(encoding="utf-8"))["precision"] == "bf16"


@pytest.mark.skipif(find_spec("bitsandbytes") is None, reason="bitsandbytes is not installed")
def test_an_adapter_on_four_bits_learns_on_a_cpu(settings):
    run = train(settings(**SHORT, method="qlora", model=str(BASE), learning_rate=1e-2))
    found = losses(run)
    assert found[-1] < found[0]
    assert (run / "model" / "adapter_model.safetensors").is_file()


@pytest.mark.skipif(find_spec("bitsandbytes") is None, reason="bitsandbytes is not installed")
def test_a_model_too_narrow_for_four_bits_is_refused_for_that_reason(settings):
    with pytest.raises(UnloadableModel, match="cannot compute a packed row"):
        train(settings(method="qlora", max_steps=1))


@pytest.mark.slow
@pytest.mark.skipif(not abilities._compiler(), reason="there is no C++ compiler")
def test_a_compiled_model_has_the_same_losses(settings, tmp_path, one):
    run = train(settings(**SHORT, torch_compile=True, output_dir=str(tmp_path / "compiled")))
    assert losses(run) == pytest.approx(one(), rel=1e-4)


# what cannot work here


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"precision": "fp16"}, "`precision` is fp16, in which a CPU does not train; set bf16 or fp32"),
        ({"attention": "varlen"}, "`attention` is varlen, which needs a GPU and half precision, not CPU and fp32; set auto"),
        ({"attention": "flash_attention_2", "precision": "bf16"}, "`attention` is flash_attention_2, which needs a GPU"),
        ({"use_liger_kernel": True}, "`use_liger_kernel` is set; its kernels run on a GPU or NPU"),
        ({"optim": "adafactr"}, "`optim` is 'adafactr'; expected adamw or a name that transformers knows, such as adafactor"),
        ({"fsdp": "full_shard"}, "`fsdp` is set and this is a single process; start with `torchrun"),
        ({"fsdp": "full_shard", "deepspeed": "a.json"}, "`deepspeed`"),
    ],
)
def test_what_this_machine_cannot_do_is_said_before_anything_is_loaded(settings, given, said):
    with pytest.raises(BadConfig) as error:
        train(settings(**given, model="/nowhere"))
    assert str(error.value).startswith(said)


@pytest.mark.parametrize(
    ("given", "package"),
    [
        ({"method": "qlora"}, "bitsandbytes"),
        ({"deepspeed": "a.json"}, "deepspeed"),
        ({"method": "lora"}, "peft"),
    ],
)
def test_a_package_that_a_setting_needs_is_named(settings, monkeypatch, given, package):
    monkeypatch.setattr(abilities, "find_spec", lambda name: None if name == package else find_spec(name))
    with pytest.raises(BadConfig, match=f"needs {package}.*pip install"):
        train(settings(**given))


def test_compilation_without_a_compiler_is_said_at_once(settings, monkeypatch):
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("CXX", raising=False)
    with pytest.raises(BadConfig, match="needs a C\\+\\+ compiler"):
        train(settings(torch_compile=True))


@pytest.mark.skipif(find_spec("lomo_optim") is not None, reason="the optimizer is there")
def test_an_optimizer_whose_package_is_missing_is_one_clear_error(settings):
    with pytest.raises(Failed, match=r"a package is missing .*lomo"):
        train(settings(optim="lomo", max_steps=2))
