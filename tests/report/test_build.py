"""The report itself: what stands in it, in both languages, and what it must not claim."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from advisor.engine import diagnose
from advisor.errors import BadReport
from advisor.readers import read_bytes, read_path
from advisor.render.words import Words
from advisor.report.build import build, editions
from advisor.report.curves import MOST_POINTS, thinned
from advisor.report.dates import date_of
from advisor.report.making import Maker, given_config
from advisor.report.material import Material, Order
from advisor.report.model import ASPECTS
from advisor.report.orders import Request, order_for, shown_name, title_of
from advisor.settings import parse_config

SAMPLES = ("healthy", "faulty")


def sample_runs(root):
    return sorted(
        path
        for kind in SAMPLES
        for folder in (root / "sample_logs" / kind).iterdir()
        for path in ([folder] if (folder / "trainer_state.json").exists() or any(folder.glob("checkpoint-*")) else folder.iterdir())
        if path.is_dir() or path.suffix in (".log", ".csv", ".jsonl", ".json")
    )


@pytest.fixture(scope="module")
def of_runs(rules):
    return [rule for rule in rules if rule.subject == "run"]


@pytest.fixture(scope="module")
def report(root, of_runs):
    """The report of a sample, or of the text of a log."""

    def made(log, language="en", **order):
        runs = read_bytes(log.encode(), "run.jsonl") if log.startswith("{") else read_path(root / "sample_logs" / log)
        return build(Material(diagnose(runs[0], of_runs), Order(log="run.jsonl", title="a run", **order)), language)

    return made


def lines(losses, evals=(), **more):
    rows = [{"step": i, "loss": loss, **{k: v[i - 1] for k, v in more.items()}} for i, loss in enumerate(losses, 1)]
    rows += [{"step": step, "eval_loss": value} for step, value in evals]
    return "\n".join(json.dumps(row) for row in rows)


FALLING = [2 * i**-0.3 + 0.02 * math.sin(i * 7) for i in range(1, 101)]


def light(report, aspect):
    return next(found for found in report.lights if found.aspect == aspect)


def figure(report, name):
    return next(found for found in report.figures if found.name == name)


def test_every_sample_has_the_same_lights_and_figures_in_the_same_order_and_strict_json(root, of_runs):
    logs = sample_runs(root)
    assert len(logs) > 30
    for log in logs:
        for run in read_path(log):
            found = editions(Material(diagnose(run, of_runs), Order(log=log.name)), "en")
            for one in found:
                assert tuple(light.aspect for light in one.lights) == ASPECTS
                assert [figure.name for figure in one.figures] == ["best", "final", "rise", "cost"]
                assert json.loads(json.dumps(one.as_dict(), allow_nan=False))["verdict"]["sentence"]
                assert {state for light in one.lights for state in [light.state] if not light.reason} == set()


@pytest.mark.parametrize("kind", SAMPLES)
def test_the_state_of_the_verdict_is_that_of_the_sample(root, of_runs, kind):
    states = {
        (log.parent.name, log.name): build(Material(diagnose(run, of_runs)), "en").verdict.state
        for log in sample_runs(root)
        if kind in log.parts
        for run in read_path(log)
    }
    wanted = {"pass"} if kind == "healthy" else {"warning", "failure"}
    assert {name: state for name, state in states.items() if state not in wanted} == {}


def test_both_languages_hold_the_same_numbers_and_rules(root, of_runs):
    for log in sample_runs(root):
        english, chinese = editions(Material(diagnose(read_path(log)[0], of_runs)), "en")
        assert [english.language, chinese.language] == ["en", "zh"]
        assert [f.rule for f in english.findings] == [f.rule for f in chinese.findings]
        same = [[f["numbers"] for f in one.as_dict()["figures"]] for one in (english, chinese)]
        assert same[0] == same[1]
        assert [light.state for light in english.lights] == [light.state for light in chinese.lights]
        assert [(c.parameter, c.trust) for c in english.changes] == [(c.parameter, c.trust) for c in chinese.changes]
        assert english.labels.keys() == chinese.labels.keys()


def test_the_figures_of_an_overfitted_run_are_those_of_its_log(report):
    found = report("faulty/validation-rise/trainer_state.json")
    assert found.verdict.state == "warning"
    assert found.verdict.action.parameter == "num_train_epochs"
    assert (found.verdict.action.old, found.verdict.action.new) == ("40", "8")
    assert figure(found, "best").numbers == {"value": pytest.approx(0.68670690), "x": 64}
    assert figure(found, "final").numbers == {"value": pytest.approx(1.29254389), "x": 320}
    assert figure(found, "rise").state == "warning"
    assert figure(found, "cost").numbers["share_after_best"] == pytest.approx(0.8)


def test_without_evaluations_generalisation_is_not_judged_and_says_what_to_log(report):
    found = report(lines(FALLING, learning_rate=[1e-4] * 100))
    assert light(found, "generalisation").state == "not-judged"
    assert "evaluat" in light(found, "generalisation").reason
    assert light(found, "stability").state == "pass"
    assert figure(found, "best").label == "Lowest training loss"


def test_a_schedule_that_was_not_logged_is_not_green(report):
    assert light(report(lines(FALLING)), "schedule").state == "not-judged"
    assert light(report(lines(FALLING, learning_rate=[1e-4 * (1 - i / 100) for i in range(100)])), "schedule").state == "pass"


def test_data_that_were_not_given_are_not_green(report):
    found = light(report("healthy/sft-weather/trainer_state.json"), "data")
    assert found.state == "not-judged"
    assert "--data" in found.reason


def test_after_a_divergence_the_curve_says_nothing_about_generalisation(report):
    found = report("faulty/loss-explosion/run.jsonl")
    assert light(found, "stability").state == "failure"
    assert light(found, "generalisation").state == light(found, "optimisation").state == "not-judged"


def test_a_final_evaluation_that_is_no_number_is_not_passed_over(report):
    found = report("faulty/non-finite-loss/run.jsonl")
    assert figure(found, "final").value == "NaN"
    assert figure(found, "rise").value == "–"


def test_what_is_called_noise_is_the_margin_that_the_rise_is_compared_with(report):
    rise = figure(report("faulty/entropy-collapse/trainer_state.json"), "rise")
    assert rise.state == "pass"
    margin = float(rise.detail.partition("±")[2].rstrip("%)"))
    assert abs(float(rise.value.rstrip("%"))) < margin == pytest.approx(200 * rise.numbers["noise"], abs=0.05)


def test_no_run_ends_better_than_its_best(root, report):
    for log in sample_runs(root):
        found = report(str(log.relative_to(root / "sample_logs")))
        best, final = (figure(found, name).numbers.get("value", math.nan) for name in ("best", "final"))
        sign = 1 if found.charts[0].name == "reward" else -1
        assert not sign * final > sign * best, log


def test_a_zero_that_stands_for_a_hidden_nan_is_said_to_be_what_was_logged(report):
    found = report("faulty/hidden-nan/trainer_state.json")
    assert [(figure(found, name).state, figure(found, name).value) for name in ("best", "final")] == [("warning", "0")] * 2
    assert "the real one is not a number" in figure(found, "final").detail
    assert "real" not in figure(report("faulty/zero-loss-without-gradient/trainer_state.json"), "final").detail


def test_only_the_change_that_page_one_asks_for_is_called_the_first_and_it_stands_first(root, report):
    for log in sample_runs(root):
        found = report(str(log.relative_to(root / "sample_logs")))
        first = [(number, c.parameter, c.rule) for number, c in enumerate(found.changes) if c.first]
        action = found.verdict.action
        assert first == ([(0, action.parameter, action.rule)] if action.kind == "change" else [])


def test_where_nothing_is_to_be_changed_nothing_is_to_be_done_first(report):
    assert report("healthy/sft-weather/trainer_state.json").verdict.action.label == "What to do"
    assert report("faulty/validation-rise/trainer_state.json").verdict.action.label == "Do this first"


def test_no_cause_is_supported_twice_by_the_same_words(root, report):
    for log in sample_runs(root):
        for cause in report(str(log.relative_to(root / "sample_logs"))).causes:
            assert len(set(cause.supports)) == len(cause.supports)


def test_points_are_marked_only_in_the_chart_that_draws_their_series_and_on_its_axis(report):
    reward = report("faulty/completions-cut-off/trainer_state.json").charts[0]
    assert [mark for mark in reward.marks if mark.kind == "evidence"] == []
    gradient = report("faulty/loss-explosion/run.jsonl").charts[1]
    assert {(mark.series, gradient.axis_of(mark)) for mark in gradient.marks} == {("grad_norm", "left"), ("learning_rate", "right")}


def test_a_length_that_was_not_set_is_no_fact_of_the_run(report):
    found = {fact.name: fact.value for fact in report("healthy/stepwise-lora/run.jsonl").facts}
    assert found["epochs"] == "3"
    assert "steps" not in found
    assert "max_steps" not in found["settings"]
    assert "objective" not in found["settings"]


@pytest.mark.parametrize(
    ("seconds", "english", "chinese"),
    [(7.314, "7.31 s", "7.31 秒"), (91, "91 s", "91 秒"), (150, "2 min", "2 分钟"), (3599, "1 h", "1 小时"),
     (4320, "1 h 12 min", "1 小时 12 分钟"), (math.nan, "", ""), (0.0, "", "")],
)  # fmt: skip
def test_a_duration_is_said_in_the_units_that_suit_it(seconds, english, chinese):
    assert [Words(language).duration(seconds) for language in ("en", "zh")] == [english, chinese]


def test_a_remark_is_not_the_first_thing_to_do_about_a_fault(report):
    found = report("faulty/first-loss-above-chance/trainer_state.json")
    assert found.verdict.problem == "data"
    assert found.verdict.action.kind == "remedy"
    assert found.verdict.action.rule == "DATA-001"


def test_a_single_point_and_an_empty_configuration_make_a_whole_report(report):
    found = report('{"step": 1, "loss": 2.5}')
    assert found.verdict.state == "not-judged"
    assert {light.state for light in found.lights} == {"not-judged"}
    assert found.charts[0].lines[0].y.tolist() == [2.5]
    assert found.configuration.text == ""
    assert found.verdict.action.kind == "log"


def test_a_log_of_errors_alone_makes_a_report_without_curves(of_runs):
    run = read_bytes(b"Traceback (most recent call last):\nRuntimeError: CUDA out of memory. Tried to allocate 2.00 GiB\n", "log")[
        0
    ]
    found = build(Material(diagnose(run, of_runs)), "en")
    assert found.verdict.state == "failure"
    assert [chart.missing != "" for chart in found.charts] == [True, True]


@given(arrays(np.float64, st.integers(1, 5000), elements=st.floats(-1e6, 1e6)), st.integers(10, 200))
@settings(deadline=None, max_examples=60)
def test_thinning_keeps_logged_points_the_ends_and_both_extremes(values, most):
    x = np.arange(len(values), dtype=np.float64)
    kept_x, kept = thinned(x, values, most)
    assert len(kept) <= most or len(values) <= most
    assert (values[kept_x.astype(int)] == kept).all()
    assert {kept.min(), kept.max()} == {values.min(), values.max()}
    assert (kept_x[0], kept_x[-1]) == (0, len(values) - 1)


def test_a_single_spike_among_very_many_points_is_drawn(report):
    losses = [1.0 + 0.01 * math.sin(i) for i in range(20_000)]
    losses[13_131] = 9.0
    drawn = report(lines(losses)).charts[0].lines[0]
    assert len(drawn.x) <= MOST_POINTS
    assert drawn.total == 20_000
    assert drawn.y.max() == 9.0
    assert drawn.x[drawn.y.argmax()] == 13_132


def test_the_charts_share_their_axis_and_mark_best_span_and_noise(report):
    loss, gradient = report("faulty/validation-rise/trainer_state.json").charts
    assert (loss.x_from, loss.x_to) == (gradient.x_from, gradient.x_to)
    assert [(mark.x, mark.y) for mark in loss.marks if mark.kind == "best"] == [(64, pytest.approx(0.68670690))]
    assert [(span.rule, span.begin, span.end) for span in loss.spans] == [("OVERFIT-001", 64, 320)]
    assert [band.name for band in loss.bands] == ["noise"]
    assert "0.6867" in loss.caption


def test_a_forecast_is_drawn_to_the_planned_end(report):
    found = report(
        json.dumps({"event": "run", "schema": "advisor.log/1", "config": {"max_steps": 400, "lr_scheduler_type": "linear"}})
        + "\n"
        + lines(
            [2 * i**-0.3 + 0.02 * math.sin(i * 7) for i in range(1, 301)],
            [(10 * i, 2.1 * (10 * i) ** -0.3) for i in range(1, 31)],
            learning_rate=[1e-3 * (1 - i / 400) for i in range(300)],
        )
    )
    assert found.forecast
    drawn = [line for line in found.charts[0].lines if line.role == "dashed"]
    assert [line.x.tolist() for line in drawn] == [[300.0, 400.0]]
    assert found.charts[0].x_to == 400


def test_a_reinforcement_run_is_shown_by_its_reward(report):
    found = report("healthy/grpo/trainer_state.json")
    assert found.charts[0].name == "reward"
    assert figure(found, "best").label == "Highest reward"
    assert figure(found, "rise").state != "warning"


def test_the_configuration_is_the_given_one_with_the_safe_changes(root, of_runs, tmp_path):
    config = tmp_path / "train.yaml"
    config.write_text("# ours\nnum_train_epochs: 40\nlearning_rate: 2.0e-3\n")
    known, given_text = given_config(config)
    run = read_path(root / "sample_logs/faulty/validation-rise/trainer_state.json")[0]
    run = replace(run, config={**run.config, **known})
    found = build(Material(diagnose(run, of_runs), Order(given=given_text)), "en").configuration
    assert found.text.startswith("# ours\nnum_train_epochs: 8\n")
    assert parse_config("yaml", found.text)["load_best_model_at_end"] is True
    assert found.waiting == ("early_stopping_patience: (unknown) → 3 (EVAL-003)",)


def test_the_steps_that_followed_from_the_old_epochs_do_not_overrule_the_new_ones(report):
    found = report("faulty/validation-rise/trainer_state.json").configuration
    settings = parse_config("yaml", found.text)
    assert settings["num_train_epochs"] == 8
    assert "max_steps" not in settings
    assert settings["per_device_train_batch_size"] == 8


@pytest.mark.parametrize("value", ['a: b # c\n- "x" \\ ', "no", "2e-4", "", "中文 🚀", "line\u2028end"])
def test_any_text_of_a_setting_is_the_same_after_the_configuration_is_read_again(report, value):
    config = {"num_train_epochs": 3, "seed": 1, "learning_rate": 1e-4, "weight_decay": 0.0, "note": value}
    head = json.dumps({"event": "run", "schema": "advisor.log/1", "config": config})
    found = report(head + "\n" + lines(FALLING)).configuration
    settings = parse_config("yaml", found.text)
    assert {name: settings[name] for name in config} == config


def test_no_path_of_the_machine_stands_in_a_report(root, rules, tmp_path, monkeypatch):
    folder = tmp_path / "experiment-7"
    folder.mkdir()
    (folder / "trainer_state.json").write_bytes((root / "sample_logs/faulty/validation-rise/trainer_state.json").read_bytes())
    material = Maker(rules, Request(options=("-o", "report.html"))).single(folder)
    text = json.dumps(build(material, "en").as_dict())
    assert str(tmp_path) not in text
    assert material.order.title == "experiment-7"
    assert material.order.log == "experiment-7/trainer_state.json"
    monkeypatch.chdir(tmp_path)
    assert shown_name(str(folder / "trainer_state.json")) == "experiment-7/trainer_state.json"


def test_a_run_is_named_by_the_first_name_that_says_something(tmp_path):
    state = tmp_path / "my-run" / "checkpoint-600" / "trainer_state.json"
    state.parent.mkdir(parents=True)
    state.write_text("{}")
    assert title_of(state) == "my-run"
    (tmp_path / "lora-8.log.gz").write_text("")
    assert title_of(tmp_path / "lora-8.log.gz") == "lora-8"


def test_the_date_is_given_or_of_the_log_and_never_of_the_clock(tmp_path):
    run = read_bytes(b'{"step": 1, "loss": 2, "time": 1700000000}\n{"step": 2, "loss": 1, "time": 1700000900}\n', "run.jsonl")[0]
    log = tmp_path / "run.jsonl"
    log.write_text("")
    assert date_of(run, log, "2026-01-02", {}) == ("2026-01-02", "given")
    assert date_of(run, log, "", {"SOURCE_DATE_EPOCH": "86400"}) == ("1970-01-02", "given")
    assert date_of(run, log, "", {}) == ("2023-11-14", "log")
    bare = read_bytes(b'{"step": 1, "loss": 2}\n', "run.jsonl")[0]
    assert date_of(bare, log, "", {})[1] == "file"
    assert date_of(bare, None, "", {}) == ("", "none")


@pytest.mark.parametrize(("given_date", "environment"), [("yesterday", {}), ("", {"SOURCE_DATE_EPOCH": "soon"})])
def test_what_is_no_date_is_one_clear_error(given_date, environment):
    run = read_bytes(b'{"step": 1, "loss": 2}\n', "run.jsonl")[0]
    with pytest.raises(BadReport, match=r"yesterday|soon"):
        date_of(run, None, given_date, environment)


def evaluated(best, noise=0.01):
    return lines(FALLING, [(10 * i, best + 0.5 / i + noise * (-1) ** i) for i in range(1, 11)])


@pytest.mark.parametrize(
    ("before", "now", "said"),
    [(1.0, 0.8, "Better"), (0.8, 1.0, "Worse"), (1.0, 1.001, "No difference")],
)
def test_a_comparison_says_what_is_more_than_noise(of_runs, before, now, said):
    earlier, material = (
        Material(diagnose(read_bytes(evaluated(best).encode(), "run.jsonl")[0], of_runs), Order(log="earlier.jsonl"))
        for best in (before, now)
    )
    found = build(replace(material, earlier=earlier), "en")
    assert found.comparison.sentence.startswith(said)
    assert found.comparison.earlier == "earlier.jsonl"
    assert [line.role for line in found.charts[0].lines].count("dashed") == 1


def test_runs_with_different_measures_are_not_compared(of_runs):
    earlier, material = (
        Material(diagnose(read_bytes(text.encode(), "run.jsonl")[0], of_runs)) for text in (lines(FALLING), evaluated(1.0))
    )
    assert build(replace(material, earlier=earlier), "en").comparison.state == "not-judged"


def test_the_order_of_a_run_names_its_hash(root):
    log = root / "sample_logs/healthy/classification/run.jsonl"
    run = read_path(log)[0]
    import hashlib

    assert order_for(run, Request(), {}).log_sha256 == hashlib.sha256(log.read_bytes()).hexdigest()
