"""Starting parameters: inside the documented ranges, by the documented directions, and clean by the project's own rules."""

import itertools
import json
import math
import struct
import tomllib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from ruamel.yaml import YAML

from advisor.cli import main
from advisor.engine import diagnose
from advisor.errors import BadPlan
from advisor.locale import strings
from advisor.model import NotMeasurable, Run
from advisor.plan.choices import EPOCHS
from advisor.plan.cost import GIB, adapter_weights, gpu_named, gpus, hours, memory
from advisor.plan.data import Data
from advisor.plan.model import of_size, read_model
from advisor.plan.plan import plan
from advisor.plan.targets import TARGETS, written
from advisor.recipes.base import RANGES
from advisor.recipes.settings import LORA_RANKS
from advisor.render import plan as render
from advisor.rulebook import LANGUAGES, load
from advisor.settings import read_config
from advisor.signals import Measurements

SETTINGS = tuple(rule for rule in load(subject="run") if rule.family == "settings")
SIZES = (0.5e9, 1.5e9, 7e9, 32e9, 70e9)
ROWS = (60, 120, 300, 999, 1100, 5000, 30_000, 250_000)
DIFFICULTIES = ("easy", "medium", "hard")


def data(rows, length=300, *, text=False, spread=0.5):
    lengths = np.random.default_rng(0).lognormal(math.log(length), spread, rows).astype(np.int64) + 1
    return Data(Path("train.jsonl"), rows, lengths, True, "pangu-text" if text else "pangu-sft", text)


def planned(size=7e9, rows=3000, method="lora", **options):
    length = options.pop("length", 20_000 if method == "pretrain" else 300)
    name = f"Model-{size / 1e9:g}B"
    return plan(of_size(name, size), data(rows, length, text=method == "pretrain"), method, **options)


def value(a_plan, name):
    return a_plan.config[name]


GRID = list(itertools.product(SIZES, ROWS, ("lora", "full", "pretrain"), DIFFICULTIES))


# Ranges and consistency


@pytest.mark.parametrize("size", SIZES)
def test_every_parameter_lies_in_its_documented_range(size):
    for _, rows, method, difficulty in (case for case in GRID if case[0] == size):
        config = planned(size, rows, method, difficulty=difficulty).config
        for name, (low, high) in RANGES.items():
            assert low <= config[name] <= high, (name, rows, method, difficulty)
        if method == "lora":
            assert LORA_RANKS[0] <= config["lora_r"] <= LORA_RANKS[1]
            assert config["lora_r"] in (8, 16, 32, 64)


@pytest.mark.parametrize(("size", "gpu"), [*((size, None) for size in SIZES), (1.5e9, "T4"), (7e9, "24GB"), (70e9, "A100-80GB")])
def test_no_settings_rule_of_the_project_finds_anything_in_a_plan(tmp_path, size, gpu):
    path = tmp_path / "train.toml"
    for _, rows, method, difficulty in (case for case in GRID if case[0] == size):
        a_plan = planned(size, rows, method, difficulty=difficulty, gpu=gpu and gpu_named(gpu))
        path.write_text(written(a_plan, "advisor", path), encoding="utf-8")
        kind = "self-supervised" if method == "pretrain" else "sft"
        config = {**read_config(path), "train_rows": a_plan.train_rows, "objective": kind}
        found = diagnose(Run("plan", "plan", {}, config=config), SETTINGS, ()).findings
        assert [f.rule.id for f in found] == [], (rows, method, difficulty, config)


def test_the_settings_rules_do_judge_a_written_plan():
    config = {**planned().config, "model": "Model-7B", "method": "lora", "train_rows": 2727, "objective": "sft"}
    clean = {rule.id for rule in diagnose(Run("plan", "plan", {}, config=config), SETTINGS, ()).clean}
    judged = {
        "SETTING-001",
        "SETTING-002",
        "SETTING-003",
        "SETTING-005",
        "SETTING-006",
        "SETTING-007",
        "SETTING-011",
        "SETTING-012",
    }
    assert judged <= clean


@pytest.mark.parametrize("target", TARGETS)
def test_what_is_written_for_a_trainer_reads_back_as_the_planned_settings(tmp_path, target):
    for method in ("lora", "full", "pretrain"):
        a_plan = planned(method=method)
        path = tmp_path / f"plan{TARGETS[target][0]}"
        path.write_text(written(a_plan, target, path), encoding="utf-8")
        config = read_config(path)
        for name in (
            "learning_rate",
            "num_train_epochs",
            "per_device_train_batch_size",
            "gradient_accumulation_steps",
            "eval_steps",
        ):
            assert config[name] == pytest.approx(a_plan.config[name]), (target, name)
        measured = Measurements(Run("plan", "plan", {}, config={**config, "train_rows": a_plan.train_rows}))
        assert measured["planned_updates"] == a_plan.updates
        assert measured["longest_row"] == a_plan.config["max_length"]


# Directions


def test_more_rows_never_ask_for_more_epochs_or_a_smaller_batch_or_rate():
    for size, method in itertools.product(SIZES, ("lora", "full")):
        plans = [planned(size, rows, method) for rows in ROWS]
        for few, many in itertools.pairwise(plans):
            assert value(few, "num_train_epochs") >= value(many, "num_train_epochs")
            assert few.batch <= many.batch
            assert value(few, "learning_rate") <= value(many, "learning_rate")


def test_a_larger_model_never_gets_a_larger_batch_or_rate():
    for rows, method in itertools.product(ROWS, ("lora", "full")):
        for small, large in itertools.pairwise(planned(size, rows, method) for size in (1e7, 2e8, *SIZES)):
            assert small.batch >= large.batch
            assert value(small, "learning_rate") >= value(large, "learning_rate")


def test_a_harder_task_never_gets_fewer_epochs_or_a_smaller_rank():
    for size, rows in itertools.product(SIZES, ROWS):
        for easier, harder in itertools.pairwise(planned(size, rows, difficulty=d) for d in DIFFICULTIES):
            assert value(easier, "num_train_epochs") <= value(harder, "num_train_epochs")
            assert value(easier, "lora_r") <= value(harder, "lora_r")


def test_rate_and_batch_go_together():
    by_batch = {planned(7e9, rows).batch: value(planned(7e9, rows), "learning_rate") for rows in ROWS}
    assert sorted(by_batch.values()) == [by_batch[batch] for batch in sorted(by_batch)]
    assert len(set(by_batch.values())) == len(by_batch) > 2


def test_an_adapter_takes_about_ten_times_the_rate_of_all_weights():
    assert 5 < value(planned(method="lora"), "learning_rate") / value(planned(method="full"), "learning_rate") < 15


def test_epochs_are_the_documented_ones_unless_there_were_too_few_updates():
    for size, rows, method, difficulty in GRID:
        a_plan = planned(size, rows, method, difficulty=difficulty)
        if value(a_plan, "num_train_epochs") not in EPOCHS:
            assert a_plan.updates < 230
        if rows > 60 or method != "pretrain":
            assert a_plan.updates >= 100


def test_ten_rows_train_for_each_that_is_held_out():
    for rows in ROWS:
        a_plan = planned(7e9, rows)
        assert a_plan.train_rows + a_plan.held_out == rows
        assert 8 < a_plan.train_rows / a_plan.held_out < 12


def test_about_ten_evaluations_and_each_has_a_checkpoint():
    for rows in ROWS:
        a_plan = planned(7e9, rows)
        assert 9 <= a_plan.updates // value(a_plan, "eval_steps") <= 12
        assert value(a_plan, "save_steps") == value(a_plan, "eval_steps")


def test_rows_are_cut_at_their_99th_percentile_and_never_beyond_what_the_model_reads():
    rows = data(5000, 500)
    length = plan(of_size("7B", 7e9), rows, "lora").config["max_length"]
    assert rows.percentile(99) <= length < rows.percentile(99) + 64
    assert (rows.lengths > length).mean() <= 0.01
    short = replace(of_size("7B", 7e9), context=1024)
    assert plan(short, data(5000, 3000), "lora").config["max_length"] == 1024
    with pytest.raises(BadPlan, match="reads 1024 tokens"):
        plan(short, rows, "lora", max_length=2048)
    estimated = replace(rows, counted=False)
    assert plan(of_size("7B", 7e9), estimated, "lora").config["max_length"] > length


def test_as_many_devices_share_an_update_as_there_are():
    one, four = planned(7e9, 30_000), planned(7e9, 30_000, devices=4)
    assert one.batch == four.batch
    assert value(four, "per_device_train_batch_size") * value(four, "gradient_accumulation_steps") * 4 == four.batch


# The model


LLAMA = {
    "hidden_size": 4096, "num_hidden_layers": 32, "intermediate_size": 11008, "num_attention_heads": 32, "vocab_size": 32000,
    "max_position_embeddings": 4096,
}  # fmt: skip


def folder(tmp_path, config, name="config.json"):
    (tmp_path / name).write_text(json.dumps(config), encoding="utf-8")
    return str(tmp_path)


def tensors(path, shapes):
    header = json.dumps(
        {name: {"dtype": "BF16", "shape": shape, "data_offsets": [0, 0]} for name, shape in shapes.items()}
    ).encode()
    path.write_bytes(struct.pack("<Q", len(header)) + header)


def test_the_weights_of_a_model_are_computed_from_its_shape(tmp_path):
    model = read_model(folder(tmp_path, LLAMA))
    assert model.parameters == pytest.approx(6.738e9, rel=0.001)  # Llama 2 7B, whose norms are not counted
    assert (model.origin, model.context) == ("config", 4096)


def test_grouped_queries_and_tied_embeddings_take_fewer_weights(tmp_path):
    qwen = {
        "hidden_size": 896, "num_hidden_layers": 24, "intermediate_size": 4864, "num_attention_heads": 14, "vocab_size": 151936,
        "num_key_value_heads": 2, "tie_word_embeddings": True,
    }  # fmt: skip
    assert read_model(folder(tmp_path, qwen)).parameters == pytest.approx(0.494e9, rel=0.002)  # Qwen2.5-0.5B


def test_weights_are_counted_in_the_headers_of_the_files_where_they_are(tmp_path):
    folder(tmp_path, LLAMA)
    tensors(tmp_path / "model-1.safetensors", {"a": [10, 20], "__metadata__": []} | {"b": [3]})
    assert read_model(str(tmp_path)).parameters == 203
    folder(tmp_path, {"weight_map": {"a": "model-1.safetensors", "c": "model-2.safetensors"}}, "model.safetensors.index.json")
    assert read_model(str(tmp_path)).origin == "config"  # one of the files is not there
    tensors(tmp_path / "model-2.safetensors", {"c": [7]})
    assert read_model(str(tmp_path)).parameters == 210


def test_the_language_model_of_one_that_sees_is_meant_and_the_base_of_an_adapter(tmp_path):
    (tmp_path / "base").mkdir()
    base = folder(tmp_path / "base", {"text_config": LLAMA, "vision_config": {"hidden_size": 10}})
    folder(tmp_path, {"base_model_name_or_path": base}, "adapter_config.json")
    assert read_model(str(tmp_path)).layers == 32
    folder(tmp_path, {"base_model_name_or_path": "Qwen/Qwen2.5-7B"}, "adapter_config.json")
    assert read_model(str(tmp_path)).parameters == 7e9


@pytest.mark.parametrize(
    ("given", "parameters"), [("7B", 7e9), ("0.5b", 5e8), ("Qwen/Qwen2.5-72B-Instruct", 72e9), ("270M", 2.7e8)]
)
def test_a_size_or_a_name_with_one_is_enough(given, parameters):
    model = read_model(given)
    assert model.parameters == parameters
    # the estimated shape has about as many weights as it was estimated from
    blocks = model.layers * sum(a * b for a, b in model.linear_sizes)
    embeddings = model.vocabulary * model.hidden * (2 if parameters >= 3e9 else 1)
    assert 0.9 < (blocks + embeddings) / parameters < 1.3


@pytest.mark.parametrize(
    ("prepare", "said"),
    [
        (lambda p: folder(p, {"hidden_size": 4096}), "lacks num_hidden_layers"),
        (lambda p: folder(p, [1]), "holds no settings"),
        (lambda p: (p / "config.json").write_text("{") and str(p), "cannot be read as JSON"),
        (lambda p: str(p), "config.json: cannot be read as JSON"),
        (lambda p: str(p / "nowhere"), "no folder of a model"),
        (lambda _: "my-model", "no size in the name"),
        (lambda p: folder(p, {"base_model_name_or_path": 1}, "adapter_config.json"), "names no base model"),
        (lambda p: folder(p, {**LLAMA, "num_local_experts": 8}), "mixture of experts"),
        (lambda p: folder(p, LLAMA) if (p / "model.safetensors").write_bytes(b"\x08") else "", "no safetensors file"),
        (lambda p: folder(p, LLAMA) if (p / "m.safetensors").write_bytes(b"\xff" * 99) else "", "no safetensors file"),
    ],
)
def test_what_is_no_model_is_an_error_that_says_what_to_give(tmp_path, prepare, said):
    with pytest.raises(BadPlan, match=said):
        read_model(prepare(tmp_path))


# Memory and time


def test_an_adapter_has_as_many_weights_as_peft_makes(tmp_path):
    assert adapter_weights(read_model(folder(tmp_path, LLAMA)), 8) == 19_988_480  # what PEFT prints for Llama 2 7B, all linear


def test_all_weights_take_sixteen_bytes_each_and_an_adapter_two():
    model = of_size("7B", 7e9)
    assert memory(model, rank=0, batch=1, length=1, again=True, devices=1).states == 16 * 7e9
    assert memory(model, rank=8, batch=1, length=1, again=True, devices=1).states == pytest.approx(2 * 7e9, rel=0.03)
    assert memory(model, rank=0, batch=1, length=1, again=True, devices=8).states == 2 * 7e9


@pytest.mark.parametrize(
    ("size", "rank", "published"),
    [(7e9, 0, 120), (14e9, 0, 240), (30e9, 0, 600), (70e9, 0, 1200), (7e9, 8, 16), (14e9, 8, 32), (30e9, 8, 64), (70e9, 8, 160)],
)
def test_memory_is_within_a_quarter_of_the_table_that_llama_factory_publishes(size, rank, published):
    need = memory(of_size("model", size), rank=rank, batch=1, length=512, again=True, devices=1)
    assert need.total / 1e9 == pytest.approx(published, rel=0.25)


def test_memory_grows_with_batch_and_length_and_shrinks_where_activations_are_computed_again():
    model = of_size("7B", 7e9)

    def total(batch=4, length=1024, again=False):
        return memory(model, rank=32, batch=batch, length=length, again=again, devices=1).total

    assert total() < total(batch=8) == total(length=2048)
    assert total(again=True) < total()


def test_a_7b_adapter_fits_on_one_large_card_and_all_weights_do_not():
    assert planned(gpu=gpu_named("A100-80GB")).memory.fits(gpu_named("A100-80GB"))
    full = planned(method="full", gpu=gpu_named("A100-80GB"))
    assert not full.memory.fits(gpu_named("A100-80GB"))
    assert {note.key for note in full.notes} >= {"too_large.full", "time.unfit"}
    assert full.time is None
    assert planned(method="full", gpu=gpu_named("A100-80GB"), devices=4).memory.fits(gpu_named("A100-80GB"))


def test_the_smaller_card_takes_fewer_rows_at_once_and_the_same_update():
    large, small = planned(gpu=gpu_named("80GB")), planned(gpu=gpu_named("24GB"))
    assert value(small, "per_device_train_batch_size") < value(large, "per_device_train_batch_size")
    assert value(small, "gradient_checkpointing")
    assert small.batch == large.batch
    assert small.memory.total <= 24 * GIB


def test_time_is_operations_over_throughput_and_not_said_where_none_is_known():
    least, most = hours(of_size("7B", 7e9), tokens=1e9, trained=True, again=False, gpu=gpu_named("H100"), devices=1)
    assert least == pytest.approx(6 * 7e9 * 1e9 / (0.45 * 989e12) / 3600)
    assert most / least == pytest.approx(0.45 / 0.2)
    assert hours(of_size("7B", 7e9), tokens=1e9, trained=True, again=False, gpu=gpu_named("24GB"), devices=1) is None
    assert {n.key for n in planned().notes} >= {"time.gpu"}
    assert {n.key for n in planned(gpu=gpu_named("Ascend-910B")).notes} >= {"time.peak"}
    assert planned(gpu=gpu_named("H100")).time is not None


@pytest.mark.parametrize(
    ("given", "name"), [("a100 80gb", "A100-80GB"), ("NVIDIA H100", "H100"), ("rtx4090", "RTX-4090"), ("l40s", "L40S")]
)
def test_an_accelerator_is_known_by_its_name_however_it_is_written(given, name):
    assert gpu_named(given) == gpus()[name]


@pytest.mark.parametrize(("given", "memory_"), [("24GB", 24), ("80", 80), ("12.5 GiB", 12.5), ("16g", 16)])
def test_an_accelerator_is_known_by_its_memory(given, memory_):
    assert (gpu_named(given).memory, gpu_named(given).peak) == (memory_, None)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("A100", "there are A100-40GB, A100-80GB; name one"),
        ("H20O", "did you mean H200?"),
        ("0GB", "above 0"),
        ("toaster", "not known"),
    ],
)
def test_an_accelerator_that_is_not_known_is_an_error_that_names_those_that_are(given, said):
    with pytest.raises(BadPlan, match=said.replace("?", r"\?")):
        gpu_named(given)


# What is printed and written


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_parameter_is_said_with_its_reason_its_source_and_its_trust(language):
    words = strings(language, "plan")
    used = {"reason": set(), "vary": set(), "basis": set(), "note": set()}
    cases = [
        planned(size, rows, method, difficulty=d, gpu=g) for size, rows, method, d in GRID[::3] for g in (None, gpu_named("24GB"))
    ]
    cases += [planned(7e9, 3000, max_length=512), plan(of_size("7B", 7e7), replace(data(900), counted=False), "lora")]
    cases += [
        planned(gpu=gpu_named("Ascend-910B")),
        planned(gpu=gpu_named("H100")),
        planned(70e9, 900, "full", gpu=gpu_named("24GB")),
    ]
    cases.append(planned(method="full", gpu=gpu_named("T4"), devices=4))
    cases.append(plan(of_size("7B", 7e9), replace(data(3000), repeated=31), "lora"))
    for a_plan in cases:
        answer = json.loads(render.as_json(a_plan, language))
        page = render.markdown(a_plan, language)
        assert all(p["reason"] and p["source"] and p["trust"] for p in answer["parameters"])
        assert all(f"| `{p['name']}` |" in page for p in answer["parameters"])
        assert answer["time"]
        used["reason"] |= {p.reason for p in a_plan.parameters}
        used["basis"] |= {p.source for p in a_plan.parameters}
        used["vary"] |= {key for p in a_plan.parameters for key in p.changes}
        used["note"] |= {note.key for note in a_plan.notes}
    for kind, keys in used.items():
        assert keys == {key.split(".", 1)[1] for key in words if key.startswith(f"{kind}.")}, kind


TRAIN = "".join(json.dumps({"context": f"How deep is lake {n}?", "target": f"It is {n} metres deep."}) + "\n" for n in range(1200))
TEXT = "".join(
    json.dumps({"text": f"Lake {n} lies in the hills. " + "The water is deep and cold. " * 200}) + "\n" for n in range(300)
)


@pytest.fixture
def train(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "train.jsonl").write_text(TRAIN, encoding="utf-8")
    (tmp_path / "text.jsonl").write_text(TEXT, encoding="utf-8")
    return tmp_path


def run(*arguments, status=0):
    result = CliRunner(env={"COLUMNS": "100"}).invoke(main, ["plan", *arguments], catch_exceptions=False)
    assert result.exit_code == status, result.output
    return result


LORA = ("--model", "Qwen2.5-7B", "--data", "train.jsonl", "--method", "lora")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("output", ["text", "json", "markdown"])
def test_the_command_prints_the_plan_in_each_form(train, language, output):
    shown = run(*LORA, "--gpu", "L40S", "--lang", language, "--format", output).stdout
    assert "learning_rate" in shown
    assert "0.00023" in shown or "0.00027" in shown
    if output == "json":
        assert json.loads(shown)["gpu"]["fits"] is True


@pytest.mark.parametrize(
    ("target", "name"),
    [
        ("advisor", "a.toml"),
        ("advisor", "a.json"),
        ("advisor", "a.yaml"),
        ("trl", "a.json"),
        ("llama-factory", "a.yaml"),
        ("axolotl", "a.yml"),
    ],
)
def test_the_command_writes_a_configuration_that_parses(train, target, name):
    run(*LORA, "--target", target, "-o", name)
    text = Path(name).read_text(encoding="utf-8")
    parsed = {"toml": tomllib.loads, "json": json.loads}.get(name.split(".")[1], YAML(typ="safe").load)(text)
    assert parsed["learning_rate"] == pytest.approx(2.7e-4, rel=0.2)
    assert "Qwen2.5-7B" in parsed.values()
    assert [path.name for path in train.iterdir() if path.name.startswith(".")] == []


def test_a_file_is_not_replaced_unasked(train):
    Path("a.toml").write_text("mine = 1\n", encoding="utf-8")
    assert "exists; give another name, or --force" in run(*LORA, "-o", "a.toml", status=2).stderr
    assert Path("a.toml").read_text(encoding="utf-8") == "mine = 1\n"
    run(*LORA, "-o", "a.toml", "--force")
    assert "learning_rate" in Path("a.toml").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((*LORA, "-o", "a.txt"), "ends in .toml or .json or .yaml or .yml"),
        ((*LORA, "--target", "trl", "-o", "a.yaml"), "a configuration of trl ends in .json"),
        ((*LORA[:-1], "pretrain"), "pre-training takes running text"),
        (
            ("--model", "7B", "--data", "text.jsonl", "--method", "lora"),
            "running text without questions; plan it with --method pretrain",
        ),
        (("--model", "7B", "--data", "none.jsonl", "--method", "lora"), "none.jsonl"),
        ((*LORA, "--gpu", "toaster"), "not known"),
        (("--model", "model", "--data", "train.jsonl", "--method", "lora"), "no size in the name"),
    ],
)
def test_what_cannot_be_planned_is_one_line_that_says_what_to_do(train, arguments, said):
    result = run(*arguments, status=2)
    assert said in result.stderr
    assert "Traceback" not in result.output


def test_a_handful_of_rows_and_pairs_are_refused(train):
    Path("few.jsonl").write_text(TRAIN[:1000], encoding="utf-8")
    assert "train nothing" in run("--model", "7B", "--data", "few.jsonl", "--method", "lora", status=2).stderr
    pair = {"prompt": "a?", "chosen": "b", "rejected": "c"}
    Path("pairs.jsonl").write_text((json.dumps(pair) + "\n") * 99, encoding="utf-8")
    assert "preference pairs" in run("--model", "7B", "--data", "pairs.jsonl", "--method", "lora", status=2).stderr
    Path("none.jsonl").write_text('{"a": ' * 5, encoding="utf-8")
    assert "no row to train on" in run("--model", "7B", "--data", "none.jsonl", "--method", "lora", status=2).stderr
    Path("short.jsonl").write_text('{"text": "Lake."}\n' * 60, encoding="utf-8")
    assert "too little text" in run("--model", "7B", "--data", "short.jsonl", "--method", "pretrain", status=2).stderr


def test_rows_that_repeat_others_are_named_before_they_spoil_the_evaluation(train):
    Path("twice.jsonl").write_text(TRAIN + TRAIN[:5000], encoding="utf-8")
    assert any("repeat others" in note for note in json.loads(_json("twice.jsonl"))["notes"])
    assert not any("repeat others" in note for note in json.loads(_json("train.jsonl"))["notes"])


def _json(path):
    return run("--model", "7B", "--data", path, "--method", "lora", "--format", "json").stdout


def test_running_text_is_planned_in_packed_rows_for_one_pass(train):
    answer = json.loads(run("--model", "7B", "--data", "text.jsonl", "--method", "pretrain", "--format", "json").stdout)
    config = {p["name"]: p["value"] for p in answer["parameters"]}
    assert config["packing"] is True
    assert config["max_length"] == 4096
    assert answer["train_rows"] == pytest.approx(answer["data"]["tokens"] / 4096 * 10 / 11, rel=0.05)


@pytest.mark.parametrize(
    ("schema", "row", "expected"),
    [
        ("alpaca", {"instruction": "a {n}", "output": "b"}, "alpaca"),
        ("messages", {"messages": [{"role": "user", "content": "a {n}"}, {"role": "assistant", "content": "b"}]}, "chat_template"),
        ("pangu-sft", {"context": "a {n}", "target": "b"}, {"field_instruction": "context", "field_output": "target",
                                                           "format": "{instruction}", "no_input_format": "{instruction}"}),
    ],
)  # fmt: skip
def test_axolotl_is_told_how_to_read_the_records(train, schema, row, expected):
    Path("rows.jsonl").write_text("".join(json.dumps(row).replace("{n}", str(n)) + "\n" for n in range(60)), encoding="utf-8")
    run("--model", "7B", "--data", "rows.jsonl", "--method", "lora", "--target", "axolotl", "-o", "a.yaml")
    (dataset,) = YAML(typ="safe").load(Path("a.yaml"))["datasets"]
    assert dataset["type"] == expected
    assert dataset["path"] == "rows.jsonl"


def test_rows_of_several_rounds_must_be_converted_for_axolotl(train):
    line = '[{"context": "a", "target": "b"}, {"context": "c %d", "target": "d"}]\n'
    Path("multi.jsonl").write_text("".join(line % n for n in range(60)), encoding="utf-8")
    result = run("--model", "7B", "--data", "multi.jsonl", "--method", "lora", "--target", "axolotl", "-o", "a.yaml", status=2)
    assert "does not read pangu-multi; convert it first: advisor data convert" in result.stderr
    assert not Path("a.yaml").exists()


def test_a_card_without_bf16_trains_in_fp16_and_is_warned_of():
    old, new = planned(gpu=gpu_named("V100-32GB")), planned(gpu=gpu_named("L4"))
    for target in ("trl", "llama-factory", "axolotl"):
        assert (TARGETS[target][1](old)["bf16"], TARGETS[target][1](old)["fp16"]) == (False, True)
        assert TARGETS[target][1](new)["bf16"]
    assert "only_fp16" in {note.key for note in old.notes}


def test_a_name_with_quotes_and_backslashes_is_written_as_it_is(tmp_path):
    a_plan = planned()
    odd = replace(a_plan, model=replace(a_plan.model, name='C:\\models\\a "7B"'))
    for target, (suffix, _) in TARGETS.items():
        text = written(odd, target, Path(f"a{suffix}"))
        parsed = {".toml": tomllib.loads, ".json": json.loads}.get(suffix, YAML(typ="safe").load)(text)
        assert 'C:\\models\\a "7B"' in parsed.values(), target


def test_the_own_trainer_takes_the_written_configuration_as_it_is(train):
    config = pytest.importorskip("advisor_trainer.config", reason="the trainer is not part of this checkout")
    for method, path in (("lora", "train.jsonl"), ("full", "train.jsonl"), ("pretrain", "text.jsonl")):
        run("--model", "Qwen2.5-7B", "--data", path, "--method", method, "-o", "a.toml", "--force")
        given = config.read(Path("a.toml"))
        taken = dict(config.configured(given).items())
        assert taken["method"] == ("lora" if method == "lora" else "full")
        assert all(taken[name] == value for name, value in given.items())


def test_transformers_takes_the_training_arguments_as_they_are(train):
    arguments = pytest.importorskip("transformers", reason="transformers is not installed").TrainingArguments
    run(*LORA, "--target", "trl", "-o", "a.json")
    known = set(arguments.__dataclass_fields__) | {
        "model_name_or_path", "max_length", "packing", "use_peft", "lora_r", "lora_alpha", "lora_target_modules",
    }  # fmt: skip
    assert json.loads(Path("a.json").read_text(encoding="utf-8")).keys() <= known


def test_a_model_without_a_size_is_not_measurable_by_the_settings_rules():
    with pytest.raises(NotMeasurable):
        Measurements(Run("plan", "plan", {}, config={"model": "mine"}))["model_parameters"]
