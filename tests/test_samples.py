"""The sample logs: healthy ones are silent, faulty ones get their own problem first, broken ones a helpful line."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from advisor.cli import main

SAMPLES = Path(__file__).parent.parent / "sample_logs"


def _manifest():
    import tomllib

    return tomllib.loads((SAMPLES / "MANIFEST.toml").read_text(encoding="utf-8"))["sample"]


def _chosen(condition):
    return [pytest.param(s, id=s["path"]) for s in _manifest() if condition(s["expect"])]


@pytest.mark.parametrize("sample", _chosen(lambda e: e == "healthy"))
def test_a_healthy_run_is_silent(sample, judged, warnings_of):
    diagnoses = judged(SAMPLES / sample["path"])
    assert [warnings_of(d) for d in diagnoses] == [[]]
    assert diagnoses[0].verdict == "healthy"


@pytest.mark.parametrize("sample", _chosen(lambda e: e not in ("healthy", "unreadable")))
def test_a_faulty_run_gets_its_own_problem_first(sample, judged):
    (diagnosis,) = judged(SAMPLES / sample["path"])
    assert (diagnosis.findings[0].rule.slug, diagnosis.verdict) == (sample["rule"], sample["expect"])


@pytest.mark.parametrize("sample", _chosen(lambda e: e == "unreadable"))
def test_a_broken_file_ends_with_status_2_and_one_helpful_line(sample):
    path = SAMPLES / sample["path"]
    result = CliRunner().invoke(main, ["analyze", str(path)])
    assert (result.exit_code, result.stdout) == (2, "")
    assert len(result.stderr.splitlines()) == 1
    assert path.name in result.stderr


def test_two_formats_of_one_run_give_the_same_verdict(judged, warnings_of):
    by_folder = {}
    for sample in _manifest():
        if sample["expect"] not in ("healthy", "unreadable") and sample["path"].count("/") == 2:
            by_folder.setdefault(sample["path"].rsplit("/", 1)[0], []).append(SAMPLES / sample["path"])
    pairs = [paths for paths in by_folder.values() if len(paths) > 1]
    assert pairs
    for paths in pairs:
        verdicts = {tuple(warnings_of(d)[:1]) for path in paths for d in judged(path)}
        assert len(verdicts) == 1, paths


def test_every_faulty_folder_is_named_after_a_rule_and_every_sample_is_in_the_manifest(rules):
    slugs = {rule.slug for rule in rules}
    folders = [p.name for p in (SAMPLES / "faulty").iterdir() if p.is_dir()]
    assert set(folders) <= slugs
    listed = {s["path"].split("/")[1] for s in _manifest()}
    present = {p.name for kind in ("healthy", "faulty", "broken") for p in (SAMPLES / kind).iterdir()}
    assert present <= listed


def test_the_json_of_a_faulty_sample_carries_a_change_from_old_to_new():
    result = CliRunner().invoke(main, ["analyze", str(SAMPLES / "faulty/validation-rise/trainer_state.json"), "--format", "json"])
    (run,) = json.loads(result.stdout)["runs"]
    change = next(c for c in run["changes"] if c["parameter"] == "num_train_epochs")
    assert change["old"] > change["new"] >= 1
    assert change["trust"] == "safe"
