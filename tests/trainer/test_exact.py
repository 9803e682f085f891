"""Exactness: packed documents have the logits they have alone, and losses are those of a plain Trainer on the same rows."""

import json

import numpy as np
import pytest
import torch
from advisor_trainer import attention
from advisor_trainer.batches import Lines, Plan
from advisor_trainer.dataset import load
from advisor_trainer.loss import label_logits, summed, where_documents_end
from advisor_trainer.model import keeps_logits, model_of, set_attention, tokenizer_of


@pytest.fixture
def model(tiny):
    from transformers import AutoModelForCausalLM

    attention.register()
    model = AutoModelForCausalLM.from_pretrained(tiny, dtype=torch.float64)
    model.eval()
    return model


@pytest.fixture
def documents():
    draw = torch.Generator().manual_seed(5)
    return [torch.randint(0, 400, (1, n), generator=draw) for n in (16, 8, 24, 8)]


def alone(model, documents):
    model.set_attn_implementation("sdpa")
    with torch.no_grad():
        return torch.cat([model(input_ids=ids, use_cache=False).logits for ids in documents], dim=1)


def together(model, documents, **given):
    lengths = [ids.shape[1] for ids in documents]
    positions = torch.cat([torch.arange(n) for n in lengths])[None]
    with torch.no_grad():
        return model(input_ids=torch.cat(documents, dim=1), position_ids=positions, **given).logits


@pytest.mark.parametrize("backend", ["segments", "mask"])
def test_packed_documents_have_exactly_the_logits_they_have_alone(model, documents, backend):
    expected = alone(model, documents)
    model.set_attn_implementation(attention.NAMES[backend])
    lengths = tuple(ids.shape[1] for ids in documents)
    facts = {"segments": lengths, "ends": torch.tensor([0, *np.cumsum(lengths)], dtype=torch.int32), "longest": max(lengths)}
    packed = together(model, documents, use_cache=False, **where_documents_end(backend, facts))
    assert (packed - expected).abs().max() == 0


def test_documents_of_odd_lengths_are_exact_to_the_last_bit_of_a_sum(model):
    # A multiplication takes its last rows by another path, which rounds otherwise.
    documents = [torch.tensor([[7, 8, 9]]), torch.tensor([[5]]), torch.tensor([[1, 2, 3, 4, 5, 6, 7, 8, 9, 8, 7]])]
    expected = alone(model, documents)
    model.set_attn_implementation(attention.SEGMENTS)
    assert (together(model, documents, use_cache=False, segments=(3, 1, 11)) - expected).abs().max() <= 2**-52


def test_a_mask_of_ones_would_let_documents_see_each_other(model, documents):
    expected = alone(model, documents)
    ones = torch.ones(1, sum(ids.shape[1] for ids in documents), dtype=torch.long)
    assert (together(model, documents, use_cache=False, attention_mask=ones) - expected).abs().max() > 0.01


def test_a_cache_would_let_documents_see_each_other(model, documents):
    expected = alone(model, documents)
    model.config.use_cache = True
    assert (together(model, documents, use_cache=True) - expected).abs().max() > 0.01


def test_no_mask_and_no_cache_are_given_to_the_model(model):
    seen = {}

    def look(_module, _args, given):
        seen.update(given)

    model.register_forward_pre_hook(look, with_kwargs=True)
    inputs = {
        "input_ids": torch.tensor([[5, 6, 7]]), "position_ids": torch.tensor([[0, 1, 2]]), "logits_to_keep": torch.tensor([1]),
        "segments": (3,),
    }  # fmt: skip
    label_logits(model, inputs, "segments", keeps=True)
    assert seen["use_cache"] is False
    assert "attention_mask" not in seen


def test_the_head_computes_label_tokens_alone_and_they_are_the_same(model):
    model.set_attn_implementation(attention.SEGMENTS)
    inputs = {
        "input_ids": torch.arange(5, 25)[None], "position_ids": torch.arange(20)[None], "logits_to_keep": torch.tensor([3, 7, 18]),
        "segments": (20,),
    }  # fmt: skip
    with torch.no_grad():
        kept, chosen = (label_logits(model, inputs, "segments", keeps=keeps) for keeps in (True, False))
    assert kept.shape == (3, 400)
    assert (kept - chosen).abs().max() < 1e-12


def test_a_model_with_a_sliding_window_is_exact_too(tmp_path):
    from transformers import MistralConfig, MistralForCausalLM

    torch.manual_seed(1)
    config = MistralConfig(
        vocab_size=100, hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2,
        sliding_window=4, attn_implementation="sdpa",
    )  # fmt: skip
    attention.register()
    model = MistralForCausalLM(config).double().eval()
    documents = [torch.randint(0, 100, (1, n)) for n in (9, 4, 17)]
    expected = alone(model, documents)
    model.set_attn_implementation(attention.SEGMENTS)
    packed = together(model, documents, use_cache=False, segments=(9, 4, 17))
    assert (packed - expected).abs().max() < 1e-12


def test_a_model_that_our_attention_does_not_suit_gets_the_dense_mask():
    from transformers import Gemma2Config, Gemma2ForCausalLM

    config = Gemma2Config(
        vocab_size=100, hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2,
        head_dim=8, attn_implementation="eager",
    )  # fmt: skip
    attention.register()
    model = Gemma2ForCausalLM(config)
    assert set_attention(model, "auto", torch.device("cpu"), compiled=False) == "mask"
    assert model.config._attn_implementation == "eager"


# losses


def _prepared(settings, **given):
    config = settings(**given)
    tokenizer = tokenizer_of(config)
    data = load(config, tokenizer)
    torch.manual_seed(0)
    model = model_of(config, torch.device("cpu"), tokenizer)
    return config, data, model


def test_a_constant_shape_changes_no_loss(settings):
    _, data, model = _prepared(settings)
    backend = set_attention(model, "segments", torch.device("cpu"), compiled=False)
    plan = Plan(data.pieces, size=96, batch=4, packing=True, seed=1)
    micro = next(plan.of_epoch(0))
    bare, filled = (Lines(data.train, data.pieces, size=size)[micro] for size in (0, 96))
    assert filled["input_ids"].shape == (1, 4 * 96)
    losses = [float(summed(model, inputs, backend, keeps=True)) for inputs in (bare, filled)]
    assert losses[0] == pytest.approx(losses[1], rel=1e-6)


def _plain_batches(data, plan, epochs):
    """The same documents as batches of a plain Trainer: padded, with a mask, labels where they are trained on."""
    for epoch in range(epochs):
        for micro in plan.of_epoch(epoch):
            rows = [
                (data.train.tokens[b : b + n].astype(np.int64), data.train.mask[b : b + n])
                for b, n in ((data.pieces.begin[p], data.pieces.length[p]) for p in micro.pieces)
            ]
            width = max(len(ids) for ids, _ in rows)
            batch = {
                name: torch.full((len(rows), width), fill)
                for name, fill in (("input_ids", 0), ("attention_mask", 0), ("labels", -100))
            }
            for row, (ids, mask) in enumerate(rows):
                batch["input_ids"][row, : len(ids)] = torch.from_numpy(ids)
                batch["attention_mask"][row, : len(ids)] = 1
                batch["labels"][row, : len(ids)] = torch.from_numpy(np.where(mask, ids, -100))
            yield batch


@pytest.mark.parametrize("method", ["full", "lora"])
def test_losses_are_those_of_a_plain_trainer_on_the_same_rows_for_fifty_steps(settings, tmp_path, method):
    from advisor_trainer import train
    from advisor_trainer.arguments import arguments_of
    from transformers import Trainer, set_seed

    config = settings(method=method, max_steps=50, gradient_accumulation_steps=2, learning_rate=1e-3, num_train_epochs=5, seed=3)
    run = train(config)
    ours = [e for e in map(json.loads, (run / "run.log").read_text().splitlines()) if "loss" in e]

    tokenizer = tokenizer_of(config)
    data = load(config, tokenizer)
    set_seed(config.seed)
    model = model_of(config, torch.device("cpu"), tokenizer)
    plan = Plan(data.pieces, size=config.max_length, batch=config.per_device_train_batch_size, packing=True, seed=config.seed)

    class Loader:
        def __init__(self):
            self.epoch = 0

        def __len__(self):
            return len(plan)

        def __iter__(self):
            yield from list(_plain_batches(data, plan, self.epoch + 1))[-len(plan) :]

        def set_epoch(self, epoch):
            self.epoch = epoch

    class Plain(Trainer):
        def get_train_dataloader(self):
            return Loader()

    plain = Plain(model=model, args=arguments_of(config, torch.device("cpu")), train_dataset=[0])
    plain.train()
    theirs = [e for e in plain.state.log_history if "loss" in e]
    assert len(ours) == len(theirs) == 50
    assert max(abs(a["loss"] - b["loss"]) for a, b in zip(ours, theirs, strict=True)) < 1e-4
    assert max(abs(a["grad_norm"] - b["grad_norm"]) for a, b in zip(ours, theirs, strict=True)) < 1e-3
    assert [a["learning_rate"] for a in ours] == [b["learning_rate"] for b in theirs]
    assert ours[-1]["loss"] < ours[0]["loss"] - 0.1


def test_two_processes_have_the_losses_of_one(settings, tmp_path, two_processes):
    from advisor_trainer import train

    given = {"max_steps": 8, "eval_strategy": "steps", "eval_steps": 4, "save_strategy": "steps", "save_steps": 4}
    train(settings(**given, output_dir=str(tmp_path / "one")))
    two = settings(**given, output_dir=str(tmp_path / "two"), per_device_train_batch_size=2)
    two_processes(two)
    logs = [
        [e for e in map(json.loads, (tmp_path / name / "run.log").read_text().splitlines()) if "event" not in e]
        for name in ("one", "two")
    ]
    assert [e["step"] for e in logs[0]] == [e["step"] for e in logs[1]] == [1, 2, 3, 4, 4, 5, 6, 7, 8, 8]
    for a, b in zip(*logs, strict=True):
        for name in a.keys() & {"loss", "eval_loss", "grad_norm"}:
            assert a[name] == pytest.approx(b[name], rel=1e-5)
        assert a.get("num_tokens") == b.get("num_tokens")
    assert (tmp_path / "two" / "checkpoint-8" / "rng_state_1.pth").is_file()
    # A checkpoint of two processes is whole, and a run goes on from it.
    assert "goes on from" in two_processes(two, "--resume", "--max-steps", "10")
    steps = [json.loads(line)["step"] for line in (tmp_path / "two" / "run.log").read_text().splitlines() if '"loss"' in line]
    assert steps == list(range(1, 11))


def test_the_model_is_told_which_logits_to_keep(tiny):
    from transformers import AutoModelForCausalLM

    assert keeps_logits(AutoModelForCausalLM.from_pretrained(tiny))
