"""Any text that prints `step … loss …`: finds `key=value`, `key: value`, `'key': value`, `loss is 2.3` and `loss 2.3`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass, field
from functools import lru_cache

from advisor.readers.banners import Banners
from advisor.readers.base import OF_TEST_SET, Format, Record, Row, Settings, Source
from advisor.readers.bulk import NOTHING, Known, Told, read_lines
from advisor.readers.clean import NUMBER, number, pieces, split_rank, strip_markup
from advisor.readers.events import event_in, may_be_event
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
_TRAINED = frozenset({"train_loss", "train_perplexity"})
_TRAINING = re.compile(r"(?<![a-z])train", re.IGNORECASE)
_SOURCE_FILE = re.compile(r"[\w/.-]+\.py\b|^[^\n|]{0,120}?\b(?:INFO|DEBUG|WARNING)\b")
"""Names of files and of loggers: `train.py` does not say what a line tells of, nor does `src.training.loop - INFO`."""

_RETOLD = re.compile(r"\b(?:best|final|sav(?:e|ed|ing)|improv\w*|previous|early stopping|patience|minimum)\b", re.IGNORECASE)


def read(source: Source) -> Iterator[Record]:
    """Yield a row for each line that holds a loss, and the events between them.

    Lines that name a step or an epoch are preferred: where there is one, a train loss without either is no point of the curve.
    A bar that counts on before it shows the new figures is read when it leaves the place.
    """
    held: _OfBar | None = None
    for record in read_lines(source, _Console()):
        of_bar = record if isinstance(record, _OfBar) else None
        if held and of_bar and _place(of_bar) == _place(held):
            held = _OfBar(of_bar.line, {**held.values, **of_bar.values})
            continue
        if held:
            yield held
        held = of_bar
        if not held:
            yield record
    if held:
        yield held


class _OfBar(Row):
    """The figures of a bar that names a step."""


def _place(row: Row) -> tuple[float | None, float | None]:
    return row.values.get("epoch"), row.values.get("step")


@dataclass
class _Console:
    """How a line is read, and what the lines so far say of it.

    anchored_train: a train loss stood beside a step or an epoch. evaluation_follows: it was announced. in_evaluation: its batches
    are counted, in_paddle being the latest. evaluated: what a bar showed last. epoch, step: those of the last heading.
    """

    known: Known = field(default_factory=dict)
    anchored_train: bool = False
    evaluation_follows: bool = False
    in_evaluation: bool = False
    in_paddle: Row | None = None
    evaluated: float | None = None
    epoch: float | None = None
    step: float | None = None
    ranks: OneRank = field(default_factory=OneRank)
    banners: Banners = field(default_factory=Banners)

    def told(self, shape: str) -> Told | None:
        """Return what lines of this shape say where it needs no more than the table of names: a loss and its place, or nothing."""
        if self.in_evaluation or any(sign in shape for sign in _BY_ITSELF) or split_rank(shape)[0] is not None:
            return None
        layout = _layout.of_shape(shape)
        if layout is None or layout.pair is not None:
            return None
        names = {name for name, _, _ in layout.spans}
        if not is_loss_like(names):
            return None if self._may_matter(shape) else NOTHING
        if AXES_SET.isdisjoint(names) or _tells_of_test_set(names, shape):
            return None
        self.evaluation_follows = False
        self.anchored_train |= not _TRAINED.isdisjoint(names)
        return Told(layout.spans, (("epoch", self.epoch),) if self.epoch is not None and "epoch" not in names else ())

    def _may_matter(self, text: str) -> bool:
        """Tell whether a line without a loss may say something of those that follow, or be an event."""
        told = _HEADING.match(text) or _step_heading(text) or _EVALUATION_FOLLOWS.search(text) or _EVALUATION_OF_PADDLE.match(text)
        return bool(told) or self.banners.may_tell(text) or may_be_event(text)

    def records(self, line: int, raw: str) -> Iterator[Record]:
        """Yield what one line says, of which bars may have written several one over the other."""
        for rank, text in pieces(raw):
            measured = parse_line(text)
            in_bar = bool(measured) and _BAR_SIGN in text
            bar = _BAR_LINE.search(text) if in_bar else None
            if bar and bar[1] == "0" and "loss" in bar[0]:
                continue  # The bar of a new epoch, with the figures of the last.
            if in_bar and "eval_loss" in measured and _BAR.search(text):
                # A bar shows the last evaluation until the next one.
                self.evaluated, shown = measured["eval_loss"], self.evaluated
                measured = {name: v for name, v in measured.items() if name != "eval_loss" or v != shown}
            tells = bool(measured) and is_loss_like(measured)
            if tells and rank is not None and not self.ranks.keeps(rank, measured):
                yield from self.ranks.left_out()
            elif tells and self.in_evaluation:
                # Its last line tells of the whole evaluation.
                self.in_paddle = Row(line, {name: v for name, v in of_evaluation(measured).items() if name not in AXES})
            elif tells:
                yield from self._row(line, text, measured, bar is not None and "step" in measured)
            elif (event := event_in(text, line)) is not None:
                yield event
            elif settings := self.banners.settings_in(text):
                yield Settings(settings)
            else:
                yield from self._announced(text)

    def _row(self, line: int, text: str, measured: Mapping[str, float], of_bar: bool) -> Iterator[Row]:
        """Yield the row of a line that names a loss, unless it only tells again what others have told."""
        anchored = "step" in measured or "epoch" in measured
        if self.evaluation_follows and not anchored:
            measured = of_evaluation(measured)
        self.evaluation_follows = False
        if not anchored and (_RETOLD.search(text) or (self.anchored_train and _tells_of_training(measured))):
            return
        if self.epoch is not None and "epoch" not in measured and (anchored or not self.anchored_train):
            measured = {"epoch": self.epoch, **measured}
        if self.step is not None and not anchored:
            measured = {"step": self.step, **measured}
        if _tells_of_test_set(measured.keys(), text):
            measured = {**measured, OF_TEST_SET: 1.0}
        self.anchored_train |= anchored and not _TRAINED.isdisjoint(measured)
        yield (_OfBar if of_bar else Row)(line, measured)

    def _announced(self, text: str) -> Iterator[Row]:
        """Take what a line without figures says of those that follow. Yields the evaluation that it ends."""
        heading, marked = _HEADING.match(text), _EVALUATION_OF_PADDLE.match(text)
        follows = _EVALUATION_FOLLOWS.search(text) is not None
        if heading or marked or (follows and not self.evaluation_follows):
            self.known.clear()
        if heading:
            self.epoch = float(heading[1])
        elif at := _step_heading(text):
            self.step = float(at[1])
        self.evaluation_follows |= follows
        if marked:
            self.in_evaluation = marked[1] == "begin"
            if self.in_paddle:
                yield self.in_paddle
            self.in_paddle = None


_BY_ITSELF = ("\r", "\x1b", _BAR_SIGN, "[/")
"""What makes a line be looked at by itself: bars, colours and marks of them."""


def _tells_of_training(measured: Mapping[str, float]) -> bool:
    return "train_loss" in measured or measured.keys() == {"train_perplexity"}


def _step_heading(text: str) -> re.Match[str] | None:
    return _STEP_HEADING.search(text) if text[-1:].isdigit() else None


def _tells_of_test_set(names: Set[str], text: str) -> bool:
    """Tell whether a line tells of an evaluation of the test set, and of no other."""
    if "est" not in text or "train_loss" in names or names.isdisjoint(("eval_loss", "eval_perplexity")):
        return False
    return bool(_TEST_SET.search(text)) and not _VALIDATION_SET.search(_SOURCE_FILE.sub("", text))


def anchored_row(text: str, line: int) -> Row | None:
    """Return the row of a line that names both a place on the axis and a loss, or None."""
    measured = parse_line(text)
    if measured and is_loss_like(measured) and not AXES_SET.isdisjoint(measured) and not _RETOLD.search(text):
        return Row(line, measured)
    return None


def may_be_anchored(shape: str) -> bool:
    """Tell whether a line of this shape may name both a place on the axis and a loss."""
    layout = _layout.of_shape(shape) if "[/" not in shape else None
    if layout is None:
        return True
    names = {name for name, _, _ in layout.spans}
    return is_loss_like(names) and (not AXES_SET.isdisjoint(names) or layout.pair is not None)


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
