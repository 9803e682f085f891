"""The charts of a report as data: curves thinned so that spikes survive, the noise band, and what is to be pointed at."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any, Literal

import numpy as np

from advisor.model import SEVERITIES, Diagnosis, FloatArray, Forecast, NotMeasurable, Run, Series
from advisor.render.words import Words, number_text
from advisor.report.material import Material, smoothed
from advisor.report.model import Band, Chart, Line, Mark, Span

MOST_POINTS = 1400
"""Points of a drawn curve: more than a page or a screen has columns."""

MOST_SPANS, MOST_MARKS, MOST_EPOCHS, MOST_NON_FINITE = 6, 24, 20, 3
"""Of more, only the gravest are drawn, and of the epochs every so manyth; the text names all."""

NOISE_BAND = 2.0
"""Half-width of the band around the evaluations, in standard deviations."""

SMOOTHED_FROM = 100
"""Gradient norms from which on a smoothed curve says more than the points."""

OUTLIERS = 99.5
"""Percentile of the training values from which on single ones may leave the axis."""

FAR = 3.0
"""How many times the height of the rest a single point must reach for the axis to leave it out."""

STEEP = 50.0
"""Largest value over the median from which on a logarithmic axis shows more."""

WHOLE = 0.98
"""Share of the axis from which on a stretch is nearly all of it."""

FLAT = 1e-3
"""Least height of an axis, relative to its values: below it lie rounding and the last digits of a log, not a curve."""

MARGIN = 0.05
"""Share of the height that is left free above and below."""


def thinned(x: FloatArray, y: FloatArray, most: int = MOST_POINTS) -> tuple[FloatArray, FloatArray]:
    """Return at most `most` of the points, none of them altered: of each bucket its lowest and its highest, and the two ends."""
    count = len(y)
    if count <= most:
        return x, y
    buckets = (most - 2) // 2
    edges = np.linspace(0, count, buckets + 1).astype(np.int64)
    kept = {0, count - 1}
    for begin, end in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        part = y[begin:end]
        kept |= {begin + int(np.argmin(part)), begin + int(np.argmax(part))}
    at = np.array(sorted(kept))
    return x[at], y[at]


def evenly(x: FloatArray, y: FloatArray, most: int) -> tuple[FloatArray, FloatArray]:
    """Return at most `most` points at even distances, for a curve that is smooth already."""
    at = np.linspace(0, len(x) - 1, min(len(x), most)).round().astype(np.int64)
    return x[at], y[at]


def charts(material: Material, words: Words) -> tuple[Chart, ...]:
    """Return the chart of the loss (or the reward), and under it that of the gradient norm and the learning rate."""
    run = material.run
    begin, end = _axis(run, material.forecast)
    return _main(material, words, begin, end), _gradient(material, words, begin, end)


def _axis(run: Run, forecast: Forecast | None) -> tuple[float, float]:
    ends = [(float(s.x[0]), float(s.x[-1])) for s in run.series.values() if len(s) and np.all(np.isfinite(s.x[[0, -1]]))]
    if not ends:
        return 0.0, 1.0
    begin, end = min(a for a, _ in ends), max(b for _, b in ends)
    if forecast is not None and not forecast.finished:
        end = max(end, forecast.at)
    return begin, end if end > begin else begin + 1.0


def _line(series: Series, words: Words, label: str, role: str, axis: str = "left") -> Line:
    finite = series.finite
    x, y = thinned(finite.x, finite.values)
    return Line(series.name, words(f"line.{label}"), role, axis, x, y, len(series))  # type: ignore[arg-type]


def _main(material: Material, words: Words, begin: float, end: float) -> Chart:
    run = material.run
    name: Literal["loss", "reward"] = "reward" if material.by_reward else "loss"
    lines = list(_main_lines(material, words))
    bands = _bands(material, words)
    low, high = _heights(lines, bands)
    log = name == "loss" and _is_steep(lines)
    if log:
        low, high = _positive_heights(lines)
    marks = (*_best(material, words), *_non_finite(run, words), *_evidence(material.diagnosis, words, lines, events=True))
    return Chart(
        name=name, title=words(f"chart.{name}"), x_label=words(f"axis.{run.axis}"), left_label=words(f"axis.{name}"),
        right_label="", log=log, x_from=begin, x_to=end, y_low=low, y_high=high, lines=tuple(lines), bands=bands,
        marks=marks[:MOST_MARKS], spans=_spans(material, words), **_epochs(material),
        caption=_caption(material, words, lines), missing="" if lines else words("chart.nothing"),
    )  # fmt: skip


def _main_lines(material: Material, words: Words) -> Iterator[Line]:
    run, prefix = material.run, "reward" if material.by_reward else "train_loss"
    train = run.series.get(prefix)
    if train is not None and len(train.finite) and material.one_unit:
        yield _line(train, words, prefix, "raw")
        curve = material.smooth
        if curve is not None:
            x, y = evenly(*curve, MOST_POINTS // 2)
            yield Line(prefix, words("line.smooth"), "smooth", "left", x, y, len(train))
    evals = run.series.get("eval_reward" if material.by_reward else "eval_loss")
    if evals is not None and len(evals.finite):
        yield _line(evals, words, "eval", "points")
    if (forecast := material.forecast) is not None and not forecast.finished:
        last = _last_x(run, forecast.series)
        yield Line(
            forecast.series, words("line.forecast"), "dashed", "left",
            np.array([last, forecast.at]), np.array([forecast.now, forecast.end.value]), 2,
        )  # fmt: skip
    if material.earlier is not None:
        yield from _earlier(material, words)


def _earlier(material: Material, words: Words) -> Iterator[Line]:
    """Yield the evaluations of the earlier run, where both runs count the same on the axis and in the loss."""
    assert material.earlier is not None
    name = "eval_loss" if "eval_loss" in material.run.series else "train_loss"
    mine, other = material.run.series.get(name), material.earlier.run.series.get(name)
    if mine is None or other is None or mine.unit != other.unit or material.run.axis != material.earlier.run.axis:
        return
    if len(other.finite):
        x, y = thinned(other.finite.x, other.finite.values)
        yield Line(name, words("line.earlier"), "dashed", "left", x, y, len(other))


def _last_x(run: Run, name: str) -> float:
    return float(run.series[name].finite.x[-1])


def _bands(material: Material, words: Words) -> tuple[Band, ...]:
    bands = []
    evals = material.run.series.get("eval_loss")
    if evals is not None and not material.by_reward and (noise := material.get("eval_noise")):
        x, y = thinned(evals.finite.x, evals.finite.values)
        bands.append(Band("noise", words("line.noise"), x, y - NOISE_BAND * noise, y + NOISE_BAND * noise))
    if (forecast := material.forecast) is not None and not forecast.finished:
        x = np.array([_last_x(material.run, forecast.series), forecast.at])
        bands.append(
            Band("forecast", words("line.interval", coverage=f"{forecast.coverage:.0%}"), x,
                 np.array([forecast.now, forecast.end.low]), np.array([forecast.now, forecast.end.high]))
        )  # fmt: skip
    return tuple(bands)


def _heights(lines: Sequence[Line], bands: Sequence[Band] = ()) -> tuple[float, float]:
    """Return the stretch of the left axis that shows the curves; single points far above all others are left out of it."""
    left = [line for line in lines if line.axis == "left"]
    if not left:
        return 0.0, 1.0
    low = min(float(np.min(line.y)) for line in left)
    highest = max(float(np.max(line.y)) for line in left)
    usual = max(float(np.percentile(line.y, OUTLIERS) if line.role == "raw" else np.max(line.y)) for line in left)
    high = usual if highest - low > FAR * (usual - low) > 0 else highest
    floor = 0.0 if low >= 0 else -math.inf
    for band in bands:
        low, high = min(low, float(np.min(band.low))), max(high, float(np.max(band.high)))
    room = max(MARGIN * ((high - low) or abs(high) or 1.0), (FLAT * max(abs(low), abs(high)) - (high - low)) / 2)
    return max(low - room, floor), high + room


def _is_steep(lines: Sequence[Line]) -> bool:
    """Tell whether a logarithmic axis shows more: the largest value is many times the median, and none is below zero."""
    values = np.concatenate([line.y for line in lines]) if lines else np.array([])
    if not len(values) or float(np.min(values)) <= 0:
        return False
    return float(np.max(values)) > STEEP * float(np.median(values))


def _positive_heights(lines: Sequence[Line]) -> tuple[float, float]:
    values = np.concatenate([line.y for line in lines])
    low, high = float(np.min(values)), float(np.max(values))
    room = (high / low) ** MARGIN
    return low / room, high * room


def _gradient(material: Material, words: Words, begin: float, end: float) -> Chart:
    run = material.run
    lines = []
    for name, role, axis in (("grad_norm", "raw", "left"), ("learning_rate", "step", "right")):
        series = run.series.get(name)
        if series is not None and len(series.finite):
            lines.append(_line(series, words, name, role, axis))
            if name == "grad_norm" and len(series.finite) >= SMOOTHED_FROM:
                lines.append(
                    Line(name, words("line.smooth"), "smooth", "left", *evenly(*smoothed(series), MOST_POINTS // 2), len(series))
                )
    left = [line for line in lines if line.axis == "left"]
    log = _is_steep(left)
    low, high = _positive_heights(left) if log else _heights(left)
    captions = [_first_to_last(line, words) for line in lines if line.role != "smooth"]
    return Chart(
        name="gradient", title=words("chart.gradient"), x_label=words(f"axis.{run.axis}"), left_label=words("line.grad_norm"),
        right_label=words("line.learning_rate"), log=log, x_from=begin, x_to=end, y_low=low, y_high=high, lines=tuple(lines),
        bands=(), marks=tuple(_evidence(material.diagnosis, words, lines, events=False))[:MOST_MARKS],
        spans=_spans(material, words), **_epochs(material), caption=words("sentence_gap").join(captions),
        missing="" if lines else words("chart.no_gradient"),
    )  # fmt: skip


def _epochs(material: Material) -> dict[str, Any]:
    """Return the ends of epochs, and of how many each is the last where there are very many."""
    epochs = material.get("train_epochs")
    boundaries = () if epochs is None else epochs.boundaries
    every = -(-len(boundaries) // MOST_EPOCHS) or 1
    return {"epochs": tuple(boundaries[every - 1 :: every]), "epochs_every": every}


def _best(material: Material, words: Words) -> Iterator[Mark]:
    if material.by_reward:
        return
    if (best := material.get("eval_best")) is not None:
        yield Mark(
            "best", best.x, best.value, words("mark.best", value=f"{best.value:.4g}", at=words.at(best.x)), series="eval_loss"
        )


def _non_finite(run: Run, words: Words) -> Iterator[Mark]:
    """Yield the first places where a loss is no finite number."""
    for name in ("train_loss", "eval_loss"):
        series = run.series.get(name)
        if series is None:
            continue
        bad = np.flatnonzero(~np.isfinite(series.values))[:MOST_NON_FINITE]
        for i in bad.tolist():
            x = float(series.x[i])
            yield Mark("non-finite", x, None, words("mark.non_finite", series=name, at=words.at(x)), series=name)


def _evidence(diagnosis: Diagnosis, words: Words, lines: Sequence[Line], *, events: bool) -> Iterator[Mark]:
    """Yield the points of the drawn series that findings rest on, and with `events` the places of what is no point."""
    drawn = {line.name for line in lines if line.role != "dashed"}
    seen: set[tuple[float, str]] = set()
    for finding in diagnosis.findings:
        for point in finding.hit.evidence:
            if not np.isfinite(point.x) or (point.series not in drawn and (point.series or not events)):
                continue
            if (point.x, point.series) in seen:
                continue
            seen.add((point.x, point.series))
            if not point.series:
                yield Mark("event", point.x, None, words.point(point), finding.rule.id)
                continue
            label = words("mark.evidence", value=number_text(point.value), at=words.at(point.x))
            y = point.value if np.isfinite(point.value) else None
            yield Mark("evidence", point.x, y, label, finding.rule.id, point.series)


def _spans(material: Material, words: Words) -> tuple[Span, ...]:
    """Return the stretches that findings speak of, the gravest first: those whose evidence is a beginning and an end."""
    first, last = _axis(material.run, material.forecast)
    spans: list[Span] = []
    for finding in material.diagnosis.findings:
        places = [point.x for point in finding.hit.evidence if np.isfinite(point.x)]
        if len(finding.hit.evidence) != 2 or len(places) != 2 or places[0] == places[1]:  # noqa: PLR2004  a beginning, an end
            continue
        begin, end = sorted(places)
        rule = finding.rule
        same = any(s.begin == begin and s.end == end for s in spans)
        if not (same and rule.severity == SEVERITIES[-1]):
            whole = end - begin >= WHOLE * (last - first)
            spans.append(Span(rule.id, rule.severity, begin, end, words.of(finding, "title"), whole))
    return tuple(spans[:MOST_SPANS])


def _first_to_last(line: Line, words: Words) -> str:
    low, high = float(np.min(line.y)), float(np.max(line.y))
    numbers = {name: f"{value:.4g}" for name, value in (("first", line.y[0]), ("last", line.y[-1]), ("low", low), ("high", high))}
    return words("caption.line", label=line.label[:1].upper() + line.label[1:], **numbers)


def _caption(material: Material, words: Words, lines: Sequence[Line]) -> str:
    """Return the figure in words: each curve with its numbers, the best point, and what is shaded."""
    said = [_first_to_last(line, words) for line in lines if line.role in ("raw", "points")]
    said += [words("caption.best", mark=mark.label) for mark in _best(material, words)]
    spans = [words("caption.span", rule=s.rule, begin=words.at(s.begin), end=words.at(s.end))
             for s in _spans(material, words)]  # fmt: skip
    if spans:
        said.append(words("caption.shaded", spans=words("separator").join(spans)))
    with suppress(NotMeasurable):
        said.append(words("caption.noise", noise=f"{material.measured['eval_noise']:.2g}"))
    return words("sentence_gap").join(said)
