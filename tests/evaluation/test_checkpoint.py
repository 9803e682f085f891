"""A checkpoint answers by itself, with the real stack: greedy answers, and the perplexity of its own loss."""

import json
import math

import pytest
from click.testing import CliRunner

from advisor.cli import main
from advisor.errors import UnreadableData

torch = pytest.importorskip("torch", reason="the extra `train` is not installed")
pytest.importorskip("transformers", reason="the extra `train` is not installed")

from advisor.evaluation.checkpoint import Checkpoint, How, answer_all  # noqa: E402
from advisor.evaluation.reading import read_answers, read_pairs  # noqa: E402
from benchmarks.answers import tiny  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A model that learnt two rows by heart, and those rows as a file."""
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("model")
    rows = [((("user", "When is tide 1?"),), "At noon."), ((("user", "第二次涨潮在几点？"),), "傍晚六点。")]
    tokenizer = tiny.tokenizer_of([text for turns, right in rows for text in (turns[0][1], right)], size=300)
    model = tiny.fresh(tokenizer, 0)
    tiny.train(model, tokenizer, rows, tiny.Recipe(steps=60, batch=4))
    data = folder / "test.jsonl"
    data.write_text(
        "".join(json.dumps({"context": t[0][1], "target": a}, ensure_ascii=False) + "\n" for t, a in rows), encoding="utf-8"
    )
    return tiny.save(model, tokenizer, folder / "tuned"), data, tokenizer


def test_what_was_learnt_is_answered_and_its_perplexity_is_that_of_the_models_own_loss(made):
    folder, data, _ = made
    rows = answer_all(read_pairs([data]), folder, How({}, max_tokens=16, device="cpu"))
    assert [row.prediction for row in rows] == ["At noon.", "傍晚六点。"]
    assert {row.finish for row in rows} == {"stop"}
    checkpoint = Checkpoint(folder, "cpu")
    for row in rows:
        ids, labels = checkpoint._labelled(row)
        with torch.inference_mode():
            expected = checkpoint.model(input_ids=torch.tensor([ids]), labels=torch.tensor([labels])).loss
        assert row.loss == pytest.approx(float(expected), abs=1e-4)
        assert row.label_tokens == sum(label != -100 for label in labels)


def test_a_batch_of_unequal_rows_gives_what_each_gives_alone(made):
    folder, data, _ = made
    one, both = (answer_all(read_pairs([data]), folder, How({}, max_tokens=16, batch=size, device="cpu")) for size in (1, 2))
    assert [r.prediction for r in one] == [r.prediction for r in both]
    assert [r.loss for r in one] == pytest.approx([r.loss for r in both], abs=1e-4)


def test_the_limit_of_tokens_is_said_to_have_ended_an_answer(made):
    folder, data, _ = made
    assert {row.finish for row in answer_all(read_pairs([data]), folder, How({"max_tokens": 1}, device="cpu"))} == {"length"}


def test_an_adapter_is_compared_with_its_own_base(made, tmp_path):
    peft = pytest.importorskip("peft", reason="the extra `train` is not installed")
    folder, data, tokenizer = made
    from transformers import AutoModelForCausalLM

    base = AutoModelForCausalLM.from_pretrained(folder)
    model = peft.get_peft_model(base, peft.LoraConfig(r=4, target_modules=["q_proj", "v_proj"], init_lora_weights=False))
    model.save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    rows = answer_all(read_pairs([data]), tmp_path, How({}, max_tokens=16, device="cpu"))
    assert [row.base for row in rows] == ["At noon.", "傍晚六点。"]
    assert all(row.base_loss < row.loss for row in rows)


def test_the_command_answers_saves_and_evaluates_again_from_what_it_saved(made, tmp_path):
    folder, data, _ = made
    saved = tmp_path / "saved.jsonl"
    arguments = ["evaluate", "--model", str(folder), "--data", str(data), "--device", "cpu", "--format", "json"]
    first = CliRunner().invoke(main, [*arguments, "--save-predictions", str(saved)], catch_exceptions=False)
    metrics = {m["name"]: m["own"]["value"] for m in json.loads(first.stdout)["metrics"]}
    assert metrics["exact"] == 1
    assert 1 <= metrics["perplexity"] < 1.5
    again = read_answers(saved)
    assert [row.prediction for row in again] == ["At noon.", "傍晚六点。"]
    second = CliRunner().invoke(main, ["evaluate", str(saved), "--format", "json"], catch_exceptions=False)
    assert {m["name"]: m["own"]["value"] for m in json.loads(second.stdout)["metrics"]} == pytest.approx(metrics)


def test_what_is_no_checkpoint_is_said(tmp_path):
    with pytest.raises(UnreadableData, match="no checkpoint"):
        Checkpoint(tmp_path)
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(UnreadableData, match="cannot be loaded"):
        Checkpoint(tmp_path)


def test_a_row_longer_than_the_model_has_no_loss_and_is_no_error(made):
    folder, data, _ = made
    row = read_pairs([data])[0]
    long = type(row)(row.source, 1, 0, (("user", "tide " * 400),), "", ("At noon.",))
    ((loss, count),) = Checkpoint(folder, "cpu").losses([long], 1)
    assert math.isnan(loss)
    assert count == 0
