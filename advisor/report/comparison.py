"""This run beside an earlier one: what became better or worse than noise explains, and which findings came or went."""

from __future__ import annotations

import math
from collections.abc import Iterator

from advisor.render.words import Words, value_text
from advisor.report.figures import NOISE_UNITS, NOTHING, Score, figures, score
from advisor.report.material import Material
from advisor.report.model import Comparison, State

MOST_SETTINGS = 30


def comparison(material: Material, words: Words) -> Comparison | None:
    """Return the comparison with the earlier run, or None where none was given."""
    earlier = material.earlier
    if earlier is None:
        return None
    state, sentence = _became(score(earlier), score(material), words)
    before = [f.rule.id for f in earlier.diagnosis.findings]
    now = [f.rule.id for f in material.diagnosis.findings]
    return Comparison(
        earlier=earlier.order.log, state=state, sentence=sentence, rows=tuple(_rows(earlier, material, words)),
        settings=tuple(_settings(earlier, material, words)), gone=tuple(r for r in before if r not in now),
        stayed=tuple(r for r in now if r in before), new=tuple(r for r in now if r not in before),
    )  # fmt: skip


def _became(before: Score | None, now: Score | None, words: Words) -> tuple[State, str]:
    """Return what became of the best value: noise of the two runs adds up as variances do."""
    if before is None or now is None or before.of != now.of or not before.best:
        return "not-judged", words("compare.other")
    sign = -1 if now.of == "reward" else 1
    change = sign * (now.best - before.best) / abs(before.best)
    numbers = {"before": f"{before.best:.4g}", "now": f"{now.best:.4g}", "change": (now.best - before.best) / abs(before.best)}
    noise = math.hypot(before.noise, now.noise)
    if math.isnan(noise):
        return "not-judged", words("compare.unknown", **numbers)
    key = "within" if abs(change) <= NOISE_UNITS * noise else "worse" if change > 0 else "better"
    state: State = "warning" if key == "worse" else "pass"
    return state, words(f"compare.{key}", **numbers)


def _rows(earlier: Material, material: Material, words: Words) -> Iterator[tuple[str, str, str]]:
    before, now = (words(f"problem.{m.diagnosis.verdict}") for m in (earlier, material))
    yield words("verdict_heading"), before, now
    for old, new in zip(figures(earlier, words), figures(material, words), strict=True):
        label = new.label if new.label == old.label else f"{old.label} / {new.label}"
        yield label, _shown(old.value, old.detail), _shown(new.value, new.detail)


def _shown(value: str, detail: str) -> str:
    return value if value == NOTHING else f"{value} ({detail})"


def _settings(earlier: Material, material: Material, words: Words) -> Iterator[tuple[str, str, str]]:
    unknown = words("unknown")
    names = list(dict.fromkeys((*earlier.config, *material.config)))
    differing = [name for name in names if earlier.config.get(name) != material.config.get(name)]
    for name in differing[:MOST_SETTINGS]:
        yield name, value_text(earlier.config.get(name), unknown), value_text(material.config.get(name), unknown)
