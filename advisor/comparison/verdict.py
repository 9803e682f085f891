"""Whether one run is better than another, or whether that cannot be said. A difference must exceed what chance alone makes.

What chance makes depends on what the runs share. Where both saw the same batches in the same order, most of the noise is common to
them and cancels in the difference (`paired`). Where each was run under several seeds, the spread over the seeds is the noise
(`seeds`). With one run a side and other batches, the seed and the draw of the data alone make a difference that no single curve
shows: between seeds of one healthy configuration up to 19 % of the loss were measured (docs/compare.md), 30 times the noise of the
curve itself. Then only a larger difference is a verdict.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from advisor.comparison import settings
from advisor.comparison.model import Basis, Result, Side, Verdict
from advisor.comparison.outcome import LOSS, metrics, result_of
from advisor.comparison.outcome import is_loss as loss_like
from advisor.model import Run
from advisor.signals.stats import curvature_noise, robust_noise

SEED_MARGIN = 0.2
"""Relative difference of an evaluation loss that another seed makes, at most: measured between seeds of one configuration."""

SEED_POINTS = 0.05
"""The same for a share such as an accuracy, in absolute terms."""

FLOOR, FLOOR_POINTS = 0.01, 0.01
"""The least difference that counts even where the order is the same: runs part by themselves after some steps."""

NOISE_UNITS = 3.0
LEAST_COMMON, ALIKE = 15, 0.5
"""Common points of the training loss, and the rank correlation of their second differences, that show the same batches in the same
order. Measured: at least 0.60 for the same order, at most 0.37 for another seed."""

SETTLED = 1 / 3
"""Share of the common points at the beginning that is left out: there every run falls alike."""

T_95 = {1: 12.71, 2: 4.30, 3: 3.18, 4: 2.78, 5: 2.57, 6: 2.45, 7: 2.36, 8: 2.31, 9: 2.26, 10: 2.23}
"""Two-sided 95 % points of Student's t by degrees of freedom."""

MANY = 2.0


def decide(baseline: Side, run: Side, peers: tuple[Sequence[Side], Sequence[Side]] = ((), ())) -> Verdict:
    """Return what is said of `run` against `baseline`. peers: further seeds of each of them."""
    if baseline.failed != run.failed:
        return Verdict("better" if baseline.failed else "worse", "non-finite")
    if baseline.failed:
        return Verdict("undecided", "both-non-finite")
    reason = incomparable(baseline, run)
    name = LOSS
    if reason in METRIC_HELPS:
        name = next((n for n in metrics(baseline.diagnosis.run) if n in run.diagnosis.run.series), "")
    if reason and (reason not in METRIC_HELPS or not name):
        return Verdict("undecided", reason)
    pair = result_of(baseline.diagnosis.run.series[name]), result_of(run.diagnosis.run.series[name])
    if pair[0] is None or pair[1] is None:
        return Verdict("undecided", "no-evaluation")
    return _judge(baseline, run, name, (pair[0], pair[1]), peers)


METRIC_HELPS = ("no-evaluation", "units", "tokenizers", "tokenizers-unknown", "loss-settings")
"""Reasons why losses cannot be compared that do not stand against a task metric."""


def incomparable(baseline: Side, run: Side) -> str:
    """Return why the evaluation losses of two runs cannot be compared, or nothing."""
    one, other = baseline.diagnosis, run.diagnosis
    if one.objective != other.objective:
        return "objectives"
    if settings.clash(settings.EVALUATION, one.run.config, other.run.config):
        return "evaluation-sets"
    losses = [d.run.series.get(LOSS) for d in (one, other)]
    if losses[0] is None or losses[1] is None or not len(losses[0].finite) or not len(losses[1].finite):
        return "no-evaluation"
    if losses[0].unit != losses[1].unit:
        return "units"
    if settings.clash(settings.OF_THE_LOSS, one.run.config, other.run.config):
        return "loss-settings"
    same = settings.tokenizers(one.run.config, other.run.config)
    return {"same": "", "other": "tokenizers", "unknown": "tokenizers-unknown"}[same]


def _judge(
    baseline: Side, run: Side, name: str, results: tuple[Result, Result], peers: tuple[Sequence[Side], Sequence[Side]]
) -> Verdict:
    sign = 1 if loss_like(name) else -1
    scale = _scale(name, results[0])
    best, final = (sign * (getattr(results[1], what) - getattr(results[0], what)) / scale for what in ("best", "final"))
    if _only_seed(baseline, run):
        return Verdict("same", "only-seed", name, best, final, abs(best), "seeds")
    basis, margin = _margin(baseline, run, name, scale, peers)
    if basis == "seeds":
        best, final = (_mean_change(name, what, scale, baseline, run, peers) * sign for what in ("best", "final"))
    small = margin if basis != "unpaired" else max(FLOOR if loss_like(name) else FLOOR_POINTS, _own_noise(results, scale))
    verdict = Verdict("same", "within-noise", name, best, final, margin, basis)
    directions = {_direction(change, margin) for change in (best, final)} - {0}
    if directions == {1, -1}:
        return replace(verdict, kind="undecided", reason="best-against-end")
    if directions:
        return replace(verdict, kind="worse" if 1 in directions else "better", reason="beyond-noise")
    if basis == "unpaired" and max(abs(best), abs(final)) > small:
        return replace(verdict, kind="undecided", reason="seeds")
    return replace(verdict, margin=small)


def _scale(name: str, baseline: Result) -> float:
    """Return what a difference is stated against: the level of a loss; a share is compared as it is."""
    return (abs(baseline.best) or 1.0) if loss_like(name) else 1.0


def _only_seed(baseline: Side, run: Side) -> bool:
    """Tell whether both state their settings and differ in the seed alone."""
    one, other = baseline.config, run.config
    return bool(one) and bool(settings.clash(settings.SEEDS, one, other)) and not settings.different(one, other)


def _direction(change: float, margin: float) -> int:
    return (change > margin) - (change < -margin)


def _own_noise(results: tuple[Result, Result], scale: float) -> float:
    return NOISE_UNITS * math.hypot(results[0].noise, results[1].noise) / scale


def _margin(
    baseline: Side, run: Side, name: str, scale: float, peers: tuple[Sequence[Side], Sequence[Side]]
) -> tuple[Basis, float]:  # fmt: skip
    floor = FLOOR if loss_like(name) else FLOOR_POINTS
    one, other = (_bests((head, *more), name) for head, more in zip((baseline, run), peers, strict=True))
    if len(one) > 1 and len(other) > 1:
        spread = math.sqrt(np.var(one, ddof=1) / len(one) + np.var(other, ddof=1) / len(other))
        return "seeds", max(T_95.get(len(one) + len(other) - 2, MANY) * spread / scale, floor)
    if same_order(baseline.diagnosis.run, run.diagnosis.run):
        return "paired", max(NOISE_UNITS * _paired_noise(baseline.diagnosis.run, run.diagnosis.run, name) / scale, floor)
    return "unpaired", SEED_MARGIN if loss_like(name) else SEED_POINTS


def _bests(sides: Sequence[Side], name: str) -> list[float]:
    found = [result_of(side.diagnosis.run.series[name]) for side in sides if name in side.diagnosis.run.series]
    return [result.best for result in found if result]


def _mean_change(
    name: str, what: str, scale: float, baseline: Side, run: Side, peers: tuple[Sequence[Side], Sequence[Side]]
) -> float:
    means = []
    for head, more in zip((baseline, run), peers, strict=True):
        found = [result_of(s.diagnosis.run.series[name]) for s in (head, *more) if name in s.diagnosis.run.series]
        means.append(float(np.mean([getattr(result, what) for result in found if result])))
    return (means[1] - means[0]) / scale


def same_order(one: Run, other: Run) -> bool:
    """Tell whether two runs saw the same batches in the same order: then their losses go up and down together.

    Where too few points are common to tell, equal seeds, batches and data are believed.
    """
    stated = settings.same_batches(one.config, other.config)
    if any("train_loss" not in run.series for run in (one, other)):
        return stated
    points = [
        dict(zip(s.x.tolist(), s.values.tolist(), strict=True)) for s in (r.series["train_loss"].finite for r in (one, other))
    ]
    common = sorted(points[0].keys() & points[1].keys())
    common = common[round(len(common) * SETTLED) :]
    bends = [np.diff([found[x] for x in common], 2) for found in points]
    if len(bends[0]) < LEAST_COMMON or any(not np.ptp(bend) for bend in bends):
        return stated
    one_rank, other_rank = (bend.argsort().argsort() for bend in bends)
    return float(np.corrcoef(one_rank, other_rank)[0, 1]) >= ALIKE


def _paired_noise(one: Run, other: Run, name: str) -> float:
    """Return the noise of one difference between evaluations at the same place; that of both curves where they have none."""
    curves = [run.series[name].finite for run in (one, other)]
    points = [dict(zip(curve.x.tolist(), curve.values.tolist(), strict=True)) for curve in curves]
    common = sorted(points[0].keys() & points[1].keys())
    apart = np.array([points[1][x] - points[0][x] for x in common[round(len(common) * SETTLED) :]])
    if len(apart) > 3:  # noqa: PLR2004  as many as a noise from second differences needs
        return min(robust_noise(apart), curvature_noise(apart))
    return math.hypot(*(min(robust_noise(curve.values), curvature_noise(curve.values)) for curve in curves))
