"""ESPnet, LitGPT, Sockeye, and the samples of other tools' formats: as many points as they hold, and none worse for being cut."""

import tomllib
from pathlib import Path

import numpy as np
import pytest

from advisor.errors import UnreadableLog
from advisor.readers import read_bytes, read_path

FORMATS = Path(__file__).parents[2] / "sample_logs/formats"
SAMPLES = tomllib.loads((FORMATS / "MANIFEST-tools.toml").read_text(encoding="utf-8"))["sample"]
CUTS = 97


def read(text):
    (run,) = read_bytes(text.encode(), "train.log")
    return run


def points(run, name):
    return list(zip(run.series[name].x.tolist(), run.series[name].values.tolist(), strict=True))


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda s: s["path"])
def test_a_sample_gives_as_many_points_as_it_holds(sample):
    (run,) = read_path(FORMATS / sample["path"])
    found = (run.reader, *(len(run.series[name]) if name in run.series else 0 for name in ("train_loss", "eval_loss")))
    assert found == (sample["format"], sample["train_points"], sample["eval_points"])
    assert run.unread_count == 0


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda s: s["path"])
def test_a_sample_cut_anywhere_is_read_or_refused(sample):
    data = (FORMATS / sample["path"]).read_bytes()
    for end in range(0, len(data), max(1, len(data) // CUTS)):
        try:
            read_bytes(data[:end], "cut.log")
        except UnreadableLog:
            continue


def test_no_sample_names_a_machine():
    for sample in SAMPLES:
        text = (FORMATS / sample["path"]).read_text(encoding="utf-8")
        assert not any(folder in text for folder in ("/home/", "/root/", "/tmp/", "/work/", "/Users/"))


SAME = (
    ("fairseq/simple.log", "fairseq/json.log"),
    ("keras-console/bars.log", "keras-console/lines.log"),
    ("text/mmengine-epochs.log", "json-lines/mmengine-epochs.json"),
    ("text/xtuner.log", "json-lines/mmengine-scalars.json"),
    ("mlx-console/train.log", "text/mlx-lm.log"),
    ("hf-console/ms-swift.log", "json-lines/ms-swift-logging.jsonl"),
    ("ultralytics-console/yolo.log", "ultralytics/results.csv"),
    ("hf-console/llama-factory.log", "hf-trainer-state/llama-factory.json"),
    ("json-lines/llama-factory-trainer-log.jsonl", "hf-trainer-state/llama-factory.json"),
    ("hf-console/llama-factory-running.log", "json-lines/llama-factory-trainer-log.jsonl"),
)


@pytest.mark.parametrize(("one", "other"), SAME)
def test_two_forms_of_one_run_give_the_same_points(one, other):
    (first,), (second,) = read_path(FORMATS / one), read_path(FORMATS / other)
    shared = first.series.keys() & second.series.keys() & {"train_loss", "eval_loss", "eval_accuracy"}
    assert "train_loss" in shared
    for name in shared:
        mine, theirs = first.series[name], second.series[name]
        assert mine.x.tolist() == theirs.x.tolist()
        assert np.allclose(mine.values, theirs.values, rtol=6e-4)


def test_the_percentage_of_a_bar_is_no_loss():
    lines = ("Iter {s}: Train loss {l:.3f}, Learning Rate 1e-2\n", "Calculating loss...:  20%|##   | 1/5 [00:02<00:09]\r\n")
    run = read("".join(line.format(s=s, l=3 - s / 10) for s in range(1, 9) for line in lines))
    assert points(run, "train_loss") == [(s, 3 - s / 10) for s in range(1, 9)]


def test_the_table_of_mlx_lm_tells_what_was_planned():
    (run,) = read_path(FORMATS / "mlx-console/train.log")
    assert {"max_steps": 60, "learning_rate": 0.01, "per_device_train_batch_size": 4}.items() <= run.config.items()
    assert run.series["eval_loss"].x.tolist() == [1, 20, 40, 60]


def test_espnets_epoch_line_gives_its_validation_and_no_mean_among_the_batches():
    line = "2024 (trainer:732) INFO: {e}epoch:train:{a}-{b}batch: iter_time=0.5, loss_ctc=200.1, loss={l}, grad_norm=5.1\n"
    results = (
        "2024 (trainer:338) INFO: {e}epoch results: [train] loss_ctc=9.1, loss=95.4, time=10 minutes and 20.4 seconds, "
        "total_count={n}, [valid] loss=80.5, time=30.1 seconds, total_count=5, [att_plot] time=10.1 seconds\n"
    )
    text = "".join(
        "".join(line.format(e=e, a=b - 99, b=b, l=200 - 50 * e - b / 10) for b in (100, 200)) + results.format(e=e, n=210 * e)
        for e in (1, 2)
    )
    run = read(text)
    assert points(run, "train_loss") == [(100, 140), (200, 130), (310, 90), (410, 80)]
    assert points(run, "eval_loss") == [(210, 80.5), (420, 80.5)]
    assert run.series["train_loss"].unit == ""


def test_litgpts_repeated_validation_is_one_evaluation():
    line = "Epoch 1 | iter {i} step {s} | loss train: {l}, val: {v} | iter time: 350.12 ms{m}\n"
    rows = ((1, 0, 2.4, "n/a"), (2, 1, 2.3, "n/a"), (3, 1, 2.2, 2.5), (4, 2, 2.1, 2.5), (5, 2, 2.0, 2.4))
    run = read("".join(line.format(i=i, s=s, l=loss, v=v, m=" (step)") for i, s, loss, v in rows))
    assert points(run, "train_loss") == [(0, 2.4), (1, 2.2), (2, 2.0)]
    assert points(run, "eval_loss") == [(1, 2.5), (2, 2.4)]


def test_litgpts_own_line_about_an_evaluation_is_preferred():
    run = read(
        "Epoch 1 | iter 2 step 1 | loss train: 2.3, val: n/a | iter time: 350.12 ms (step)\n"
        "iter 2: val loss 2.1345, val time: 9.5 ms\n"
        "Epoch 1 | iter 4 step 2 | loss train: 2.2, val: 2.135 | iter time: 350.12 ms (step)\n"
    )
    assert points(run, "eval_loss") == [(1, 2.1345)]


def test_litgpts_final_evaluation_is_one():
    run = read(
        "Epoch 1 | iter 2 step 1 | loss train: 2.3, val: n/a | iter time: 350.12 ms (step)\n"
        "iter 2: val loss 2.1345, val time: 9.5 ms\n"
        "Epoch 1 | iter 4 step 2 | loss train: 2.2, val: 2.135 | iter time: 350.12 ms (step)\n"
        "Validating ...\nFinal evaluation | val loss: 2.047 | val ppl: 7.745\n"
    )
    assert points(run, "eval_loss") == [(1, 2.1345), (2, 2.047)]


def test_sockeyes_checkpoints_stand_at_their_updates():
    batch = (
        "[INFO:sockeye.training] Epoch[0] Batch [{b}]\tSpeed: 623.01 samples/sec 99.3 tokens/sec 1.50 updates/sec\t"
        "perplexity-train={p}\n"
    )
    checkpoint = "[INFO:sockeye.training] Checkpoint [1]\t{}\n"
    run = read(
        batch.format(b=500, p=512.1)
        + batch.format(b=1000, p=312.1)
        + checkpoint.format("Updates=1000 Epoch=0 Samples=64000")
        + checkpoint.format("Train-perplexity=412.1")
        + checkpoint.format("Validation-perplexity=212.1")
    )
    assert points(run, "train_loss") == [(500, 512.1), (1000, 312.1)]
    assert points(run, "eval_loss") == [(1000, 212.1)]
    assert run.series["tokens_per_second"].values.tolist() == [99.3, 99.3]


@pytest.mark.parametrize(
    "line",
    [
        "[2021-01-01 10:00:00,000 INFO] Step {s}/100000; acc: 5.1; ppl: 11.0; xent: {l}; lr: 0.00001; 6578/6789 tok/s;     12 sec;",
        "steps: {s} loss: {l} iter time (s): 1.234 samples/sec: 51.9",
        "Epoch: 0, Step: {s}, Rank: 0, loss = {l}",
        "Epoch [1/3]:   1%| | {s}/1000 [00:01<01:00, loss={l}]",
        "1|{s}|Loss: {l}:   1%|          | {s}/1000 [00:01<02:00,  1.20s/it]",
        "Step {s} | loss:{l} lr:2e-05 tokens_per_second_per_gpu:1234.5 peak_memory_active:10.1 ",
        "[titan] 2024-01-01 10:00:00,000 - root - INFO - step: {s}  loss:  {l}  memory:  1.3GiB(1.4%)  tps: 4,123  mfu: 20.1%",
    ],
)
def test_lines_that_the_text_reader_knows_stay_known(line):
    run = read("".join(line.format(s=s, l=2.5 - s / 100) + "\n" for s in (10, 20, 30)))
    assert points(run, "train_loss") == [(10, 2.4), (20, 2.3), (30, 2.2)]


def test_a_number_with_thousands_set_apart_is_whole():
    assert read("step: 1 loss: 2.3 tps: 4,123\n").series["tokens_per_second"].values.tolist() == [4123]


def test_what_is_validated_or_follows_the_word_is_an_evaluation():
    run = read("step: 1 loss: 2.3\nvalidate step: 1 loss: 2.4\n")
    assert points(run, "eval_loss") == [(1, 2.4)]
    run = read("Epoch: 0, Step: 10, loss = 1.5\n***** Evaluating perplexity, Epoch 1/2 *****\nppl: 5.1, loss: 1.6\n")
    assert (points(run, "train_loss"), points(run, "eval_loss")) == ([(10, 1.5)], [(10, 1.6)])


def test_a_bar_gives_a_place_one_value_and_shows_an_evaluation_once():
    bar = "Epoch {e}: 50%|██  | {s}/10 [00:01<00:01, 9.1it/s, loss={l}{v}]\r"
    text = "".join(
        bar.format(e=e, s=s, l=loss, v=v)
        for e, s, loss, v in (
            (0, 5, 2.5, ""), (0, 10, 2.5, ""), (0, 10, 2.4, ""), (0, 10, 2.4, ", val_loss=2.6"), (1, 0, 2.4, ", val_loss=2.6"),
            (1, 5, 2.4, ", val_loss=2.6"), (1, 5, 2.3, ", val_loss=2.6"), (1, 10, 2.2, ", val_loss=2.55"),
        )
    )  # fmt: skip
    run = read(text + "\n")
    assert points(run, "train_loss") == [(5, 2.5), (10, 2.4), (15, 2.3), (20, 2.2)]
    assert points(run, "eval_loss") == [(10, 2.6), (20, 2.55)]


def test_sockeye_3_names_its_losses_after_the_last_tab():
    run = read(
        "[INFO:sockeye.training] E=1 B=50\ts/sec=935.88 tok/sec=10294.70 u/sec=46.79\tppl=22.759229 \n"
        "[INFO:sockeye.training] Checkpoint [1]\tUpdates=100 Epoch=2 Samples=2000 Time-cost=2.165 Updates/sec=46.190\n"
        "[INFO:sockeye.training] Checkpoint [1]\tTrain-ppl=14.785627\n"
        "[INFO:sockeye.training] Checkpoint [1]\tValidation-ppl=6.450287\n"
    )
    assert (points(run, "train_loss"), points(run, "eval_loss")) == ([(50, 22.759229)], [(100, 6.450287)])
    assert (run.series["train_loss"].unit, points(run, "tokens_per_second")) == ("perplexity", [(50, 10294.7)])


def test_json_lines_that_close_with_the_whole_history_keep_the_line_of_each_point():
    (run,) = read_path(FORMATS / "json-lines/ms-swift-logging.jsonl")
    lines = (FORMATS / "json-lines/ms-swift-logging.jsonl").read_text(encoding="utf-8").splitlines()
    for name, key in (("train_loss", '"loss": '), ("eval_loss", '"eval_loss": ')):
        series = run.series[name]
        assert all(f"{key}{value}" in lines[at - 1] for value, at in zip(series.values, series.line, strict=True))
    assert not any("best" in name for name in run.series)


def test_mmengines_evaluations_stay_evaluations_behind_a_line_of_another_program():
    text = (FORMATS / "json-lines/mmengine-scalars.json").read_text(encoding="utf-8")
    alone, behind = read(text), read("started\n" + text)
    for name in ("train_loss", "eval_loss", "eval_accuracy"):
        assert points(behind, name) == points(alone, name)


def test_composers_evaluation_of_a_classifier_is_read_where_its_epoch_ends():
    (run,) = read_path(FORMATS / "paragraphs/composer.log")
    text = (FORMATS / "paragraphs/composer.log").read_text(encoding="utf-8").splitlines()
    assert [x for x, _ in points(run, "eval_loss")] == [x for x, _ in points(run, "eval_accuracy")] == [20, 40, 60]
    for value, line in zip(run.series["eval_loss"].values, run.series["eval_loss"].line, strict=True):
        assert text[line - 1].strip() == f"Eval metrics/eval/CrossEntropy: {value:.4f}"


def test_eight_ranks_whose_banners_fill_the_beginning_are_one_run():
    banner = "".join(f"[rank{r}]:setting {i} is at its value of {i}\n" for i in range(400) for r in range(8))
    lines = "".join(f"[rank{r}]:E=1 B={b}\ts/sec=9.1 tok/sec=9.2\tppl={9 - b / 100}\n" for b in (50, 100) for r in range(8))
    run = read(banner + lines)
    assert (run.reader, points(run, "train_loss")) == ("sockeye", [(50, 8.5), (100, 8)])
    assert "one-rank" in run.notes


def test_coquis_norm_of_zero_is_not_measured():
    (run,) = read_path(FORMATS / "paragraphs/coqui-tts.log")
    assert "grad_norm: 0.0" in (FORMATS / "paragraphs/coqui-tts.log").read_text(encoding="utf-8")
    assert "grad_norm" not in run.series
