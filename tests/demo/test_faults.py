"""The table of faults, and what each hook really does to a run of a few steps."""

import sys
from dataclasses import replace
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="the train extra is not installed")
pytest.importorskip("transformers", reason="the train extra is not installed")
pytest.importorskip("chitchat_dataset", reason="the demo extra is not installed")

from advisor_trainer.demo import hooks
from advisor_trainer.demo.faults import FAULTS, HEALTHY
from advisor_trainer.demo.runs import demonstrate
from advisor_trainer.demo.tasks import TASKS, data_of

from advisor.locale import strings
from advisor.model import CAUSES

sys.path.insert(0, str(Path(__file__).parent.parent.parent))

pytestmark = pytest.mark.filterwarnings("ignore")
EVERY = [*FAULTS.values(), *HEALTHY]


def test_there_are_thirty_five_kinds_of_faults_on_three_tasks_and_some_that_the_curve_cannot_show():
    assert len(FAULTS) >= 35
    assert len(TASKS) >= 3
    assert any(not fault.scored for fault in FAULTS.values())


@pytest.mark.parametrize("fault", EVERY, ids=lambda f: f.name)
def test_a_fault_names_known_causes_tasks_and_hooks_and_is_described_in_both_languages(fault):
    assert set(fault.causes) <= {*CAUSES, "healthy"}
    assert set(fault.tasks) <= set(TASKS)
    for name, known in (("batch", hooks.BATCHES), ("loss", hooks.LOSSES), ("gradient", hooks.GRADIENTS), ("model", hooks.MODELS)):
        assert not getattr(fault, name) or getattr(fault, name) in known
    for language in ("en", "zh"):
        assert f"fault.{fault.name}" in strings(language, "demo")


@pytest.mark.parametrize("name", TASKS)
def test_no_row_of_a_task_is_both_trained_on_and_held_out(name):
    rows, held_out = data_of(TASKS[name], 600, 0)
    assert len(rows) == 600
    assert len(held_out) == TASKS[name].held_out
    assert not {repr(r) for r in rows} & {repr(r) for r in held_out}
    assert data_of(TASKS[name], 600, 0)[0] == rows, "the same seed makes the same rows"
    assert data_of(TASKS[name], 600, 1)[0] != rows


def run(tmp_path, name, task="sums", steps=4, **changed):
    """Train a few steps with a fault and return the series that were logged."""
    fault = next(f for f in EVERY if f.name == name)
    fault = replace(fault, settings={"rows": 80, **{k: v for k, v in fault.settings.items() if k != "max_steps"}, **changed})
    torch.set_num_threads(1)
    watching = demonstrate(replace(TASKS[task], held_out=8), fault, 0, tmp_path / name, steps=steps)
    return watching.diagnosis.run.series


@pytest.fixture
def healthy(tmp_path):
    return run(tmp_path, "healthy")


def test_masked_labels_give_a_loss_that_is_no_number_and_a_gradient_of_zero(tmp_path):
    series = run(tmp_path, "labels-masked")
    assert not torch.isfinite(torch.tensor(series["train_loss"].values)).any()
    assert (series["grad_norm"].values == 0).all()
    assert series["eval_loss"].values == pytest.approx(series["eval_loss"].values[0], rel=1e-4), "only the weight decay moves it"


def test_losses_that_are_not_averaged_are_as_many_times_as_high_as_those_of_the_evaluation(tmp_path, healthy):
    series = run(tmp_path, "accumulation")
    assert series["train_loss"].values[0] == pytest.approx(4 * healthy["train_loss"].values[0], rel=0.3)
    assert series["eval_loss"].values[0] == pytest.approx(healthy["eval_loss"].values[0], rel=0.1)


def test_an_optimizer_of_a_copy_leaves_the_model_as_it_is_although_there_is_a_gradient(tmp_path):
    series = run(tmp_path, "optimizer-elsewhere")
    assert len(set(series["eval_loss"].values)) == 1
    assert (series["grad_norm"].values > 0).all()


def test_the_ids_of_another_tokenizer_are_worse_than_guessing_for_training_and_evaluation(tmp_path):
    series = run(tmp_path, "wrong-tokenizer")
    guessing = torch.log(torch.tensor(2048.0)).item()
    assert series["train_loss"].values[0] > guessing
    assert series["eval_loss"].values[0] > guessing


def test_a_batch_that_comes_again_and_again_is_learned_by_heart(tmp_path, healthy):
    series = run(tmp_path, "data-stuck", steps=12)
    assert series["train_loss"].values[-1] < 0.8 * series["eval_loss"].values[-1]


def test_garbage_comes_once(tmp_path):
    losses = run(tmp_path, "bad-batch", steps=10)["train_loss"].values
    assert losses.argmax() == 6
    assert losses[6] > 1.3 * losses[5]


def test_gradients_overflow_in_half_precision_once_the_scale_is_too_high(tmp_path):
    series = run(tmp_path, "half-precision-overflow", steps=40)
    assert torch.isfinite(torch.tensor(series["train_loss"].values[:5])).all()
    assert not torch.isfinite(torch.tensor(series["train_loss"].values[-3:])).any()


def test_gradients_that_are_kept_grow(tmp_path, healthy):
    norms = run(tmp_path, "gradients-kept")["grad_norm"].values
    assert norms[3] > 2 * healthy["grad_norm"].values[3]


def test_a_planted_schedule_is_the_one_that_is_logged(tmp_path):
    rates = run(tmp_path, "lr-ends-early", steps=20)["learning_rate"].values
    assert rates[:8].min() > 0
    assert (rates[12:] < 1e-9).all()
