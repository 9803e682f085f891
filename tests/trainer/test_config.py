"""Settings of a run: documented names, documented ranges, and a configuration that says what it means."""

import subprocess
import sys
import tomllib

import pytest
from advisor_trainer.config import ALIASES, OPTIONS, TrainConfig, configured, named, read
from advisor_trainer.written import commented
from click.testing import CliRunner

from advisor.cli import main
from advisor.errors import BadConfig
from advisor.locale import strings


def test_the_names_of_the_documentation_are_taken():
    given = {
        "epoch": 4,
        "batch_size": 8,
        "learning_rate": 7.5e-5,
        "learning_rate_decay_ratio": 0.067,
        "warmup": 0.01,
        "lora_rank": 32,
    }
    config = configured(given)
    assert (config.num_train_epochs, config.per_device_train_batch_size, config.warmup_ratio, config.lora_r) == (4, 8, 0.01, 32)


@pytest.mark.parametrize(
    ("flags", "line"),
    [
        (["--epoch", "4"], "num_train_epochs = 4.0"),
        (["--batch_size", "4"], "per_device_train_batch_size = 4"),
        (["--learning_rate_decay_ratio", "0.067"], "learning_rate_decay_ratio = 0.067"),
        (["--warmup", "0.01"], "warmup_ratio = 0.01"),
        (["--lora_rank", "32"], "lora_r = 32"),
        (["--optimizer", "adamw"], 'optim = "adamw"'),
        (["--save_steps", "2000"], "save_steps = 2000"),
        (["--no-activation-checkpointing"], "gradient_checkpointing = false"),
        (["--lr-scheduler-type", "constant_with_warmup"], 'lr_scheduler_type = "constant_with_warmup"'),
    ],
)
def test_the_names_of_the_documentation_are_flags_too(flags, line):
    done = CliRunner().invoke(main, ["train", "--print-config", *flags])
    assert done.exit_code == 0, done.stderr
    assert line in done.stdout.splitlines()


def test_the_names_that_the_console_shows_are_taken(tmp_path):
    path = tmp_path / "c.yaml"
    path.write_text("训练轮数: 4\n学习率: 7.5e-5\n热身比例: 0.01\n模型保存步数: 2000\n", encoding="utf-8")
    assert read(path) == {"num_train_epochs": 4, "learning_rate": 7.5e-5, "warmup_ratio": 0.01, "save_steps": 2000}
    assert "训练轮数" in commented(TrainConfig(), "zh")
    assert "训练轮数" not in commented(TrainConfig(), "en")


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("epoch", 0, "`num_train_epochs` is 0; the documented range is 1 to 50"),
        ("epoch", 51, "`num_train_epochs` is 51; the documented range is 1 to 50"),
        ("batch_size", 0, "`per_device_train_batch_size` is 0; the documented range is at least 1"),
        ("learning_rate", 1.5, "`learning_rate` is 1.5; the documented range is 0 to 1"),
        ("learning_rate_decay_ratio", -0.1, "`learning_rate_decay_ratio` is -0.1; the documented range is 0 to 1"),
        ("warmup_ratio", 1.01, "`warmup_ratio` is 1.01; the documented range is 0 to 1"),
        ("method", "prefix", "`method` is 'prefix'; expected one of full, lora, qlora"),
        ("max_length", "many", "`max_length` is 'many'; expected a whole number"),
        ("seed", 1.5, "`seed` is 1.5; expected a whole number"),
    ],
)
def test_a_value_outside_its_range_is_an_error_that_names_the_range(name, value, said):
    with pytest.raises(BadConfig) as error:
        configured({name: value})
    assert str(error.value) == said


@pytest.mark.parametrize(("epochs", "rate", "ratio"), [(1, 0, 0), (50, 1, 1)])
def test_the_ends_of_the_documented_ranges_are_inside(epochs, rate, ratio):
    config = configured({"epoch": epochs, "learning_rate": rate, "learning_rate_decay_ratio": ratio, "warmup_ratio": ratio})
    assert config.num_train_epochs == epochs


def test_an_unknown_setting_says_which_one_was_meant():
    with pytest.raises(BadConfig, match="unknown setting `lerning_rate`; did you mean `learning_rate`"):
        named({"lerning_rate": 1})


def test_one_setting_under_two_names_is_an_error():
    with pytest.raises(BadConfig, match="`num_train_epochs` is set twice"):
        named({"epoch": 2, "num_train_epochs": 3})


@pytest.mark.parametrize(
    ("suffix", "text"),
    [
        ("toml", 'lr = 2e-4\n[lora]\nlora_r = 8\ntarget_modules = ["q_proj", "v_proj"]\n'),
        ("yaml", "lr: 2e-4\nlora:\n  lora_r: 8\n  target_modules: [q_proj, v_proj]\n"),
        ("json", '{"lr": 2e-4, "lora": {"lora_r": 8, "target_modules": ["q_proj", "v_proj"]}}'),
    ],
)
def test_the_three_forms_of_a_configuration_say_the_same(tmp_path, suffix, text):
    path = tmp_path / f"c.{suffix}"
    path.write_text(text, encoding="utf-8")
    assert read(path) == {"learning_rate": 2e-4, "lora_r": 8, "target_modules": "q_proj,v_proj"}


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_commented_configuration_is_the_configuration(language):
    config = TrainConfig(model="a/b", learning_rate=3e-5, packing=False)
    text = commented(config, language)
    assert configured(tomllib.loads(text)) == config
    assert all(f"\n{name} = " in text for name in OPTIONS)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_setting_is_explained_and_nothing_else_is(language):
    explained = {key.removeprefix("option.") for key in strings(language, "train") if key.startswith("option.")}
    assert explained == set(OPTIONS)


def test_every_other_name_leads_to_a_setting():
    assert set(ALIASES.values()) <= set(OPTIONS)
    assert not set(ALIASES) & set(OPTIONS)


def test_keeping_the_best_model_needs_evaluations():
    with pytest.raises(BadConfig, match="load_best_model_at_end needs evaluations"):
        configured({"load_best_model_at_end": True, "eval_strategy": "no"})


@pytest.mark.parametrize("arguments", [["train", "--help"], ["train", "--print-config"], ["train", "--epoch", "60"]])
def test_asking_for_help_or_a_configuration_loads_no_torch(arguments):
    code = (
        "import sys\nfrom advisor.cli import main\n"
        f"try: main({arguments!r})\nexcept SystemExit: pass\n"
        "print([name for name in ('torch', 'transformers', 'tokenizers') if name in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.splitlines()[-1] == "[]"
