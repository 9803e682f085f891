"""What the answer says of the end of a run: one line in text, numbers in JSON, a reason where nothing can be said."""

import gzip
import json

import pytest
from click.testing import CliRunner

from advisor.cli import main
from advisor.model import Forecast, NotMeasurable


def first_part(root, name, steps):
    """The log of one of our own runs as it stood after so many steps."""
    text = gzip.decompress((root / "benchmarks" / "runs" / f"{name}.jsonl.gz").read_bytes()).decode()
    return "\n".join(line for line in text.splitlines() if json.loads(line).get("step", 0) <= steps)


def answer(log, *options):
    result = CliRunner().invoke(main, ["analyze", "-", *options], input=log)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_an_unfinished_run_is_told_where_it_will_end(root):
    log = first_part(root, "weather-cosine-1", 160)
    (run,) = json.loads(answer(log, "--format", "json"))["runs"]
    forecast = run["forecast"]
    assert (forecast["series"], forecast["at"], forecast["coverage"]) == ("eval_loss", 240, 0.8)
    assert forecast["end"]["low"] < 0.6186 < forecast["end"]["high"]  # what came
    assert [longer["factor"] for longer in forecast["longer"]] == [1.5, 2]
    assert " ".join(answer(log, "--lang", "en").split()).count(forecast["text"]) == 1
    assert f"{forecast['end']['value']:.4g}" in answer(log, "--lang", "zh")
    assert f"{forecast['end']['value']:.4g}" in answer(log, "--format", "markdown")


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_run_without_a_forecast_says_why(language, root):
    log = (root / "sample_logs/faulty/validation-rise/trainer_state.json").read_text(encoding="utf-8")
    (run,) = json.loads(answer(log, "--format", "json", "--lang", language))["runs"]
    assert run["forecast"]["missing"] == ["forecast:findings"]
    assert run["forecast"]["abstained"] in run["forecast"]["text"]
    assert run["forecast"]["text"] not in " ".join(answer(log, "--lang", language).split())


def test_a_plateau_before_the_decay_is_no_fault_but_one_that_no_decay_ends_is_noted(judged, root):
    (waiting,) = judged(first_part(root, "weather-wsd-1", 170))
    assert [f.rule.slug for f in waiting.findings] == ["waiting-for-decay"]
    assert waiting.verdict == "healthy"
    (stuck,) = judged(first_part(root, "weather-constant-1", 240))
    assert "constant-rate-plateau" in [f.rule.slug for f in stuck.findings]


def test_what_the_decay_was_forecast_to_bring_came(judged, root):
    (early,) = judged(first_part(root, "weather-wsd-1", 170))
    (whole,) = judged(first_part(root, "weather-wsd-1", 240))
    assert isinstance(early.forecast, Forecast)
    assert early.forecast.end.low < whole.run.series["eval_loss"].values[-1] < min(early.forecast.end.high, early.forecast.now)


def test_a_diverging_run_gets_no_forecast(judged, root):
    (diagnosis,) = judged(root / "sample_logs" / "faulty" / "loss-rise" / "trainer_state.json")
    assert isinstance(diagnosis.forecast, NotMeasurable)
