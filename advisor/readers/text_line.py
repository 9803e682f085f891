"""What one line of a text log says: its quantities, and its place on the axis."""

from __future__ import annotations

import re
from collections.abc import Mapping, Set
from dataclasses import dataclass
from functools import lru_cache

from advisor.readers.base import Row
from advisor.readers.clean import NUMBER, number, strip_markup
from advisor.readers.names import AXES, OTHER_LOSSES, canonical, is_loss_like, normalise, of_evaluation
from advisor.readers.shapes import Spans, by_shape, has_digit, numbers_at

AXES_SET = frozenset(AXES)

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
BAR = re.compile(r"\d+%\|[^|]*\|\s*(\d+)/(\d+)\s*\[[^,\]]*(?:,\s*[\d.?]+\s?(?:s/it|it/s|\w+/s))?")
BAR_SIGN = "%|"
_EVALUATION = re.compile(
    r"(?<!\w)(?:val(?:id(?:ation|ate)?)?|eval(?:uation|uating)?|dev|test(?:ing)?|saving dict for global step)(?!\w)|\[metrics\]",
    re.IGNORECASE,
)
_TEST_SET = re.compile(r"(?<![a-z])test(?:ing)?(?![a-z])", re.IGNORECASE)
_VALIDATION_SET = re.compile(r"(?<![a-z])(?:val(?:id(?:ation|ate)?)?|eval(?:uation)?|dev)(?![a-z])", re.IGNORECASE)
_EPOCH_WORD = re.compile(r"epoch|train: ", re.IGNORECASE)
_TRAINING = re.compile(r"(?<![a-z])train", re.IGNORECASE)
_SOURCE_FILE = re.compile(r"[\w/.-]+\.py\b|^[^\n|]{0,120}?\b(?:INFO|DEBUG|WARNING)\b")
"""Names of files and of loggers: `train.py` does not say what a line tells of, nor does `src.training.loop - INFO`."""

RETOLD = re.compile(r"\b(?:best|final|sav(?:e|ed|ing)|improv\w*|previous|early stopping|patience|minimum)\b", re.IGNORECASE)


def tells_of_test_set(names: Set[str], text: str) -> bool:
    """Tell whether a line tells of an evaluation of the test set, and of no other."""
    if "est" not in text or "train_loss" in names or names.isdisjoint(("eval_loss", "eval_perplexity")):
        return False
    return bool(_TEST_SET.search(text)) and not _VALIDATION_SET.search(_SOURCE_FILE.sub("", text))


def anchored_row(text: str, line: int) -> Row | None:
    """Return the row of a line that names both a place on the axis and a loss, or None."""
    measured = parse_line(text)
    if measured and is_loss_like(measured) and not AXES_SET.isdisjoint(measured) and not RETOLD.search(text):
        return Row(line, measured)
    return None


def may_be_anchored(shape: str) -> bool:
    """Tell whether a line of this shape may name both a place on the axis and a loss."""
    layout = layout_of.of_shape(shape) if "[/" not in shape else None
    if layout is None:
        return True
    names = {name for name, _, _ in layout.spans}
    return is_loss_like(names) and (not AXES_SET.isdisjoint(names) or layout.pair is not None)


def parse_line(text: str) -> Mapping[str, float]:
    """Return the quantities that one line of text names, by canonical name; empty where it names none."""
    if "[/" in text:
        text = strip_markup(text)
    layout = layout_of(text)
    values = numbers_at(layout.spans, text)
    if layout.pair is not None:
        step = float(text[slice(*layout.pair)])
        if step != values["epoch"]:
            values["step"] = step
    return values


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the numbers of a line stand. pair: that of a lone `[3/10]`, which is a step unless it only repeats the epoch."""

    spans: Spans = ()
    pair: tuple[int, int] | None = None


@by_shape
def layout_of(text: str) -> tuple[Layout, bool]:
    """Find the quantities that one line of text names."""
    if "CV Batch " in text:  # WeNet's loss of one batch of an evaluation
        return Layout(), True
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
        is_number = not match["end"].isalpha() and match["end"] != BAR_SIGN and number(match["value"]) is not None
        if name is None or name in found or not is_number:
            continue
        found[name] = match.span("value")
    if not found:
        return Layout(), told_by_shape
    if "consumed samples" in text and "train_loss" not in found and "grad_norm" in found:
        begin, end = found["grad_norm"]
        if text[begin:end].lower() == "nan":
            # Megatron-DeepSpeed prints the loss only where it is above zero, which NaN is not.
            found["train_loss"] = begin, end
    if "train_loss" not in found if "eval_loss" in found else _is_evaluation(text):
        found = of_evaluation(found)
    axes, pair = _axes(text, "eval_loss" in found and "train_loss" not in found)
    return Layout(tuple((name, *span) for name, span in (axes | found).items()), pair), told_by_shape


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
    if "step" not in axes and (bar := BAR.search(text)):
        axes["step"] = bar.span(1)
    elif "step" not in axes and "epoch" in axes and not evaluation:
        word = _EPOCH_WORD.search(text)
        pairs = list(_BRACKET_STEP.finditer(text, word.start() if word else 0))
        begin, end = axes["epoch"]
        # Behind an epoch in brackets of its own the pair is never the epoch again: `Epoch: [2] [2/8]`.
        if len(pairs) > 1 or (pairs and text.endswith("[", 0, begin) and text.startswith("]", end)):
            axes["step"] = pairs[-1].span(1)
        elif pairs:
            return axes, pairs[0].span(1)
    return axes, None
