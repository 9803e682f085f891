"""What a report is made of, before it is put into words: the diagnosis, the measurements behind it, and what was asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from advisor.model import Diagnosis, FloatArray, Forecast, NotMeasurable, Run, Series, Value
from advisor.signals import Measurements
from advisor.signals.schedule import REINFORCEMENT
from advisor.signals.stats import block_medians, running_median

if TYPE_CHECKING:
    from advisor.engine import Examination

RESULTS = frozenset({"best_metric", "best_global_step", "best_model_checkpoint"})
"""What a trainer writes down beside its settings."""

SMOOTHED_POINTS = 2000
WINDOW = 40
"""A reward is smoothed as the training loss is: a running median over a fortieth of the points on either side."""


@dataclass(frozen=True)
class Order:
    """What was asked for. title, date, command: as they shall stand in the report. log: the name of the log without its folders.

    given: the training configuration as it was given, (form, text, name), where one was. versions: of the libraries, by name, and
    device: what the run ran on, where our own trainer wrote them down beside the log.
    """

    title: str = ""
    date: str = ""
    date_kind: str = "none"
    log: str = ""
    log_sha256: str = ""
    command: str = ""
    rules: int = 0
    given: tuple[str, str, str] | None = None
    versions: Mapping[str, str] = field(default_factory=dict)
    device: str = ""


@dataclass(frozen=True, eq=False)
class Material:
    """A diagnosis with its measurements, and what was found in the training data and in an earlier run where these were given."""

    diagnosis: Diagnosis
    order: Order = field(default_factory=Order)
    examination: Examination | None = None
    earlier: Material | None = None
    _kept: dict[str, Any] = field(default_factory=dict, repr=False)

    @property
    def run(self) -> Run:
        """The run itself."""
        return self.diagnosis.run

    @property
    def config(self) -> Mapping[str, Value]:
        """What is known of the settings; what a log or the training data say besides is none."""
        others = RESULTS | (self.examination.measured.facts().keys() if self.examination else frozenset())
        return {name: value for name, value in self.run.config.items() if name not in others}

    @property
    def measured(self) -> Measurements:
        """The measurements of the run, each made when it is first asked for."""
        if "measured" not in self._kept:
            self._kept["measured"] = Measurements(self.run)
        measured = self._kept["measured"]
        assert isinstance(measured, Measurements)
        return measured

    def get(self, name: str) -> Any:
        """Return a measurement, or None where it cannot be made."""
        try:
            with np.errstate(all="ignore"):
                return self.measured[name]
        except NotMeasurable:
            return None

    @property
    def forecast(self) -> Forecast | None:
        """Where the run will end, where that can be said."""
        forecast = self.diagnosis.forecast
        return forecast if isinstance(forecast, Forecast) else None

    @property
    def by_reward(self) -> bool:
        """Whether the reward is what the run is about, and was logged."""
        reward = self.run.series.get("reward")
        return self.diagnosis.objective in REINFORCEMENT and reward is not None and len(reward.finite) > 0

    @property
    def one_unit(self) -> bool:
        """Whether training and evaluation loss can share an axis."""
        both = [self.run.series[name].unit for name in ("train_loss", "eval_loss") if name in self.run.series]
        return len(set(both)) <= 1

    @property
    def smooth(self) -> tuple[FloatArray, FloatArray] | None:
        """The smoothed training loss or reward: positions and values; None where there are too few points to smooth."""
        if not self.by_reward:
            curve = self.get("train_curve")
            return (curve.x, curve.values) if curve is not None else None
        reward = self.run.series["reward"]
        return smoothed(reward) if len(reward.finite) >= WINDOW // 2 else None


def smoothed(series: Series) -> tuple[FloatArray, FloatArray]:
    """Return positions and values of a curve smoothed as the training loss is."""
    finite = series.finite
    reduced = block_medians(finite.values, SMOOTHED_POINTS)
    return block_medians(finite.x, SMOOTHED_POINTS), running_median(reduced, max(1, len(reduced) // WINDOW))
