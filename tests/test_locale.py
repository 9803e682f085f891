"""Interface strings: both languages say the same things with the same placeholders, and none is left over."""

import re
import string
from pathlib import Path

import pytest

from advisor.locale import strings
from advisor.model import PROBLEMS, SEVERITIES

ADVISOR = Path(__file__).parent.parent / "advisor"
TOPICS = sorted(p.name.removesuffix("en.toml").removesuffix(".") for p in (ADVISOR / "locale").glob("*en.toml"))


def _fields(text):
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize("topic", TOPICS)
def test_both_languages_have_the_same_keys_and_placeholders(topic):
    english, chinese = strings("en", topic), strings("zh", topic)
    assert english.keys() == chinese.keys()
    assert {k for k in english if _fields(english[k]) != _fields(chinese[k])} == set()


def test_every_problem_has_a_name_and_a_verdict_and_every_severity_a_word():
    keys = strings("en").keys()
    assert {f"{kind}.{problem}" for kind in ("problem", "verdict") for problem in PROBLEMS} <= keys
    assert {f"severity.{severity}" for severity in SEVERITIES} <= keys


@pytest.mark.parametrize("topic", TOPICS[1:])
def test_a_topic_has_no_key_of_the_common_strings(topic):
    assert strings("en", topic).keys() & strings("en").keys() == set()


@pytest.mark.parametrize("topic", TOPICS)
def test_no_string_is_left_over(topic):
    folders = (ADVISOR, ADVISOR.parent / "trainer")
    code = "\n".join(p.read_text(encoding="utf-8") for folder in folders for p in folder.rglob("*.py"))
    plain = [k for k in strings("en", topic) if "." not in k]
    assert [k for k in plain if not re.search(rf'["\']{k}["\']', code)] == []
