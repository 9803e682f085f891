"""The built-in trainer behind `advisor train`: fine-tunes a causal language model and leaves a run folder.

Importing the package is cheap: torch and transformers are loaded when `train` is called.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from advisor_trainer.config import TrainConfig

__all__ = ["TrainConfig", "train"]


def train(
    config: TrainConfig, *, resume: bool = False, callbacks: Sequence[Any] = (), say: Callable[[str], None] | None = None,
    language: str = "",
) -> Path:  # fmt: skip
    """Fine-tune as `config` says and return the run folder.

    resume: go on from the newest complete checkpoint of the run folder. callbacks: further `TrainerCallback`s. say: is told
    what is worth a line before and after training (by default nobody). language: `en` or `zh`, that of the environment if not
    given. Raises AdvisorError where the input is at fault and
    Interrupted where the user or the system ended the run early.
    """
    from advisor_trainer.run import train as run

    return run(config, resume=resume, callbacks=callbacks, say=say or (lambda _line: None), language=language)
