"""Any text that prints `step … loss …`: finds `key=value`, `key: value`, `'key': value`, `loss is 2.3` and `loss 2.3`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from advisor.readers.banners import Banners
from advisor.readers.base import OF_TEST_SET, Format, Record, Row, Settings, Source
from advisor.readers.clean import NUMBER, number, pieces, strip_markup
from advisor.readers.events import event_in
from advisor.readers.names import AXES, OTHER_LOSSES, canonical, is_loss_like, normalise, of_evaluation
from advisor.readers.ranks import OneRank
from advisor.readers.shapes import Spans, by_shape, has_digit, numbers_at

_EXCLUDED = frozenset(normalise(f"{word} loss") for word in OTHER_LOSSES if word != "final")
"""A final loss is that of an epoch where the line names one, and is told again where it does not."""

_WORD = r"[A-Za-z_\u4e00-\u9fff][\w./%-]*+"
_METRIC = re.compile(
    rf"(?<![\w./@-])(?P<key>{_WORD}(?: (?!(?:nan|inf|infinity|is)\b){_WORD}){{0,3}}+)['\"]?(?:\s*\([^():=]{{0,20}}\))?"
    rf"(?:\s*(?:=+>?|:+|->|→|：|\||\bis\b)\s*|\s+)(?:tensor\()?['\"\[]?(?P<value>(?>\d{{1,3}}(?:,\d{{3}})+(?![\d,])(?:\.\d+)?|{NUMBER}))(?!\d*[/:]\d)(?P<end>%\||.?)",
    re.IGNORECASE,
)
"""Up to four words and a number, with or without a sign between them. Which words count is decided by the table of names."""

_IS_IN_CHINESE = re.compile(r"为(?=\s*[:：]?\s*[-+]?(?:\.?\d|nan|inf))", re.IGNORECASE)
_VALUE_AND_MEAN = re.compile(r"(\[\s*\d+\.\d+)/(?=\s*\d+\.\d+\])")
"""MindFormers' `loss:[2.31/2.40]`: the last value and the mean so far."""

_AXIS = re.compile(
    r"(?<![\w-])['\"]?(?P<key>(?:global[ _]|current[ _]|train(?:ing)?[ _])?(?:step|epoch|iteration|iter|update|num_updates)s?"
    r"|current_steps|(?:全局|训练)?(?:轮次|轮数|步数|迭代)|train(?=: \d+ \[))['\"]?(?P<of>\(\w+\))?(?:\.\.\.)?[\s:=#\[(|：]*"
    r"(?P<value>\d[\d,]*(?:\.\d+)?)(?![\d.]*[%\w])\s*(?:(?:/|of|out of)\s*(?P<total>\d[\d,]*))?",
    re.IGNORECASE,
)
_COUNTED = re.compile(r"第\s*(\d+)\s*个?\s*(步|轮|次迭代|epoch|step)|(?<=\| )\s*(\d+)\s*/\s*\d+ batches")
_EPOCH_THEN_BATCH = re.compile(r"\bepoch\s+\d+,\s+(\d+)/\s*\d+;", re.IGNORECASE)
"""The batch of OpenNMT-py's first console: `Epoch  2,   550/  725; acc: …`."""

_PAIRED = re.compile(
    r"^\W*(?P<epoch>\d+)\|(?P<step>\d+)\|Loss: |\bTRAIN Batch (?P<epoch_of_batch>\d+)/(?P<batch>\d+) "
    r"|^\W*(?:mini)?E (?P<mini_epoch>\d+) s (?P<mini_step>\d+) prog "
)
"""Places without a word for each: torchtune's `1|10|Loss: 2.3`, WeNet's `TRAIN Batch 0/100 loss 2.3`, RWKV's `miniE 1 s 833`."""

_BARE_STEP = re.compile(r"^\s*(\d+) \| (?:train )?loss\b", re.IGNORECASE)
"""The step alone, as llama2.c prints it: `10 | loss 2.31 | lr 1e-4`."""

_STEP_OF_EVALUATION = re.compile(r"(?:val|valid|validation|eval|evaluation|test)[ _-]*$", re.IGNORECASE)
_BATCH = re.compile(
    r"(?<![\w-])(?:mini-?)?batch(?:es|[ _]?(?:idx|index|num|number|id|no))?\.?[\s:：=#\[(]*(\d[\d,]*)"
    r"(?![\d.]*[%\w.])(?:\s*/\s*\d+)?",
    re.IGNORECASE,
)
_EP = re.compile(r"(?<![\w-])ep\.?[\s:：=\[]*(\d+)(?![\d.]*[%\w])", re.IGNORECASE)
"""Words that are places only where no better one stands in the line."""

_STEP_WORDS = ("step", "iter", "update", "步", "迭代")
_BRACKET_STEP = re.compile(r"[\[(]\s*(\d+)\s*/\s*(\d+)\s*(?:\(\s*[\d.]+\s*%\))?\s*[\])]")
_BAR = re.compile(r"\d+%\|[^|]*\|\s*(\d+)/(\d+)\s*\[[^,\]]*(?:,\s*[\d.?]+\s?(?:s/it|it/s|\w+/s))?")
_BAR_SIGN = "%|"
_BAR_LINE = re.compile(r"\d+%\|[^|]*\|\s*(\d+)/\d+\s*\[[^\]]*\]\s*$")
_EVALUATION = re.compile(
    r"(?<!\w)(?:val(?:id(?:ation|ate)?)?|eval(?:uation|uating)?|dev|test(?:ing)?|saving dict for global step)(?!\w)|\[metrics\]",
    re.IGNORECASE,
)
_TEST_SET = re.compile(r"(?<![a-z])test(?:ing)?(?![a-z])", re.IGNORECASE)
_VALIDATION_SET = re.compile(r"(?<![a-z])(?:val(?:id(?:ation|ate)?)?|eval(?:uation)?|dev)(?![a-z])", re.IGNORECASE)
_EVALUATION_FOLLOWS = re.compile(r"^\W*(?:evaluating|validating|running (?:evaluation|validation))\b", re.IGNORECASE)
_EVALUATION_OF_PADDLE = re.compile(r"Eval (begin|samples)\b")
"""Between these lines Paddle's `Model.fit` counts the batches of an evaluation."""

_HEADING = re.compile(
    r"^(?:\[?\d{4}[-/]\d\d[-/]\d\d[ T][\d:.,]+\]?[^\n]{0,40}?\b(?:INFO|DEBUG)\b)?[\W_]*epoch[\s:=#\[]*(\d+)\b(?![.%])"
    r"(?![^\n]*\b(?:loss|ppl)\b)",
    re.IGNORECASE,
)
"""A line of its own that says which epoch begins, also after a logger's mark: `Epoch 3/10`, `======== Epoch 3 / 4 ========`."""

_STEP_HEADING = re.compile(r"(?:^\W*|\])(?:iter(?:ation)?|step)[\s:#]*(\d+)(?:\s*/\s*\d+)?\W*$", re.IGNORECASE)
"""A line of its own that says at which step the next lines are, at the end of a bar or not: `Iter: 100`."""

_EPOCH_WORD = re.compile(r"epoch|train: ", re.IGNORECASE)
_TRAINING = re.compile(r"(?<![a-z])train", re.IGNORECASE)
_SOURCE_FILE = re.compile(r"[\w/.-]+\.py\b|^[^\n|]{0,120}?\b(?:INFO|DEBUG|WARNING)\b")
"""Names of files and of loggers: `train.py` does not say what a line tells of, nor does `src.training.loop - INFO`."""

_RETOLD = re.compile(r"\b(?:best|final|sav(?:e|ed|ing)|improv\w*|previous|early stopping|patience|minimum)\b", re.IGNORECASE)


def read(source: Source) -> Iterator[Record]:
    """Yield a row for each line that holds a loss, and the events between them.

    Lines that name a step or an epoch are preferred: where there is one, a train loss without either is no point of the curve.
    A bar that counts on before it shows the new figures is read when it leaves the place.
    """
    held: Row | None = None
    for record, in_bar in _records(source):
        if held and in_bar and isinstance(record, Row) and _place(record) == _place(held):
            held = Row(record.line, {**held.values, **record.values})
            continue
        if held:
            yield held
        held = record if in_bar and isinstance(record, Row) else None
        if not held:
            yield record
    if held:
        yield held


def _place(row: Row) -> tuple[float | None, float | None]:
    return row.values.get("epoch"), row.values.get("step")


def _records(source: Source) -> Iterator[tuple[Record, bool]]:
    """Yield (record, whether it is the figures of a bar that names a step)."""
    anchored_train = evaluation_follows = in_evaluation = False
    evaluated: float | None = None
    in_paddle: Row | None = None
    epoch: float | None = None
    step: float | None = None
    ranks, banners = OneRank(), Banners()
    for line, raw in source.lines():
        if not raw:
            continue
        for rank, text in pieces(raw):
            measured = parse_line(text)
            in_bar = bool(measured) and _BAR_SIGN in text
            bar = _BAR_LINE.search(text) if in_bar else None
            if bar and bar[1] == "0" and "loss" in bar[0]:
                continue  # The bar of a new epoch, with the figures of the last.
            if in_bar and "eval_loss" in measured and _BAR.search(text):
                # A bar shows the last evaluation until the next one.
                evaluated, shown = measured["eval_loss"], evaluated
                measured = {name: v for name, v in measured.items() if name != "eval_loss" or v != shown}
            tells = bool(measured) and is_loss_like(measured)
            if tells and rank is not None and not ranks.keeps(rank, measured):
                yield from ((record, False) for record in ranks.left_out())
            elif tells:
                anchored = "step" in measured or "epoch" in measured
                if in_evaluation:
                    # Its last line tells of the whole evaluation.
                    in_paddle = Row(line, {name: v for name, v in of_evaluation(measured).items() if name not in AXES})
                    continue
                if evaluation_follows and not anchored:
                    measured = of_evaluation(measured)
                evaluation_follows = False
                if not anchored and (_RETOLD.search(text) or (anchored_train and _tells_of_training(measured))):
                    continue
                if epoch is not None and "epoch" not in measured and (anchored or not anchored_train):
                    measured = {"epoch": epoch, **measured}
                if step is not None and not anchored:
                    measured = {"step": step, **measured}
                if "est" in text and _tells_of_test_set(measured, text):
                    measured = {**measured, OF_TEST_SET: 1.0}
                anchored_train = anchored_train or (anchored and not measured.keys().isdisjoint(("train_loss", "train_perplexity")))
                yield Row(line, measured), bar is not None and "step" in measured
            elif (event := event_in(text, line)) is not None:
                yield event, False
            elif settings := banners.settings_in(text):
                yield Settings(settings), False
            else:
                if ("poch" in text or "POCH" in text) and (heading := _HEADING.match(text)):
                    epoch = float(heading[1])
                elif text[-1:].isdigit() and (heading := _STEP_HEADING.search(text)):
                    step = float(heading[1])
                evaluation_follows |= _EVALUATION_FOLLOWS.search(text) is not None
                if marked := _EVALUATION_OF_PADDLE.match(text):
                    in_evaluation = marked[1] == "begin"
                    if in_paddle:
                        yield in_paddle, False
                    in_paddle = None


def _tells_of_training(measured: Mapping[str, float]) -> bool:
    return "train_loss" in measured or measured.keys() == {"train_perplexity"}


def _tells_of_test_set(measured: Mapping[str, float], text: str) -> bool:
    """Tell whether a line tells of an evaluation of the test set, and of no other."""
    if "train_loss" in measured or measured.keys().isdisjoint(("eval_loss", "eval_perplexity")):
        return False
    return bool(_TEST_SET.search(text)) and not _VALIDATION_SET.search(_SOURCE_FILE.sub("", text))


def anchored_row(text: str, line: int) -> Row | None:
    """Return the row of a line that names both a place on the axis and a loss, or None."""
    measured = parse_line(text)
    if measured and is_loss_like(measured) and not AXES_SET.isdisjoint(measured) and not _RETOLD.search(text):
        return Row(line, measured)
    return None


AXES_SET = frozenset(AXES)


def parse_line(text: str) -> Mapping[str, float]:
    """Return the quantities that one line of text names, by canonical name; empty where it names none."""
    if "[/" in text:
        text = strip_markup(text)
    layout = _layout(text)
    values = numbers_at(layout.spans, text)
    if layout.pair is not None:
        step = float(text[slice(*layout.pair)])
        if step != values["epoch"]:
            values["step"] = step
    return values


@dataclass(frozen=True, slots=True)
class _Layout:
    """Where the numbers of a line stand. pair: that of a lone `[3/10]`, which is a step unless it only repeats the epoch."""

    spans: Spans = ()
    pair: tuple[int, int] | None = None


@by_shape
def _layout(text: str) -> tuple[_Layout, bool]:
    """Find the quantities that one line of text names."""
    if "CV Batch " in text:  # WeNet's loss of one batch of an evaluation
        return _Layout(), True
    if "当前" in text:  # "current", before any word
        text = text.replace("当前", "  ")
    if "为" in text:
        text = _IS_IN_CHINESE.sub(" ", text)
    if "[" in text:
        text = _VALUE_AND_MEAN.sub(r"\1 ", text)
    found: dict[str, tuple[int, int]] = {}
    told_by_shape = True
    for match in _METRIC.finditer(text):
        told_by_shape &= not has_digit(match["key"])
        name = _quantity(match["key"])
        is_number = not match["end"].isalpha() and match["end"] != _BAR_SIGN and number(match["value"]) is not None
        if name is None or name in found or not is_number:
            continue
        found[name] = match.span("value")
    if not found:
        return _Layout(), told_by_shape
    if "consumed samples" in text and "train_loss" not in found and "grad_norm" in found:
        begin, end = found["grad_norm"]
        if text[begin:end].lower() == "nan":
            # Megatron-DeepSpeed prints the loss only where it is above zero, which NaN is not.
            found["train_loss"] = begin, end
    if "train_loss" not in found if "eval_loss" in found else _is_evaluation(text):
        found = of_evaluation(found)
    axes, pair = _axes(text, "eval_loss" in found and "train_loss" not in found)
    return _Layout(tuple((name, *span) for name, span in (axes | found).items()), pair), told_by_shape


@lru_cache(maxsize=4096)
def _quantity(words: str) -> str | None:
    """Return the quantity that the last of these words name: `Epoch done Training Loss` is a training loss, `aux loss` is not."""
    parts = words.split(" ")
    for first in range(len(parts)):
        key = " ".join(parts[first:])
        if normalise(key) in _EXCLUDED:
            return None
        name = canonical(key)
        if name is not None:
            return name if name not in AXES else None
    return None


def _is_evaluation(text: str) -> bool:
    """Tell whether a line that says only `loss` speaks of an evaluation: `Validation: loss=0.5`."""
    return bool(_EVALUATION.search(text)) and not _TRAINING.search(_SOURCE_FILE.sub("", text))


def _axes(text: str, evaluation: bool) -> tuple[dict[str, tuple[int, int]], tuple[int, int] | None]:
    """Return where `text` names step and epoch: `Epoch [1/10], Step [260/904]`, `Epoch:[1/1](100/500)`, `1/2 [00:08<…`.

    Second, the place of the number that is the step unless it only repeats the epoch, where there is such a one.
    evaluation: the line tells of an evaluation only, so that what stands in brackets counts its batches.
    """
    if ("|Loss: " in text or "TRAIN Batch " in text or " prog " in text) and (paired := _PAIRED.search(text)):
        step = paired.lastindex or 0
        return {"epoch": paired.span(step - 1), "step": paired.span(step)}, None
    axes: dict[str, tuple[int, int]] = {}
    for match in _AXIS.finditer(text):
        key = match["key"].lower()
        name = "step" if any(word in key for word in _STEP_WORDS) else "epoch"
        if evaluation and name == "step" and (match["of"] or _STEP_OF_EVALUATION.search(text, 0, match.start())):
            continue  # `Iter(val) [10/10]` and `Val Step 10/10` count the batches of the evaluation.
        # The step of the run is better than that of the epoch or of a part of it.
        if number(match["value"]) is not None and (name not in axes or key.startswith("global")):
            axes[name] = match.span("value")
    for match in _COUNTED.finditer(text):
        axes.setdefault("epoch" if match[2] in ("轮", "epoch") else "step", match.span(1 if match[1] else 3))
    if not axes and (bare := _BARE_STEP.match(text)):
        axes["step"] = bare.span(1)
    if "epoch" not in axes and (ep := _EP.search(text)):
        axes["epoch"] = ep.span(1)
    if "step" not in axes and "epoch" in axes and not evaluation and (batch := _BATCH.search(text)):
        axes["step"] = batch.span(1)
    if "step" not in axes and "epoch" in axes and (batch := _EPOCH_THEN_BATCH.search(text)):
        axes["step"] = batch.span(1)
    if "step" not in axes and (bar := _BAR.search(text)):
        axes["step"] = bar.span(1)
    elif "step" not in axes and "epoch" in axes and not evaluation:
        word = _EPOCH_WORD.search(text)
        pairs = list(_BRACKET_STEP.finditer(text, word.start() if word else 0))
        if len(pairs) > 1:
            axes["step"] = pairs[-1].span(1)
        elif pairs:
            return axes, pairs[0].span(1)
    return axes, None


_SERVES = (
    "hand-written loops with a heading for each epoch",
    "accelerate and tqdm", "ColossalAI", "DeepSpeed", "detectron2 (console)", "DETR, MAE and other users of MetricLogger",
    "diffusers", "Flair", "hand-written loops", "hand-written loops (Chinese)", "icefall", "kohya-ss sd-scripts", "llm.c",
    "MaxText", "Megatron-DeepSpeed", "Megatron-LM", "MindFormers", "MindSpore, ModelArts", "minimind", "mlx-lm until 2025",
    "mmcv 1", "mmengine (MMDetection, MMPretrain)", "modded-nanogpt", "nanochat", "nanoGPT", "NeMo", "NeMo (bar)", "OpenNMT-py",
    "OpenRLHF", "PaddleClas", "PaddleDetection", "PaddleNLP", "PaddleOCR", "PaddleSeg", "Paddle (Model.fit)",
    "PyTorch examples (ImageNet)",
    "PyTorch examples (MNIST)", "PyTorch examples (word_language_model)", "PyTorch Lightning (bar)", "Sockeye (metrics)",
    "TensorFlow estimators (BERT, tensor2tensor)", "timm (console)", "torchtitan", "torchtune",
    "transformers' Flax examples", "transformers' run_clm_no_trainer", "verl", "WeNet", "xtuner, mmengine",
)  # fmt: skip
FORMAT = Format(
    name="text",
    serves=_SERVES,
    title={"en": "text with `step … loss …` lines", "zh": "含 `step … loss …` 的文本日志"},
    read=read,
    keeps_ranks_apart=True,
    example="step 10 | loss 2.31 | lr 1e-4\nepoch 1: train_loss=2.05 val_loss=2.18",
)
