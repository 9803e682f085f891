"""The words that give a known error away: one table, in order of precedence."""

from __future__ import annotations

from enum import IntEnum


class Weight(IntEnum):
    """How much an event explains. Of what happened at one place of a run, the least weight is told; the rest follows from it.

    NOTE: said beside any other. CAUSE: names what went wrong. LOOSE: says where rather than what, or stands in healthy logs too.
    ASKED: somebody stopped the run at the keyboard. GENERIC: any exception. EFFECT: what other processes notice of a failure.
    STOPPED: the cluster ended the run and says why. CANCELLED: the run was told to end. LAUNCHER: the program that started the
    processes says that one failed.
    """

    NOTE = -1
    CAUSE = 0
    LOOSE = 1
    ASKED = 2
    GENERIC = 3
    EFFECT = 4
    STOPPED = 5
    CANCELLED = 6
    LAUNCHER = 7


FROM_OUTSIDE = frozenset({"killed-for-memory", "killed", "job-cancelled", "time-limit", "preempted"})
"""What the cluster says of a run that it ended: its words may stand before the last lines that the run had printed."""

PATTERNS: tuple[tuple[str, Weight, str], ...] = (
    # Notes.
    ("loss-scale-overflow", Weight.NOTE, r"overflow.{0,80}skipping step.{0,60}loss scale"),
    (
        "evaluating",
        Weight.NOTE,
        r"^\s*file \".+, in (?:evaluat\w*|_evaluate|prediction_step|predict_step|eval_\w+|valid\w*)\s*$",
    ),
    (
        "resume",
        Weight.NOTE,
        r"continuing training from checkpoint|resum(?:ed?|ing) (?:training )?(?:from|at) (?!none|false|null)"
        r"|successfully loaded checkpoint .{0,300} at iteration [1-9]|restored (?:all )?states? from (?:the )?checkpoint",
    ),
    ("inputs-without-gradient", Weight.NOTE, r"none of the inputs have requires_grad=true"),
    (
        "chained",
        Weight.NOTE,
        r"^\s*(?:during handling of the above exception|the above exception was the direct cause)",
    ),
    # What a platform documents.
    ("read-example-failed", Weight.CAUSE, r"read example failed"),
    ("valid-number-zero", Weight.CAUSE, r"valid number is 0\b"),
    ("label-map-mismatch", Weight.CAUSE, r"label_?map not match"),
    ("dataset-list-empty", Weight.CAUSE, r"dataset list is empty|数据集列表为空"),
    ("driver-version", Weight.CAUSE, r"model\.5001000[12]\b"),
    ("disk-full", Weight.CAUSE, r"model\.50010003\b|no space left on device|disk quota exceeded"),
    ("object-storage", Weight.CAUSE, r"model\.5001010[146]\b|model\.6001010[12]\b"),
    ("hdfs", Weight.CAUSE, r"model\.5001010[78]\b"),
    ("data-processing-failed", Weight.CAUSE, r"model\.60010103\b"),
    ("platform-step-failed", Weight.CAUSE, r"model\.60010(?:30[1-4]|201)\b"),
    ("not-enough-data", Weight.CAUSE, r"notenough(?:train|valid)data"),
    (
        "format-mismatch",
        Weight.CAUSE,
        r"file format mismatch, ?require|verification failed.{0,40}(?:data|content|format)",
    ),
    # Numbers.
    ("loss-scale-minimum", Weight.CAUSE, r"loss scale already at minimum|minimum loss scale reached"),
    (
        "nan-detected",
        Weight.CAUSE,
        r"returned nan values in its \d+(?:st|nd|rd|th) output|loss is (?:nan|inf)\w*, stopping"
        r"|(?:error|exception).{0,40}\b(?:loss|gradients?|norm)\b.{0,20}\b(?:nan|inf|infinite|not finite|non-finite)\b"
        r"|contains either `?inf`?, `?nan`? or element < 0|nans? (?:or infs? )?detected in (?:output|loss|grad)"
        r"|found nan in (?:local|param|grad)",
    ),
    # Memory.
    (
        "host-memory",
        Weight.CAUSE,
        r"defaultcpuallocator: (?:can't allocate memory|not enough memory)"
        r"|cannot allocate memory(?! in static tls)|^memoryerror\b|std::bad_alloc|numpy\.\S*arraymemoryerror",
    ),
    (
        "killed-for-memory",
        Weight.CAUSE,
        r"\boom[-_ ]?kill|out of memory: killed process|memory cgroup out of memory"
        r"|exceeded (?:job|step) memory limit|\bstate[:=] ?out_of_memory|oomkilled",
    ),
    (
        "out-of-memory",
        Weight.CAUSE,
        r"\b(?:cuda|npu|hip|mps|xpu|gpu|tpu|device)\b.{0,40}out of memory|outofmemoryerror: |error_out_of_memory"
        r"|resource_?exhausted|^\s*(?:\w+: )?(?:ran )?out of memory\b|no executable batch size found",
    ),
    (
        "accelerator-allocation",
        Weight.LOOSE,
        r"c(?:ublas|udnn|usparse|usolver)_status_(?:alloc_failed|not_initialized)",
    ),
    # The accelerator and its software.
    (
        "accelerator-absent",
        Weight.CAUSE,
        r"torch not compiled with cuda enabled|no cuda gpus are available|found no nvidia driver"
        r"|attempting to deserialize object on a cuda device but|no cuda-capable device is detected",
    ),
    (
        "cuda-driver-old",
        Weight.CAUSE,
        r"nvidia driver on your system is too old|driver version is insufficient for cuda runtime",
    ),
    ("kernel-image-missing", Weight.CAUSE, r"no kernel image is available for execution"),
    (
        "bfloat-unsupported",
        Weight.CAUSE,
        r"your setup doesn't support bf16|bf16 mixed precision requires|bfloat16 is (?:not|only) supported on",
    ),
    (
        "flash-attention-unsupported",
        Weight.CAUSE,
        r"flash ?attention only supports? (?:fp16|ampere)|flash_attn_2_cuda.{0,80}undefined symbol"
        r"|flashattention2? (?:has been toggled on, but it cannot|is not (?:installed|supported))",
    ),
    (
        "label-out-of-range",
        Weight.CAUSE,
        r"`t >= 0 && t < n_classes`|cur_target >= 0 && cur_target < n_classes"
        r"|^(?:indexerror: )?target -?\d+ is out of bounds",
    ),
    (
        "token-out-of-range",
        Weight.CAUSE,
        r"indexerror: index out of range in self|srcindex < srcselectdimsize"
        r"|index(?:ing)?\w*\.cu.{0,120}index out of bounds|ind >= 0 && ind < ind_dim_size",
    ),
    ("device-assert", Weight.LOOSE, r"device-side assert triggered"),
    (
        "accelerator-fault",
        Weight.CAUSE,
        r"uncorrectable ecc error|fallen off the bus|an illegal memory access was encountered"
        r"|unspecified launch failure|nvrm: xid|cuda error: misaligned address",
    ),
    ("ascend-inner-error", Weight.LOOSE, r"\bee9999\b|\bei9999\b|\bez9999\b"),
    (
        "ascend-link",
        Weight.EFFECT,
        r"\bei000[26]\b|hccl\b.{0,60}(?:time(?:d)? ?out|times out)|getting socket times out"
        r"|hccl_(?:connect|exec)_timeout",
    ),
    # Data.
    (
        "json-row-too-large",
        Weight.CAUSE,
        r"straddling object straddles two block boundaries|maximum row size|block_size.{0,40}too small",
    ),
    (
        "json-type-changes",
        Weight.CAUSE,
        r"json parse error: column\(.*\) changed from|arrowtypeerror"
        r"|arrowinvalid: (?:could not convert|cannot mix)|couldn't cast array of type"
        r"|tried to convert to (?:int64|double|string)",
    ),
    (
        "columns-differ",
        Weight.CAUSE,
        r"because column names don't match|all the data files must have the same columns"
        r"|\bcasterror: couldn't cast|keys mismatch: between|columns names don't match",
    ),
    (
        "json-invalid",
        Weight.CAUSE,
        r"\bjsondecodeerror\b|json parse error: |arrowinvalid: json"
        r"|expecting .{2,40}: line \d+ column \d+ \(char \d+\)",
    ),
    ("text-not-decodable", Weight.CAUSE, r"unicodedecodeerror: |'utf-?8' codec can't decode"),
    (
        "columns-missing",
        Weight.CAUSE,
        r"no columns in the dataset match the model's forward method"
        r"|keyerror: '(?:text|input_ids|labels|messages|prompt)'$",
    ),
    ("dataset-generation", Weight.LOOSE, r"datasetgenerationerror|an error occurred while generating the dataset"),
    # Tokenizer and template.
    (
        "pad-token-missing",
        Weight.CAUSE,
        r"asking to pad but the tokenizer does not have a padding token|if no padding token is defined",
    ),
    (
        "batch-ragged",
        Weight.CAUSE,
        r"unable to create tensor, you should probably activate|expected sequence of length \d+ at dim"
        r"|stack expects each tensor to be equal size|batch_size .{0,20}to match target batch_size",
    ),
    (
        "chat-template-missing",
        Weight.CAUSE,
        r"tokenizer\.chat_template is not set|no template argument was passed|does not have a chat template",
    ),
    (
        "chat-roles",
        Weight.CAUSE,
        r"conversation roles must alternate|system role not supported"
        r"|only user(?:, | and )assistant.{0,20}roles are supported",
    ),
    # Model, adapter and libraries.
    ("parameters-unused", Weight.CAUSE, r"expected to have finished reduction in the prior iteration"),
    ("parameters-ready-twice", Weight.CAUSE, r"expected to mark a variable ready only once"),
    ("devices-differ", Weight.CAUSE, r"expected all tensors to be on the same device"),
    (
        "checkpoint-unwritten",
        Weight.CAUSE,
        r"pytorchstreamwriter failed writing|unexpected pos \d+ vs \d+|iostream stream error|torch cannot write checkpoint",
    ),
    (
        "checkpoint-damaged",
        Weight.CAUSE,
        r"error while deserializing header|pytorchstreamreader failed|unpicklingerror: "
        r"|incomplete metadata, file not fully covered",
    ),
    ("gradient-missing", Weight.CAUSE, r"does not require grad and does not have a grad_fn"),
    (
        "target-modules-missing",
        Weight.CAUSE,
        r"target modules .{1,400} not found in the base model|no modules were targeted for adaptation"
        r"|please specify `target_modules`",
    ),
    (
        "weights-do-not-fit",
        Weight.CAUSE,
        r"^\s*size mismatch for |error\(s\) in loading state_dict|mismatched sizes: ",
    ),
    (
        "dtype-mismatch",
        Weight.CAUSE,
        r"expected scalar type \w+ but found|must have the same dtype|weight type \(.{1,60}\) should be the same"
        r"|bias type \(.{1,60}\) should be the same",
    ),
    ("half-overflow", Weight.CAUSE, r"value cannot be converted to type \S+ without overflow"),
    ("unscale-half-gradients", Weight.CAUSE, r"attempting to unscale fp16 gradients"),
    ("argument-unknown", Weight.CAUSE, r"typeerror: .{0,120}got an unexpected keyword argument"),
    (
        "package-missing",
        Weight.CAUSE,
        r"modulenotfounderror: "
        r"|importerror: .{0,200}(?:requires? the following packages|pip install|cannot import name)"
        r"|(?:\w*error: |^\s*)lib[\w.+-]+: cannot open shared object file",
    ),
    (
        "hub-access",
        Weight.CAUSE,
        r"gatedrepoerror|repositorynotfounderror|401 client error|cannot access gated repo"
        r"|is not a valid model identifier listed on",
    ),
    (
        "hub-unreachable",
        Weight.CAUSE,
        r"couldn't connect to 'https://huggingface\.co|localentrynotfounderror|^(?:\w+\.)*offlinemodeisenabled"
        r"|max retries exceeded.{0,200}huggingface|couldn't reach .{1,200} on the hub"
        r"|cannot send a request to .{0,20}offline",
    ),
    # The machine.
    (
        "shared-memory",
        Weight.CAUSE,
        r"out of shared memory|insufficient shared memory|creating shared memory segment"
        r"|/dev/shm.{0,60}(?:no space|too small|full)",
    ),
    ("too-many-files", Weight.CAUSE, r"too many open files|received 0 items of ancdata"),
    ("port-in-use", Weight.CAUSE, r"address already in use|\beaddrinuse\b"),
    (
        "file-missing",
        Weight.LOOSE,
        r"filenotfounderror: |\b\w*(?:error|exception|cannot|can't|fatal)\b.{0,200}no such file or directory"
        r"|^no such file",
    ),
    # What other processes notice, and the end from outside.
    (
        "data-worker-died",
        Weight.EFFECT,
        r"dataloader worker \(pid(?:\(s\))? .{0,60}(?:killed by signal|exited unexpectedly)",
    ),
    (
        "collective-timeout",
        Weight.EFFECT,
        r"watchdog caught collective operation timeout|ran for \d+ milliseconds before timing out"
        r"|some nccl operations have failed or timed out|monitored ?barrier.{0,80}(?:time|fail)"
        r"|(?:client )?socket has timed out after|got error: socket timeout|timed out initializing process group"
        r"|watchdog got stuck for",
    ),
    (
        "collective-failed",
        Weight.EFFECT,
        r"nccl(?:unhandledcuda|system|internal|remote|invalidusage)error|\bnccl error\b"
        r"|unhandled (?:cuda|system) error, nccl|connection (?:closed|reset) by (?:remote )?peer"
        r"|connection closed by remote",
    ),
    (
        "killed",
        Weight.EFFECT,
        r"^killed\s*$|\bkilled by signal\b|\bsigkill\b|exitcode:? ?-9\b|exit(?:ed with exit)? code:? ?137\b"
        r"|^\S* *line \d+: +\d+ killed\b",
    ),
    ("time-limit", Weight.STOPPED, r"cancelled at .{0,60}due to time limit"),
    (
        "preempted",
        Weight.STOPPED,
        r"cancelled at .{0,60}due to (?:preemption|node failure)|spot (?:instance )?(?:interruption|preempt)",
    ),
    ("job-cancelled", Weight.CANCELLED, r"cancelled at |received sigterm|sigterm received|got signal: 15\b"),
    ("interrupted", Weight.ASKED, r"^\s*keyboardinterrupt\b|\bsigint\b"),
    (
        "worker-failed",
        Weight.LAUNCHER,
        r"childfailederror|failed \(exitcode: -?\d+\)|calledprocesserror: .{0,400}non-zero exit status",
    ),
    ("python-error", Weight.GENERIC, r"^\s*(?:\w+\.)*[a-z]\w*(?:error|exception)(?::|$)"),
)
"""The kind, how much it explains, and what is looked for in a line in lower case. Of one line the first kind counts."""

MARKS = frozenset({"evaluating", "chained", "resume"})
"""Kinds that say what another event belongs to, and nothing by themselves."""

HINTS = (
    "from checkpoint", "resum", "loaded checkpoint", "ready only once",
    "finished reduction", "same device", "unexpected pos", "deserializing",
    "error", "exception", "fail", "of memory", "allocate memory", "memory limit", "shared memory", "memory access",
    "out_of_memory", "oom", "skipping step", "without overflow", "number is 0", "not match", "list is empty", "数据集",
    "no such", "no space", "quota", "model.5001", "model.6001", "notenough", "mismatch", "keyboardinterrupt", "sigint",
    "sigkill", "sigterm received", "received sigterm", "signal", "killed", "cancelled", "requires_grad", "require grad",
    "at minimum", "minimum loss", "nan values", "contains either", "nan in ", "nans ", "is nan", "is inf", "bad_alloc",
    "not compiled", "no cuda", "deserialize", "driver version", "driver on your", "nvidia driver", "kernel image",
    "support bf16", "bf16 mixed", "bfloat16 is", "flash", "assertion", "out of bounds", "device-side", "xid",
    "fallen off", "ee9999", "ei0", "ei9999", "ez9999", "hccl", "timeout", "timed out", "times out", "timing out",
    "straddl", "maximum row", "block_size", "changed from", "convert", "couldn't cast", "column", "keys mismatch",
    "codec", "to pad", "padding token", "create tensor", "of length", "each tensor", "match target", "template",
    "roles", "role not", "target modules", "target_modules", "modules were", "scalar type", "same dtype", "weight type",
    "bias type", "attempting to unscale", "keyword argument", "gated", "not a valid model", "couldn't connect",
    "couldn't reach", "max retries", "cannot send", "offlinemode", "dev/shm", "open files", "ancdata", "already in use",
    "eaddrinuse", "dataloader worker", "stuck for", "by peer", "by remote", "closed by", "exitcode", "exit code",
    "exited", "spot ", "exhausted", "executable batch", "(char ", 'file "',
)  # fmt: skip
"""Parts of words, one of which every line with an event holds: one quick look spares the healthy lines the rest."""
