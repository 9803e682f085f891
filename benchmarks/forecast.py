"""How often the forecast's interval holds the end of a run, and how far off its median is.

    python benchmarks/forecast.py [-v]

Each finished run of benchmarks/runs, of sample_logs/healthy and, where it lies beside the checkout, of ../shared/corpus is cut at
50, 60 and 75 % of its length; what `advisor.signals.forecast` says of the first part is compared with the real end (the mean of the
last 5 % of the training losses, or the last evaluation). Runs with evaluations are forecast a second time without them. Beside it
stand two naive forecasts: the last value stays, and a power law that knows nothing of annealing. `factor` is by what the interval
had to be widened to hold 80 %, and `held out` the share that it holds of a configuration by the factor of the others. Then the same
for a run of twice the length, on recipes trained both ways.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from advisor.errors import AdvisorError
from advisor.model import Forecast, NotMeasurable, Outlook, Run, Series
from advisor.readers import read_path
from advisor.signals import Measurements, annealing
from advisor.signals.forecast import COVERAGE, END_SHARE, REALISED

ROOT = Path(__file__).resolve().parent.parent
RUNS = ROOT / "benchmarks" / "runs"
CORPUS = ROOT.parent / "shared" / "corpus" / "logs"
SHARES = (0.5, 0.6, 0.75)
COMPLETE = 0.97
"""Share of its planned end that a run must have come to."""

DECAYED = 0.1
"""A log of others that does not say how long it was planned was finished where its rate ended below this share of the peak."""


@dataclass(frozen=True)
class Outcome:
    """One forecast beside the truth.

    group: the configuration, whose seeds are one. last: the last value seen. power_law: the end without annealing. end: what was
    forecast for the end of the shorter run, where `outlook` is that of a longer one.
    """

    group: str
    name: str
    series: str
    outlook: Outlook
    truth: float
    last: float
    power_law: float = float("nan")
    end: float = float("nan")

    @property
    def inside(self) -> bool:
        """Whether the interval holds the truth."""
        return self.outlook.low <= self.truth <= self.outlook.high

    @property
    def needed(self) -> float:
        """By what the interval had to be widened to just hold the truth."""
        o = self.outlook
        side = o.high - o.value if self.truth > o.value else o.value - o.low
        return abs(self.truth - o.value) / max(side, 1e-12)


def finished_runs() -> Iterator[tuple[str, str, Run]]:
    """Yield (source, group, run) of every run whose end is known."""
    files = [("own", p) for p in sorted(RUNS.glob("*.jsonl.gz"))]
    files += [("own", p) for p in sorted((ROOT / "sample_logs" / "healthy").iterdir())]
    if CORPUS.is_dir():
        files += [("corpus", p) for p in sorted(CORPUS.rglob("*")) if p.is_file()]
    for source, path in files:
        try:
            runs = read_path(path)
        except (AdvisorError, OSError):
            continue
        for run in runs:
            known = with_its_plan(run, source)
            if known is None:
                continue
            group = re.sub(r"(__)?-?\d+\.(jsonl\.gz|\w+)$", "", path.name)
            yield source, group, known
            if "eval_loss" in known.series:
                yield source, group, replace(known, series={n: s for n, s in known.series.items() if n != "eval_loss"})


def with_its_plan(run: Run, source: str) -> Run | None:
    """Return the run with its planned end in the configuration, or None where its end is not the planned one."""
    loss, rate = run.series.get("train_loss"), run.series.get("learning_rate")
    if loss is None or run.axis == "row" or len(loss) < 20:
        return None
    planned = {k: v for k in ("max_steps", "num_train_epochs") if isinstance(v := run.config.get(k), int | float) and v > 0}
    if not planned:
        if rate is None or (source == "corpus" and rate.values[-1] > DECAYED * np.max(rate.values)):
            return None
        planned = {"max_steps" if run.axis == "step" else "num_train_epochs": float(loss.x[-1])}
    run = replace(run, config={**run.config, **planned})
    try:
        return run if loss.x[-1] >= COMPLETE * Measurements(run)["planned_end"] else None
    except NotMeasurable:
        return None


def cut(run: Run, end: float) -> Run:
    """Return the run as it was when it had come to `end`."""
    series = {name: s.take(s.x <= end) for name, s in run.series.items() if np.any(s.x <= end)}
    return replace(run, series=series, events=tuple(e for e in run.events if e.x <= end and e.kind != "end"))


def end_of(series: Series) -> float:
    """Return the truth: the level of the last 5 % of the training losses, or the last evaluation."""
    values = series.finite.values
    return float(np.mean(values[-max(1, round(END_SHARE * len(values))) :] if series.name == "train_loss" else values[-1:]))


def forecast_of(run: Run) -> Forecast | NotMeasurable:
    """Return the forecast, or the reason why there is none."""
    try:
        forecast: Forecast = Measurements(run)["forecast"]
    except NotMeasurable as reason:
        return reason
    return forecast


def without_annealing(run: Run) -> Forecast | NotMeasurable:
    """Return the forecast of a power law of the steps: no annealing, whatever the schedule."""
    before = annealing.GAINS
    annealing.GAINS = np.array([1e-9])
    try:
        steady = {k: v for k, v in run.config.items() if k != "lr_scheduler_type"} | {"lr_scheduler_type": "constant"}
        return forecast_of(replace(run, config=steady, series={k: s for k, s in run.series.items() if k != "learning_rate"}))
    finally:
        annealing.GAINS = before


def ends(share: float, runs: Iterable[tuple[str, str, Run]]) -> Iterator[tuple[str, Outcome | NotMeasurable]]:
    """Yield what was forecast from the first `share` of each run, and what came."""
    for source, group, run in runs:
        part = cut(run, share * Measurements(run)["planned_end"])
        forecast = forecast_of(part)
        if isinstance(forecast, NotMeasurable):
            yield source, forecast
            continue
        steady = without_annealing(part)
        seen = part.series[forecast.series].finite.values
        last = seen[-1] if forecast.series == "eval_loss" else np.median(seen[-max(1, len(seen) // 10) :])
        yield source, Outcome(
            group, Path(run.source).name, forecast.series, forecast.end, end_of(run.series[forecast.series]), float(last),
            steady.end.value if isinstance(steady, Forecast) else float("nan"),
        )  # fmt: skip


def more_epochs(runs: Iterable[tuple[str, str, Run]]) -> Iterator[tuple[str, Outcome | NotMeasurable]]:
    """Yield what was forecast for twice the length from each finished run that was also trained twice as long.

    Under a constant rate the first half of a run is a finished run of half the length; elsewhere the recipe was trained twice.
    """
    own = [(group, run) for source, group, run in runs if source == "own" and "eval_loss" in run.series]
    by_name = {Path(run.source).name: run for _, run in own}
    pairs = []
    for group, run in own:
        name = Path(run.source).name
        found = re.fullmatch(r"(more-.*)-(\d+)-epochs-(\d+)\.jsonl\.gz", name)
        longer = by_name.get(f"{found[1]}-{2 * int(found[2])}-epochs-{found[3]}.jsonl.gz") if found else None
        if found and longer is not None:
            pairs.append((found[1], name, run, longer))
        if str(run.config.get("lr_scheduler_type", "")).startswith("constant"):
            half = cut(run, Measurements(run)["planned_end"] / 2)
            end = float(half.series["train_loss"].x[-1])
            pairs.append((group, f"half of {name}", replace(half, config={**half.config, "max_steps": end}), run))
    for group, name, run, longer in pairs:
        forecast = forecast_of(run)
        if isinstance(forecast, NotMeasurable):
            yield "own", forecast
        else:
            outlook = next(o for o in forecast.longer if o.factor == 2) if forecast.longer else forecast.end
            last = end_of(run.series["eval_loss"])
            yield (
                "own",
                Outcome(group, name, "eval_loss", outlook, end_of(longer.series["eval_loss"]), last, end=forecast.end.value),
            )


def held_out(outcomes: list[Outcome]) -> tuple[float, float]:
    """Return the factor that makes the interval hold `COVERAGE` of all, and the share it holds of configurations left out."""
    needed = defaultdict(list)
    for o in outcomes:
        needed[o.group].append(o.needed)
    inside = []
    for group, own in needed.items():
        others = [x for other, values in needed.items() if other != group for x in values]
        factor = np.quantile(others, COVERAGE) if others else 1.0
        inside += [x <= factor for x in own]
    return float(np.quantile([o.needed for o in outcomes], COVERAGE)), float(np.mean(inside))


KINDS = (("own", "eval_loss"), ("own", "train_loss"), ("corpus", "eval_loss"), ("corpus", "train_loss"), ("", ""))


def error(values: Iterable[float], outcomes: Iterable[Outcome]) -> str:
    """Return the median error of `values` relative to the truth, as a text."""
    errors = [abs(value - o.truth) / abs(o.truth) for value, o in zip(values, outcomes, strict=True) if np.isfinite(value)]
    return f"{np.median(errors):.2%}" if errors else "-"


def report(title: str, results: list[tuple[str, Outcome | NotMeasurable]], *, verbose: bool) -> None:
    """Print one line for each kind of series and source, and why the others were left out."""
    print(title)
    for source, series in KINDS:
        chosen = [o for s, o in results if isinstance(o, Outcome) and source in ("", s) and series in ("", o.series)]
        if not chosen:
            continue
        held = np.mean([o.inside for o in chosen])
        above = np.mean([o.truth > o.outlook.high for o in chosen])
        width = np.median([(o.outlook.high - o.outlook.low) / abs(o.truth) for o in chosen])
        factor, left = held_out(chosen)
        print(
            f"  {source or 'all':7}{series:11}{len(chosen):4} runs   held {held:.0%} (said {COVERAGE:.0%}; {above:.0%} end above)"
            f"   error {error((o.outlook.value for o in chosen), chosen)}, last value {error((o.last for o in chosen), chosen)},"
            f" power law {error((o.power_law for o in chosen), chosen)}   width {width:.1%}"
            f"   factor {factor:.2f}, held out {left:.0%}"
        )
    reasons = Counter(o.missing[0] for _, o in results if isinstance(o, NotMeasurable))
    print("  abstained:", ", ".join(f"{name} {count}" for name, count in reasons.most_common()) or "never")
    for _, o in results if verbose else ():
        if isinstance(o, Outcome):
            mark = "  " if o.inside else "< " if o.truth < o.outlook.low else "> "
            print(
                f"    {mark}{o.name:52.52} {o.series:10} truth {o.truth:.4f}   forecast {o.outlook.value:.4f}"
                f" ({o.outlook.low:.4f}-{o.outlook.high:.4f})   last {o.last:.4f}"
            )


def realised(outcomes: Iterable[Outcome]) -> None:
    """Print which share of the gain that the curve promised came true: what `REALISED` stands for."""
    shares = []
    for o in outcomes:
        promised = (o.end - o.outlook.value) / REALISED[1]
        if promised > 0:
            shares.append((o.end - o.truth) / promised)
    quantiles = ", ".join(f"{q:.0%} quantile {np.quantile(shares, q):.2f}" for q in (0.1, 0.25, 0.5, 0.75, 0.9))
    print(f"  came true of the promised gain: {quantiles} ({len(shares)} pairs)")


def main() -> int:
    """Print all tables. Status 1 where the interval holds much less of our own runs' ends than it says."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-v", "--verbose", action="store_true", help="one line for each run")
    verbose = parser.parse_args().verbose
    runs = list(finished_runs())
    held = []
    for share in SHARES:
        results = list(ends(share, runs))
        report(f"ends, from the first {share:.0%}", results, verbose=verbose)
        held += [o.inside for _, o in results if isinstance(o, Outcome)]
    longer = list(more_epochs(runs))
    report("twice the epochs, from the whole run", longer, verbose=verbose)
    realised(o for _, o in longer if isinstance(o, Outcome))
    return int(float(np.mean(held)) < COVERAGE - 0.05)


if __name__ == "__main__":
    sys.exit(main())
