"""Interface strings: both languages say the same things with the same placeholders, and none is left over."""

import re
import string
from pathlib import Path

from advisor.locale import strings
from advisor.model import PROBLEMS, SEVERITIES

ADVISOR = Path(__file__).parent.parent / "advisor"


def _fields(text):
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_both_languages_have_the_same_keys_and_placeholders():
    english, chinese = strings("en"), strings("zh")
    assert english.keys() == chinese.keys()
    assert {k for k in english if _fields(english[k]) != _fields(chinese[k])} == set()


def test_every_problem_has_a_name_and_a_verdict_and_every_severity_a_word():
    keys = strings("en").keys()
    assert {f"{kind}.{problem}" for kind in ("problem", "verdict") for problem in PROBLEMS} <= keys
    assert {f"severity.{severity}" for severity in SEVERITIES} <= keys


def test_no_string_is_left_over():
    code = "\n".join(p.read_text(encoding="utf-8") for p in ADVISOR.rglob("*.py"))
    plain = [k for k in strings("en") if "." not in k]
    assert [k for k in plain if not re.search(rf'["\']{k}["\']', code)] == []
