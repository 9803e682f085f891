"""The rule book: find, parse and validate `rules/<family>/<slug>.toml`, and the overrides of `advisor.toml`."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from advisor.book_cache import parse_book, parse_toml
from advisor.detectors import DETECTORS, RUN, SUBJECT_OF, SUBJECTS, Detector, load_detectors, thresholds_of
from advisor.errors import BadPlugin, BadRule
from advisor.model import PROBLEMS, SEVERITIES, Severity
from advisor.plugins import DETECTORS as DETECTOR_GROUP
from advisor.plugins import load_all
from advisor.recipes import RECIPES

LANGUAGES = ("en", "zh")
WORDS = ("title", "sees", "message", "why", "remedy", "limits")
"""The texts every rule has, in both languages: the headings of its page."""

LISTS = ("causes", "checks")
"""Lists a rule may have beside them, equally long in both languages: causes, the likeliest first, and how to tell them apart."""

STATUSES = ("preview", "stable", "retired")
TRUSTS = ("safe", "try", "ask")
_TYPES: Mapping[str, tuple[type, ...]] = {"float": (float, int), "int": (int,), "str": (str,), "bool": (bool,)}
_GUIDANCE = re.compile(r"^[a-z0-9_]+(\.[a-z0-9_]+)?$")
_ID = re.compile(r"^[A-Z][A-Z0-9]*-\d{3}$")


@dataclass(frozen=True)
class SourceOfRule:
    """Where a rule comes from: documented guidance or the literature, and the fact it takes from there in our own words."""

    title: str
    says: Mapping[str, str]
    url: str = ""


@dataclass(frozen=True)
class Proposal:
    """One `[[changes]]` entry: the parameter, the recipe that computes its new value, and how far the change can be trusted."""

    parameter: str
    to: str
    trust: str
    reason: Mapping[str, str]


@dataclass(frozen=True)
class Rule:
    """One rule: a detector with thresholds, words, sources, changes and cases.

    subject: what it looks at, one of `detectors.SUBJECTS`.
    guidance: rows of the documented table of symptoms, causes and remedies that it covers.
    """

    id: str
    slug: str
    family: str
    status: str
    since: str
    severity: Severity
    problem: str
    subject: str
    detector: str
    thresholds: Mapping[str, Any]
    words: Mapping[str, Mapping[str, str]]
    lists: Mapping[str, Mapping[str, tuple[str, ...]]]
    sources: tuple[SourceOfRule, ...]
    changes: tuple[Proposal, ...]
    evidence: Mapping[str, int]
    most: Mapping[str, int]
    objectives: tuple[str, ...]
    supersedes: tuple[str, ...]
    guidance: tuple[str, ...]
    path: Path

    @cached_property
    def cases(self) -> tuple[Mapping[str, Any], ...]:
        """The cases that show the rule on both sides of its thresholds."""
        return tuple(parse_toml(self.path).get("cases", ()))

    @cached_property
    def function(self) -> Detector:
        """The detector itself."""
        return DETECTORS[self.detector]


def built_in_folder() -> Path:
    """Return the folder of the rule book: inside the installed package, else beside it in a checkout."""
    inside = Path(str(files("advisor") / "rules"))
    return inside if inside.is_dir() else inside.parent.parent / "rules"


def load(extra: Sequence[Path] = (), config: Mapping[str, Any] | None = None, subject: str = "") -> tuple[Rule, ...]:
    """Return all rules in force, sorted by family and id: the built-in ones, those of `extra` folders, overridden by `config`.

    subject: one of `detectors.SUBJECTS` for only the rules that look at it. Of the built-in ones about something else, only those
    that `config` overrides are checked.
    Raises BadRule, whose message names the file, what was expected and what to do, or BadPlugin.
    """
    rules: dict[str, Rule] = {}
    places: dict[str, str] = {}
    own = built_in_folder()
    content = parse_book(own)
    files = [name for name in content if os.path.basename(os.path.dirname(name)) != "causes"]  # noqa: PTH119, PTH120  much faster
    overridden = {rule_id for table in (config or {}).values() if isinstance(table, Mapping) for rule_id in table}
    for name in (*files, *(str(path) for folder in extra for path in _rule_files(folder))):
        data = content.get(name)
        if data is not None and subject and data.get("subject", RUN) != subject and data.get("id") not in overridden:
            places[str(data.get("id"))] = name
            continue
        path = Path(name)
        rule = parse(path, data)
        if rule.id in places:
            raise BadRule(f"{path}: rule id {rule.id} is already used by {places[rule.id]}; choose another")
        rules[rule.id] = rule
        places[rule.id] = name
    if not rules:
        raise BadRule(f"{built_in_folder()}: no rules found; reinstall advisor")
    known = [r for r in _override(rules, config or {}).values() if r.status != "retired" and subject in ("", r.subject)]
    return tuple(sorted(known, key=lambda r: (r.family, r.id)))


def _rule_files(folder: Path) -> Iterator[Path]:
    if folder.is_file():
        yield folder
        return
    if not folder.is_dir():
        raise BadRule(f"{folder}: no such folder of rules")
    yield from sorted(path for path in folder.rglob("*.toml") if path.parent.name != "causes")


@lru_cache(maxsize=1)
def _plugin_detectors() -> None:
    """Let plug-ins register their detectors. Raises BadPlugin where one takes the name of another."""
    before = dict(DETECTORS)
    for name, _ in load_all(DETECTOR_GROUP):
        for taken in (n for n, function in before.items() if DETECTORS[n] is not function):
            raise BadPlugin(f"{name} registers a detector `{taken}`, which there is already; it needs another name")
        before = dict(DETECTORS)


def parse(path: Path, content: Mapping[str, Any] | None = None) -> Rule:
    """Return the rule in the file `path`, or in its content where that is known. Raises BadRule, or BadPlugin."""
    _plugin_detectors()
    return _validated(parse_toml(path) if content is None else content, path)


_KEYS = {
    "id", "status", "since", "severity", "problem", "subject", "detector", "thresholds", "sources", "en", "zh", "changes", "cases",
    "evidence", "most", "objectives", "supersedes", "guidance",
}  # fmt: skip


def _validated(data: Mapping[str, Any], path: Path) -> Rule:
    """Return the rule that `data` describes, after checking all that can be checked without running it."""
    _check_keys(data, path)
    thresholds = data.get("thresholds", {})
    check_thresholds(thresholds, thresholds_of(DETECTORS[data["detector"]]), str(path))
    return Rule(
        id=data["id"], slug=path.stem, family=path.parent.name, status=data["status"], since=data["since"],
        severity=data["severity"], problem=data["problem"], subject=data.get("subject", RUN), detector=data["detector"],
        thresholds=thresholds,
        words={lang: {key: data[lang][key] for key in WORDS} for lang in LANGUAGES}, lists=_lists(data, path),
        sources=_sources(data, path), changes=_changes(data, path),
        evidence=data.get("evidence", {}), most=data.get("most", {}), objectives=tuple(data.get("objectives", ())),
        supersedes=tuple(data.get("supersedes", ())), guidance=_guidance(data, path), path=path,
    )  # fmt: skip


def _check_keys(data: Mapping[str, Any], path: Path) -> None:
    """Raise BadRule where a key is unknown or missing, or a word is none of its closed vocabulary."""
    for key in data.keys() - _KEYS:
        raise BadRule(f"{path}: unknown key `{key}`{_did_you_mean(key, _KEYS)}")
    for key in ("id", "status", "since", "severity", "problem", "detector", "en", "zh"):
        if key not in data:
            raise BadRule(f"{path}: `{key}` is missing")
    if not _ID.match(str(data["id"])):
        raise BadRule(f"{path}: `id` is {data['id']!r}; expected a family in capitals and three digits, such as OVERFIT-001")
    for key, allowed in (("status", STATUSES), ("severity", SEVERITIES), ("problem", PROBLEMS)):
        if data[key] not in allowed:
            raise BadRule(f"{path}: `{key}` is {data[key]!r}; expected one of {', '.join(allowed)}")
    subject = data.get("subject", RUN)
    if subject not in SUBJECTS:
        raise BadRule(f"{path}: `subject` is {subject!r}; expected one of {', '.join(SUBJECTS)}")
    load_detectors(subject)
    if data["detector"] not in DETECTORS:
        raise BadRule(f"{path}: no detector `{data['detector']}`{_did_you_mean(data['detector'], DETECTORS)}")
    if SUBJECT_OF[data["detector"]] != subject:
        raise BadRule(f'{path}: `{data["detector"]}` looks at another subject; write `subject = "{SUBJECT_OF[data["detector"]]}"`')
    for language in LANGUAGES:
        missing = sorted(set(WORDS) - data[language].keys())
        unknown = sorted(data[language].keys() - set(WORDS) - set(LISTS))
        if missing or unknown:
            raise BadRule(f"{path}: [{language}] needs exactly {', '.join(WORDS)}; missing {missing}, unknown {unknown}")


def _lists(data: Mapping[str, Any], path: Path) -> dict[str, dict[str, tuple[str, ...]]]:
    lists = {lang: {key: tuple(data[lang].get(key, ())) for key in LISTS} for lang in LANGUAGES}
    for key in LISTS:
        if not all(isinstance(item, str) and item.strip() for lang in LANGUAGES for item in lists[lang][key]):
            raise BadRule(f"{path}: `{key}` is a list of texts")
        if len({len(lists[lang][key]) for lang in LANGUAGES}) > 1:
            raise BadRule(f"{path}: `{key}` needs as many entries in each of {', '.join(LANGUAGES)}")
    return lists


def _sources(data: Mapping[str, Any], path: Path) -> tuple[SourceOfRule, ...]:
    try:
        sources = tuple(
            SourceOfRule(s["title"], {lang: s[lang] for lang in LANGUAGES}, s.get("url", "")) for s in data.get("sources", ())
        )
    except KeyError as error:
        raise BadRule(f"{path}: a [[sources]] entry lacks {error}; it needs title, en, zh and, where there is one, url") from error
    if not sources:
        raise BadRule(f"{path}: no [[sources]]: a rule says what it rests on")
    return sources


def _changes(data: Mapping[str, Any], path: Path) -> tuple[Proposal, ...]:
    changes = []
    for entry in data.get("changes", ()):
        if entry.get("trust") not in TRUSTS:
            raise BadRule(f"{path}: a change's `trust` is {entry.get('trust')!r}; expected one of {', '.join(TRUSTS)}")
        for key in {"parameter", "to", *LANGUAGES} - entry.keys():
            raise BadRule(f"{path}: a [[changes]] entry lacks `{key}`")
        if entry["to"] not in RECIPES:
            raise BadRule(f"{path}: no recipe `{entry['to']}`{_did_you_mean(entry['to'], RECIPES)}")
        changes.append(Proposal(entry["parameter"], entry["to"], entry["trust"], {lang: entry[lang] for lang in LANGUAGES}))
    return tuple(changes)


def _guidance(data: Mapping[str, Any], path: Path) -> tuple[str, ...]:
    guidance = data.get("guidance", [])
    if not isinstance(guidance, list) or not all(isinstance(key, str) and _GUIDANCE.match(key) for key in guidance):
        raise BadRule(
            f'{path}: `guidance` is a list of rows of the guidance table that the rule covers, such as ["loss_rising.lr_too_high"]'
        )
    return tuple(guidance)


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


COST = "cost"
"""The section of an `advisor.toml` that is not about rules: see `settings.price`."""

_EXAMPLES = {"thresholds": "thresholds.OVERFIT-001", "ignore": "ignore"}
"""Sections of an `advisor.toml`, each with a header as it is written."""


def _override(rules: dict[str, Rule], config: Mapping[str, Any]) -> dict[str, Rule]:
    """Return the rules with the overrides of an `advisor.toml`: `[thresholds.RULE-ID]` and `[ignore]` with a reason each."""
    for section in config:
        if section == COST:
            continue
        if section not in _EXAMPLES:
            raise BadRule(f"advisor.toml: unknown section `{section}`{_did_you_mean(section, _EXAMPLES)}")
        if not isinstance(config[section], Mapping):
            raise BadRule(f"advisor.toml: `{section}` is {config[section]!r}; expected a table, [{_EXAMPLES[section]}]")
    changed = dict(rules)
    for rule_id, values in config.get("thresholds", {}).items():
        rule = _named(rules, rule_id)
        if not isinstance(values, Mapping):
            raise BadRule(f"advisor.toml: thresholds.{rule_id} is {values!r}; expected a table, [thresholds.{rule_id}]")
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


def of_family(rules: Iterable[Rule], family: str) -> tuple[Rule, ...]:
    """Return the rules of one family. Raises BadRule with the nearest names."""
    chosen = tuple(rule for rule in rules if rule.family == family)
    if not chosen:
        families = sorted({rule.family for rule in rules} | {"causes"})
        raise BadRule(f"no family {family}{_did_you_mean(family, families)}; there are {', '.join(families)}")
    return chosen


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
