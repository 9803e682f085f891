"""What trainers print before the first step: the plan of the run and the size of the model, as settings."""

from __future__ import annotations

import re
from collections.abc import Iterator

from advisor.model import Value
from advisor.readers.clean import NUMBER, number

_HINT = re.compile(
    r"num examples|num epochs|num steps|optimization steps|update steps per epoch|batch size|accumulation steps|"
    r"params|parameters",
    re.IGNORECASE,
)

_SECTION = re.compile(r"\*{3,} *Running (training|evaluation|prediction)\b", re.IGNORECASE)

PATTERNS: tuple[tuple[str, str], ...] = (
    ("train_rows", r"\bNum examples\s*=\s*(?P<value>[\d,]+)"),
    ("num_train_epochs", r"\bNum Epochs\s*=\s*(?P<value>[\d,.]+)"),
    ("max_steps", r"\b(?:Total optimization|Total|Num) steps\s*=\s*(?P<value>[\d,]+)"),
    ("steps_per_epoch", r"\bNum update steps per epoch\s*=\s*(?P<value>[\d,]+)"),
    ("per_device_train_batch_size", r"\b(?:Instantaneous )?batch size per device\s*=\s*(?P<value>[\d,]+)"),
    ("total_train_batch_size", r"\bTotal (?:train )?batch size[^=\n]{0,80}=\s*(?P<value>[\d,]+)"),
    ("gradient_accumulation_steps", r"\bGradient accumulation steps\s*=\s*(?P<value>[\d,]+)"),
    ("trainable_parameters", r"\btrainable parameters\s*=\s*(?P<value>[\d,]+)"),
    ("trainable_parameters", r"\btrainable params:\s*(?P<value>[\d,]{4,})\s*\|\|"),
    ("num_parameters", r"\ball params:\s*(?P<value>[\d,]{4,})"),
    (
        "num_parameters",
        r"\b(?:model params|total params|number of parameters|model size)\s*[:=]\s*"
        rf"(?P<value>{NUMBER})\s*(?P<unit>[MB])(?:illion)?\b",
    ),
)  # fmt: skip
"""Setting, and how it is printed: by the Trainer's and Unsloth's banners, by peft, by nanoGPT, minimind and their kin."""

_PATTERNS = tuple((name, re.compile(pattern, re.IGNORECASE)) for name, pattern in PATTERNS)
_UNITS = {"m": 1e6, "b": 1e9}


class Banners:
    """The banners of a console: the one above an evaluation tells of its rows, not of the training's."""

    def __init__(self) -> None:
        self._of_training = True

    def may_tell(self, shape: str) -> bool:
        """Tell whether a line of this shape may belong to a banner."""
        return "Running" in shape or _HINT.search(shape) is not None

    def settings_in(self, text: str) -> dict[str, Value]:
        """Return the settings of the training that a line names; empty for all other lines."""
        if "Running" in text and (section := _SECTION.search(text)):
            self._of_training = section[1].lower() == "training"
        return settings_in(text) if self._of_training else {}


def settings_in(text: str) -> dict[str, Value]:
    """Return the settings that a line of a banner names; empty for all other lines."""
    return dict(_found(text)) if _HINT.search(text) else {}


def _found(text: str) -> Iterator[tuple[str, Value]]:
    for name, pattern in _PATTERNS:
        match = pattern.search(text)
        value = number(match["value"]) if match else None
        if match is None or value is None or value <= 0:
            continue
        value *= _UNITS[match["unit"].lower()] if "unit" in match.groupdict() else 1
        yield name, int(value) if value == int(value) else value
