"""The four numbers on top of a report: the best evaluation, the final one, the rise between them, and what the run cost."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from advisor.render.words import Words, number_text
from advisor.report.material import Material
from advisor.report.model import Figure, State
from advisor.signals.checkpoints import SECONDS_PER_HOUR
from advisor.signals.settings import DEVICES, setting
from advisor.signals.stats import robust_noise

NOISE_UNITS = 2.0
"""Standard deviations of one evaluation that a rise must exceed to be more than noise."""

RISING = frozenset({"overfitting", "divergence", "non-finite", "instability"})
"""Problems of which a rise since the best is a sign."""

END_SHARE = 0.1
"""The part of a run whose median is its final reward."""

NOTHING = "–"
IMMENSE = 100.0
"""Times its best that a value must rise for its digits to say nothing."""


@dataclass(frozen=True, slots=True)
class Score:
    """How well a run did, by the best that its log holds.

    of: `eval_loss`; `train_loss` where nothing was evaluated; `reward` where a policy was trained (the higher the better).
    best, final: values; x: where they stand; the final one is NaN or infinite where it was logged so. worse: from the best to the
    end, relative to the best (above 0: worse). noise: standard deviation of one value, relative to the best, NaN where it is not
    known. after: values after the best.
    """

    of: str
    best: float
    best_x: float
    final: float
    final_x: float
    worse: float
    noise: float
    after: int

    @property
    def is_beyond_noise(self) -> bool | None:
        """Whether the run ended worse than its best by more than noise; None where the noise is not known."""
        return None if math.isnan(self.noise) else self.worse > NOISE_UNITS * self.noise


def score(material: Material) -> Score | None:
    """Return how well the run did, or None where its log holds nothing that says so."""
    if material.by_reward:
        return _by_reward(material)
    best, rise, evals = material.get("eval_best"), material.get("eval_rise"), material.run.series.get("eval_loss")
    if best is not None and rise is not None and evals is not None:
        noise = rise.noise if rise.noise > 0 else math.nan
        final, final_x = float(evals.values[-1]), float(evals.x[-1])
        return Score("eval_loss", best.value, best.x, final, final_x, rise.relative, noise, rise.after)
    level, curve, train = material.get("train_level"), material.get("train_curve"), material.run.series.get("train_loss")
    if level is None or curve is None or train is None:
        return None
    finite, scale = train.finite, abs(level.lowest) or 1.0
    after = int(np.sum(finite.x > level.lowest_x))
    broken = not math.isfinite(float(train.values[-1]))
    final = float(train.values[-1]) if broken else level.end
    noise = curve.noise / scale if curve.noise > 0 else math.nan
    if level.end < level.lowest:  # the end is not smoothed as the rest is
        return Score("train_loss", level.end, float(finite.x[-1]), final, float(train.x[-1]), 0.0, noise, 0)
    worse = (level.end - level.lowest) / scale
    return Score("train_loss", level.lowest, level.lowest_x, final, float(train.x[-1]), worse, noise, after)


def _by_reward(material: Material) -> Score | None:
    smooth = material.smooth
    if smooth is None:
        return None
    x, values = smooth
    finite = material.run.series["reward"].finite
    top = int(np.argmax(values))
    part = max(1, round(len(finite) * END_SHARE))
    final = float(np.median(finite.values[-part:]))
    best, best_x = (float(values[top]), float(x[top])) if values[top] >= final else (final, float(finite.x[-1]))
    scale = abs(best) or 1.0
    noise = robust_noise(finite.values) / scale
    return Score(
        "reward",
        best,
        best_x,
        final,
        float(finite.x[-1]),
        (best - final) / scale,
        noise if noise > 0 else math.nan,
        int(np.sum(finite.x > best_x)),
    )


def figures(material: Material, words: Words) -> tuple[Figure, ...]:
    """Return the four figures, always the same and in the same order."""
    found = score(material)
    if found is None:
        missing = words("figure.missing")
        three = [Figure(name, words(f"figure.{name}.loss"), NOTHING, missing, "not-judged", {})
                 for name in ("best", "final", "rise")]  # fmt: skip
        return (*three, _cost(material, words))
    kind = {"eval_loss": "loss", "train_loss": "train", "reward": "reward"}[found.of]
    accused = {f.rule.problem for f in material.diagnosis.findings if f.rule.severity != "info"}

    def reached(name: Literal["best", "final"], value: float, x: float) -> Figure:
        # Where a finding says that the loss is no number, a zero is what the log was made to show.
        hidden = value == 0 and "non-finite" in accused
        at = words("figure.as_logged" if hidden else "figure.at", at=words.at(x))
        state: State = "warning" if hidden or not math.isfinite(value) else "pass"
        return Figure(name, words(f"figure.{name}.{kind}"), number_text(value), at, state, {"value": value, "x": x})

    best, final = reached("best", found.best, found.best_x), reached("final", found.final, found.final_x)
    return best, final, _rise(found, kind, words, is_problem=bool(accused & RISING)), _cost(material, words)


def _rise(found: Score, kind: str, words: Words, *, is_problem: bool) -> Figure:
    """Return the rise since the best. is_problem: a finding speaks of it; the number by itself accuses nobody."""
    label = words(f"figure.rise.{kind}")
    if not math.isfinite(found.final):
        return Figure("rise", label, NOTHING, words("figure.not_finite"), "warning", {})
    numbers = {"relative": found.worse, "noise": found.noise, "after": float(found.after)}
    numbers = {name: value for name, value in numbers.items() if not math.isnan(value)}
    if not found.after:
        return Figure("rise", label, f"{0:.1%}", words("figure.ended_best"), "pass", numbers)
    beyond = found.is_beyond_noise
    key = "unknown" if beyond is None else "beyond" if beyond else "within"
    state: State = "not-judged" if beyond is None else "warning" if beyond and is_problem else "pass"
    change = -found.worse if kind == "reward" else found.worse
    shown = ("+" if change > 0 else "") + percent_text(change) if f"{abs(change):.1%}" != f"{0:.1%}" else f"{0:.1%}"
    return Figure("rise", label, shown, words(f"figure.{key}", noise=percent_text(NOISE_UNITS * found.noise)), state, numbers)


def percent_text(share: float) -> str:
    """Return a share in per cent, one far beyond any measure in three digits."""
    return f"{share:.1%}" if abs(share) < IMMENSE else f"{100 * share:.3g}%"


LEAST_HOURS = 0.1
"""Fewer device-hours are said as a time on the clock."""


def seconds_of(material: Material) -> float | None:
    """Return how long the run took: by its clock, else by the time of its steps or their speed; None where none was logged."""
    elapsed = material.get("elapsed")
    if elapsed is not None:
        return float(elapsed.values[-1])
    if material.run.axis != "step" or not (length := _length(material)):
        return None
    steps, speed = material.get("step_duration"), material.run.series.get("steps_per_second")
    if steps is not None and len(steps):
        return float(np.median(steps.values)) * length
    if speed is not None and len(speed.finite) and (usual := float(np.median(speed.finite.values))) > 0:
        return length / usual
    return None


def _cost(material: Material, words: Words) -> Figure:
    """Return what the run cost, and how much of it came after the best point."""
    seconds, after = seconds_of(material), material.get("after_best")
    share = None if after is None or material.by_reward else after.share
    if share is None:
        detail = words("figure.no_best")
    else:
        detail = words("figure.after_best", share=share) if f"{share:.0%}" != f"{0:.0%}" else words("figure.gained")
    numbers = {} if share is None else {"share_after_best": share}
    if seconds is not None:
        devices = setting(material.config, *DEVICES)
        numbers |= {"seconds": seconds}
        shown = words.duration(seconds)
        if devices:
            hours = seconds / SECONDS_PER_HOUR * devices
            numbers |= {"devices": devices, "device_hours": hours}
            if devices > 1 and hours >= LEAST_HOURS:
                shown = words("figure.device_hours", value=f"{hours:.3g}")
        return Figure("cost", words("figure.cost.time"), shown, detail, "pass", numbers)
    length = _length(material)
    if length is None:
        return Figure("cost", words("figure.cost.time"), NOTHING, words("figure.no_time"), "not-judged", numbers)
    key = f"figure.length.{material.run.axis}" + (".one" if length == 1 and material.run.axis != "row" else "")
    numbers |= {"length": length}
    detail = detail if share is not None else words("figure.no_time")
    return Figure(
        "cost",
        words("figure.cost.length"),
        words(key, value=f"{length:,.0f}" if length == int(length) else f"{length:.4g}"),
        detail,
        "pass",
        numbers,
    )


def _length(material: Material) -> float | None:
    ends = [float(s.x[-1]) for s in material.run.series.values() if len(s) and math.isfinite(float(s.x[-1]))]
    return max(ends, default=None)
