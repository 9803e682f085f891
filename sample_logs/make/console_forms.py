# ruff: noqa: E501  (a line of a log is kept whole)
"""How the consoles and logs of tools look that need a GPU, a cluster or data of their own: a line for a step, one for an evaluation.

Every form prints the same invented run, so all of them must be read alike. Fields in braces are
filled in by make_console_logs.py: `loss`, `val`, `bits`, `val_bits`, `ppl`, `val_ppl`, `lr`,
`norm`, `acc`, `step` of `steps`, `batch` of `batches` in `epoch` of `epochs` (`epoch0`, `step0`,
`batch0` from 0), `passes` through the data, `percent`.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Form:
    """The form in which one tool prints a run.

    path: below formats/; the folder is the reader's name. tool: as `advisor formats` names it.
    after: the code or page that fixes the form. evaluation: empty where the tool prints none.
    each: steps between evaluations. unit: of the losses. note: what is worth knowing.
    """

    path: str
    tool: str
    after: str
    train: str
    evaluation: str = ""
    head: str = ""
    each: int = 60
    unit: str = "nats"
    note: str = ""


_NO_PACKAGE = "a repository of scripts: no package of a registry brings it"
_NO_SCRIPT = "its package does not bring the script that prints this"
_GPU = "it trains on GPUs or other accelerators only"
_SERVICE = "a service writes it"
_FORM = "a common form and no tool's"
WHY_BY_HAND = {
    "AlgoPerf (measurements.csv)": _NO_PACKAGE,
    "Amazon Bedrock": _SERVICE,
    "ColossalAI": f"{_NO_SCRIPT}: colossalai 0.5.0 imports on a CPU, Colossal-LLaMA is not in it",
    "CSV with a column for the data set": _FORM,
    "DETR, MAE and other users of MetricLogger": _NO_PACKAGE,
    "EasyLM and others that print with pprint": _NO_PACKAGE,
    "JSON lines that name the data set": _FORM,
    "MaxText": "maxtext 0.2.5 wants Python 3.12, and pip finds no version for 3.11",
    "Megatron-DeepSpeed": f"{_GPU}, and {_NO_PACKAGE}",
    "MindFormers": f"{_GPU}; mindformers 2.1.0 installs, its callback was not reached",
    "NeMo (bar)": f"{_GPU}; the bar is Lightning's, with what NeMo's strategy logs",
    "OLMo": f"{_GPU}; ai2-olmo 0.6.0 was not run",
    "OpenAI fine-tuning result": _SERVICE,
    "OpenRLHF": f"{_GPU}; openrlhf 0.11.2 imports on a CPU",
    "PaddleClas": f"{_NO_SCRIPT}: paddleclas 2.6.0 trains nothing, No module named 'ppcls.engine'",
    "PaddleNLP": "paddlenlp 2.8.1 was not brought to import: it wants NumPy 1, huggingface_hub 0.23, datasets 2, aistudio-sdk 0.2 and more",
    "PaddleOCR": f"{_NO_SCRIPT}: paddleocr 3.7.0 recognises and does not train",
    "PaddleSeg": "paddleseg 2.8.0 trains beside paddlepaddle 2.6.2 until it logs: IndexError, its loss has no axis there",
    "PyTorch examples (ImageNet)": _NO_PACKAGE,
    "PyTorch examples (MNIST)": _NO_PACKAGE,
    "PyTorch examples (word_language_model)": _NO_PACKAGE,
    "TensorBoard (exported CSV)": "its web page exports it",
    "TensorFlow estimators (BERT, tensor2tensor)": "TensorFlow has no estimators since 2.16",
    "WeNet": _NO_PACKAGE,
    "accelerate and tqdm": _FORM,
    "build-nanogpt": _NO_PACKAGE,
    "detectron2 (console)": _NO_PACKAGE,
    "detectron2 (metrics.json)": _NO_PACKAGE,
    "diffusers": _NO_SCRIPT,
    "hand-written JSON lines": _FORM,
    "hand-written lists of losses": _FORM,
    "pandas (to_json)": _FORM,
    "hand-written loops": _FORM,
    "hand-written loops (Chinese)": _FORM,
    "hand-written loops with a heading for each epoch": _FORM,
    "icefall": _NO_PACKAGE,
    "kohya-ss sd-scripts": _NO_PACKAGE,
    "llm.c": f"{_NO_PACKAGE}, and it trains on GPUs",
    "llm.c (main.log)": f"{_NO_PACKAGE}, and it trains on GPUs",
    "minimind": _NO_PACKAGE,
    "mmcv 1": "mmcv 1.7.2 does not build: its setup.py imports pkg_resources, which setuptools 84 has no more",
    "modded-nanogpt": f"{_NO_PACKAGE}, and it trains on GPUs",
    "nanoGPT": _NO_PACKAGE,
    "nanochat": "nanochat 0.1.2 does not build: No module named 'maturin'",
    "timm (console)": f"{_NO_SCRIPT}, train.py",
    "torchtitan": f"{_GPU}; torchtitan 0.3.0 imports on a CPU and was not run",
    "transformers' Flax examples": _NO_SCRIPT,
    "transformers' run_clm_no_trainer": _NO_SCRIPT,
    "verl": f"{_GPU}; verl 0.9.1 was not run",
}
"""Why these samples are written by hand all the same, as tried in November 2026 beside torch 2.13.0 on a CPU."""

_STAMP = "2026-03-01 10:00:00"
_DASHES = "-" * 80
_BAR = "{percent:3d}%|{bar}| "

FORMS = (
    Form(
        "text/colossalai.log",
        "ColossalAI",
        "hpcaitech/ColossalAI applications/Colossal-LLaMA/train.py",
        "\rEpoch {epoch0}:  {percent:2d}%|{bar}| {batch}/{batches} [00:30<04:30,  1.20it/s, Loss={loss:.4f}]",
        head="[03/01/26 10:00:00] INFO     colossalai - colossalai - INFO: Start finetuning\n",
    ),
    Form(
        "text/nanogpt.log",
        "nanoGPT",
        "karpathy/nanoGPT train.py",
        "iter {step}: loss {loss:.4f}, time 123.45ms, mfu 12.30%\n",
        "step {step}: train loss {near:.4f}, val loss {val:.4f}\nsaving checkpoint to out\n",
        "number of parameters: 10.65M\n",
    ),
    Form(
        "terse/build-nanogpt.log",
        "build-nanogpt",
        "karpathy/build-nanogpt train_gpt2.py",
        "{step} train {loss:.6f}\n",
        "{step} val {val:.4f}\n{step} hella 0.2463\n",
        note="log.txt: the step, which set, the loss, and nothing else.",
    ),
    Form(
        "terse/llm-c-main.log",
        "llm.c (main.log)",
        "karpathy/llm.c llmc/logger.h",
        "s:{step} trl:{loss:.4f} lr:{lr:.6f} norm:{norm:.2f}\n",
        "s:{step} tel:{val:.4f}\n",
    ),
    Form(
        "text/llm-c.log",
        "llm.c",
        "karpathy/llm.c train_gpt2.cu",
        "step {step:4d}/{steps} | loss {loss:7.6f} (-0.43z)| norm {norm:6.4f} (+0.21z)| lr {lr:.2e} | 123.45 ms | 45.6% bf16 MFU | "
        "123456 tok/s\n",
        "val loss {val:.6f}\n",
    ),
    Form(
        "text/nanochat.log",
        "nanochat",
        "karpathy/nanochat scripts/base_train.py",
        "step {step:05d}/{steps:05d} ({percent:.2f}%) | loss: {loss:.6f} | grad norm: {norm:.4f} | lrm: 1.00 | dt: 123.45ms | "
        "tok/sec: 1,234,567 | mfu: 48.10 | total time: 0.12m\n",
        "Step {step:05d} | Validation bpb: {val_bits:.4f}\n",
        note="Training in nats, validation in bits per byte.",
    ),
    Form(
        "text/modded-nanogpt.log",
        "modded-nanogpt",
        "KellerJordan/modded-nanogpt train_gpt.py",
        "step:{step}/{steps} train_loss:{loss:.4f} train_time:1234ms step_avg:123.45ms\n",
        "step:{step}/{steps} val_loss:{val:.4f} train_time:1234ms step_avg:123.45ms\n",
    ),
    Form(
        "text/torchtitan.log",
        "torchtitan",
        "pytorch/torchtitan torchtitan/components/metrics.py",
        "[titan] 2026-03-01 10:00:00,000 - root - INFO - step: {step:2d}  loss: {loss:7.4f}  grad_norm: {norm:7.4f}  "
        "memory:  1.30GiB(1.40%)  tps: 4,123  tflops: 2.10  mfu: 20.10%\n",
        "[titan] 2026-03-01 10:00:00,000 - root - INFO - validate step: {step:2d}  loss: {val:7.4f}  memory:  1.30GiB(1.40%)  "
        "tps: 9,123\n",
    ),
    Form(
        "text/mindformers.log",
        "MindFormers",
        "mindspore-ai/mindformers docs: training log",
        "2026-03-01 10:00:00,000 - mindformers[mindformers/core/callback/callback.py:529] - INFO - "
        "{{ Epoch:[{epoch:3d}/{epochs:3d}], step:[{batch:5d}/{batches:5d}], loss: {loss:.4f}, per_step_time: 1752ms, lr: {lr:.4g}, "
        "overflow cond: False, loss_scale: 1.0, global_norm: [{norm:.4f}], train_throughput_per_npu: 170.5T\n"
        "2026-03-01 10:00:00,000 - mindformers[mindformers/core/callback/callback.py:540] - INFO -   {percent:3.1f}% "
        "|{bar}| 0.57 samples/s/p  0:05:12 }}\n",
    ),
    Form(
        "text/paddlenlp.log",
        "PaddleNLP",
        "PaddlePaddle/PaddleNLP paddlenlp/trainer/trainer.py",
        "[2026-03-01 10:00:00,000] [    INFO] - loss: {loss:.4f}, learning_rate: {lr:.4g}, global_step: {step}, "
        "interval_runtime: 1.2345, interval_samples_per_second: 12.345, interval_steps_per_second: 1.543, "
        "progress_or_epoch: {passes:.4f}\n",
        "[2026-03-01 10:00:00,000] [    INFO] - ***** Running Evaluation *****\n"
        "[2026-03-01 10:00:00,000] [    INFO] - eval_loss: {val:.4f}, eval_ppl: {val_ppl:.4f}, eval_runtime: 3.21, "
        "eval_samples_per_second: 31.2, progress_or_epoch: {passes:.4f}\n",
    ),
    Form(
        "text/paddlenlp-loop.log",
        "PaddleNLP",
        "PaddlePaddle/PaddleNLP examples",
        "global step {step}, epoch: {epoch}, batch: {batch}, loss: {loss:.5f}, speed: 1.23 step/s, lr: {lr:.4g}\n",
        "eval loss: {val:.5f}, accuracy: {acc:.5f}\n",
    ),
    Form(
        "text/mmcv.log",
        "mmcv 1",
        "open-mmlab/mmcv 1.x mmcv/runner/hooks/logger/text.py",
        "2026-03-01 10:00:00,000 - mmdet - INFO - Epoch [{epoch}][{batch}/{batches}]\tlr: {lr:.3e}, eta: 1:23:45, time: 0.512, "
        "data_time: 0.012, memory: 3912, loss_cls: {half:.4f}, loss: {loss:.4f}, grad_norm: {norm:.4f}\n",
        each=100,
    ),
    Form(
        "text/minimind.log",
        "minimind",
        "jingyaogong/minimind trainer/train_pretrain.py",
        "Epoch:[{epoch}/{epochs}]({batch}/{batches}), loss: {loss:.4f}, lr: {lr:.8f}, epoch_time: 12.0min\n",
    ),
    Form(
        "text/accelerate-bar.log",
        "accelerate and tqdm",
        "huggingface/accelerate examples, tqdm postfix",
        "\rEpoch {epoch}/{epochs}:  {percent:2d}%|{bar}| {batch}/{batches} [00:05<00:40,  2.01it/s, loss={loss:.4f}, lr={lr:.3g}]",
        "\nEpoch {epoch}: val_loss={val:.4f}\n",
        each=100,
    ),
    Form(
        "text/no-trainer.log",
        "transformers' run_clm_no_trainer",
        "huggingface/transformers examples/pytorch/language-modeling/run_clm_no_trainer.py",
        "\r" + _BAR + "{step}/{steps} [00:05<00:40,  2.01it/s, loss={loss:.4f}]",
        "\nepoch {epoch0}: perplexity: {val_ppl} eval_loss: tensor({val:.4f}, device='cuda:0')\n",
        each=100,
    ),
    Form(
        "text/diffusers.log",
        "diffusers",
        "huggingface/diffusers examples/text_to_image/train_text_to_image_lora.py",
        "\rSteps:  {percent:2d}%|{bar}| {step}/{steps} [00:05<00:40,  2.01it/s, lr={lr:.3g}, step_loss={loss:.4g}]",
    ),
    Form(
        "text/kohya.log",
        "kohya-ss sd-scripts",
        "kohya-ss/sd-scripts train_network.py",
        "\rsteps:  {percent:2d}%|{bar}| {step}/{steps} [00:05<00:40,  2.01it/s, avr_loss={loss:.4f}]",
    ),
    Form(
        "csv/openai-fine-tuning.csv",
        "OpenAI fine-tuning result",
        "OpenAI fine-tuning guide, results.csv",
        "{step},{loss:.5f},{acc:.5f},,\n",
        "{step},,,{val:.5f},{acc:.5f}\n",
        "step,train_loss,train_accuracy,valid_loss,valid_mean_token_accuracy\n",
    ),
    Form(
        "csv/bedrock-step-metrics.csv",
        "Amazon Bedrock",
        "Amazon Bedrock user guide, step_wise_training_metrics.csv",
        "{step},{epoch0},{loss:.6f}\n",
        "",
        "step_number,epoch_number,training_loss\n",
    ),
    Form(
        "text/timm.log",
        "timm (console)",
        "huggingface/pytorch-image-models train.py",
        "Train: {epoch0} [{batch:4d}/{batches} ({percent:3.0f}%)]  Loss: {loss:#.3g} (2.11)  Time: 0.312s, 410.26/s  "
        "(0.334s, 383.23/s)  LR: {lr:.3e}  Data: 0.008 (0.017)\n",
        "Test: [  19/19]  Time: 0.112 (0.134)  Loss: {val:#.3g} ({val:#.3g})  Acc@1: {acc:.3f} ({acc:.3f})  Acc@5: 99.000 (99.000)\n",
        each=100,
    ),
    Form(
        "csv/algoperf-measurements.csv",
        "AlgoPerf (measurements.csv)",
        "mlcommons/algorithmic-efficiency algoperf/logger_utils.py",
        "{loss:.6f},{norm:.4f},{step},,,\n",
        "{near:.6f},,{step},{val:.6f},{acc:.4f},123.4\n",
        "loss,grad_norm,global_step,validation/loss,validation/accuracy,score\n",
    ),
    Form(
        "json-lines/detectron2-metrics.json",
        "detectron2 (metrics.json)",
        "facebookresearch/detectron2 detectron2/utils/events.py",
        '{{"data_time": 0.012, "iteration": {step}, "loss_box_reg": {half:.4f}, "loss_cls": {half:.4f}, "lr": {lr:.4g}, '
        '"time": 0.31, "total_loss": {loss:.4f}}}\n',
        '{{"iteration": {step}, "validation_loss": {val:.4f}, "bbox/AP": 31.2}}\n',
    ),
    Form(
        "text/detectron2.log",
        "detectron2 (console)",
        "facebookresearch/detectron2 detectron2/utils/events.py",
        "[03/01 10:00:00 d2.utils.events]:  eta: 0:12:34  iter: {step}  total_loss: {loss:.4g}  loss_cls: {half:.4g}  "
        "loss_box_reg: {half:.4g}    time: 0.3123  last_time: 0.3012  data_time: 0.0123  last_data_time: 0.0045   lr: {lr:.4g}  "
        "max_mem: 2345M\n",
    ),
    Form(
        "text/paddleocr.log",
        "PaddleOCR",
        "PaddlePaddle/PaddleOCR tools/program.py",
        "[2026/03/01 10:00:00] ppocr INFO: epoch: [{epoch}/{epochs}], global_step: {step}, lr: {lr:.6f}, acc: {acc:.6f}, "
        "loss: {loss:.6f}, avg_reader_cost: 0.01234 s, avg_batch_cost: 0.1234 s, avg_samples: 64.0, ips: 518.6 samples/s, "
        "eta: 0:12:34\n",
    ),
    Form(
        "text/paddleclas.log",
        "PaddleClas",
        "PaddlePaddle/PaddleClas ppcls/engine/train/utils.py",
        "[2026/03/01 10:00:00] ppcls INFO: [Train][Epoch {epoch}/{epochs}][Iter: {batch}/{batches}]lr(LinearWarmup): {lr:.8f}, "
        "top1: {acc:.5f}, CELoss: {loss:.5f}, loss: {loss:.5f}, batch_cost: 0.31234s, reader_cost: 0.12, ips: 123.4 samples/s, "
        "eta: 0:12:34\n",
        "[2026/03/01 10:00:00] ppcls INFO: [Eval][Epoch {epoch}][Avg]CELoss: {val:.5f}, loss: {val:.5f}, top1: {acc:.5f}\n",
        each=100,
    ),
    Form(
        "text/paddleseg.log",
        "PaddleSeg",
        "PaddlePaddle/PaddleSeg paddleseg/core/train.py",
        "2026-03-01 10:00:00 [INFO]\t[TRAIN] epoch: {epoch}, iter: {step}/{steps}, loss: {loss:.4f}, lr: {lr:.6f}, "
        "batch_cost: 0.1234, reader_cost: 0.01234, ips: 32.4123 samples/sec | ETA 00:12:34\n",
    ),
    Form(
        "text/pytorch-imagenet.log",
        "PyTorch examples (ImageNet)",
        "pytorch/examples imagenet/main.py",
        "Epoch: [{epoch0}][{batch:4d}/{batches}]\tTime  0.412 ( 0.512)\tData  0.012 ( 0.112)\tLoss {loss:.4e} ({near:.4e})\t"
        "Acc@1  12.50 ( 10.21)\tAcc@5  31.25 ( 28.10)\n",
        note="The mean so far stands in brackets; the value before it is the batch's.",
    ),
    Form(
        "text/pytorch-mnist.log",
        "PyTorch examples (MNIST)",
        "pytorch/examples mnist/main.py",
        "Train Epoch: {epoch} [{batch}/{batches} ({percent:.0f}%)]\tLoss: {loss:.6f}\n",
        "\nTest set: Average loss: {val:.4f}, Accuracy: 9100/10000 (91%)\n\n",
        each=100,
    ),
    Form(
        "text/pytorch-language-model.log",
        "PyTorch examples (word_language_model)",
        "pytorch/examples word_language_model/main.py",
        "| epoch {epoch:3d} | {batch:5d}/{batches:5d} batches | lr 20.00 | ms/batch 12.31 | loss {loss:5.2f} | ppl {ppl:8.2f}\n",
        f"{_DASHES}\n| end of epoch {{epoch:3d}} | time: 12.31s | valid loss {{val:5.2f}} | valid ppl {{val_ppl:8.2f}}\n{_DASHES}\n",
        each=100,
    ),
    Form(
        "text/detr.log",
        "DETR, MAE and other users of MetricLogger",
        "facebookresearch/detr util/misc.py",
        "Epoch: [{epoch0}]  [{batch:3d}/{batches}]  eta: 0:12:34  lr: {lr:.6f}  loss: {loss:.4f} ({near:.4f})  time: 0.5123  "
        "data: 0.0123  max mem: 12345\n",
    ),
    Form(
        "paragraphs/olmo.log",
        "OLMo",
        "allenai/OLMo olmo/train.py",
        "2026-03-01 10:00:00.000\thost:0\tolmo.train:967\tINFO\t[step={step}/{steps},epoch={epoch0}]\n"
        "    optim/total_grad_norm={norm:.4f}\n    train/CrossEntropyLoss={loss:.4f}\n    train/Perplexity={ppl:.1f}\n"
        "    throughput/total_tokens={samples}\n    System/Peak GPU Memory (MB)=12,345\n",
        "",
    ),
    Form(
        "text/maxtext.log",
        "MaxText",
        "AI-Hypercomputer/maxtext MaxText/train.py",
        "completed step: {step}, seconds: 1.234, TFLOP/s/device: 123.456, Tokens/s/device: 1234.567, total_weights: 65536, "
        "loss: {loss:.3f}\n",
        "eval metrics after step: {step}, loss={val:.3f}, total_weights=65536.0\n",
    ),
    Form(
        "text/flax-examples.log",
        "transformers' Flax examples",
        "huggingface/transformers examples/flax/language-modeling/run_clm_flax.py",
        "Step... ({step} | Loss: {loss:.4f}, Learning Rate: {lr:.4g})\n",
        "Step... ({step} | Eval Loss: {val:.4f} | Eval Perplexity: {val_ppl:.4f})\n",
    ),
    Form(
        "text/tensorflow-estimator.log",
        "TensorFlow estimators (BERT, tensor2tensor)",
        "tensorflow/estimator",
        "INFO:tensorflow:loss = {loss:.6f}, step = {step} (12.345 sec)\nINFO:tensorflow:global_step/sec: 8.1\n",
        "INFO:tensorflow:Saving dict for global step {step}: accuracy = {acc:.4f}, global_step = {step}, loss = {val:.6f}\n",
    ),
    Form(
        "text/wenet.log",
        "WeNet",
        "wenet-e2e/wenet wenet/utils/executor.py",
        "2026-03-01 10:00:00,000 DEBUG TRAIN Batch {epoch0}/{batch} loss {loss:.6f} loss_att {half:.6f} loss_ctc {half:.6f} lr {lr:.8f} rank 0\n",
        "2026-03-01 10:00:00,000 INFO Epoch {epoch0} CV info cv_loss {val:.6f}\n",
        each=100,
    ),
    Form(
        "text/icefall.log",
        "icefall",
        "k2-fsa/icefall egs/librispeech/ASR/zipformer/train.py",
        "2026-03-01 10:00:00,000 INFO [train.py:422] Epoch {epoch}, batch {batch}, loss[loss={loss:.4f}, over 2828.00 frames. ], "
        "tot_loss[loss={near:.4f}, over 22192.90 frames. ], batch size: 4, lr: {lr:.4g}\n",
        "2026-03-01 10:00:00,000 INFO [train.py:457] Epoch {epoch}, validation: loss={val:.4f}, over 944034.00 frames. \n",
        each=100,
    ),
    Form(
        "text/verl.log",
        "verl",
        "volcengine/verl verl/utils/logger/aggregate_logger.py",
        "step:{step} - actor/entropy:0.312 - actor/pg_loss:-0.0123 - actor/grad_norm:{norm:.3f} - actor/lr:{lr:.4g} - "
        "critic/score/mean:{acc:.3f} - critic/rewards/mean:{acc:.3f} - response_length/mean:312.100\n",
        unit="reward",
        note="Reinforcement learning: the reward is what is logged.",
    ),
    Form(
        "text/kaggle-loop.log",
        "hand-written loops",
        "a common form",
        "Epoch {epoch}/{epochs}, Step {batch}/{batches}, Loss: {loss:.4f}\n",
        "Epoch {epoch}/{epochs} | Train Loss: {near:.4f} | Val Loss: {val:.4f} | Val Acc: {acc:.4f}\n",
        each=100,
    ),
    Form(
        "text/chinese-loop.log",
        "hand-written loops (Chinese)",
        "a common form",
        "第 {epoch} 轮，第 {batch} 步，训练损失：{loss:.4f}，学习率：{lr:.6f}\n",
        "第 {epoch} 轮结束，验证损失：{val:.4f}，验证准确率：{acc:.4f}\n",
        each=100,
    ),
    Form(
        "text/megatron-deepspeed.log",
        "Megatron-DeepSpeed",
        "bigscience-workshop/Megatron-DeepSpeed megatron/training.py",
        "[default0]:[2026-03-01 10:00:00,000] [INFO] [logging.py:68:log_dist] [Rank 0] step={step}, skipped=0, lr=[{lr:.4g}], mom=[(0.9, 0.95)]\n"
        "[default7]: iteration {step:8d}/{steps:8d} | consumed samples: {samples:12d} | consumed tokens: {samples:12d} | "
        "elapsed time per iteration (s): 7.51 | learning rate: {lr:.3E} | global batch size:    16 | lm loss: {loss:.6E} | "
        "grad norm: {norm:.3f} | num zeros: 0.0 | number of skipped iterations:   0 | number of nan iterations:   0 | "
        "samples per second: 2.1 | TFLOPs: 123.45 |\n[default0]:steps: {step} loss: {loss:.4f} iter time (s): 7.51 samples/sec: 2.1\n",
        f"[default7]:{_DASHES}\n[default7]:valid loss at iteration {{step}} | lm loss value: {{val:.6E}} | "
        f"lm loss PPL: {{val_ppl:.6E}} | \n[default7]:{_DASHES}\n",
        note="The last rank prints the losses, the first one its steps.",
    ),
    Form(
        "text/nemo-bar.log",
        "NeMo (bar)",
        "NVIDIA/NeMo, on Lightning's progress bar",
        "\rEpoch {epoch0}:  {percent:2d}%|{bar}| {batch}/{batches} [00:10<17:20, v_num=0, reduced_train_loss={loss:.4f}, global_step={step}.0, "
        "consumed_samples={samples}.0, train_step_timing in s=1.020]",
    ),
    Form(
        "json-lines/hand-written.jsonl",
        "hand-written JSON lines",
        "a common form",
        '{{"step": {step}, "train/loss": {loss:.4f}, "train/lr": {lr:.4e}}}\n',
        '{{"step": {step}, "val/loss": {val:.4f}, "val/accuracy": {acc:.4f}}}\n',
    ),
    Form(
        "text/openrlhf-bar.log",
        "OpenRLHF",
        "OpenRLHF/OpenRLHF openrlhf/trainer/sft_trainer.py",
        "\rTrain step of epoch {epoch0}:  {percent:2d}%|{bar}| {batch}/{batches} [00:10<00:50,  2.01it/s, gpt_loss={loss:.4f}, loss_mean={near:.4f}, lr={lr:.3g}]",
    ),
    Form(
        "csv-long/run-sample-tag-train_loss.csv",
        "TensorBoard (exported CSV)",
        "tensorflow/tensorboard, the download link below a chart",
        "1772359200.{step},{step},{loss}\n",
        "",
        "Wall time,Step,Value\n",
        note="The file's name says the quantity.",
    ),
    Form(
        "json-lines/split.jsonl",
        "JSON lines that name the data set",
        "a common form",
        '{{"split": "train", "step": {step}, "loss": {loss}, "accuracy": {acc}}}\n',
        '{{"split": "val", "step": {step}, "loss": {val}, "accuracy": {acc}}}\n',
    ),
    Form(
        "csv/phase.csv",
        "CSV with a column for the data set",
        "a common form",
        "{step},train,{loss},{acc}\n",
        "{step},valid,{val},{acc}\n",
        "step,phase,loss,accuracy\n",
    ),
    Form(
        "text/epoch-headings.log",
        "hand-written loops with a heading for each epoch",
        "a common form",
        "",
        "Epoch {count}/30\n----------\ntrain Loss: {loss:.4f} Acc: {acc:.4f}\nval Loss: {val:.4f} Acc: {acc:.4f}\n\n",
        each=10,
        note="PyTorch's transfer learning tutorial; thirty epochs.",
    ),
    Form(
        "hf-console/easylm.log",
        "EasyLM and others that print with pprint",
        "young-geng/EasyLM EasyLM/jax_utils.py",
        "{{'accuracy': {acc:.4f},\n 'gradient_norm': {norm},\n 'learning_rate': {lr},\n 'loss': {loss},\n 'step': {step}}}\n",
        note="A dictionary over several lines.",
    ),
)
