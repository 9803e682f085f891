"""Any text that prints `step … loss …`: finds `key=value`, `key: value`, `'key': value`, `loss is 2.3` and `loss 2.3`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from advisor.readers.banners import Banners
from advisor.readers.base import OF_TEST_SET, Format, Record, Row, Settings, Source
from advisor.readers.bulk import NOTHING, Known, Told, read_lines
from advisor.readers.clean import pieces, split_rank
from advisor.readers.events import event_in, may_be_event
from advisor.readers.names import AXES, is_loss_like, of_evaluation
from advisor.readers.ranks import OneRank
from advisor.readers.text_line import AXES_SET, BAR, BAR_SIGN, RETOLD, layout_of, parse_line, tells_of_test_set

_BAR_LINE = re.compile(r"\d+%\|[^|]*\|\s*(\d+)/\d+\s*\[[^\]]*\]\s*$")
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

_TRAINED = frozenset({"train_loss", "train_perplexity"})


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
        layout = layout_of.of_shape(shape)
        if layout is None or layout.pair is not None:
            return None
        names = {name for name, _, _ in layout.spans}
        if not is_loss_like(names):
            return None if self._may_matter(shape) else NOTHING
        if AXES_SET.isdisjoint(names) or tells_of_test_set(names, shape):
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
            in_bar = bool(measured) and BAR_SIGN in text
            bar = _BAR_LINE.search(text) if in_bar else None
            if bar and bar[1] == "0" and "loss" in bar[0]:
                continue  # The bar of a new epoch, with the figures of the last.
            if in_bar and "eval_loss" in measured and BAR.search(text):
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
        if not anchored and (RETOLD.search(text) or (self.anchored_train and _tells_of_training(measured))):
            return
        if self.epoch is not None and "epoch" not in measured and (anchored or not self.anchored_train):
            measured = {"epoch": self.epoch, **measured}
        if self.step is not None and not anchored:
            measured = {"step": self.step, **measured}
        if tells_of_test_set(measured.keys(), text):
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


_BY_ITSELF = ("\r", "\x1b", BAR_SIGN, "[/")
"""What makes a line be looked at by itself: bars, colours and marks of them."""


def _tells_of_training(measured: Mapping[str, float]) -> bool:
    return "train_loss" in measured or measured.keys() == {"train_perplexity"}


def _step_heading(text: str) -> re.Match[str] | None:
    return _STEP_HEADING.search(text) if text[-1:].isdigit() else None


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
