"""From a reader's records to Runs: columns, the axis, and the places where a file changes from one run to the next."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from advisor.model import Axis, Event, Facts, FloatArray, Run, Series, Value
from advisor.readers.base import NewRun, Record
from advisor.readers.columns import Columns, IntArray
from advisor.readers.evaluations import test_set_apart, without_echoes
from advisor.readers.event_patterns import FROM_OUTSIDE
from advisor.readers.names import UNITS
from advisor.readers.trainer_steps import FADED, Told, steps_of

LEAST_PLACED = 0.5
"""Share of rows that must name a step for steps to be the axis: evaluations that print none belong to the step before them."""

LEAST_IN_EPOCH = 3
"""Train rows that name the same epoch, and no step, from which they are spread over it."""

ROWS_LEFT_TO_PRINT = 1
"""Rows that a run which was ended from outside may still have in its buffer."""

STAYS_BACK = 3
"""How many points in a row must lie behind the furthest one for a new run to have begun."""
_STAND_INS: Mapping[str, Mapping[str, str]] = {
    "train_loss": {
        "train_bits": "judged-by-bits",
        "train_mean_bits": "judged-by-bits",
        "train_sentence_loss": "judged-by-sentence",
        "train_loss_sum": "sum-of-losses",
        "train_error": "",
        "train_mean_loss": "",
        "train_mean_error": "",
        "train_perplexity": "judged-by-perplexity",
    },
    "eval_loss": {
        "eval_bits": "judged-by-bits",
        "eval_sentence_loss": "judged-by-sentence",
        "eval_loss_sum": "sum-of-losses",
        "eval_error": "",
        "eval_perplexity": "judged-by-perplexity",
    },
}
"""What is judged where no loss was logged, the best first, and the note that says so: quantities that rise and fall with it."""


@dataclass(frozen=True)
class _Table:
    """The columns as arrays, with a position on the axis for every row."""

    columns: Columns
    line: IntArray
    series: dict[str, tuple[IntArray, FloatArray]]
    epoch: FloatArray
    position: FloatArray
    axis: Axis
    notes: tuple[str, ...]


def assemble(records: Iterable[Record], source: str, reader: str) -> list[Run]:
    """Return the runs that `records` tell of: one, or several where the step goes back. Empty where there is nothing."""
    runs: list[Run] = []
    columns, announced = Columns(), False
    for record in records:
        if isinstance(record, NewRun):
            if len(columns.line) or columns.events:
                runs += _runs(columns, announced, source, reader)
                columns = Columns()
            announced = True
        else:
            columns.add(record)
    return runs + _runs(columns, announced, source, reader)


def _runs(columns: Columns, announced: bool, source: str, reader: str) -> list[Run]:
    """Return the runs in these columns: one where the log announced it, else also several."""
    if not len(columns.line) and not columns.events:
        return []
    step = np.frombuffer(columns.step) if len(columns.step) else np.array([])
    epoch = np.frombuffer(columns.epoch) if len(columns.epoch) else np.array([])
    series = without_echoes(_apart_from_means(test_set_apart(columns.arrays()), step, epoch), step)
    kinds = _kinds({name: rows for name, (rows, _) in series.items()})
    if np.any(np.isinf(epoch)):
        epoch = np.where(np.isinf(epoch), np.nan, epoch)
    step, notes = _unfold(step, epoch, kinds)
    axis, position = _axis(step, epoch)
    if axis == "epoch" and kinds and (spread := _spread(position, kinds[0])) is not None:
        position, notes = spread, (*notes, "spread-over-epochs")
    line = np.frombuffer(columns.line, dtype=np.int64) if len(columns.line) else np.array([], dtype=np.int64)
    table = _Table(columns, line, series, epoch, position, axis, notes)
    bounds = [*([0] if announced or not kinds else _boundaries(table, kinds)), len(columns.line)]
    return [_run(table, begin, end, source, reader) for begin, end in pairwise(bounds)]


def _apart_from_means(
    series: dict[str, tuple[IntArray, FloatArray]], step: FloatArray, epoch: FloatArray
) -> dict[str, tuple[IntArray, FloatArray]]:
    """Return the series with the means of training that evaluations and ends of epochs tell set apart: no points of the curve.

    A train loss is one where the others name a step and it names none, or where it stands beside an evaluation and its step has
    a train loss of its own.
    """
    if "train_loss" not in series:
        return series
    rows, values = series["train_loss"]
    named = np.isfinite(step[rows])
    if np.mean(named) < LEAST_PLACED:
        return series
    mean = ~named
    beside = np.zeros(len(step), dtype=bool)
    if "eval_loss" in series:
        beside[series["eval_loss"][0]] = True
        beside = beside[rows]
        if np.any(beside):
            again = _among(step[rows[beside]], step[rows[~beside]])
            if np.any(again):
                places = step[rows] + 1j * np.nan_to_num(epoch[rows])
                again &= np.isin(places[beside], places[~beside])
            mean[beside] |= again
    if not np.any(mean) or np.all(mean):
        return series
    return {**series, "train_loss": (rows[~mean], values[~mean]), "train_mean_loss": (rows[mean], values[mean])}


def _among(places: FloatArray, others: FloatArray) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Mark the places that are also among `others`; logs mostly hold them in order, which makes this faster than `np.isin`."""
    if not len(others):
        return np.zeros(len(places), dtype=bool)
    ordered = np.sort(others, kind="stable")
    found: np.ndarray[tuple[int], np.dtype[np.bool_]] = ordered[np.searchsorted(ordered, places) % len(ordered)] == places
    return found


def _kinds(rows: dict[str, IntArray]) -> list[IntArray]:
    """Return the row numbers of train measurements and of evaluations, which each keep their own order."""
    train = [r for name, r in rows.items() if name in ("train_loss", *_STAND_INS["train_loss"])]
    evals = [r for name, r in rows.items() if name.startswith("eval_")]
    return [group[0] if len(group) == 1 else _together(group) for group in (train, evals) if group]


def _together(rows: list[IntArray]) -> IntArray:
    """Return the rows that stand in any of these, each once. Each is in order."""
    marked = np.zeros(max((int(some[-1]) for some in rows if len(some)), default=-1) + 1, dtype=bool)
    for some in rows:
        marked[some] = True
    return np.flatnonzero(marked)


def _unfold(step: FloatArray, epoch: FloatArray, kinds: list[IntArray]) -> tuple[FloatArray, tuple[str, ...]]:
    """Return steps that count through the run, where the log counts them anew in each epoch, and a note of it."""
    if not kinds:
        return step, ()
    rows = kinds[0][np.isfinite(step[kinds[0]]) & np.isfinite(epoch[kinds[0]])]
    back = np.diff(step[rows]) < 0
    onward = np.diff(epoch[rows]) > 0
    if not np.any(back & onward) or np.any(np.diff(step[rows])[onward] > 0) or np.any(epoch[rows] % 1):
        return step, ()
    length = float(np.max(step[rows]))
    if np.min(step[rows]) == 0 and not np.all(onward):  # counted from 0, so the next epoch's 0 is not the last step again
        length += float(np.median(np.diff(step[rows])[~onward]))
    known = np.isfinite(step) & np.isfinite(epoch)
    unfolded = step.copy()
    unfolded[known] += (epoch[known] - np.min(epoch[rows])) * length
    return unfolded, ("steps-per-epoch",)


def _axis(step: FloatArray, epoch: FloatArray) -> tuple[Axis, FloatArray]:
    """Choose what the run is drawn over: steps, else epochs, else row numbers. Gaps take the place of the row before."""
    named: tuple[tuple[Axis, FloatArray], ...] = (("step", step), ("epoch", epoch))
    for name, places in named:
        known = np.isfinite(places)
        if np.any(known) and np.mean(known) >= LEAST_PLACED:
            return name, _without_gaps(places)
    return "row", np.arange(1.0, len(step) + 1)


def _without_gaps(places: FloatArray) -> FloatArray:
    """Return the places; gaps take that of the row before."""
    known = np.isfinite(places)
    latest = np.maximum.accumulate(np.where(known, np.arange(len(places)), -1))
    return np.where(latest >= 0, places[latest], places[known][0])


def _spread(position: FloatArray, train: IntArray) -> FloatArray | None:
    """Return positions in which the rows of an epoch lie evenly within it; None unless epochs are whole and have many train rows.

    The first epoch that a log counts, 0 or 1, is the one from 0 to 1. What stands between two train rows takes the place of the
    one before it.
    """
    epochs = position[train]
    begins = np.flatnonzero(np.diff(epochs, prepend=-np.inf))
    counts = np.diff(np.append(begins, len(epochs)))
    if np.any(epochs % 1) or np.median(counts) < LEAST_IN_EPOCH or np.any(epochs < 0):
        return None
    group = np.repeat(np.arange(len(begins)), counts)
    whole = counts.copy()
    whole[-1] = max(whole[-2:])  # the last epoch may be half done
    done = (np.arange(len(epochs)) - begins[group] + 1) / whole[group]
    first = min(float(epochs[0]), 1.0)
    spread = np.full(len(position), np.nan)
    spread[train] = epochs - first + done
    return _without_gaps(spread)


def _boundaries(table: _Table, kinds: list[IntArray]) -> list[int]:
    """Return the rows at which a run begins: where the position of its kind goes back.

    An evaluation that goes back just before the training does belongs to the new run (an evaluation before the first step).
    """
    bounds = [0]
    train = kinds[0]
    for row in _steps_back(table.position, train):
        first = row
        if len(kinds) > 1:
            previous = train[np.searchsorted(train, row) - 1]
            between = [e for e in _steps_back(table.position, kinds[1]) if previous < e < row]
            first = between[0] if between else row
        bounds.append(first)
    return bounds


def _steps_back(position: FloatArray, rows: IntArray) -> list[int]:
    """Return the rows at which the position goes back and stays back for the next points.

    Points out of order, as two processes that write one file leave them, pass the old mark again at once: no new run.
    """
    places = position[rows]
    found: list[int] = []
    mark, since, latest = -np.inf, 0, 0
    for i in map(int, np.flatnonzero(np.diff(places) < 0) + 1):
        mark = max(mark, float(np.max(places[since:i])))
        since = i
        if float(np.max(places[i : i + STAYS_BACK])) <= mark and i + 1 < len(places):
            if len(found) and i - latest < STAYS_BACK:
                found.pop()
            found.append(int(rows[i]))
            mark, latest = -np.inf, i
    return found


def _run(table: _Table, begin: int, end: int, source: str, reader: str) -> Run:
    """Return the run that the rows from `begin` to before `end` tell of."""
    columns = table.columns
    config: dict[str, Value] = {}
    for row, settings in columns.settings:
        if row < end or row == begin:
            config |= settings
    table, planned = _on_steps(table, begin, end, config)
    series: dict[str, Series] = {}
    for name, (where, _) in table.series.items():
        low, high = np.searchsorted(where, (begin, end))
        if low < high:
            series[name] = _series(table, name, int(low), int(high))
    notes = tuple(dict.fromkeys((*columns.notes, *table.notes, *_stand_in(series))))
    events = (
        _placed(e, table.position, row, begin, end) for row, e in columns.kept_events() if begin < row <= end or row == begin == 0
    )
    return Run(
        source=source,
        reader=reader,
        series=series,
        axis=table.axis,
        events=tuple(events),
        config={**config, **planned},
        unread=tuple(columns.unread),
        unread_count=columns.unread_count,
        notes=notes,
    )


def _on_steps(table: _Table, begin: int, end: int, config: Facts) -> tuple[_Table, Facts]:
    """Return the table on steps where a console that prints epochs lets them be told, and the planned steps."""
    columns = table.columns
    closing = next((c for row, c in columns.closings if begin < row <= end), None)
    if table.axis == "step" or end == begin or not (len(columns.bar_after) or closing or "max_steps" in config):
        return table, {}
    rates = table.series.get("learning_rate", (table.line[:0], table.position[:0]))
    rate = rates[1][slice(*np.searchsorted(rates[0], (begin, end)))]
    marks = {name: np.zeros(end - begin, dtype=bool) for name in ("train", "eval")}
    for name, (rows, _) in table.series.items():
        if kind := "train" if name in ("train_loss", *_STAND_INS["train_loss"]) else "eval" if name.startswith("eval_") else "":
            marks[kind][rows[slice(*np.searchsorted(rows, (begin, end)))] - begin] = True
    found = steps_of(
        Told(
            epoch=table.epoch[begin:end],
            train=marks["train"],
            evals=marks["eval"] & ~marks["train"],
            bars=columns.bars().between(begin, end),
            config=config,
            closing=closing,
            faded=len(rate) > 1 and bool(rate[-1] <= FADED * np.max(rate)),
        )
    )
    if found is None or np.mean(np.isfinite(found.step)) < LEAST_PLACED:
        return replace(table, notes=(*table.notes, "epochs-without-steps")), {}
    position = table.position.copy()
    position[begin:end] = _without_gaps(found.step)
    notes = (*table.notes, "steps-by-bar" if found.by_bar else "steps-worked-out")
    planned: Facts = {"max_steps": found.planned} if found.planned else {}
    return replace(table, axis="step", position=position, notes=notes), planned


def _series(table: _Table, name: str, low: int, high: int) -> Series:
    """Return one series of a run, in the order of the axis, without points that only repeat the one before."""
    where, values = table.series[name]
    rows, values = where[low:high], values[low:high]
    # Neighbouring rows are a view and cost no memory.
    at: slice | IntArray = slice(int(rows[0]), int(rows[-1]) + 1) if rows[-1] - rows[0] + 1 == len(rows) else rows
    place = table.position[at]
    if np.any(place[1:] < place[:-1]):
        order = np.argsort(place, kind="stable")
        at, values, place = rows[order], values[order], place[order]
    series = Series(name, values, place, table.epoch[at], table.line[at], UNITS.get(name, ""))
    repeats = _repeats(place, values) if table.axis != "row" else None
    if repeats is not None and table.axis == "epoch" and bool(np.any(repeats)):
        repeats &= ~_moved_on(table, rows if isinstance(at, slice) else at)
    return series.take(~repeats) if repeats is not None and bool(np.any(repeats)) else series


def _repeats(places: FloatArray, values: FloatArray) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Mark the points that say again what the point before them says: printed twice, logged by two processes."""
    again = np.zeros(len(places), dtype=bool)
    again[1:] = (np.diff(places) == 0) & ((values[1:] == values[:-1]) | (np.isnan(values[1:]) & np.isnan(values[:-1])))
    return again


def _moved_on(table: _Table, rows: IntArray) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Mark the rows whose learning rate differs from that of the row before: another step, though the rounded epoch is the same."""
    told, rates = table.series.get("learning_rate", (rows[:0], table.position[:0]))
    rate = np.full(len(table.position), np.nan)
    rate[told] = rates
    moved = np.zeros(len(rows), dtype=bool)
    moved[1:] = np.abs(np.diff(rate[rows])) > 0
    return moved


def _stand_in(series: dict[str, Series]) -> list[str]:
    """Let what stands in for a loss be judged where none was logged; the unit stays its own. Return notes about it."""
    notes = []
    for loss, others in _STAND_INS.items():
        for other, note in others.items():
            if loss not in series and other in series:
                found = series.pop(other)
                series[loss] = Series(loss, found.values, found.x, found.epoch, found.line, found.unit)
                notes += [note] if note else []
    named = [n for n in series if n.startswith("eval_") and n.endswith("_loss") and n != "eval_loss"]
    if "eval_loss" not in series and len(named) == 1:
        found = series.pop(named[0])
        series["eval_loss"] = Series("eval_loss", found.values, found.x, found.epoch, found.line, "nats")
    return list(dict.fromkeys(notes))


def _placed(event: Event, position: FloatArray, row: int, begin: int, end: int) -> Event:
    x = float(position[row - 1]) if row > begin else float("nan")
    late = ROWS_LEFT_TO_PRINT if event.kind in FROM_OUTSIDE else 0
    return replace(event, x=x, final=row >= end - late)
