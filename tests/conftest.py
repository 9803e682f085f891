"""Shared fixtures: the checkout, its samples, the rule book, and the corpus of others' logs where it is present."""

from pathlib import Path

import pytest

from advisor.engine import diagnose
from advisor.readers import read_bytes, read_path
from advisor.rulebook import load

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="session")
def root():
    return ROOT


@pytest.fixture(scope="session")
def rules():
    return load()


@pytest.fixture
def judged(rules):
    """Diagnose a path or the text of a log; returns the diagnoses of its runs."""

    def judge(log, name="run.log"):
        runs = read_path(log) if isinstance(log, Path) else read_bytes(log if isinstance(log, bytes) else log.encode(), name)
        return [diagnose(run, rules) for run in runs]

    return judge


@pytest.fixture
def warnings_of():
    """The rule ids of a diagnosis at warning or above, gravest first."""

    def ids(diagnosis):
        return [f.rule.id for f in diagnosis.findings if f.rule.severity != "info"]

    return ids


@pytest.fixture(scope="session")
def corpus():
    """The corpus of logs written by strangers, which is not part of the project."""
    folder = ROOT.parent / "shared" / "corpus"
    if not (folder / "score.py").is_file():
        pytest.skip("the corpus of others' logs is not beside this checkout")
    return folder
