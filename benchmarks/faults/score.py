"""How often does the diagnosis name the planted fault? `python benchmarks/faults/score.py [DIR] [--bare] [--markdown] [--verbose]`.

Counts, over the logs of DIR (this folder if not given): the planted cause first, among the first two, alarms on healthy runs, and
wrong causes with high confidence where the curve can hardly show the fault. `--bare` takes away all settings that a script which
logs by itself would not write. Status 1 where `--min-first`, `--min-second`, `--max-alarms` or `--max-overconfident` does not hold.
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from advisor.engine import diagnose
from advisor.model import Diagnosis, Run
from advisor.readers import read_path
from advisor.rulebook import Rule, load

HERE = Path(__file__).resolve().parent
BARE = (
    "seed", "per_device_train_batch_size", "max_grad_norm", "weight_decay", "learning_rate", "max_steps", "lr_scheduler_type",
    "train_rows", "trainable_parameters", "model", "vocab_size", "objective", "warmup_ratio", "warmup_steps", "lora_r",
    "lora_alpha",
)  # fmt: skip
"""What scripts that log by themselves write about a run."""

BARE_SERIES = ("train_loss", "eval_loss", "learning_rate", "grad_norm", "num_tokens")


@dataclass(frozen=True)
class Judged:
    """A log with what was planted and what was said."""

    file: str
    planted: str
    accepted: frozenset[str]
    scored: bool
    causes: tuple[tuple[str, str], ...]
    warnings: tuple[str, ...]

    @property
    def healthy(self) -> bool:
        """Whether nothing was planted that the curve can show."""
        return self.scored and "healthy" in self.accepted

    @property
    def first(self) -> bool:
        """Whether the first cause is right."""
        return bool(self.causes) and self.causes[0][0] in self.accepted

    @property
    def second(self) -> bool:
        """Whether one of the first two causes is right."""
        return any(name in self.accepted for name, _ in self.causes[:2])

    @property
    def good(self) -> bool:
        """Whether what was said is no mistake: right first, silent on healthy, not sure and wrong where it cannot be known."""
        if self.healthy:
            return not (self.causes or self.warnings)
        if self.scored:
            return self.first
        return not any(confidence == "high" and name not in self.accepted for name, confidence in self.causes[:1])


def judged(folder: Path, *, bare: bool = False) -> Iterator[Judged]:
    """Yield every log of a folder, judged by the rule book."""
    rules: list[Rule] = list(load(subject="run"))
    with (folder / "truth.tsv").open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            runs = read_path(folder / "logs" / row["file"])
            yield _judged(row, [diagnose(_bare(run) if bare else run, rules) for run in runs])


def _judged(row: Mapping[str, str], diagnoses: list[Diagnosis]) -> Judged:
    return Judged(
        row["file"].removesuffix(".gz").removesuffix(".jsonl"), row["planted"], frozenset(row["accepted_causes"].split(";")),
        row["scored"] == "yes",
        tuple((cause.name, cause.confidence) for diagnosis in diagnoses for cause in diagnosis.causes),
        tuple(f.rule.id for diagnosis in diagnoses for f in diagnosis.findings if f.rule.severity != "info"),
    )  # fmt: skip


def _bare(run: Run) -> Run:
    series = {name: found for name, found in run.series.items() if name in BARE_SERIES}
    return replace(run, config={k: v for k, v in run.config.items() if k in BARE}, series=series, events=())


@dataclass(frozen=True)
class Score:
    """The figures of a set of runs."""

    scored: int
    first: int
    second: int
    healthy: int
    alarms: int
    hard: int
    overconfident: int

    def __str__(self) -> str:
        share = f"{self.first}/{self.scored} = {self.first / max(1, self.scored):.3f}"
        among = f"{self.second}/{self.scored} = {self.second / max(1, self.scored):.3f}"
        return (
            f"planted cause first {share}, among the first two {among}, alarms on healthy {self.alarms}/{self.healthy}, "
            f"wrong with high confidence on hard runs {self.overconfident}/{self.hard}"
        )


def score(runs: Iterable[Judged]) -> Score:
    """Count."""
    everything = list(runs)
    faulty = [run for run in everything if run.scored and not run.healthy]
    hard = [run for run in everything if not run.scored]
    healthy = [run for run in everything if run.healthy]
    return Score(
        len(faulty), sum(run.first for run in faulty), sum(run.second for run in faulty), len(healthy),
        sum(not run.good for run in healthy), len(hard), sum(not run.good for run in hard),
    )  # fmt: skip


def table(runs: Iterable[Judged]) -> str:
    """Return a Markdown table: a line for each fault, its runs, and what was said first."""
    by_fault: dict[str, list[Judged]] = {}
    for run in runs:
        by_fault.setdefault(run.planted if not run.healthy else "nothing", []).append(run)
    lines = ["| planted | runs | right first | among two | said first |", "|---|---|---|---|---|"]
    for name, group in sorted(by_fault.items()):
        said: dict[str, int] = {}
        for run in group:
            word = f"{run.causes[0][0]} ({run.causes[0][1]})" if run.causes else ", ".join(run.warnings) or "nothing"
            said[word] = said.get(word, 0) + 1
        words = ", ".join(f"{word} × {count}" if count > 1 else word for word, count in sorted(said.items(), key=lambda i: -i[1]))
        mark = "" if group[0].scored else " (hard)"
        right = sum(run.good if run.healthy else run.first for run in group)
        second = sum(run.good if run.healthy else run.second for run in group)
        lines.append(f"| {name}{mark} | {len(group)} | {right} | {second} | {words} |")
    return "\n".join(lines)


def main() -> int:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", nargs="?", type=Path, default=HERE)
    parser.add_argument("--bare", action="store_true")
    parser.add_argument("--markdown", action="store_true")
    parser.add_argument("--verbose", action="store_true")
    parser.add_argument("--min-first", type=float, default=0.0)
    parser.add_argument("--min-second", type=float, default=0.0)
    parser.add_argument("--max-alarms", type=int, default=1 << 30)
    parser.add_argument("--max-overconfident", type=int, default=1 << 30)
    options = parser.parse_args()
    runs = list(judged(options.folder, bare=options.bare))
    if options.verbose:
        for run in runs:
            if not run.good:
                print(f"  {run.file}: accepted {'/'.join(sorted(run.accepted))}, said {list(run.causes)}, {' '.join(run.warnings)}")
    if options.markdown:
        print(table(runs))
    figures = score(runs)
    print(figures)
    return int(
        figures.first < options.min_first * figures.scored or figures.second < options.min_second * figures.scored
        or figures.alarms > options.max_alarms or figures.overconfident > options.max_overconfident
    )  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
