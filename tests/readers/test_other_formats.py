"""JSON lines, arrays, columns, tables and free text."""

import json

import pytest

from advisor.errors import UnreadableLog
from advisor.readers import formats, read_bytes


def read(text, name="run.log"):
    data = text if isinstance(text, bytes) else text.encode()
    (run,) = read_bytes(data, name)
    return run


def losses(run):
    return run.series["train_loss"].values.tolist()


def test_json_lines_with_other_names_are_read():
    run = read(
        '{"current_steps": 10, "loss": 2.3, "lr": 1e-4, "epoch": 0.1}\n{"current_steps": 20, "loss": 2.1, "val_loss": 2.2}\n'
    )
    assert (losses(run), run.series["eval_loss"].x.tolist()) == ([2.3, 2.1], [20])


def test_a_broken_json_line_is_counted_and_hides_no_other():
    run = read('{"step": 1, "loss": 2.3}\n{"step": 2, "loss": 2.\n{"step": 3, "loss": 2.1}\n')
    assert (losses(run), run.unread) == ([2.3, 2.1], (2,))


def test_our_own_log_gives_configuration_events_and_points():
    run = read(
        '{"event": "run", "schema": "advisor.log/1", "config": {"learning_rate": 0.0002, "num_train_epochs": 3}}\n'
        '{"step": 1, "epoch": 0.1, "loss": 2.3, "grad_norm": 1.0}\n{"event": "checkpoint", "step": 1}\n'
        '{"event": "error", "message": "read example failed: train.jsonl line 3"}\n'
    )
    assert run.config == {"learning_rate": 0.0002, "num_train_epochs": 3}
    assert [e.kind for e in run.events] == ["checkpoint", "read-example-failed"]
    assert run.events[1].line == 4


def test_a_dumped_log_history_is_read():
    assert losses(read(json.dumps([{"step": 1, "loss": 2.3}, {"step": 2, "loss": 2.1}]))) == [2.3, 2.1]


def test_a_keras_history_is_read():
    run = read(json.dumps({"loss": [0.9, 0.7], "val_loss": [1.0, 0.8]}))
    assert (losses(run), run.series["eval_loss"].values.tolist()) == ([0.9, 0.7], [1.0, 0.8])


@pytest.mark.parametrize("delimiter", [",", "\t", ";"])
def test_tables_with_empty_cells_are_read(delimiter):
    text = "epoch,step,train_loss_step,train_loss_epoch,val_loss\r\n0,50,2.3,,\r\n0,99,,,2.2\r\n0,99,,2.25,\r\n1,150,2.1,,\r\n"
    run = read(text.replace(",", delimiter))
    assert (losses(run), run.series["eval_loss"].line.tolist()) == ([2.3, 2.1], [3])


def test_a_row_of_another_width_is_counted():
    run = read("step,loss\n1,2.3\n2,2.2,9\n3,2.1\n")
    assert (losses(run), run.unread) == ([2.3, 2.1], (3,))


@pytest.mark.parametrize(
    "line",
    [
        "step {s} | loss {l} | lr 1e-4",
        "step={s} loss={l} lr=1e-4",
        "Step: {s}, Loss: {l}, LR: 1e-4",
        "'step': {s}, 'loss': '{l}'",
        "iteration {s}/ 1000 | lm loss: {l} | learning rate: 1.000E-04",
        "[2024-01-01 10:00:00] INFO Epoch [1/3], Step [{s}/300], Loss: {l}",
        "epoch: 1 step: {s}, loss is {l}",
        "Iter {s}: Train loss {l}, Learning Rate 1e-4",
        "Epoch:[1/1]({s}/300), loss: {l}, logits_loss: 9.9, aux_loss: 0.0",
        "第{s}步 loss: {l}",
        "step {s} training loss = {l}",
        "06/12 10:00:00 - mmengine - INFO - Iter(train) [  {s}/1000]  lr: 2.0e-04  time: 1.2  loss: {l}  grad_norm: 2.1",
        "06/12 10:00:00 - mmengine - INFO - Epoch(train)  [1][  {s}/1000]  lr: 2.0e-02  time: 0.5  loss: {l}",
        "[10/05 12:00:00] ppdet.engine INFO: Epoch: [0] [ {s}/1000] learning_rate: 0.000333 loss_cls: 1.2 loss: {l}",
        "Train: 0 [  {s}/1251 (  4%)]  Loss: {l} (6.92)  Time: 0.5s,  LR: 1.000e-05",
        "| epoch   1 |   {s}/ 2983 batches | lr 20.00 | ms/batch 12.1 | loss  {l} | ppl  12.12",
        "Training Epoch: 1/3, step {s}/100 completed (loss: {l}):  20%|██        | 20/100 [00:10<00:40]",
        "train | epoch 001 |     {s} / 1200 loss={l}, nll_loss=9.9, ppl=1105.3, num_updates={s}, lr=1.2e-06, gnorm=4.2",
        "{{ Epoch:[  1/  2], step:[   {s}/ 3125], loss: {l}, per_step_time: 17210ms, lr: 1e-05, loss_scale: 65536.0",
        "INFO:tensorflow:loss = {l}, step = {s} (1.2 sec)",
        "step:{s}/1750 train_loss:{l} train_time:1000ms step_avg:100ms",
        "Epoch 1:  1%|  | {s}/1000 [00:10<15:00, 1.2it/s, loss={l}]",
        "训练轮次: 1, 步数: {s}, 训练损失: {l}, 学习率: 0.0001",
        "第 1 轮 第 {s} 步 损失 {l}",
    ],
)
def test_free_text_is_read(line):
    run = read("".join(line.format(s=s, l=2.5 - s / 100) + "\n" for s in (10, 20, 30)))
    assert losses(run) == pytest.approx([2.4, 2.3, 2.2])
    assert run.series["train_loss"].line.tolist() == [1, 2, 3]


def test_a_line_about_validation_is_an_evaluation():
    run = read("step 1 loss 2.3\nstep 2 loss 2.1\nValidation: step 2 loss=2.2\n")
    assert (losses(run), run.series["eval_loss"].values.tolist()) == ([2.3, 2.1], [2.2])


def test_the_best_loss_told_again_is_no_second_evaluation():
    run = read("epoch 1 train_loss 2.0 val_loss 2.2\nSaved best model (val_loss=2.2)\nepoch 2 train_loss 1.8 val_loss 2.1\n")
    assert run.series["eval_loss"].values.tolist() == [2.2, 2.1]


def test_steps_that_restart_in_every_epoch_count_on():
    text = "".join(f"Epoch [{e}/3], Step [{s}/30], Loss: {3 - e / 2}\n" for e in (1, 2, 3) for s in (10, 20, 30))
    run = read(text)
    assert run.series["train_loss"].x.tolist() == [10, 20, 30, 40, 50, 60, 70, 80, 90]
    assert run.notes == ("steps-per-epoch",)


def test_perplexity_is_judged_where_no_loss_was_logged_and_keeps_its_unit():
    run = read("step 1 train_ppl 90.0 val_ppl 95.0\nstep 2 train_ppl 80.0 val_ppl 88.0\n")
    assert run.series["eval_loss"].unit == "perplexity"


def test_five_pasted_lines_without_steps_are_read():
    run = read("loss: 2.31\nloss: 2.20\nloss: 2.05\nloss: 1.99\nloss: 1.97\n", "standard input")
    assert (run.axis, len(run.series["train_loss"])) == ("row", 5)


def test_out_of_order_lines_of_two_writers_are_one_run():
    steps = [10, 20, 30, 20, 40, 30, 50, 40, 60, 50]
    run = read("".join(json.dumps({"step": s, "loss": 3 - s / 100 + i / 1000}) + "\n" for i, s in enumerate(steps)))
    assert run.series["train_loss"].x.tolist() == sorted(steps)


def test_an_evaluation_before_the_first_step_belongs_to_the_new_run():
    one = [{"step": s, "loss": 2.0} for s in range(1, 9)]
    lines = [{"step": 0, "eval_loss": 3.0}, *one, {"step": 8, "eval_loss": 2.0}] * 2
    runs = read_bytes("\n".join(map(json.dumps, lines)).encode(), "run.jsonl")
    assert [run.series["eval_loss"].values.tolist() for run in runs] == [[3.0, 2.0], [3.0, 2.0]]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "gbk"])
def test_other_encodings_are_read(encoding):
    text = "".join(f"第{s}步 训练 loss: {2.5 - s / 100}\n" for s in (10, 20, 30))
    assert len(losses(read(text.encode(encoding)))) == 3


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("ERROR: read example failed, line 3", "read-example-failed"),
        ("torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2 GiB", "out-of-memory"),
        ("OSError: [Errno 28] No space left on device", "disk-full"),
        ("ValueError: label_map not match", "label-map-mismatch"),
        ("INFO: root: Train valid number is 0.", "valid-number-zero"),
        ("KeyboardInterrupt", "interrupted"),
        ("ZeroDivisionError: division by zero", "python-error"),
    ],
)
def test_a_log_that_holds_only_an_error_is_read(line, kind):
    run = read(f"Loading model\n{line}\n")
    assert [(e.kind, e.line) for e in run.events] == [(kind, 2)]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "empty"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 3\n", "git lfs pull"),
        (b"<!DOCTYPE html><html><body>404</body></html>", "HTML page"),
        (bytes(range(256)) * 4, "binary data"),
        (b"Dear diary, today I lost nothing.\n", "no training log"),
    ],
)
def test_what_is_no_log_is_named_for_what_it_is(data, said):
    with pytest.raises(UnreadableLog, match=said) as error:
        read_bytes(data, "thing")
    assert str(error.value).startswith("thing: ")


@pytest.mark.parametrize("entry", formats(), ids=lambda f: f.name)
def test_every_format_reads_its_own_example(entry):
    if entry.magic:
        pytest.skip("a binary format's example is the name of a file; its samples are read in test_formats.py")
    runs = read_bytes(entry.example.encode(), "example")
    assert any(run.series for run in runs)
    assert set(entry.title) == {"en", "zh"}
