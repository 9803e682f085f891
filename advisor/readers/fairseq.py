"""fairseq: the lines of `--log-format simple` (and of its bars) and of `--log-format json`.

Its losses and `nll_loss` are in base 2: bits of each token. `train_inner` lines are the points of the curve; the `train` line that
ends an epoch is the mean over it, which is judged only where the former are missing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from advisor.readers.base import Format, Record, Row, Source, Unread
from advisor.readers.clean import NUMBER, number, strip_ansi
from advisor.readers.events import event_in
from advisor.readers.objects import parse_object

_INNER = re.compile(r"(?:^|\| )epoch (\d+)(?::| \|)\s+(?:\d+%\|[^|]*\|\s*)?(\d+) ?/ ?(\d+) (?=.*\bloss=)")
_EPOCH = re.compile(r"(?:^|\| )epoch (\d+) \| (?:valid on '([^']+)' subset \| )?(?=.*\bloss )")
_JSON = re.compile(r"(?:^|\| (?:INFO \| )?)(?:(\w+) \| )?(\{\"epoch\": .*)$")
_PAIR = re.compile(rf"(?:^|[\s|,])(\w+)[= ]({NUMBER})(?=\s*(?:[,|]|$))", re.IGNORECASE)
_OTHERS = {"gnorm": "grad_norm", "lr": "learning_rate", "loss_scale": "loss_scale", "wps": "tokens_per_second"}
_LOOKS_LIKE = re.compile(r"\| (?:train_inner|train|valid) \| ")


def read(source: Source) -> Iterator[Record]:
    """Yield a row for each line with a loss, and the events between them."""
    validation: str | None = None
    for line, raw in source.lines():
        for piece in strip_ansi(raw).split("\r"):
            found = _json(piece) or _piped(piece)
            if found is None:
                if _LOOKS_LIKE.search(piece) and "loss" in piece:
                    yield Unread(line)
                elif (event := event_in(piece, line)) is not None:
                    yield event
                continue
            kind, values = found
            if kind not in ("train_inner", "train"):
                # Of several validation sets the first printed is the one that checkpoints are chosen by.
                validation = validation or kind
            yield Row(line, _quantities(kind, values, kind == validation))


def _piped(text: str) -> tuple[str, dict[str, float]] | None:
    """Return (what the line is about, its figures) for a line of the pipe format, else None."""
    if found := _INNER.search(text):
        epoch, batch, batches = int(found[1]), int(found[2]), int(found[3])
        place = {"epoch": epoch - 1 + batch / max(batches, batch, 1), "num_updates": float((epoch - 1) * batches + batch)}
        return "train_inner", place | _numbers(_PAIR.findall(text[found.end() :]))
    if found := _EPOCH.search(text):
        return found[2] or "train", {"epoch": float(found[1])} | _numbers(_PAIR.findall(text[found.end() :]))
    return None


def _json(text: str) -> tuple[str, dict[str, float]] | None:
    """Return (what the line is about, its figures, their names without that) for a line of the JSON format, else None."""
    found = _JSON.search(text)
    entry = parse_object(found[2]) if found else None
    if found is None or entry is None:
        return None
    values = _numbers((key, str(value)) for key, value in entry.items())
    named = next((key for key in values if key.endswith("_loss")), "")
    kind = found[1] or ("train_inner" if "loss" in values else named.partition("_")[0])
    if kind != "train_inner":
        values = {key.removeprefix(f"{kind}_"): value for key, value in values.items()}
    elif "update" in values:
        values["epoch"] = values["update"]
    return (kind, values) if "loss" in values else None


def _numbers(pairs: Iterator[tuple[str, str]] | list[tuple[str, str]]) -> dict[str, float]:
    converted = ((key, number(text)) for key, text in pairs)
    return {key: value for key, value in converted if value is not None}


def _quantities(kind: str, values: Mapping[str, float], judged: bool) -> dict[str, float]:
    """Return the figures by canonical name. judged: this is the validation set whose loss is the run's."""
    measured = {name: values[key] for key, name in (("num_updates", "step"), ("epoch", "epoch")) if key in values}
    if kind == "train_inner":
        names = {"loss": "train_bits", "ppl": "train_perplexity", **_OTHERS}
    elif kind == "train":
        names = {"loss": "train_mean_bits"}
    elif judged:
        names = {"loss": "eval_bits", "nll_loss": "eval_nll_bits", "ppl": "eval_perplexity", "bleu": "eval_bleu"}
    else:
        names = {"loss": f"eval_{kind}_bits"}
    return measured | {name: values[key] for key, name in names.items() if key in values}


FORMAT = Format(
    name="fairseq",
    title={"en": "fairseq log", "zh": "fairseq 日志"},
    read=read,
    head=(
        r"(?:^|\| )epoch \d+(?::| \|)\s+(?:\d+%\|[^|\n]*\|\s*)?\d+ ?/ ?\d+ [^\n]*\bloss=[^\n]*\b(?:nll_loss|num_updates|wps)=",
        r"(?:^|\| )epoch \d+ \| (?:valid on '[^'\n]+' subset \| )?[^\n]*\bloss [^\n]*\b(?:nll_loss|num_updates|wps) ",
        r"\{\"epoch\": \d+, [^\n]*\"(?:train_|valid_)?(?:num_updates|wps)\": \"",
    ),
    example="2024-01-01 10:00:00 | INFO | train_inner | epoch 001:     10 / 1200 loss=14.53, nll_loss=14.4, ppl=21618, wps=9000, "
    "num_updates=10, lr=1.2e-06, gnorm=4.2\n"
    "2024-01-01 10:10:00 | INFO | valid | epoch 001 | valid on 'valid' subset | loss 9.5 | nll_loss 8.99 | ppl 508.5 | "
    "num_updates 1200",
)
