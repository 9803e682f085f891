"""Documentation that is printed by the program is fresh, and what the READMEs promise is there."""

import importlib.util
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def _generator():
    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs/generate.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("page", list(_generator().pages()), ids=lambda p: str(p[0].relative_to(ROOT)))
def test_a_generated_page_is_fresh(page):
    path, text = page
    assert path.read_text(encoding="utf-8") == text, "stale: run python docs/generate.py"


@pytest.mark.parametrize("name", ["README.md", "README.zh.md", "CONTRIBUTING.md"])
def test_every_file_that_a_page_links_to_exists(name):
    text = (ROOT / name).read_text(encoding="utf-8")
    links = [link for link in re.findall(r"\]\(([^)#]+)", text) if "://" not in link]
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_both_readmes_show_the_same_commands():
    english, chinese = (_commands(name) for name in ("README.md", "README.zh.md"))
    assert english == chinese


def _commands(name):
    return [block.strip() for block in re.findall(r"```sh\n(.*?)```", (ROOT / name).read_text(encoding="utf-8"), re.DOTALL)]


def test_the_continuous_integration_runs_the_readmes_test_command():
    assert _commands("README.md")[1] in (ROOT / ".ci/run").read_text(encoding="utf-8")


def test_the_changelog_has_a_section_on_rule_changes():
    assert "### Rule changes" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_the_log_schema_is_the_one_that_is_read():
    from advisor.readers.advisor_log import SCHEMA

    assert f"`{SCHEMA}`" in (ROOT / "docs/log-format.md").read_text(encoding="utf-8")
