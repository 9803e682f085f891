"""Every row of the documented guidance has a rule, or a reason why it has none."""

import importlib.util
import re
from pathlib import Path

import pytest

from advisor.errors import BadRule
from advisor.rulebook import built_in_folder, parse

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def generate():
    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs/generate.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def documented():
    table = ROOT.parent / "shared/guidance/symptom_cause_remedy.tsv"
    if not table.is_file():
        pytest.skip("the table of the documented guidance is not beside this checkout")
    return {line.split("\t")[0] for line in table.read_text(encoding="utf-8").splitlines()[1:] if line.strip()}


def test_every_documented_row_has_a_rule_or_a_reason_and_none_is_invented(generate, documented):
    assert generate.covered_rows().keys() | generate.open_rows().keys() == documented


def test_no_row_is_both_covered_and_open(generate):
    assert generate.covered_rows().keys() & generate.open_rows().keys() == set()


def test_an_open_row_stands_once_with_a_reason(generate):
    text = (ROOT / "docs/guidance-open.toml").read_text(encoding="utf-8")
    rows = re.findall(r'"([a-z_]+(?:\.[a-z_]+)?)"', text.split("rows", 1)[1])
    assert len(rows) == len(set(rows))
    assert all(reason.strip() for reason in generate.open_rows().values())


@pytest.mark.parametrize("value", ['"loss_rising.lr_too_high"', '["Loss rising"]', "[1]"])
def test_guidance_that_is_no_list_of_rows_is_an_error(tmp_path, value):
    text = (built_in_folder() / "overfitting/validation-rise.toml").read_text(encoding="utf-8")
    (tmp_path / "my-rule.toml").write_text(re.sub(r"(?m)^guidance = .*$", f"guidance = {value}", text), encoding="utf-8")
    with pytest.raises(BadRule, match="`guidance` is a list of rows"):
        parse(tmp_path / "my-rule.toml")
