"""A sheet for people to judge answers side by side: blinded and shuffled on the way out, counted on the way back."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from advisor.errors import UnreadableData
from advisor.evaluation.bootstrap import sign_test
from advisor.evaluation.model import Answer

COLUMNS = ("id", "prompt", "A", "B", "better", "comment")
JUDGED = "better"
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_QUOTE = "'"
"""What a spreadsheet takes as the mark of plain text."""

_ANSWERS = {
    "a": "A", "b": "B", "tie": "tie", "t": "tie", "=": "tie", "same": "tie", "equal": "tie", "both": "tie", "neither": "tie",
    "平": "tie", "平局": "tie", "相同": "tie", "一样": "tie",
}  # fmt: skip
ALPHA = 0.05
FEWEST = 6
"""Decided pairs from which even a unanimous judgement has a p below 0.05 (2 / 2⁶ = 0.031)."""


def key_of(sheet: Path) -> Path:
    """Return where the key of a sheet stands: beside it."""
    return sheet.with_name(sheet.name + ".key.json")


def write_sheet(answers: Sequence[Answer], sheet: Path, seed: int) -> tuple[Path, int]:
    """Write the pairs of tuned and base answers for people to judge; return the key's path and the number of pairs.

    Raises UnreadableData where there is no answer of the base model, or the file is there already.
    """
    key = key_of(sheet)
    pairs = [answer for answer in answers if answer.base is not None and answer.base.strip() != answer.prediction.strip()]
    if not pairs:
        raise UnreadableData(
            f"{answers[0].source}: no pair to judge side by side, equal answers left out; "
            "give the base model's answers as `base_prediction`"
        )
    for path in (sheet, key):
        if path.exists():
            raise UnreadableData(f"{path}: is there already, perhaps with judgements in it; give another file")
    draw = np.random.default_rng(seed)
    order, swapped = draw.permutation(len(pairs)), draw.random(len(pairs)) < 0.5  # noqa: PLR2004  a fair coin
    tuned: dict[str, str] = {}
    # The mark at the beginning tells spreadsheets the encoding.
    with sheet.open("w", encoding="utf-8-sig", newline="") as stream:
        table = csv.writer(stream)
        table.writerow(COLUMNS)
        for number, row in enumerate(order, 1):
            answer = pairs[row]
            first, second = answer.prediction, answer.base or ""
            if swapped[number - 1]:
                first, second = second, first
            tuned[str(number)] = "B" if swapped[number - 1] else "A"
            table.writerow([number, *map(harmless, (_asked(answer), first, second)), "", ""])
    lines = {str(number): pairs[row].line for number, row in enumerate(order, 1)}
    content = {"schema": "advisor.sheet/1", "source": answers[0].source, "seed": seed, "tuned": tuned, "lines": lines}
    key.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return key, len(pairs)


def _asked(answer: Answer) -> str:
    if not answer.earlier:
        return answer.prompt
    return "\n".join(f"[{role}] {text}" for role, text in answer.turns)


def harmless(text: str) -> str:
    """Return `text` so that a spreadsheet shows it and does not compute it: what begins like a formula gets a quote in front."""
    shown = text.replace("\x00", "\ufffd")
    return _QUOTE + shown if shown.lstrip(" \n\v\f\u00a0\ufeff").startswith(_FORMULA) or shown.startswith(_FORMULA) else shown


@dataclass(frozen=True)
class Judgement:
    """What people said: pairs in which the tuned model is better, worse, or as good; rows: pairs of the sheet.

    p: of so uneven a judgement if there were no preference (exact sign test, two-sided, ties left out).
    """

    rows: int
    wins: int
    losses: int
    ties: int
    p: float

    @property
    def verdict(self) -> str:
        """`better`, `worse`, `same` (no preference beyond chance) or `few`."""
        if self.wins + self.losses < FEWEST:
            return "few"
        if self.p > ALPHA:
            return "same"
        return "better" if self.wins > self.losses else "worse"


def read_sheet(sheet: Path) -> Judgement:
    """Return the judgements in a filled sheet. Raises UnreadableData, which names the file, the row and what was expected."""
    key = key_of(sheet)
    try:
        tuned = json.loads(key.read_text(encoding="utf-8"))["tuned"]
        assert isinstance(tuned, dict)
    except (OSError, ValueError, KeyError, TypeError, AssertionError) as error:
        raise UnreadableData(
            f"{key}: no key of a sheet ({type(error).__name__}); it was written beside the sheet, keep it there"
        ) from error
    counts = {"tuned": 0, "base": 0, "tie": 0}
    seen: set[str] = set()
    for row, record in _rows(sheet):
        number = str(record.get("id", "")).strip()
        if number not in tuned or number in seen:
            raise UnreadableData(f"{sheet}:{row}: `id` is {number!r}; expected each number of the sheet once, as it was written")
        seen.add(number)
        said = record[JUDGED].strip().strip(_QUOTE).lower()
        if not said:
            continue
        choice = _ANSWERS.get(said)
        if choice is None:
            raise UnreadableData(f"{sheet}:{row}: `{JUDGED}` is {said!r}; expected A, B or tie, or nothing where it was not judged")
        counts["tie" if choice == "tie" else "tuned" if choice == tuned[number] else "base"] += 1
    p = sign_test(counts["tuned"], counts["base"], two_sided=True)
    return Judgement(len(tuned), counts["tuned"], counts["base"], counts["tie"], p)


def _rows(sheet: Path) -> list[tuple[int, dict[str, str]]]:
    """Return the rows of a sheet with their lines; spreadsheets save it with commas, semicolons or tabs, in UTF-8 or GBK."""
    try:
        raw = sheet.read_bytes()
    except OSError as error:
        raise UnreadableData(f"{sheet}: cannot be read ({error.strerror}); give the filled sheet") from error
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = raw.decode("gb18030", "replace")
    head = text.split("\n", 1)[0]
    delimiter = max(",;\t", key=head.count)
    csv.field_size_limit(max(csv.field_size_limit(), len(text) + 1))
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter)
    names = {name.strip().lower() for name in reader.fieldnames or ()}
    if not {"id", JUDGED} <= names:
        raise UnreadableData(f"{sheet}:1: no sheet of pairs; expected the columns {', '.join(COLUMNS)}")
    return [(reader.line_num, {str(k).strip().lower(): v or "" for k, v in record.items() if k}) for record in reader]
