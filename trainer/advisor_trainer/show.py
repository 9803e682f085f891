"""`--show-batch`: the first examples of a run with what is trained on and what is not."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.text import Text

from advisor.locale import strings
from advisor_trainer.config import TrainConfig
from advisor_trainer.run import prepare, quiet_libraries, report

SHOWN = 8
"""Examples that are shown of a batch."""


def show(config: TrainConfig, console: Console, language: str) -> None:
    """Print the first batch. On a terminal what is trained on is green, elsewhere it stands between « and »."""
    quiet_libraries()
    ready = prepare(config, language)
    words = strings(language, "train")

    def say(line: str) -> None:
        console.print(line, highlight=False, markup=False, soft_wrap=True)

    report(ready, say, language)
    say(words["show.coloured" if console.is_terminal else "show.marked"])
    micro = next(ready.plan.of_epoch(0))
    for piece in micro.pieces[:SHOWN]:
        begin, length = int(ready.data.pieces.begin[piece]), int(ready.data.pieces.length[piece])
        ids = ready.data.train.tokens[begin : begin + length].tolist()
        mask = ready.data.train.mask[begin : begin + length].tolist()
        # The first token of an example is predicted from nothing, and is therefore not trained on.
        mask[0] = 0
        console.print()
        where = ready.data.train.place(int(ready.data.pieces.row[piece]))
        console.print(Text(words["show.example"].format(place=where, tokens=length, labels=sum(mask)), style="dim"), soft_wrap=True)
        console.print(marked(ready.tokenizer, ids, mask, colour=console.is_terminal), soft_wrap=True)


def marked(tokenizer: Any, ids: list[int], mask: list[int], *, colour: bool) -> Text:
    """Return the text of an example with the parts that are trained on marked."""
    text = Text()
    start = 0
    while start < len(ids):
        end = start
        while end < len(ids) and mask[end] == mask[start]:
            end += 1
        part = tokenizer.decode(ids[start:end], skip_special_tokens=False, clean_up_tokenization_spaces=False)
        if not mask[start]:
            text.append(part, style="dim" if colour else "")
        elif colour:
            text.append(part, style="bold green")
        else:
            text.append(f"«{part}»")
        start = end
    return text
