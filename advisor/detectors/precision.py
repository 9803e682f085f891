"""Detectors of half precision."""

from __future__ import annotations

from advisor.detectors.registry import detector
from advisor.model import At, Hit, Point
from advisor.signals.precision import LossScale


@detector
def loss_scale_collapse(
    loss_scale_cuts: LossScale | None, *, least_halvings: int, window: float, search: float, floor: float
) -> Hit | None:
    """The loss scale was halved so many times within `window` steps, or fell to `floor`, after the `search` for it.

    Where the log names a step more rarely than every `window` steps, as many more halvings are asked for.
    """
    if loss_scale_cuts is None:
        return None
    later = [cut for cut in loss_scale_cuts.cuts if cut.x > loss_scale_cuts.begin + search]
    span = max(window, loss_scale_cuts.spacing)
    for i, first in enumerate(later):
        close = [cut for cut in later[i:] if cut.x <= first.x + span]
        halvings, last = sum(cut.halvings for cut in close), close[-1]
        fast = halvings >= least_halvings * span / window
        if halvings >= least_halvings and last.scale < first.scale and (fast or last.scale <= floor):
            evidence = tuple(Point("loss_scale", cut.x, cut.scale, cut.line) for cut in (first, last))
            return Hit({"halvings": halvings, "first": At(first.x), "last": At(last.x), "scale": last.scale}, evidence)
    return None
