"""Logs that give a step a paragraph: a line that says where the run is, then a line for each quantity.

Composer and LLM Foundry (`[batch=10/1000]:`), OLMo (`[step=10/1000,epoch=0]`), Coqui TTS (`--> STEP: 9/90 -- GLOBAL_STEP: 10`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from advisor.readers.base import Format, Record, Row, Source
from advisor.readers.clean import NUMBER, number, strip_ansi
from advisor.readers.events import event_in
from advisor.readers.names import canonical, is_loss_like, normalise

_HEADINGS = (
    re.compile(r"(?P<eval>\[Eval\b).*?\bbatch=\d+/\d+\]"),
    re.compile(r"\[epoch=(?P<epoch>\d+)(?:/\d+)?\]\[batch=(?P<step>\d+)(?:/\d+)?\]"),
    re.compile(r"\[(?:batch|step)=(?P<step>\d+)/\d+(?:,\s*epoch=(?P<epoch>\d+)(?:/\d+)?)?\]"),
    re.compile(r"--> (?:TIME: .*? -- )?STEP: -?\d+/\d+ -- GLOBAL_STEP: (?P<step>\d+)"),
    re.compile(r"(?P<eval>--> EVAL PERFORMANCE)"),
)
_QUANTITY = re.compile(
    rf"^\s+(?:\| > )?(?:(?P<set>Train|Eval) )?(?P<name>[A-Za-z][\w./ ()-]*?)\s*[:=]\s?(?P<value>{NUMBER})(?![\w:])"
)
_ITEMS = {
    "loss_train_total": "train_loss", "metrics_train_languagecrossentropy": "train_loss", "languagecrossentropy": "train_loss",
    "metrics_eval_languagecrossentropy": "eval_loss", "metrics_train_crossentropy": "train_loss",
    "metrics_eval_crossentropy": "eval_loss", "metrics_train_multiclassaccuracy": "train_accuracy",
    "metrics_eval_multiclassaccuracy": "eval_accuracy", "metrics_train_binaryaccuracy": "train_accuracy",
    "metrics_eval_binaryaccuracy": "eval_accuracy", "metrics_train_languageperplexity": "train_perplexity",
    "metrics_eval_languageperplexity": "eval_perplexity", "optim_total_grad_norm": "grad_norm",
    "l2_norm_grad_global": "grad_norm", "optim_learning_rate_group0": "learning_rate",
}  # fmt: skip
"""What these tools call their quantities, normalised; the common names are in the table of all readers."""
_OF_A_SET = re.compile(r"eval_(?:lm_)?(.+)_ce_loss")
"""OLMo-core's `eval/lm/c4/CE loss`."""
_RATE = re.compile(r"^lr_.*group_?0$")


@dataclass
class _Paragraph:
    """A heading's place, and the quantities below it. evaluation: the heading speaks of an evaluation."""

    line: int
    place: dict[str, float]
    evaluation: bool
    values: dict[str, float] = field(default_factory=dict)

    def row(self) -> Iterator[Row]:
        """Yield what was measured, on the line of its loss."""
        if is_loss_like(self.values):
            yield Row(self.line, {**self.place, **self.values})

    def add(self, line: int, name: str, value: float) -> None:
        """Take a quantity, the first of each name."""
        if name not in self.values:
            self.values[name] = value
            if name.endswith("_loss"):
                self.line = line


def read(source: Source) -> Iterator[Record]:
    """Yield a row for each paragraph that holds a loss, and the events between them."""
    paragraph: _Paragraph | None = None
    place: dict[str, float] = {}
    for line, raw in source.lines():
        text = strip_ansi(raw)
        if found := _heading(text):
            if paragraph:
                yield from paragraph.row()
            named = {name: float(value) for name, value in found.groupdict().items() if name != "eval" and value}
            place = named or place
            paragraph = _Paragraph(line, place, not named)
        elif paragraph and (item := _QUANTITY.match(text)):
            name, value = _name(item["name"], item["set"] == "Eval" or paragraph.evaluation), number(item["value"])
            # Coqui measures the norm where it clips only, and else prints 0.
            unmeasured = name == "grad_norm" and value == 0 and "| >" in text
            if name is not None and value is not None and not unmeasured:
                paragraph.add(line, name, value)
        elif (event := event_in(text, line)) is not None:
            if paragraph:
                yield from paragraph.row()
            paragraph = None
            yield event
    if paragraph:
        yield from paragraph.row()


def _heading(text: str) -> re.Match[str] | None:
    return next((found for pattern in _HEADINGS if (found := pattern.search(text))), None)


def _name(words: str, evaluation: bool) -> str | None:
    """Return the quantity that `words` mean, None where they mean none that is known."""
    plain = normalise(words)
    if of_a_set := _OF_A_SET.fullmatch(plain):
        return f"eval_{of_a_set[1]}_loss"
    name = _ITEMS.get(plain) or ("learning_rate" if _RATE.match(plain) else canonical(plain))
    if name is None:
        return None
    return "eval_" + name.removeprefix("train_") if evaluation and name.startswith("train_") else name


FORMAT = Format(
    name="paragraphs",
    title={"en": "paragraphs: a line for the step, then one for each quantity", "zh": "分段日志：一行步数，其后每行一个指标"},
    read=read,
    serves=("Composer, LLM Foundry", "OLMo", "Coqui TTS"),
    head=(
        r"\[batch=\d+/\d+\]:\s*\n(?:[^\n]*\n){0,60}?[^\n]*\b(?:Train|Eval) [\w/ ]*(?:loss/train/total|CrossEntropy): ",
        r"\[step=\d+/\d+(?:,\s*epoch=[\d/]+)?\]\s*\n(?:\s+[^\n]*\n){0,60}?\s+train/[^\n]*(?:loss|Loss)=",
        r"--> (?:TIME: [^\n]*? -- )?STEP: -?\d+/\d+ -- GLOBAL_STEP: \d+",
    ),
    example="[batch=10/1000]:\n\t Train loss/train/total: 8.4213\n\t Train metrics/train/LanguagePerplexity: 4543.2\n"
    "[Eval batch=50/50] Eval on eval data:\n\t Eval metrics/eval/LanguageCrossEntropy: 8.3017",
)
