"""All formats and all tools that are promised: each has a sample, each is read, each stays itself however the file is mangled."""

import bz2
import gzip
import importlib.util
import itertools
import json
import lzma
import re
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from advisor.cli import main
from advisor.errors import UnreadableLog
from advisor.readers import formats, read_bytes, read_path
from advisor.readers.refused import REFUSED

ROOT = Path(__file__).parents[2]
FORMATS = ROOT / "sample_logs/formats"
MANIFESTS = sorted(FORMATS.glob("MANIFEST*.toml"))
SAMPLES = [s for m in MANIFESTS for s in tomllib.loads(m.read_text(encoding="utf-8"))["sample"]]
CONSOLES = tomllib.loads((FORMATS / "MANIFEST-consoles.toml").read_text(encoding="utf-8"))["sample"]
BY_PATH = {s["path"]: s for s in SAMPLES}
CUTS = 15
DIGITS = 0.006
"""Half of the last digit of the tools that print two decimals."""

PROMISED = {
    "hf-trainer-state", "hf-console", "notebook", "json-lines", "csv", "text", "fairseq", "litgpt", "tensorboard", "wandb",
    "wandb-chart", "mlflow", "mlflow-database", "trackio", "keras-console", "json-document", "json-array", "aligned-table",
    "ultralytics", "ultralytics-console", "csv-long", "marian", "sockeye", "espnet", "boosting", "catboost", "paragraphs", "terse",
    "advisor-log", "swanlab", "mlx-console",
}  # fmt: skip
PROMISED_TOOLS = {
    "TRL SFT", "TRL DPO", "TRL KTO", "TRL ORPO", "TRL GRPO", "TRL reward", "LLaMA-Factory (trainer_log.jsonl)",
    "LLaMA-Factory (running_log.txt)", "ms-swift (logging.jsonl)", "Axolotl", "Unsloth", "accelerate and tqdm", "all_results.json",
    "OpenAI fine-tuning result", "Megatron-LM", "Megatron-DeepSpeed", "NeMo", "DeepSpeed", "ColossalAI", "nanoGPT", "nanochat",
    "modded-nanogpt", "llm.c", "torchtune", "MindSpore, ModelArts", "MindFormers", "PaddleNLP", "xtuner, mmengine",
    "xtuner, mmengine (scalars.json)", "minimind", "mlx-lm", "Keras CSVLogger", "Keras history", "PyTorch Lightning (metrics.csv)",
    "PyTorch Lightning (bar)", "detectron2 (metrics.json)", "OpenNMT-py", "PaddleDetection", "timm (summary.csv)",
    "AlgoPerf (measurements.csv)", "hand-written loops", "hand-written JSON lines",
}  # fmt: skip


def _maker():
    folder = ROOT / "sample_logs/make"
    sys.path.insert(0, str(folder))
    try:
        spec = importlib.util.spec_from_file_location("make_console_logs", folder / "make_console_logs.py")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(str(folder))
    return module


MAKER = _maker()
FORMS = {form.path: form for form in MAKER.FORMS}
CURVE = list(MAKER.curve())


def _points(run, name):
    series = run.series.get(name)
    return [] if series is None else list(zip(series.x.tolist(), series.values.tolist(), strict=True))


def _values(run):
    return {name: series.values.tolist() for name, series in run.series.items()}


# What is promised.


@pytest.mark.parametrize("entry", formats(), ids=lambda f: f.name)
def test_every_format_has_a_sample_and_an_example(entry):
    assert entry.example
    assert set(entry.title) == {"en", "zh"}
    if entry.name != "advisor-log":  # its samples are those of the rules
        assert any(s["format"] == entry.name for s in SAMPLES)


def test_no_promised_format_or_tool_is_missing():
    assert {f.name for f in formats()} >= PROMISED
    assert {tool for f in formats() for tool in f.serves} >= PROMISED_TOOLS


@pytest.mark.parametrize("entry", [f for f in formats() if f.serves], ids=lambda f: f.name)
def test_a_format_names_the_tools_of_its_samples_and_no_others(entry):
    assert sorted(entry.serves) == sorted({s["tool"] for s in SAMPLES if s["format"] == entry.name and "tool" in s})


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda s: s["path"])
def test_every_sample_says_how_it_was_made(sample):
    assert (FORMATS / sample["path"]).exists()
    by_hand = sample["made_by"] == "by hand, after the documented format"
    assert by_hand or sample["made_by"].startswith("python sample_logs/make/") or not sample["versions"]
    assert bool(sample.get("why")) == by_hand


def test_every_file_is_in_a_manifest():
    listed = {FORMATS / path for path in BY_PATH}
    files = [
        p
        for p in FORMATS.rglob("*")
        if p.is_file() and ".ruff_cache" not in p.parts and p.name not in ("ruff.toml", *(m.name for m in MANIFESTS))
    ]
    assert [p for p in files if p not in listed and listed.isdisjoint(p.parents)] == []


def test_the_list_of_formats_names_the_tools():
    assert "torchtune" in CliRunner().invoke(main, ["formats"]).stdout
    listed = json.loads(CliRunner().invoke(main, ["formats", "--format", "json"]).stdout)
    assert {f["name"]: tuple(f["serves"]) for f in listed} == {f.name: f.serves for f in formats()}


# One invented run in the form of each tool.


@pytest.mark.parametrize("path", [*FORMS, *MAKER.documents()])
def test_a_sample_is_what_its_maker_writes(path):
    text = MAKER.text_of(FORMS[path]) if path in FORMS else MAKER.documents()[path]
    assert (FORMATS / path).read_bytes() == text.encode()


@pytest.mark.parametrize("sample", CONSOLES, ids=lambda s: s["path"])
def test_a_tools_log_gives_the_points_it_prints(sample):
    (run,) = read_path(FORMATS / sample["path"])
    assert (run.reader, run.unread_count) == (sample["format"], 0)
    assert len(_points(run, sample["train_quantity"])) == sample["train_points"]
    assert len(_points(run, "eval_loss")) == sample["eval_points"]


@pytest.mark.parametrize("form", FORMS.values(), ids=lambda f: f.path)
def test_every_form_of_the_run_is_read_alike(form):
    (run,) = read_path(FORMATS / form.path)
    name, field = {"reward": ("reward", "acc"), "perplexity": ("train_loss", "ppl")}.get(form.unit, ("train_loss", "loss"))
    places = [c["step"] for c in CURVE] if run.axis == "step" else None
    tolerance = 0.03 if "{near" in form.train + form.evaluation else DIGITS
    assert np.allclose(run.series[name].values, [c[field] for c in CURVE], atol=tolerance)
    assert places is None or run.series[name].x.tolist() == places
    if "{val" in form.evaluation:
        evaluated = [c for c in CURVE if c["step"] % form.each == 0]
        unit = run.series["eval_loss"].unit
        field = {"bits": "val_bits", "perplexity": "val_ppl"}.get(unit, "val")
        assert np.allclose(run.series["eval_loss"].values, [c[field] for c in evaluated], atol=DIGITS)
        assert places is None or run.series["eval_loss"].x.tolist() == [c["step"] for c in evaluated]
        assert "train_accuracy" not in run.series or "acc" in form.train or form.each == 10


@pytest.mark.parametrize("form", FORMS.values(), ids=lambda f: f.path)
def test_a_value_keeps_the_line_it_stands_on(form):
    (run,) = read_path(FORMATS / form.path)
    lines = (FORMATS / form.path).read_bytes().decode().split("\n")
    for series in run.series.values():
        if series.name in ("train_loss", "eval_loss", "reward") and "pprint" not in form.tool:
            for value, line in zip(series.values.tolist(), series.line.tolist(), strict=True):
                shown = [float(n) for n in re.findall(r"\d+\.\d+(?:[eE][-+]\d+)?", lines[line - 1])]
                assert any(abs(n * times - value) < DIGITS for n in shown for times in (1, 3)), (series.name, value)


def test_what_is_refused_is_listed_with_its_reason():
    for language, word in (("en", "MLflow"), ("zh", "MLflow")):
        page = CliRunner().invoke(main, ["formats", "--format", "markdown", "--lang", language]).stdout
        assert page.count("\n- ") == len(REFUSED)
        assert word in page.rpartition("## ")[2]


def test_bits_are_never_taken_for_nats():
    (run,) = read_path(FORMATS / "text/nanochat.log")
    assert (run.series["train_loss"].unit, run.series["eval_loss"].unit) == ("nats", "bits")
    assert "judged-by-bits" in run.notes


@pytest.mark.parametrize("sample", [s for s in SAMPLES if s.get("tool", "").startswith("TRL")], ids=lambda s: s["path"])
def test_a_console_tells_the_same_as_the_state_of_its_run(sample):
    name = Path(sample["path"]).stem
    (console,), (state,) = read_path(FORMATS / sample["path"]), read_path(FORMATS / f"hf-trainer-state/{name}.json")
    assert set(console.series) == set(state.series)
    for quantity, series in state.series.items():
        shown = console.series[quantity].values
        assert np.allclose(shown, series.values, rtol=2e-3, atol=2e-4), quantity
        assert np.allclose(console.series[quantity].epoch, series.epoch, atol=0.005)


@pytest.mark.parametrize(
    ("path", "quantities"),
    [
        ("hf-console/trl-sft.log", {"entropy", "num_tokens", "mean_token_accuracy"}),
        ("hf-console/trl-dpo.log", {"rewards/chosen", "rewards/rejected", "rewards/margins", "rewards/accuracies"}),
        ("hf-console/trl-kto.log", {"kl", "rewards/chosen", "rewards/margins"}),
        ("hf-console/trl-orpo.log", {"rewards/margins", "log_odds_ratio"}),
        ("hf-console/trl-reward.log", {"train_accuracy", "eval_accuracy", "reward", "margin"}),
        ("hf-console/trl-grpo.log", {"reward", "kl", "entropy", "frac_reward_zero_std", "reward_std"}),
    ],
)
def test_trls_quantities_keep_their_names(path, quantities):
    (run,) = read_path(FORMATS / path)
    assert quantities <= set(run.series)
    assert "nll_loss" not in run.series


# Around the text.

LINES = [
    s["path"] for s in SAMPLES if s["format"] in {"text", "hf-console", "paragraphs", "terse", "json-lines", "csv", "json-document"}
]
_ENCODINGS = {
    "crlf": lambda t: t.replace("\n", "\r\n").encode(),
    "bom": lambda t: b"\xef\xbb\xbf" + t.encode(),
    "utf-16": lambda t: t.encode("utf-16"),
    "utf-16-le": lambda t: t.encode("utf-16-le"),
    "gbk": lambda t: ("训练开始\n" + t.replace("█", "#").replace("\xa0", " ")).encode("gb18030"),
    "gzip": lambda t: gzip.compress(t.encode()),
    "bz2": lambda t: bz2.compress(t.encode()),
    "xz": lambda t: lzma.compress(t.encode()),
}


@pytest.mark.parametrize("how", _ENCODINGS)
@pytest.mark.parametrize("path", LINES[::3])
def test_encodings_and_compressions_change_nothing(path, how):
    text = (FORMATS / path).read_bytes().decode()
    if how == "gbk" and BY_PATH[path]["format"] in ("json-document", "csv"):
        text = text.lstrip()
        data = text.encode("gb18030")
    else:
        data = _ENCODINGS[how](text)
    plain, mangled = read_bytes(text.encode(), "plain"), read_bytes(data, "mangled")
    assert [_values(r) for r in mangled] == [_values(r) for r in plain]


def test_zstd_changes_nothing():
    zstd = pytest.importorskip("backports.zstd")
    data = (FORMATS / "text/megatron-lm.log").read_bytes()
    assert _values(read_bytes(zstd.compress(data), "z")[0]) == _values(read_bytes(data, "plain")[0])


RANKED = [
    s["path"]
    for s in SAMPLES
    if s["format"]
    in {"text", "hf-console", "paragraphs", "terse", "json-lines", "fairseq", "litgpt", "marian", "espnet", "sockeye"}
    and s["path"] != "text/megatron-deepspeed.log"
]


PREFIXES = ("[rank{}]:", "[default{}]:", "{}: ", "[1,{}]<stdout>:", "(TrainWorker pid=10{}, ip=10.0.0.{}) ")


@pytest.mark.parametrize(("path", "prefix"), list(zip(RANKED, itertools.cycle(PREFIXES), strict=False)))
def test_eight_ranks_that_interleave_are_one_run(path, prefix):
    text = (FORMATS / path).read_bytes().decode()
    lines = [line for line in text.split("\n") if line.strip()]
    mixed = "".join(f"{prefix.format(rank, rank)}{line}\n" for line in lines for rank in (3, 0, 1, 2, 7, 6, 5, 4))
    (alone,), (together,) = read_bytes("\n".join(lines).encode(), "alone"), read_bytes(mixed.encode(), "together")
    for name in ("train_loss", "eval_loss", "reward"):
        assert _points(together, name) == _points(alone, name)
    assert "one-rank" in together.notes


GARBAGE = "W0301 10:00:00.000 Some warning of 12 words: see https://example.org/a?b=3 for details, loss of precision\n"


@pytest.mark.parametrize("path", [p for p in LINES if not p.startswith("json-document")])
def test_lines_of_other_programs_change_nothing_or_are_said(path):
    text = (FORMATS / path).read_bytes().decode()
    lines = text.splitlines(keepends=True)
    mixed = "".join(line if i % 4 or not i else line + GARBAGE for i, line in enumerate(lines))
    (plain,), (mangled,) = read_bytes(text.encode(), "plain"), read_bytes(mixed.encode(), "mangled")
    for name in ("train_loss", "eval_loss"):
        lost = len(_points(plain, name)) - len(_points(mangled, name))
        assert lost == 0 or mangled.unread_count, (name, lost)
        assert set(_values(mangled).get(name, ())) <= set(_values(plain).get(name, ()))


@pytest.mark.parametrize("path", [s["path"] for s in SAMPLES if (FORMATS / s["path"]).is_file()])
def test_a_log_cut_anywhere_gives_a_beginning_of_its_values(path):
    data = (FORMATS / path).read_bytes()
    try:
        whole = [_values(r) for r in read_bytes(data, "whole")]
    except UnreadableLog:
        pytest.skip("the name of the file tells what it is")
    seen = {name: {v for run in whole for v in run.get(name, ())} for name in ("train_loss", "eval_loss")}
    for end in range(0, len(data), max(1, len(data) // CUTS)):
        try:
            runs = read_bytes(data[:end], "cut")
        except UnreadableLog:
            continue
        for run in runs:
            for name, values in seen.items():
                odd = [
                    v for v in _values(run).get(name, ()) if not any(np.isclose(v, w, atol=1e-3, equal_nan=True) for w in values)
                ]
                # The last number of a cut line may be short of digits; what stands in for a loss may not be there yet.
                assert (
                    len(odd) <= 1
                    or not values
                    or run.notes
                    or run.reader not in {r["format"] for r in SAMPLES if r["path"] == path}
                )


def test_a_dictionary_that_a_terminal_wrapped_is_whole():
    for path in ("hf-console/trl-sft.log", "hf-console/ms-swift.log"):
        text = (FORMATS / path).read_bytes().decode()
        wrapped = "".join(
            "\n".join(line[i : i + 80] for i in range(0, len(line), 80)) + "\n" if line.startswith("{") else line + "\n"
            for line in text.replace("\r", "\n").split("\n")
        )
        (plain,), (mangled,) = read_bytes(text.replace("\r", "\n").encode(), "plain"), read_bytes(wrapped.encode(), "wrapped")
        assert _values(mangled) == _values(plain)


def test_a_dictionary_that_breaks_off_is_counted_as_unread():
    (run,) = read_bytes(
        b"{'loss': 2.3, 'epoch': 0.1}\n{'loss': 2.2, 'gra\n 5%|# | 2/20 [00:01]\n{'loss': 2.1, 'epoch': 0.3}\n", "x"
    )
    assert (run.series["train_loss"].values.tolist(), run.unread) == ([2.3, 2.1], (2,))


def test_an_error_of_any_rank_is_told():
    text = "".join(f"[rank{r}]:step {s} loss {3 - s / 10}\n" for s in range(1, 9) for r in range(3))
    (run,) = read_bytes(text.encode() + b"[rank2]:torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2 GiB\n", "x")
    assert [e.kind for e in run.events] == ["out-of-memory"]
    assert len(run.series["train_loss"]) == 8


def test_evaluations_of_the_last_rank_are_kept():
    text = "".join(f"[default0]:steps: {s} loss: {3 - s / 10} iter time (s): 1.2\n" for s in range(1, 9))
    text += "[default7]:validation loss at iteration 8 | lm loss value: 2.5E+00 | lm loss PPL: 1.2E+01 |\n"
    (run,) = read_bytes(text.encode(), "x")
    assert (len(run.series["train_loss"]), _points(run, "eval_loss")) == (8, [(8, 2.5)])
