"""A changed configuration differs from the given one in the changed values alone."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from advisor.cli import main
from advisor.config_forms import token
from advisor.config_writer import fresh, rewrite, save
from advisor.errors import BadConfig
from advisor.model import Change
from advisor.settings import _number, parse_config, read_config

SAMPLES = Path(__file__).parent.parent / "sample_logs"
OVERFITTED = str(SAMPLES / "faulty/validation-rise/trainer_state.json")
SLOW = str(SAMPLES / "faulty/slow-descent/trainer_state.json")
EXPLODED = str(SAMPLES / "faulty/loss-explosion/run.jsonl")

LLAMA_FACTORY = """\
### model
model_name_or_path: Qwen/Qwen2.5-7B-Instruct   # the base
trust_remote_code: true

### method
stage: sft
finetuning_type: lora
lora_target: all

### dataset
dataset: identity,alpaca_en_demo
template: 'qwen'
cutoff_len: 2048

### train
per_device_train_batch_size: 1
learning_rate: 1.0e-4  # as in the example
num_train_epochs: 40.0
lr_scheduler_type: cosine
warmup_ratio: 0.1
bf16: true

### eval
# eval_dataset: alpaca_en_demo
# eval_steps: 500
"""

AXOLOTL = """\
base_model: NousResearch/Llama-3.2-1B
datasets:
  - path: teknium/GPT4-LLM-Cleaned
    type: alpaca
adapter: lora
lora_target_modules:
  - q_proj
  - v_proj
micro_batch_size: 2
num_epochs: 40
learning_rate: 0.0002
bf16: auto
special_tokens:
  pad_token: "<|end_of_text|>"
"""

TRAINING_ARGUMENTS = """\
{
    "output_dir": "out",
    "learning_rate": 0.0002,
    "num_train_epochs": 40,
    "eval_strategy": "steps",
    "save_strategy": "steps",
    "warmup_ratio": null,
    "lr_scheduler_kwargs": {},
    "report_to": ["tensorboard"]
}
"""

TOML = """\
# ours
title = "a = b"

[train]
lr = 2e-4            # rate
epochs = 40
betas = [0.9, 0.999]

[data]
path = 'rows.jsonl'
"""

PANGU = '{"epoch": 40, "learning_rate": 7.5e-5, "learning_rate_decay_ratio": 0.067, "batch_size": 8}\n'

FILES = {"a.yaml": LLAMA_FACTORY, "b.yml": AXOLOTL, "c.json": TRAINING_ARGUMENTS, "d.toml": TOML, "e.json": PANGU}


def change(parameter, new, rule="OVERFIT-001", trust="safe"):
    return Change(parameter, None, new, trust, rule, {"en": "", "zh": ""})


def run(*arguments):
    return CliRunner().invoke(main, ["analyze", *map(str, arguments)], catch_exceptions=False, env={"LANG": "C"})


def lines_that_differ(before, after):
    old, new = before.splitlines(), after.splitlines()
    return [line for line in new if line not in old]


@pytest.mark.parametrize("name", FILES)
def test_the_files_own_names_order_and_comments_stay(tmp_path, name):
    given_file, target = tmp_path / name, tmp_path / f"new-{name}"
    given_file.write_text(FILES[name])
    result = run(OVERFITTED, "--config", given_file, "--write-config", target)
    assert result.exit_code == 0, result.stderr
    after = target.read_text()
    own = {"a.yaml": "num_train_epochs: 8.0", "b.yml": "num_epochs: 8", "c.json": '"num_train_epochs": 8,', "d.toml": "epochs = 8",
           "e.json": '{"epoch": 8, "learning_rate": 7.5e-5, '}[name]  # fmt: skip
    assert own in after
    settings = read_config(target)
    assert (settings["num_train_epochs"], settings["load_best_model_at_end"]) == (8, True)
    untouched = [line for line in FILES[name].splitlines() if "epoch" not in line and "report_to" not in line]
    assert [line for line in after.splitlines() if line in untouched] == untouched
    assert given_file.read_text() == FILES[name]


def test_what_was_written_is_said_on_standard_error_and_the_json_stays_pure(tmp_path):
    (tmp_path / "a.yaml").write_text(LLAMA_FACTORY)
    result = run(OVERFITTED, "--config", tmp_path / "a.yaml", "--write-config", tmp_path / "b.yaml", "--format", "json")
    assert json.loads(result.stdout)["runs"]
    assert "num_train_epochs 40.0 → 8.0 (OVERFIT-001)" in result.stderr
    assert "load_best_model_at_end (not set) → true (OVERFIT-001)" in result.stderr


def test_a_change_that_is_not_safe_waits_until_its_rule_is_accepted(tmp_path):
    (tmp_path / "a.toml").write_text(TOML.replace("2e-4", "3e-7").replace("epochs = 40", "epochs = 1"))
    arguments = (SLOW, "--config", tmp_path / "a.toml", "--write-config", tmp_path / "b.toml")
    result = run(*arguments)
    assert "learning_rate 3e-07 → 3e-06 [worth a try]: --accept UNDERFIT-002" in result.stderr
    assert not (tmp_path / "b.toml").exists()
    result = run(*arguments, "--accept", "UNDERFIT-002")
    assert "lr 3e-7 → 3e-6 (UNDERFIT-002)" in result.stderr
    assert "--accept" not in result.stderr
    assert "lr = 3e-6            # rate" in (tmp_path / "b.toml").read_text()


@pytest.mark.parametrize(
    ("extra", "said"),
    [
        (["--accept", "DIVERG-002"], "did you mean `DIVERGE-002`"),
        (["--accept", "PLATEAU-001"], "no change of this rule waits for it on this run"),
    ],
)
def test_accepting_a_rule_that_has_nothing_to_accept_is_an_error(tmp_path, extra, said):
    result = run(EXPLODED, "--write-config", tmp_path / "b.toml", *extra)
    assert result.exit_code == 2
    assert said in result.stderr
    assert not (tmp_path / "b.toml").exists()


def test_accept_without_a_file_to_write_is_an_error():
    result = run(OVERFITTED, "--accept", "OVERFIT-001")
    assert result.exit_code == 2
    assert "--write-config" in result.stderr


def test_another_form_than_the_given_one_is_an_error(tmp_path):
    (tmp_path / "a.yaml").write_text(LLAMA_FACTORY)
    result = run(OVERFITTED, "--config", tmp_path / "a.yaml", "--write-config", tmp_path / "b.json")
    assert result.exit_code == 2
    assert "end the name in .yaml" in result.stderr


def test_several_runs_are_an_error_since_only_one_can_be_configured(tmp_path):
    result = run(OVERFITTED, EXPLODED, "--write-config", tmp_path / "b.json")
    assert result.exit_code == 2
    assert "2 runs in this input" in result.stderr
    assert not (tmp_path / "b.json").exists()


def test_an_input_that_cannot_be_read_writes_nothing(tmp_path):
    result = run(OVERFITTED, SAMPLES / "broken/empty.log", "--write-config", tmp_path / "b.json")
    assert result.exit_code == 2
    assert not (tmp_path / "b.json").exists()


def test_a_file_is_replaced_only_when_forced(tmp_path):
    path = tmp_path / "a.yaml"
    path.write_text(LLAMA_FACTORY)
    path.chmod(0o640)
    result = run(OVERFITTED, "--config", path, "--write-config", path)
    assert result.exit_code == 2
    assert "--force" in result.stderr
    assert path.read_text() == LLAMA_FACTORY
    assert run(OVERFITTED, "--config", path, "--write-config", path, "--force").exit_code == 0
    assert "num_train_epochs: 8.0" in path.read_text()
    assert path.stat().st_mode & 0o777 == 0o640
    assert [p.name for p in tmp_path.iterdir()] == ["a.yaml"]


@pytest.mark.parametrize("suffix", ["json", "yaml", "toml"])
def test_without_a_configuration_a_new_file_holds_just_the_changes(tmp_path, suffix):
    target = tmp_path / f"new.{suffix}"
    assert run(OVERFITTED, "--write-config", target).exit_code == 0
    assert read_config(target) == {"num_train_epochs": 8, "load_best_model_at_end": True}


def test_a_new_file_needs_a_suffix_that_says_its_form(tmp_path):
    result = run(OVERFITTED, "--write-config", tmp_path / "new.cfg")
    assert result.exit_code == 2
    assert "end the name in .json, .yaml or .toml" in result.stderr


def test_nothing_is_written_where_nothing_is_to_be_changed(tmp_path):
    healthy = SAMPLES / "healthy/sft-weather/trainer_state.json"
    result = run(healthy, "--write-config", tmp_path / "new.json")
    assert result.exit_code == 0
    assert "Nothing to change" in result.stderr
    assert not (tmp_path / "new.json").exists()


def test_a_link_stays_a_link_to_the_changed_file(tmp_path):
    (tmp_path / "real.json").write_text("{}")
    (tmp_path / "link.json").symlink_to(tmp_path / "real.json")
    save("new", tmp_path / "link.json")
    assert (tmp_path / "link.json").is_symlink()
    assert (tmp_path / "real.json").read_text() == "new"


def test_a_folder_that_cannot_be_written_is_one_clear_line(tmp_path):
    with pytest.raises(BadConfig, match="cannot be written"):
        save("x", tmp_path / "no-such-folder" / "new.json")


@pytest.mark.parametrize(
    ("old", "new", "form", "text"),
    [
        ("2e-4", 1e-4, "json", "1e-4"),
        ("0.0002", 1e-4, "json", "0.0001"),
        ("2.0e-4", 6.7e-5, "yaml", "6.7e-5"),
        ("2e-04", 1e-4, "toml", "1e-04"),
        ("2E-4", 1e-4, "toml", "1E-4"),
        ("", 1e-4, "yaml", "1.0e-4"),
        ("", 0.05, "yaml", "0.05"),
        ('"2e-4"', 1e-4, "yaml", '"1.0e-4"'),
        ("40.0", 8, "yaml", "8.0"),
        ("False", True, "yaml", "True"),
        ("'no'", "steps", "yaml", "'steps'"),
        ("steps", "no", "yaml", '"no"'),
        ("5", 50, "toml", "50"),
        ("1", 0.5, "json", "0.5"),
    ],
)
def test_a_value_is_written_in_the_style_of_the_old_one(old, new, form, text):
    assert token(new, old, form) == text


@pytest.mark.parametrize(
    ("form", "text", "refused"),
    [
        ("yaml", "a: &rate 2.0e-4\nlearning_rate: *rate\n", True),
        ("yaml", "learning_rate: &rate 2.0e-4\nother: *rate\n", True),
        ("yaml", "learning_rate: &rate 2.0e-4\nother: 1\n", False),
        ("toml", "train.learning_rate = 2e-4\n", True),
        ("toml", "train = { learning_rate = 2e-4 }\n", True),
        ("toml", '[train]\ntext = """\n[train]\nlearning_rate = 1\n"""\nlearning_rate = 2e-4\n[train.x]\n', False),
    ],
)
def test_what_cannot_be_changed_by_itself_is_refused(form, text, refused):
    before = parse_config(form, text)
    try:
        after, _ = rewrite(text, form, [change("learning_rate", 1e-4)], "a")
    except BadConfig as error:
        said = str(error)
    else:
        said = ""
        assert _leaves_but(parse_config(form, after), {"learning_rate"}) == _leaves_but(before, {"learning_rate"})
    assert ("make the changes by hand" in said) == refused


def test_a_parameter_that_is_set_twice_is_an_error_that_names_both():
    with pytest.raises(BadConfig, match=r"`epochs` and `train\.num_train_epochs` all set num_train_epochs"):
        rewrite("epochs: 3\ntrain:\n  num_train_epochs: 4\n", "yaml", [change("num_train_epochs", 2)], "a.yaml")


def test_a_name_that_holds_something_else_than_a_value_is_refused():
    with pytest.raises(BadConfig, match="by hand"):
        rewrite('{"eval_steps": [1]}', "json", [change("eval_steps", 5)], "a.json")


def test_null_beside_a_set_name_does_not_count_and_null_alone_is_filled():
    text = '{"eval_strategy": "epoch", "evaluation_strategy": null, "warmup_ratio": null}'
    after, _ = rewrite(text, "json", [change("eval_strategy", "steps"), change("warmup_ratio", 0.05)], "a.json")
    assert after == '{"eval_strategy": "steps", "evaluation_strategy": null, "warmup_ratio": 0.05}'
    after, _ = rewrite("warmup_ratio:\nlr: ~\n", "yaml", [change("warmup_ratio", 0.05), change("learning_rate", 1e-4)], "a.yaml")
    assert after == "warmup_ratio: 0.05\nlr: 1.0e-4\n"


@pytest.mark.parametrize(
    ("form", "text", "after"),
    [
        ("yaml", "a: 1", "a: 1\neval_steps: 5\n"),
        (
            "yaml",
            "train:\n    lr: 1\n    epochs: 2   # few\ndata: x\n",
            "train:\n    lr: 1\n    epochs: 2   # few\n    eval_steps: 5\ndata: x\n",
        ),
        (
            "yaml",
            "train:\n  lr: 1\n  note: |\n    two\n    lines\ndata: x\n",
            "train:\n  lr: 1\n  note: |\n    two\n    lines\n  eval_steps: 5\ndata: x\n",
        ),
        ("yaml", "{lr: 1, epochs: 2}\n", "{lr: 1, epochs: 2, eval_steps: 5}\n"),
        ("yaml", "lr: 1\r\nepochs: 2\r\n", "lr: 1\r\nepochs: 2\r\neval_steps: 5\r\n"),
        ("json", "{}", '{\n  "eval_steps": 5\n}'),
        ("json", '{"a": [1]}', '{\n  "eval_steps": 5,\n  "a": [1]}'),
        ("json", '{\n\t"lr":1,\n\t"x": {"y": 2}\n}\n', '{\n\t"lr":1,\n\t"eval_steps":5,\n\t"x": {"y": 2}\n}\n'),
        ("toml", "[train]\nlr = 1\n\n[data]\npath = 'x'\n", "[train]\nlr = 1\neval_steps = 5\n\n[data]\npath = 'x'\n"),
        ("toml", "[[rows]]\nlr = 1\n", "eval_steps = 5\n[[rows]]\nlr = 1\n"),
        ("toml", "lr = 1", "lr = 1\neval_steps = 5\n"),
    ],
)  # fmt: skip
def test_a_new_setting_stands_at_the_end_of_the_section_that_holds_the_training(form, text, after):
    assert rewrite(text, form, [change("eval_steps", 5)], "a")[0] == after


def test_a_new_setting_gets_the_name_that_the_files_trainer_knows():
    assert "num_epochs: 2" in rewrite("base_model: x\nlr: 1\n", "yaml", [change("num_train_epochs", 2)], "a")[0]
    assert '"warmup": 0.05' in rewrite(PANGU, "json", [change("warmup_ratio", 0.05)], "a")[0]


def test_a_byte_order_mark_stays(tmp_path):
    (tmp_path / "a.json").write_bytes(b"\xef\xbb\xbf" + PANGU.encode())
    assert run(OVERFITTED, "--config", tmp_path / "a.json", "--write-config", tmp_path / "b.json").exit_code == 0
    assert (tmp_path / "b.json").read_bytes().startswith(b'\xef\xbb\xbf{"epoch": 8,')


NAMES = st.sampled_from(["num_train_epochs", "learning_rate", "eval_steps", "bf16", "eval_strategy", "max_grad_norm"])
NEW = {"num_train_epochs": 3, "learning_rate": 5e-5, "eval_steps": 7, "bf16": True, "eval_strategy": "steps", "max_grad_norm": 0.5}
CHANGES = st.sets(NAMES, min_size=1).map(lambda names: [change(n, NEW[n]) for n in sorted(names)])
PLAIN = st.one_of(
    st.integers(-100, 10**6),
    st.floats(allow_nan=False, allow_infinity=False, width=32),
    st.booleans(),
    st.text(max_size=12),
    st.lists(st.text(max_size=5), max_size=3),
)
KEYS = st.one_of(NAMES, st.text("abcdefgh_-", min_size=1, max_size=8), st.text(min_size=1, max_size=6))
SETTINGS = st.dictionaries(KEYS, st.one_of(PLAIN, st.dictionaries(KEYS, PLAIN, max_size=4)), max_size=8)


def _toml(values):
    """Write settings as TOML; JSON's strings are TOML's."""
    own = "".join(
        f"{json.dumps(k, ensure_ascii=True)} = {json.dumps(v)} # c\n" for k, v in values.items() if not isinstance(v, dict)
    )
    tables = [(k, v) for k, v in values.items() if isinstance(v, dict)]
    return own + "".join(f"[{json.dumps(k)}]\n" + _toml(v) for k, v in tables)


def _yaml(values, indent=""):
    text = ""
    for key, value in values.items():
        if isinstance(value, dict) and value:
            text += f"{indent}{json.dumps(key)}:  # section\n{_yaml(value, indent + '  ')}"
        else:
            text += f"{indent}{json.dumps(key)}: {json.dumps(value)}  # comment\n"
    return text


@settings(deadline=None)
@given(SETTINGS, CHANGES, st.sampled_from(["json", "yaml", "toml"]), st.sampled_from([None, 1, 4]))
def test_all_other_settings_and_comments_are_unchanged_whatever_the_file_holds(values, changes, form, indent):
    text = {"json": lambda: json.dumps(values, indent=indent), "yaml": lambda: _yaml(values), "toml": lambda: _toml(values)}[form]()
    try:
        before = parse_config(form, text)
        if not isinstance(before, dict):
            return
    except ValueError:
        return  # not every text is TOML or YAML when written so plainly
    try:
        after, written = rewrite(text, form, changes, "a")
    except BadConfig:
        return
    got = parse_config(form, after)
    assert after.count("#") == text.count("#")
    assert _leaves_but(got, {w.name for w in written}) == _leaves_but(before, {w.name for w in written})
    for item in written:
        found = [v for k, v in _leaves(got) if k == item.name]
        assert any(v == item.change.new or _number(v) == item.change.new for v in found), (text, after)


def _leaves(values):
    for key, value in values.items():
        if isinstance(value, dict):
            yield from _leaves(value)
        else:
            yield key, value


def _leaves_but(values, names):
    return [(k, v) for k, v in _leaves(values) if k not in names]


@pytest.mark.parametrize("form", ["json", "yaml", "toml"])
def test_a_fresh_file_says_the_changes_and_nothing_else(form):
    changes = [change("learning_rate", 5e-5), change("eval_strategy", "steps"), change("bf16", True)]
    text, _ = fresh(form, changes)
    assert {k: float(v) if k == "learning_rate" else v for k, v in parse_config(form, text).items()} == {
        "learning_rate": 5e-5, "eval_strategy": "steps", "bf16": True,
    }  # fmt: skip
