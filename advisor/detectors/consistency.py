"""Detectors of a run that does not do what its settings say."""

from __future__ import annotations

from advisor.detectors.registry import detector
from advisor.model import At, Facts, Hit, NotMeasurable, Series
from advisor.signals.consistency import Pace, RateJump, Shape, SpentTail, WarmUp
from advisor.signals.resumption import Resumption


@detector
def loss_jumps_at_resume(train_loss: Series, resumption: Resumption, *, min_rise: float, min_sigmas: float) -> Hit | None:
    """Where the run was resumed the training loss stands `min_rise` of its level, and more than noise, above where it was."""
    rise = (resumption.after - resumption.before) / (abs(resumption.before) or 1.0)
    if rise < min_rise or resumption.sigmas < min_sigmas:
        return None
    finite = train_loss.finite
    facts = {
        "before": resumption.before,
        "after": resumption.after,
        "rise": rise,
        "at": At(finite.x[resumption.point]),
        "line": resumption.event.line,
    }
    return Hit(facts, (finite.point(resumption.point - 1), finite.point(resumption.point)))


@detector
def epochs_off_pace(epoch_pace: Pace, *, tolerance: float, least_factor: float, most_factor: float) -> Hit | None:
    """Epochs count faster or slower than the settings say by a whole factor: that many devices or steps are not counted."""
    factor = max(epoch_pace.ratio, 1 / epoch_pace.ratio)
    whole = round(factor)
    if not least_factor <= whole <= most_factor or abs(factor / whole - 1) > tolerance:
        return None
    if epoch_pace.uncertainty > tolerance:
        raise NotMeasurable("epoch")
    return Hit(
        {
            "factor": whole,
            "logged": epoch_pace.logged,
            "expected": epoch_pace.expected,
        }
    )


@detector
def tokens_beyond_limit(longest_row: float, rows_per_update: float, tokens_per_update: float, *, min_ratio: float) -> Hit | None:
    """An update consumes more tokens than its rows can hold, by the factor `min_ratio`."""
    most = rows_per_update * longest_row
    if most <= 0 or tokens_per_update < min_ratio * most:
        return None
    return Hit({"tokens": int(tokens_per_update), "most": int(most), "ratio": tokens_per_update / most})


@detector
def warmup_unfinished(
    warm_up: WarmUp, run_finished: bool, planned_updates: float, learning_rate: Series, *, min_share: float
) -> Hit | None:
    """The run ended inside its declared warm-up: the rate reached its peak in the last part, from `min_share` on, or never."""
    if not run_finished or min(warm_up.logged, warm_up.declared) < min_share * warm_up.last:
        return None
    rates = learning_rate.finite
    facts: Facts = {"declared": int(warm_up.declared), "last": At(warm_up.last), "updates": int(planned_updates)}
    return Hit(facts, (rates.point(0), rates.point(len(rates) - 1)))


@detector
def warmup_off_plan(warm_up: WarmUp, planned_updates: float, *, min_share: float, intervals: float) -> Hit | None:
    """The rate reached its peak earlier or later than declared, by `min_share` of the run and `intervals` logged steps."""
    if not warm_up.reached and warm_up.last <= warm_up.declared:
        return None
    off = abs(warm_up.logged - warm_up.declared)
    if off < max(min_share * planned_updates, intervals * warm_up.interval):
        return None
    return Hit({"declared": int(warm_up.declared), "logged": At(warm_up.logged), "updates": int(planned_updates)})


@detector
def schedule_off_shape(lr_shape: Shape, *, max_deviation: float) -> Hit | None:
    """The logged rate is off the declared schedule by `max_deviation` of the peak in half of the run."""
    if lr_shape.deviation <= max_deviation:
        return None
    facts: Facts = {"kind": lr_shape.kind, "at": At(lr_shape.at), "logged": lr_shape.logged, "expected": lr_shape.expected}
    return Hit(facts)


@detector
def rate_spent_early(learning_rate: Series, spent_tail: SpentTail, *, min_share: float, min_points: int) -> Hit | None:
    """For the last `min_share` of the run the rate is (next to) nothing."""
    rates = learning_rate.finite
    if spent_tail.share < min_share or spent_tail.points < min_points:
        return None
    facts: Facts = {"share": spent_tail.share, "since": At(rates.x[spent_tail.begins]), "peak": float(rates.values.max())}
    return Hit(facts, (rates.point(max(spent_tail.begins - 1, 0)), rates.point(spent_tail.begins)))


@detector
def rate_jumps(learning_rate: Series, rate_jump: RateJump, *, min_height: float) -> Hit | None:
    """The rate stands out above what was before and what comes after by the factor `min_height`."""
    if rate_jump.height < min_height:
        return None
    rates = learning_rate.finite
    facts: Facts = {
        "height": rate_jump.height,
        "at": At(rates.x[rate_jump.at]),
        "rate": float(rates.values[rate_jump.at]),
        "base": rate_jump.base,
    }
    return Hit(facts, (rates.point(rate_jump.at),))
