"""Detectors that serve as evidence for causes: the learning rate against its band, the beginning, the pace, the settings."""

from __future__ import annotations

import math

import numpy as np

from advisor.detectors.registry import detector
from advisor.model import At, Facts, Hit, NotMeasurable, Run, Series
from advisor.signals.curve import Epochs, Level
from advisor.signals.gradient import Gradient
from advisor.signals.rates import RateBand
from advisor.signals.relation import Pace
from advisor.signals.schedule import RateLeap
from advisor.signals.settings import setting
from advisor.signals.start import Beginning, NonFinite
from advisor.signals.stats import mann_kendall
from advisor.signals.tokens import StepTokens


def _rounded(times: float) -> float:
    """Return how many times as large, to two digits: a band has no more."""
    return float(f"{times:.2g}")


def _rate_facts(rate: float, band: RateBand) -> Facts:
    return {
        "rate": rate,
        "low": band.low,
        "high": band.high,
        "above": _rounded(rate / band.high),
        "below": _rounded(band.low / rate),
    }


@detector
def rate_above_band(peak_learning_rate: float, rate_band: RateBand, *, factor: float, size_known: bool) -> Hit | None:
    """The learning rate lies above the plausible band by the factor; with `size_known` only where the model's size is known."""
    if peak_learning_rate < factor * rate_band.high or (size_known and not rate_band.size_known):
        return None
    return Hit(_rate_facts(peak_learning_rate, rate_band))


@detector
def rate_below_band(peak_learning_rate: float, rate_band: RateBand, *, factor: float) -> Hit | None:
    """The learning rate lies below the plausible band by the factor."""
    if not 0 < peak_learning_rate * factor < rate_band.low:
        return None
    return Hit(_rate_facts(peak_learning_rate, rate_band))


@detector
def rate_inside_band(peak_learning_rate: float, rate_band: RateBand) -> Hit | None:
    """The learning rate lies inside the plausible band."""
    if not rate_band.low <= peak_learning_rate <= rate_band.high:
        return None
    return Hit(_rate_facts(peak_learning_rate, rate_band))


@detector
def warmup_short(warmup_share: float, *, most: float) -> Hit | None:
    """Warm-up takes at most this share of the run."""
    return Hit({"share": warmup_share}) if warmup_share <= most else None


@detector
def early_rise(train_loss: Series, train_beginning: Beginning, *, min_rise: float, min_z: float) -> Hit | None:
    """In its first quarter the training loss climbs above where it began, or had come to, beyond the noise."""
    if train_beginning.peak < min_rise or train_beginning.peak_z < min_z:
        return None
    finite = train_loss.finite
    top = finite.point(train_beginning.peak_index)
    facts = {"rise": train_beginning.peak, "low": train_beginning.low, "top": top.value, "top_at": At(top.x)}
    return Hit(facts, (finite.point(0), top))


@detector
def early_stall(train_beginning: Beginning, *, min_fall: float) -> Hit | None:
    """The first tenth of the run brings nothing, though the loss falls by `min_fall` afterwards."""
    if train_beginning.stall < 0 or train_beginning.fall < min_fall:
        return None
    return Hit({"first": train_beginning.first, "fall": train_beginning.fall})


@detector
def slow_pace(
    eval_loss: Series, descent_pace: Pace, *, min_fall: float, max_fall: float, max_early: float, max_p: float, max_back: float
) -> Hit | None:
    """The evaluation loss falls steadily, but by little, and in proportion to the learning rate spent: it has hardly begun.

    max_back: most that it rises above its lowest value so far, as a share of the fall; steps that do something shake it more.
    """
    if not min_fall <= descent_pace.fall <= max_fall or not descent_pace.early <= max_early:
        return None
    finite = eval_loss.finite
    back = float(np.max(finite.values - np.minimum.accumulate(finite.values)))
    if mann_kendall(finite.values) > max_p or back > max_back * descent_pace.fall * float(finite.values[0]):
        return None
    facts = {
        "fall": descent_pace.fall,
        "early": descent_pace.early,
        "first": float(finite.values[0]),
        "last": float(finite.values[-1]),
    }
    return Hit(facts, (finite.point(0), finite.point(len(finite) - 1)))


@detector
def several_epochs(train_epochs: Epochs, *, least: float) -> Hit | None:
    """The rows were passed over at least so many times."""
    return Hit({"epochs": train_epochs.total}) if train_epochs.total >= least else None


@detector
def first_pass(train_epochs: Epochs, *, most: float) -> Hit | None:
    """The rows were passed over hardly more than once."""
    return Hit({"epochs": train_epochs.total}) if train_epochs.total <= most else None


@detector
def repeated_rows(run: Run, train_epochs: Epochs, *, least: float, from_epochs: float) -> Hit | None:
    """At least this share of the rows repeat another one, so that several passes are more passes over what is in them."""
    share = setting(run.config, "duplicate_share")
    if share is None or not least <= share < 1 or train_epochs.total < from_epochs:
        return None
    return Hit({"share": share, "epochs": train_epochs.total, "effective": train_epochs.total / (1 - share)})


@detector
def few_updates(
    run: Run, train_loss: Series, run_finished: bool, train_beginning_fall: float, *, most: int, min_fall: float
) -> Hit | None:
    """The whole run has at most so many optimizer steps, and the loss was falling."""
    if run.axis != "step":
        raise NotMeasurable("step")
    steps = float(train_loss.x[-1])
    if not run_finished or steps > most or train_beginning_fall < min_fall:
        return None
    return Hit({"steps": int(steps), "fall": train_beginning_fall})


@detector
def setting_at_least(run: Run, *, name: str, least: float) -> Hit | None:
    """A numeric setting is at least so large."""
    value = setting(run.config, name)
    return Hit({"name": name, "value": value}) if value is not None and value >= least else None


@detector
def setting_at_most(run: Run, *, name: str, most: float) -> Hit | None:
    """A numeric setting is at most so large."""
    value = setting(run.config, name)
    return Hit({"name": name, "value": value}) if value is not None and value <= most else None


@detector
def small_batch(rows_per_update: float, *, most: float) -> Hit | None:
    """An optimizer step sees at most so many rows."""
    return Hit({"batch": int(rows_per_update)}) if rows_per_update <= most else None


@detector
def large_jitter(train_jitter: float, *, least: float) -> Hit | None:
    """Neighbouring losses differ by at least this share of the level."""
    return Hit({"jitter": train_jitter}) if train_jitter >= least else None


@detector
def much_is_learnt(train_level: Level, *, max_remaining: float) -> Hit | None:
    """At most this share of the first training loss is left at the end, as a median each."""
    if not 0 < train_level.end <= max_remaining * train_level.first:
        return None
    return Hit({"first": train_level.first, "end": train_level.end})


@detector
def precision_is(run: Run, *, kind: str) -> Hit | None:
    """The run computes in this precision, as its configuration says."""
    words = {
        str(run.config.get(name, "")).lower() for name in ("precision", "mixed_precision", "dtype", "torch_dtype", "compute_dtype")
    }
    if run.config.get(kind) is True or words & {kind, {"fp16": "float16", "bf16": "bfloat16"}.get(kind, kind)}:
        return Hit({"kind": kind})
    return None


@detector
def nan_beside_gradient(
    train_loss: Series, grad_norm: Series, train_non_finite: NonFinite, *, gradient: str, least: float
) -> Hit | None:
    """Where the loss is no number, the gradient norm is mostly `zero`, mostly `non-finite`, or `finite` and not mostly zero."""
    if train_non_finite.count == 0:
        return None
    beside = grad_norm.values[np.isin(grad_norm.x, train_loss.x[~np.isfinite(train_loss.values)])]
    finite = np.isfinite(beside)
    kinds = {"zero": beside == 0, "finite": finite & (np.mean(beside == 0) < least), "non-finite": ~finite}
    if not len(beside) or float(np.mean(kinds[gradient])) < least:
        return None
    first = int(np.argmax(~np.isfinite(train_loss.values)))
    return Hit({"count": train_non_finite.count, "at": At(train_loss.x[first])})


@detector
def nan_at_once(train_loss: Series, train_non_finite: NonFinite, *, within: int) -> Hit | None:
    """The loss is no number from one of the first points on."""
    if train_non_finite.count == 0 or train_non_finite.first >= within:
        return None
    return Hit({"at": At(train_loss.x[train_non_finite.first])})


@detector
def rate_leaps(learning_rate: Series, rate_leap: RateLeap, *, min_factor: float) -> Hit | None:
    """After warm-up the logged learning rate leaps up from one point to the next."""
    if rate_leap.factor < min_factor or not math.isfinite(rate_leap.factor):
        return None
    finite = learning_rate.finite
    facts = {"factor": rate_leap.factor, "at": At(rate_leap.x), "rate": float(finite.values[rate_leap.index])}
    return Hit(facts, (finite.point(rate_leap.index - 1), finite.point(rate_leap.index)))


@detector
def rate_drops(learning_rate: Series, *, min_factor: float, within: float, least: int) -> Hit | None:
    """In the first part of the run, `within` of it, the logged rate falls by the factor from one log to the next and stays low."""
    finite = learning_rate.finite
    values = finite.values
    if len(values) < least:
        raise NotMeasurable("learning_rate", need=least, have=len(values))
    early = int(within * (len(values) - 1))
    with np.errstate(divide="ignore", invalid="ignore"):
        factors = values[:early] / values[1 : early + 1]
    at = int(np.argmax(np.where(np.isfinite(factors), factors, 0.0))) if early else 0
    if not early or not factors[at] >= min_factor or np.max(values[at + 1 :]) * min_factor > values[at] * 2:
        return None
    facts = {"factor": float(factors[at]), "at": At(finite.x[at + 1]), "rate": float(values[at + 1])}
    return Hit(facts, (finite.point(at), finite.point(at + 1)))


@detector
def gradient_steady(gradient: Gradient, *, least: float) -> Hit | None:
    """The gradient norm ends at no less than this share of where it was: nothing has been used up."""
    return Hit({"ratio": gradient.tail_over_head}) if gradient.tail_over_head >= least else None


@detector
def tokens_drift(step_tokens: StepTokens, *, min_factor: float, max_p: float) -> Hit | None:
    """The number of tokens in a step drifts through the run, as it does where rows are sorted by length."""
    low, high = sorted((step_tokens.first, step_tokens.last))
    if low <= 0 or high < min_factor * low or step_tokens.p > max_p:
        return None
    return Hit({"first": step_tokens.first, "last": step_tokens.last})
