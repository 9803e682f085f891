"""Logs of strangers that tell of the same run in different formats: the same values, the same verdict."""

from dataclasses import replace

import numpy as np
import pytest

from advisor.engine import diagnose

SOCKEYE = "J22Melody__signwriting-translation__"
LORA = "AguLeon__LoRA_RoBERTa_AGNews__"
COURSE = "RTiberiu__CM4107-Advanced-Artificial-Intelligence-CW__"
SAME = [
    (f"hf_trainer_state/{LORA}1.json", f"nb_hf_table/{LORA}1.ipynb"),
    (f"hf_trainer_state/{LORA}1.json", f"tfevents/{LORA}5.tfevents"),
    (f"hf_trainer_state/{COURSE}1.json", f"tfevents/{COURSE}4.tfevents"),
    *(
        (f"sockeye_metrics/{SOCKEYE}{metrics}.metrics", f"tfevents/{SOCKEYE}{events}.tfevents")
        for metrics, events in ((5, 4), (6, 1), (7, 7), (8, 5), (11, 2), (11, 3), (12, 6))
    ),
]
EARLIER = [
    (f"hf_trainer_state/{LORA}2.json", f"hf_trainer_state/{LORA}1.json"),
    (f"hf_trainer_state/{COURSE}2.json", f"hf_trainer_state/{COURSE}1.json"),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_two_formats_of_a_run_give_the_same_values_and_verdict(one, other, corpus, judged, rules):
    (first,), (second,) = judged(corpus / "logs" / one), judged(corpus / "logs" / other)
    assert first.verdict == second.verdict
    # One of them may also know the settings or the clock; the curves that both tell of are judged alike.
    both = first.run.series.keys() & second.run.series.keys()
    found = [
        [f.rule.id for f in diagnose(replace(run, config={}, series={n: run.series[n] for n in both}), rules).findings]
        for run in (first.run, second.run)
    ]
    assert found[0] == found[1]
    for name in ("train_loss", "eval_loss"):
        mine, theirs = first.run.series[name], second.run.series[name]
        common = min(len(mine), len(theirs))
        # One of them may have been saved before the last evaluation.
        assert common >= max(len(mine), len(theirs)) - 1
        assert mine.unit == theirs.unit
        assert np.allclose(mine.values[:common], theirs.values[:common], rtol=1e-4, atol=1e-6)
        if first.run.axis == second.run.axis == "step":
            assert mine.x[:common].tolist() == theirs.x[:common].tolist()


@pytest.mark.parametrize(("earlier", "later"), EARLIER)
def test_an_earlier_checkpoint_is_the_beginning_of_a_later_one(earlier, later, corpus, judged):
    (first,), (second,) = judged(corpus / "logs" / earlier), judged(corpus / "logs" / later)
    for name, series in first.run.series.items():
        if name in ("train_loss", "eval_loss", "learning_rate"):
            assert series.values.tolist() == second.run.series[name].values[: len(series)].tolist()
