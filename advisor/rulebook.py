"""The rule book: find, parse and validate `rules/<family>/<slug>.toml`, and the overrides of `advisor.toml`."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from importlib.metadata import entry_points
from importlib.resources import files
from pathlib import Path
from typing import Any

from advisor.changes import RECIPES
from advisor.detectors import ABOUT_DATASETS, DETECTORS, Detector, thresholds_of
from advisor.errors import BadRule
from advisor.model import PROBLEMS, SEVERITIES, Severity

LANGUAGES = ("en", "zh")
WORDS = ("title", "sees", "message", "why", "remedy", "limits")
"""The texts every rule has, in both languages: the headings of its page."""

STATUSES = ("preview", "stable", "retired")
TRUSTS = ("safe", "try", "ask")
_TYPES: Mapping[str, tuple[type, ...]] = {"float": (float, int), "int": (int,), "str": (str,), "bool": (bool,)}
_ID = re.compile(r"^[A-Z][A-Z0-9]*-\d{3}$")


@dataclass(frozen=True, slots=True)
class SourceOfRule:
    """Where a rule comes from: documented guidance or the literature, and the fact it takes from there in our own words."""

    title: str
    says: Mapping[str, str]
    url: str = ""


@dataclass(frozen=True, slots=True)
class Proposal:
    """One `[[changes]]` entry: the parameter, the recipe that computes its new value, and how far the change can be trusted."""

    parameter: str
    to: str
    trust: str
    reason: Mapping[str, str]


@dataclass(frozen=True)
class Rule:
    """One rule: a detector with thresholds, words, sources, changes and cases."""

    id: str
    slug: str
    family: str
    status: str
    since: str
    severity: Severity
    problem: str
    detector: str
    thresholds: Mapping[str, Any]
    words: Mapping[str, Mapping[str, str]]
    sources: tuple[SourceOfRule, ...]
    changes: tuple[Proposal, ...]
    evidence: Mapping[str, int]
    most: Mapping[str, int]
    objectives: tuple[str, ...]
    supersedes: tuple[str, ...]
    cases: tuple[Mapping[str, Any], ...]
    path: Path

    @property
    def subject(self) -> str:
        """What the rule looks at: `run` or `dataset`."""
        return "dataset" if self.detector in ABOUT_DATASETS else "run"

    @cached_property
    def function(self) -> Detector:
        """The detector itself."""
        return DETECTORS[self.detector]


def built_in_folder() -> Path:
    """Return the folder of the rule book: inside the installed package, else beside it in a checkout."""
    inside = Path(str(files("advisor") / "rules"))
    return inside if inside.is_dir() else inside.parent.parent / "rules"


def load(extra: Sequence[Path] = (), config: Mapping[str, Any] | None = None) -> tuple[Rule, ...]:
    """Return all rules in force, sorted by family and id: the built-in ones, those of `extra` folders, overridden by `config`.

    Raises BadRule, whose message names the file, what was expected and what to do.
    """
    for point in entry_points(group="advisor.detectors.v1"):
        point.load()
    rules: dict[str, Rule] = {}
    for folder in (built_in_folder(), *extra):
        for path in _rule_files(folder):
            rule = parse(path)
            if rule.id in rules:
                raise BadRule(f"{path}: rule id {rule.id} is already used by {rules[rule.id].path}; choose another")
            rules[rule.id] = rule
    if not rules:
        raise BadRule(f"{built_in_folder()}: no rules found; reinstall advisor")
    known = _override(rules, config or {})
    return tuple(sorted((r for r in known.values() if r.status != "retired"), key=lambda r: (r.family, r.id)))


def _rule_files(folder: Path) -> Iterator[Path]:
    if folder.is_file():
        yield folder
        return
    if not folder.is_dir():
        raise BadRule(f"{folder}: no such folder of rules")
    yield from sorted(folder.rglob("*.toml"))


def parse(path: Path) -> Rule:
    """Return the rule in the file `path`. Raises BadRule."""
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise BadRule(f"{path}: {error}; a rule is a TOML file, see CONTRIBUTING.md") from error
    return _validated(data, path)


_KEYS = {
    "id", "status", "since", "severity", "problem", "detector", "thresholds", "sources", "en", "zh", "changes", "cases",
    "evidence", "most", "objectives", "supersedes",
}  # fmt: skip


def _validated(data: Mapping[str, Any], path: Path) -> Rule:
    """Return the rule that `data` describes, after checking all that can be checked without running it."""

    def fail(what: str) -> BadRule:
        return BadRule(f"{path}: {what}")

    for key in data.keys() - _KEYS:
        raise fail(f"unknown key `{key}`{_did_you_mean(key, _KEYS)}")
    for key in ("id", "status", "since", "severity", "problem", "detector", "en", "zh"):
        if key not in data:
            raise fail(f"`{key}` is missing")
    if not _ID.match(str(data["id"])):
        raise fail(f"`id` is {data['id']!r}; expected a family in capitals and three digits, such as OVERFIT-001")
    for key, allowed in (("status", STATUSES), ("severity", SEVERITIES), ("problem", PROBLEMS)):
        if data[key] not in allowed:
            raise fail(f"`{key}` is {data[key]!r}; expected one of {', '.join(allowed)}")
    if data["detector"] not in DETECTORS:
        raise fail(f"no detector `{data['detector']}`{_did_you_mean(data['detector'], DETECTORS)}")
    thresholds = data.get("thresholds", {})
    check_thresholds(thresholds, thresholds_of(DETECTORS[data["detector"]]), str(path))
    for language in LANGUAGES:
        missing = set(WORDS) - data[language].keys()
        unknown = data[language].keys() - set(WORDS)
        if missing or unknown:
            raise fail(f"[{language}] needs exactly {', '.join(WORDS)}; missing {sorted(missing)}, unknown {sorted(unknown)}")
    try:
        sources = tuple(
            SourceOfRule(s["title"], {lang: s[lang] for lang in LANGUAGES}, s.get("url", "")) for s in data.get("sources", ())
        )
    except KeyError as error:
        raise fail(f"a [[sources]] entry lacks {error}; it needs title, en, zh and, where there is one, url") from error
    if not sources:
        raise fail("no [[sources]]: a rule says what it rests on")
    changes = []
    for entry in data.get("changes", ()):
        if entry.get("trust") not in TRUSTS:
            raise fail(f"a change's `trust` is {entry.get('trust')!r}; expected one of {', '.join(TRUSTS)}")
        for key in {"parameter", "to", *LANGUAGES} - entry.keys():
            raise fail(f"a [[changes]] entry lacks `{key}`")
        if entry["to"] not in RECIPES:
            raise fail(f"no recipe `{entry['to']}`{_did_you_mean(entry['to'], RECIPES)}")
        changes.append(Proposal(entry["parameter"], entry["to"], entry["trust"], {lang: entry[lang] for lang in LANGUAGES}))
    return Rule(
        id=data["id"], slug=path.stem, family=path.parent.name, status=data["status"], since=data["since"],
        severity=data["severity"], problem=data["problem"], detector=data["detector"], thresholds=thresholds,
        words={lang: data[lang] for lang in LANGUAGES}, sources=sources, changes=tuple(changes),
        evidence=data.get("evidence", {}), most=data.get("most", {}), objectives=tuple(data.get("objectives", ())),
        supersedes=tuple(data.get("supersedes", ())), cases=tuple(data.get("cases", ())), path=path,
    )  # fmt: skip


def check_thresholds(given: Mapping[str, Any], declared: Mapping[str, str], where: str) -> None:
    """Raise BadRule unless `given` has exactly the declared names, each with a value of its type."""
    for name in given.keys() - declared.keys():
        raise BadRule(f"{where}: unknown threshold `{name}`{_did_you_mean(name, declared)}")
    for name in declared.keys() - given.keys():
        raise BadRule(f"{where}: threshold `{name}` ({declared[name]}) is missing")
    for name, value in given.items():
        allowed = _TYPES[declared[name]]
        if not isinstance(value, allowed) or (isinstance(value, bool) and bool not in allowed):
            raise BadRule(f"{where}: threshold `{name}` is {value!r}; expected {declared[name]}")


def _override(rules: dict[str, Rule], config: Mapping[str, Any]) -> dict[str, Rule]:
    """Return the rules with the overrides of an `advisor.toml`: `[thresholds.RULE-ID]` and `[ignore]` with a reason each."""
    for section in config.keys() - {"thresholds", "ignore"}:
        raise BadRule(f"advisor.toml: unknown section `{section}`{_did_you_mean(section, ('thresholds', 'ignore'))}")
    changed = dict(rules)
    for rule_id, values in config.get("thresholds", {}).items():
        rule = _named(rules, rule_id)
        merged = {**rule.thresholds, **values}
        check_thresholds(merged, thresholds_of(rule.function), f"advisor.toml: [thresholds.{rule_id}]")
        changed[rule_id] = replace(rule, thresholds=merged)
    for rule_id, reason in config.get("ignore", {}).items():
        _named(rules, rule_id)
        if not isinstance(reason, str) or not reason.strip():
            raise BadRule(f'advisor.toml: [ignore] {rule_id} needs a reason: {rule_id} = "why it does not apply here"')
        del changed[rule_id]
    return changed


def _named(rules: Mapping[str, Rule], rule_id: str) -> Rule:
    if rule_id not in rules:
        raise BadRule(f"advisor.toml: no rule {rule_id}{_did_you_mean(rule_id, rules)}")
    return rules[rule_id]


def find(rules: Iterable[Rule], name: str) -> Rule:
    """Return the rule of this id or slug. Raises BadRule with the nearest names."""
    known = list(rules)
    for rule in known:
        if name.upper() == rule.id or name == rule.slug:
            return rule
    names = [r.id for r in known] + [r.slug for r in known]
    raise BadRule(f"no rule {name}{_did_you_mean(name, names)}; `advisor rules list` shows all")


def _did_you_mean(word: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(str(word), [str(k) for k in known], n=1, cutoff=0.5)
    return f"; did you mean `{close[0]}`?" if close else ""
