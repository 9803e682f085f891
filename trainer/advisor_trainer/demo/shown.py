"""A line about the losses now and then, for who looks on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from transformers import TrainerCallback


class Losses(TrainerCallback):
    """Says the losses every so many steps, and every evaluation."""

    def __init__(self, every: int, say: Callable[[str], None]) -> None:
        self._every, self._say = every, say

    def on_log(self, args: Any, state: Any, control: Any, logs: Mapping[str, float] | None = None, **_: Any) -> None:
        """Say what was logged, if its turn has come."""
        values = logs or {}
        turn = state.global_step % self._every == 0 or state.global_step == 1
        for name in ("loss", "eval_loss"):
            if name in values and (turn or name == "eval_loss"):
                self._say(f"step {state.global_step}/{state.max_steps}  {name} {values[name]:.4f}")
