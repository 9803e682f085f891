"""Events: real messages and the kind each is, what looks like an error and is none, and what is kept of very many."""

import time

import pytest

from advisor.engine import diagnose
from advisor.readers import read_bytes
from advisor.readers.columns import KEPT_EVENTS
from advisor.readers.event_patterns import PATTERNS
from advisor.readers.events import event_in
from advisor.render.words import Words
from advisor.rulebook import load

RULES = load()

MESSAGES = {
    "resume": ("Resuming training from output/checkpoint-200", "  successfully loaded checkpoint from /ckpt at iteration 200"),
    "loss-scale-overflow": [
        "[deepspeed] OVERFLOW! Rank 0 Skipping step. Attempted loss scale: 65536, reducing to 32768",
        "0: [2022-10-20 04:42:44,585] [INFO] [logging.py:68:log_dist] [Rank 0] Overflow detected. Skipping step. "
        "Attempted loss scale: 8192, reducing to 4096.0",
        "Gradient overflow.  Skipping step, loss scaler 0 reducing loss scale to 32768.0",
    ],
    "loss-scale-minimum": [
        "Exception: Current loss scale already at minimum - cannot decrease scale anymore. Exiting run.",
        "FloatingPointError: Minimum loss scale reached (0.0001). Your loss is probably exploding.",
    ],
    "nan-detected": [
        "RuntimeError: Function 'MulBackward0' returned nan values in its 0th output.",
        "RuntimeError: probability tensor contains either `inf`, `nan` or element < 0",
        "ValueError: the loss is nan at step 3",
    ],
    "out-of-memory": [
        "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity of 23.69 GiB",
        "RuntimeError: CUDA out of memory. Tried to allocate 20.00 MiB (GPU 0; 1.96 GiB total capacity; 2.88 MiB free)",
        "RuntimeError: NPU out of memory. Tried to allocate 52.00 MiB (NPU 0; 60.96 GiB total capacity)",
        "[rank3]: torch.cuda.OutOfMemoryError: CUDA out of memory.",
        "RuntimeError: CUDA error: out of memory",
        "E0101 RESOURCE_EXHAUSTED: Out of memory while trying to allocate 123 bytes.",
        "RuntimeError: No executable batch size found, reached zero.",
    ],
    "host-memory": ["MemoryError", "OSError: [Errno 12] Cannot allocate memory", "terminate called: std::bad_alloc"],
    "killed-for-memory": [
        "slurmstepd: error: Detected 1 oom-kill event(s) in StepId=1793404.0.",
        "[1234.5] Out of memory: Killed process 4021 (python) total-vm:123kB",
        "Reason: OOMKilled",
    ],
    "killed": [
        "Killed",
        "subprocess died with <Signals.SIGKILL: 9>",
        "failed (exitcode: -9) local_rank: 0 (pid: 4021)",
        "command terminated with exit code 137",
        "./run.sh: line 12:  4021 Killed                  python train.py",
    ],
    "accelerator-allocation": ["RuntimeError: cuDNN error: CUDNN_STATUS_NOT_INITIALIZED"],
    "accelerator-absent": ["RuntimeError: No CUDA GPUs are available", "RuntimeError: Found no NVIDIA driver on your system."],
    "cuda-driver-old": ["RuntimeError: CUDA driver version is insufficient for CUDA runtime version"],
    "kernel-image-missing": ["RuntimeError: CUDA error: no kernel image is available for execution on the device"],
    "bfloat-unsupported": ["ValueError: Bfloat16 is only supported on GPUs with compute capability of at least 8.0."],
    "flash-attention-unsupported": [
        "RuntimeError: FlashAttention only supports Ampere GPUs or newer.",
        "ImportError: FlashAttention2 has been toggled on, but it cannot be used due to the following error: not installed",
    ],
    "label-out-of-range": ["IndexError: Target 7 is out of bounds."],
    "token-out-of-range": [
        "../aten/src/ATen/native/cuda/Indexing.cu:1146: indexSelectLargeIndex: block: [1,0,0] Assertion "
        "`srcIndex < srcSelectDimSize` failed.",
        "../aten/src/ATen/native/cuda/IndexKernel.cu:92: operator(): block: [1,0,0] Assertion `-sizes[i] <= index && "
        'index < sizes[i] && "index out of bounds"` failed.',
    ],
    "device-assert": ["RuntimeError: CUDA error: device-side assert triggered"],
    "accelerator-fault": ["torch.AcceleratorError: CUDA error: unspecified launch failure", "NVRM: GPU has fallen off the bus."],
    "ascend-inner-error": ["EI9999: Inner Error!"],
    "ascend-link": ["EI0002: [PID: 12] The wait execution of the Notify register times out.", "HCCL function timed out"],
    "json-invalid": [
        "json.decoder.JSONDecodeError: Extra data: line 2 column 1 (char 44)",
        "pyarrow.lib.ArrowInvalid: JSON parse error: Missing a closing quotation mark in string. in row 5821",
        "Expecting value: line 12 column 1 (char 0)",
    ],
    "json-type-changes": [
        "pyarrow.lib.ArrowInvalid: JSON parse error: Column(/meta/id) changed from number to string in row 12",
        "pyarrow.lib.ArrowTypeError: Expected bytes, got a 'int' object",
        "TypeError: Couldn't cast array of type",
        "pyarrow.lib.ArrowInvalid: Could not convert 'a' with type str: tried to convert to int64",
    ],
    "columns-differ": [
        "All the data files must have the same columns, but at some point there are 1 missing columns ({'solution'})",
        "because column names don't match",
    ],
    "dataset-generation": ["datasets.builder.DatasetGenerationError: An error occurred while generating the dataset"],
    "json-row-too-large": [
        "pyarrow.lib.ArrowInvalid: straddling object straddles two block boundaries (try to increase block size?)"
    ],
    "text-not-decodable": ["UnicodeDecodeError: 'utf-8' codec can't decode byte 0xff in position 0: invalid start byte"],
    "columns-missing": ["KeyError: 'text'"],
    "pad-token-missing": ["ValueError: Cannot handle batch sizes > 1 if no padding token is defined."],
    "batch-ragged": [
        "ValueError: expected sequence of length 14 at dim 1 (got 12)",
        "RuntimeError: stack expects each tensor to be equal size, but got [14] at entry 0 and [12] at entry 1",
    ],
    "chat-template-missing": ["ValueError: Cannot use chat template functions because tokenizer.chat_template is not set"],
    "chat-roles": [
        "jinja2.exceptions.TemplateError: After the optional system message, conversation roles must alternate user/assistant",
        "jinja2.exceptions.TemplateError: System role not supported",
    ],
    "gradient-missing": ["RuntimeError: element 0 of tensors does not require grad and does not have a grad_fn"],
    "inputs-without-gradient": [
        "/x/checkpoint.py:31: UserWarning: None of the inputs have requires_grad=True. Gradients will be None"
    ],
    "target-modules-missing": [
        "ValueError: Please specify `target_modules` in `peft_config`",
        "ValueError: No modules were targeted for adaptation.",
    ],
    "weights-do-not-fit": ["\tsize mismatch for model.embed_tokens.weight: copying a param with shape torch.Size([32001, 4096])"],
    "dtype-mismatch": [
        "RuntimeError: mat1 and mat2 must have the same dtype, but got Float and Half",
        "RuntimeError: Input type (float) and bias type (c10::Half) should be the same",
    ],
    "half-overflow": ["RuntimeError: value cannot be converted to type at::Half without overflow"],
    "unscale-half-gradients": ["ValueError: Attempting to unscale FP16 gradients."],
    "argument-unknown": ["TypeError: SFTTrainer.__init__() got an unexpected keyword argument 'max_seq_length'"],
    "package-missing": [
        "ImportError: This modeling file requires the following packages that were not found in your environment: flash_attn.",
        "ImportError: Using `bitsandbytes` 4-bit quantization requires bitsandbytes: `pip install -U bitsandbytes`",
        "ImportError: cannot import name 'top_k_top_p_filtering' from 'transformers'",
        "OSError: libcudart.so.12: cannot open shared object file: No such file or directory",
        "libnccl.so.2: cannot open shared object file: No such file or directory",
    ],
    "hub-access": [
        "huggingface_hub.errors.GatedRepoError: 401 Client Error.",
        "OSError: x is not a local folder and is not a valid model identifier listed on 'https://huggingface.co/models'",
    ],
    "hub-unreachable": [
        "OSError: We couldn't connect to 'https://huggingface.co' to load this file",
        "huggingface_hub.errors.LocalEntryNotFoundError: Cannot find the requested files in the disk cache",
        "ConnectionError: Couldn't reach 'tatsu-lab/alpaca' on the Hub (LocalEntryNotFoundError)",
    ],
    "shared-memory": [
        "RuntimeError: DataLoader worker (pid 12) is killed by signal: Bus error. It is possible that dataloader's workers are out "
        "of shared memory. Please try to raise your shared memory limit.",
    ],
    "too-many-files": ["RuntimeError: received 0 items of ancdata"],
    "port-in-use": ["RuntimeError: The server socket has failed to bind to [::]:29500 (errno: 98 - Address already in use)."],
    "file-missing": ["FileNotFoundError: [Errno 2] No such file or directory: 'a.json'", "ERROR no such file or directory: a.json"],
    "data-worker-died": ["RuntimeError: DataLoader worker (pid(s) 4021, 4022) exited unexpectedly"],
    "collective-timeout": [
        "[E ProcessGroupNCCL.cpp:737] [Rank 3] Watchdog caught collective operation timeout: WorkNCCL(SeqNum=469508)",
        "torch.distributed.DistBackendError: [4] is setting up NCCL communicator, but store->get('0') got error: Socket Timeout",
    ],
    "collective-failed": [
        "ncclUnhandledCudaError: Call to CUDA function failed.",
        "RuntimeError: [../third_party/gloo/gloo/transport/tcp/pair.cc:534] Connection closed by peer [10.0.0.1]:2345",
    ],
    "time-limit": ["slurmstepd: error: *** JOB 1 ON n1 CANCELLED AT 2021-05-27T21:52:36 DUE TO TIME LIMIT ***"],
    "preempted": ["slurmstepd: error: *** JOB 1 ON n1 CANCELLED AT 2021-05-27T21:52:36 DUE TO PREEMPTION ***"],
    "job-cancelled": ["Main process received SIGTERM, exiting", "SignalException: Process 123 got signal: 15"],
    "interrupted": ["KeyboardInterrupt"],
    "worker-failed": ["torch.distributed.elastic.multiprocessing.errors.ChildFailedError: "],
    "parameters-unused": ["RuntimeError: Expected to have finished reduction in the prior iteration before starting a new one."],
    "parameters-ready-twice": ["RuntimeError: Expected to mark a variable ready only once. This error is caused by one of"],
    "devices-differ": ["RuntimeError: Expected all tensors to be on the same device, but found at least two devices"],
    "checkpoint-unwritten": [
        "RuntimeError: [enforce fail at inline_container.cc:471] . PytorchStreamWriter failed writing file data/3",
        "  what():  [enforce fail at inline_container.cc:659] . unexpected pos 64 vs 0",
    ],
    "checkpoint-damaged": [
        "RuntimeError: PytorchStreamReader failed reading zip archive: failed finding central directory",
        "_pickle.UnpicklingError: invalid load key, 'v'.",
    ],
    "chained": ["During handling of the above exception, another exception occurred:"],
    "disk-full": ["OSError: [Errno 28] No space left on device", "OSError: [Errno 122] Disk quota exceeded"],
    "platform-step-failed": ["Model.60010303 export failed"],
    "python-error": ["ValueError: too many values to unpack", "omegaconf.errors.ConfigAttributeError: Key 'I' is not in struct"],
}

LOOKALIKES = [
    "# on CUDA out of memory halve the batch",
    '    raise RuntimeError("CUDA out of memory")',
    "  --on_error ON_ERROR   what to do when a read example failed",
    '  "message": "CUDA out of memory"',
    "error_policy: 'raise on out of memory'",
    "r6i4n5:11:12 [0] NCCL INFO NCCL error handler installed",
    "[INFO] [unfused_optimizer.py:288:_update_scale] No Grad overflow for 500 iterations",
    "UserWarning: the driver may report an out of memory error later",
    "/opt/amdgpu/share/libdrm/amdgpu.ids: No such file or directory",
    "ImportError: libgomp.so.1: cannot allocate memory in static TLS block",
    "Exception ignored in: <function _MultiProcessingDataLoaderIter.__del__ at 0x7f>",
    "num_errors 0, failed 0, exception_count 0",
    "Running with on_oom=skip and 'max_memory' set",
    "    except torch.cuda.OutOfMemoryError: retry",
    "Killed 3 stale workers from the last run",
    "the tokenizer pads to the longest row of the batch",
]


@pytest.mark.parametrize(("kind", "message"), [(kind, m) for kind, messages in MESSAGES.items() for m in messages])
def test_a_real_message_is_known_by_its_kind(kind, message):
    event = event_in(message, 7)
    assert event is not None
    assert (event.kind, event.line) == (kind, 7)


@pytest.mark.parametrize("line", LOOKALIKES)
def test_what_only_looks_like_an_error_is_none(line):
    event = event_in(line, 1)
    assert (event.kind if event else "") == ("python-error" if line.startswith("ImportError") else "")


def test_a_rank_a_date_and_colours_before_a_message_change_nothing():
    plain = "ValueError: Attempting to unscale FP16 gradients."
    for prefix in ("[rank1]: ", "[default7]:", "3: ", "\x1b[31m", "2025-04-08 18:07:20,123 - ", "[2025-04-08 18:07:20] ERROR: "):
        event = event_in(prefix + plain, 1)
        assert event is not None, prefix
        assert event.kind == "unscale-half-gradients"


@pytest.mark.parametrize("line", ["A." * 200_000, "x" * 400_000 + "Error", 'File "' + "a, in evaluate" * 50_000, "cuda " * 100_000])
def test_a_very_long_line_is_looked_at_in_no_time(line):
    began = time.perf_counter()
    event_in(line + " out of memory error", 1)
    assert time.perf_counter() - began < 0.5


def test_every_kind_but_the_documented_ones_is_shown_here_by_a_real_message():
    documented = {rule.thresholds["kind"] for rule in RULES if rule.id < "ERROR-013" and rule.detector == "event_logged"}
    assert {kind for kind, _, _ in PATTERNS} - documented - set(MESSAGES) <= {"evaluating"}


def _run(text):
    (run,) = read_bytes(text.encode(), "log")
    return run


def _crashes(text):
    return [f.rule.slug for f in diagnose(_run(text), RULES).findings if f.rule.family == "errors"]


STEPS = "".join(f"step {s} loss {2 - s / 100:.2f}\n" for s in range(1, 4))
OOM = "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB.\n"
TIMEOUT = "[E ProcessGroupNCCL.cpp:737] [Rank 3] Watchdog caught collective operation timeout: WorkNCCL(SeqNum=4)\n"
TRACEBACK = 'Traceback (most recent call last):\n  File "train.py", line 3, in <module>\n'


@pytest.mark.parametrize(
    ("log", "told"),
    [
        (TRACEBACK + OOM, ["out-of-memory"]),
        (TIMEOUT + OOM + "Killed\n", ["out-of-memory"]),
        (OOM + "torch.distributed.elastic.multiprocessing.errors.ChildFailedError:\n", ["out-of-memory"]),
        (TRACEBACK + "ValueError: three\n" + TIMEOUT, ["python-error"]),
        (TIMEOUT + MESSAGES["time-limit"][0] + "\n", ["collective-timeout"]),
        (
            "json.decoder.JSONDecodeError: Expecting value: line 1 column 1 (char 0)\n"
            "datasets.exceptions.DatasetGenerationError: An error occurred while generating the dataset\n",
            ["json-invalid"],
        ),
        ("KeyboardInterrupt\n" + TRACEBACK + "BrokenPipeError: [Errno 32] Broken pipe\n", ["interrupted"]),
        ("ValueError: read example failed: a.jsonl:3: Expecting value\n" + OOM, ["out-of-memory", "read-example-failed"]),
    ],
)  # fmt: skip
def test_one_cause_is_told_once_and_its_consequences_are_not(log, told):
    assert sorted(_crashes(STEPS + log)) == sorted(told)
    assert sorted(_crashes(log)) == sorted(told), "also where the log holds only the error"


def test_of_a_chain_of_unknown_exceptions_the_one_that_began_it_is_told():
    link = "\nDuring handling of the above exception, another exception occurred:\n\n"
    log = STEPS + TRACEBACK + "KeyError: 'a'\n" + TRACEBACK + "ValueError: one\n" + link + TRACEBACK + "TypeError: two\n"
    (finding,) = (f for f in diagnose(_run(log), RULES).findings if f.rule.slug == "python-error")
    assert finding.hit.facts["text"] == "ValueError: one"


def test_an_error_that_the_run_survived_is_no_crash():
    assert _crashes(STEPS + OOM + "step 4 loss 1.90\nstep 5 loss 1.89\n") == []


def test_an_error_knows_the_step_before_it():
    run = _run(STEPS + OOM)
    (finding,) = diagnose(run, RULES).findings[:1]
    assert Words("en", run).point(finding.hit.evidence[0]) == "line 4, after step 3"


def test_a_flood_of_one_kind_is_counted_and_hides_no_other():
    flood = "".join(
        f"step {s} loss 2.0\n[deepspeed] OVERFLOW! Rank 0 Skipping step. Attempted loss scale: 2, reducing to 1\n"
        for s in range(10_000)
    )
    run = _run(flood + OOM)
    overflows = [e for e in run.events if e.kind == "loss-scale-overflow"]
    assert len(overflows) == 2 * KEPT_EVENTS
    assert sum(e.count for e in overflows) == 10_000
    assert (overflows[0].line, overflows[-1].line) == (2, 20_000)
    assert run.events[-1].kind == "out-of-memory"
