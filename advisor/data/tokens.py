"""Lengths in tokens: counted with a tokenizer where one is given, else estimated.

The estimate: each Chinese, Japanese or Korean character 0.7 tokens, other text 4 characters a token. How far it is off on real
tokenizers stands in docs/data.md.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from advisor.data.model import Example
from advisor.errors import UnreadableData

CJK_TOKENS = 0.7
CHARACTERS_PER_TOKEN = 4.0
OF_A_TURN = 4
"""Tokens that a chat template puts around a turn; exact numbers differ by model, from three to six."""

_CJK = re.compile(r"[\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff]+")


def estimated(text: str) -> int:
    """Return about how many tokens `text` has."""
    if text.isascii():
        return round(len(text) / CHARACTERS_PER_TOKEN)
    cjk = sum(map(len, _CJK.findall(text)))
    return round(cjk * CJK_TOKENS + (len(text) - cjk) / CHARACTERS_PER_TOKEN)


class Counter:
    """Counts the tokens of a row. exact: whether a tokenizer counts."""

    def __init__(self, model: Path | None = None) -> None:
        self.exact = model is not None
        self._count = _tokenizer(model) if model else estimated

    def lengths(self, example: Example) -> tuple[int, int]:
        """Return the tokens of a row before its last answer, and of that answer."""
        *before, (_, answer) = example.turns
        return sum(self._count(text) + OF_A_TURN for _, text in before), self._count(answer)


def _tokenizer(model: Path) -> Any:
    """Return a function that counts with the `tokenizer.json` at `model`, a file or a folder. Raises UnreadableData."""
    file = model / "tokenizer.json" if model.is_dir() else model
    if not file.is_file():
        raise UnreadableData(f"{file}: no such tokenizer; give a tokenizer.json, or the folder of a model that holds one")
    try:
        from tokenizers import Tokenizer
    except ImportError as error:
        raise UnreadableData(f"{file}: `--model` needs the tokenizers library; `pip install finetune-advisor[data]`") from error
    try:
        tokenizer = Tokenizer.from_file(str(file))
    except Exception as error:  # the library raises plain Exception
        raise UnreadableData(f"{file}: no tokenizer of the tokenizers library ({error})") from error
    return lambda text: len(tokenizer.encode(text, add_special_tokens=False).ids)
