"""Answers from a file: TOML or JSON, one `fact = value` each."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

from advisor.errors import BadAnswers
from advisor.task import Answer, answered


def read_answers(path: Path) -> dict[str, Answer]:
    """Return the facts in a TOML or JSON file. Raises BadAnswers, which names the file, the fact and what was expected."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise BadAnswers(f"{path}: cannot be read ({error.strerror}); give a TOML or JSON file of answers") from error
    except UnicodeDecodeError as error:
        raise BadAnswers(f"{path}: no UTF-8 text ({error.reason} at byte {error.start}); give a TOML or JSON file") from error
    try:
        data = json.loads(text) if path.suffix.lower() == ".json" else tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        form = "JSON" if path.suffix.lower() == ".json" else "TOML"
        raise BadAnswers(f"{path}: no {form} ({' '.join(str(error).split())}); expected lines such as `rows = 1200`") from error
    if not isinstance(data, dict):
        raise BadAnswers(f'{path}: holds no answers; expected an object such as {{"rows": 1200}}')
    return {name: answered(name, given, str(path)) for name, given in data.items()}
