"""Signals by name: a function's parameters name the series and signals it needs, and its result is kept for the run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, TypeVar

from advisor.model import NotMeasurable, Run, Value

F = TypeVar("F", bound=Callable[..., Any])
SIGNALS: dict[str, Callable[..., Any]] = {}

SERIES = {
    name.replace("/", "_"): name
    for name in (
        "train_loss", "eval_loss", "learning_rate", "grad_norm", "loss_scale", "eval_accuracy",
        "rewards/chosen", "rewards/rejected", "rewards/margins", "rewards/accuracies", "logps/chosen", "logps/rejected",
        "eval_rewards/margins", "eval_rewards/accuracies",
        "reward", "eval_reward", "reward_std", "frac_reward_zero_std", "kl", "entropy", "clip_ratio",
        "completions/mean_length", "completions/clipped_ratio", "sampling/logp_difference",
        "tokens_per_second", "samples_per_second", "steps_per_second", "step_time", "time", "data_time", "memory",
        "gpu_utilisation", "num_tokens", "mean_token_accuracy",
    )
}  # fmt: skip
"""Series that a signal or a detector may ask for, by the name of its parameter: `rewards_margins` is `rewards/margins`."""


def signal(function: F) -> F:
    """Register `function` as the signal of its own name."""
    SIGNALS[function.__name__] = function
    return function


@lru_cache(maxsize=512)
def inputs_of(function: Callable[..., Any]) -> tuple[tuple[str, bool], ...]:
    """Return (name, may be missing) of the positional parameters of a signal or a detector."""
    names = function.__code__.co_varnames[: function.__code__.co_argcount]
    return tuple((name, "None" in str(function.__annotations__[name])) for name in names)


class Lazy:
    """Measurements by name, each computed when first asked for and kept. What cannot be measured raises NotMeasurable."""

    def __init__(self) -> None:
        self._known: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in self._known:
            try:
                self._known[name] = self._measure(name)
            except NotMeasurable as reason:
                self._known[name] = reason
        value = self._known[name]
        if isinstance(value, NotMeasurable):
            raise value
        return value

    @property
    def config(self) -> Mapping[str, Value]:
        """The settings of what is measured."""
        return {}

    def _measure(self, name: str) -> Any:
        raise NotMeasurable(name)

    def points(self, name: str) -> int | None:
        """Return how many points of `name` there are to judge by, or None where there is no such thing."""
        raise NotImplementedError

    def call(self, function: Callable[..., Any], thresholds: Mapping[str, Any]) -> Any:
        """Call a signal or a detector with exactly what it declares. An input that may be missing is passed as None."""
        given = []
        for name, optional in inputs_of(function):
            try:
                given.append(self[name])
            except NotMeasurable:
                if not optional:
                    raise
                given.append(None)
        return function(*given, **thresholds)


class Measurements(Lazy):
    """What can be measured on one run."""

    def __init__(self, run: Run) -> None:
        super().__init__()
        self.run = run
        self._points: dict[str, int] = {}

    @property
    def config(self) -> Mapping[str, Value]:
        """The settings of the run."""
        return self.run.config

    def _measure(self, name: str) -> Any:
        if name in ("run", "config", "events"):
            return self.run if name == "run" else getattr(self.run, name)
        if name in SIGNALS:
            return self.call(SIGNALS[name], {})
        series = SERIES.get(name, name)
        if series in self.run.series:
            return self.run.series[series]
        raise NotMeasurable(series)

    def points(self, name: str) -> int | None:
        """Return the number of finite points of a series, or None where it was not logged."""
        if name in self.run.series and name not in self._points:
            self._points[name] = len(self.run.series[name].finite)
        return self._points.get(name)
