"""Answers and perplexity of a checkpoint, with the real stack: transformers, and peft for an adapter."""

from __future__ import annotations

import contextlib
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from advisor.errors import UnreadableData
from advisor.evaluation.model import Answer
from advisor.model import Value

ADAPTER = "adapter_config.json"
IGNORED = -100
NEEDED = "`pip install 'finetune-advisor[train]'` brings what runs a model (torch, transformers, peft)"


@dataclass(frozen=True)
class How:
    """How answers are generated: greedily, unless `inference` says otherwise."""

    inference: Mapping[str, Value]
    max_tokens: int = 256
    batch: int = 8
    device: str = "auto"
    seed: int = 0

    def arguments(self) -> dict[str, Any]:
        """Return the arguments of `generate`."""
        given = self.inference
        temperature = given.get("temperature", 0)
        drawn = given.get("do_sample") is not False and isinstance(temperature, int | float) and temperature > 0
        arguments: dict[str, Any] = {"do_sample": drawn, "max_new_tokens": int(given.get("max_tokens", 0) or self.max_tokens)}
        if drawn:
            arguments |= {
                "temperature": float(temperature),
                "top_p": float(given.get("top_p", 1.0)),
                "top_k": int(given.get("top_k", 0)),
            }
        else:
            arguments |= {"temperature": None, "top_p": None, "top_k": None}
        if "repetition_penalty" in given:
            arguments["repetition_penalty"] = float(given["repetition_penalty"])
        return arguments


class Checkpoint:
    """A model with its tokenizer. adapted: it is a base model with an adapter that can be switched off."""

    def __init__(self, path: Path, device: str = "auto") -> None:
        """Load it. Raises UnreadableData where there is none, or what loads it is not installed."""
        try:
            import torch
            from transformers import AutoModelForCausalLM, AutoTokenizer
        except ImportError as error:
            raise UnreadableData(f"{path}: cannot run a model ({error}); {NEEDED}") from error
        if not path.is_dir() or not any((path / name).is_file() for name in ("config.json", ADAPTER)):
            raise UnreadableData(f"{path}: no checkpoint; expected a folder with config.json, or adapter_config.json of an adapter")
        self.path = path
        self.torch = torch
        self.device = device if device != "auto" else "cuda" if torch.cuda.is_available() else "cpu"
        self.adapted = (path / ADAPTER).is_file()
        try:
            if self.adapted:
                from peft import AutoPeftModelForCausalLM

                model: Any = AutoPeftModelForCausalLM.from_pretrained(str(path))
            else:
                model = AutoModelForCausalLM.from_pretrained(str(path))
            self.tokenizer: Any = AutoTokenizer.from_pretrained(str(self._tokenizer_folder()))
        except (OSError, ValueError, ImportError, RuntimeError) as error:
            raise UnreadableData(
                f"{path}: cannot be loaded as a causal language model ({' '.join(str(error).split())[:300]})"
            ) from error
        self.model = model.to(self.device).eval()
        if self.tokenizer.pad_token_id is None:
            self.tokenizer.pad_token = self.tokenizer.eos_token or self.tokenizer.convert_ids_to_tokens(0)

    def _tokenizer_folder(self) -> Path | str:
        if not self.adapted or (self.path / "tokenizer_config.json").is_file():
            return self.path
        base = json.loads((self.path / ADAPTER).read_text(encoding="utf-8")).get("base_model_name_or_path")
        return str(base or self.path)

    @contextlib.contextmanager
    def without_adapter(self) -> Iterator[None]:
        """Let the model answer as its base model."""
        with self.model.disable_adapter():
            yield

    def prompt_ids(self, answer: Answer) -> list[int]:
        """Return the tokens of the conversation before the answer: by the chat template where there is one, else as plain text."""
        if getattr(self.tokenizer, "chat_template", None):
            turns = [{"role": role, "content": text} for role, text in answer.turns]
            text = self.tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True)
            return list(self.tokenizer(text, add_special_tokens=False).input_ids)
        return list(self.tokenizer("\n".join(text for _, text in answer.turns)).input_ids)

    def losses(self, answers: Sequence[Answer], batch: int) -> Iterator[tuple[float, int]]:
        """Yield (mean loss in nats, tokens) of each row's reference: labels are its tokens and the end of the text."""
        torch = self.torch
        for part in _parts(answers, batch):
            rows = [self._labelled(answer) for answer in part]
            longest = max(len(ids) for ids, _ in rows)
            pad = self.tokenizer.pad_token_id
            ids = torch.tensor([row + [pad] * (longest - len(row)) for row, _ in rows], device=self.device)
            mask = torch.tensor([[1] * len(row) + [0] * (longest - len(row)) for row, _ in rows], device=self.device)
            labels = torch.tensor([row + [IGNORED] * (longest - len(row)) for _, row in rows], device=self.device)
            with torch.inference_mode():
                logits = self.model(input_ids=ids, attention_mask=mask).logits[:, :-1].float()
            flat = torch.nn.functional.cross_entropy(logits.transpose(1, 2), labels[:, 1:], ignore_index=IGNORED, reduction="none")
            counts = (labels[:, 1:] != IGNORED).sum(dim=1)
            for total, count in zip(flat.sum(dim=1).tolist(), counts.tolist(), strict=True):
                yield (total / count if count else float("nan")), count

    def _labelled(self, answer: Answer) -> tuple[list[int], list[int]]:
        prompt = self.prompt_ids(answer)
        reference = answer.references[0] if answer.references else ""
        target = list(self.tokenizer(reference, add_special_tokens=False).input_ids) if reference else []
        if target and self.tokenizer.eos_token_id is not None:
            target.append(self.tokenizer.eos_token_id)
        limit = getattr(self.model.config, "max_position_embeddings", None) or len(prompt) + len(target)
        ids = (prompt + target)[:limit]
        return ids, ([IGNORED] * len(prompt) + target)[:limit]

    def generated(self, answers: Sequence[Answer], how: How) -> Iterator[tuple[str, int, str]]:
        """Yield (text, generated tokens, `stop` or `length`) of each row."""
        torch = self.torch
        torch.manual_seed(how.seed)
        arguments = how.arguments()
        ends = self.model.generation_config.eos_token_id
        ends = set(ends if isinstance(ends, list) else [ends]) | {self.tokenizer.eos_token_id}
        pad = self.tokenizer.pad_token_id
        for part in _parts(answers, how.batch):
            prompts = [self.prompt_ids(answer) for answer in part]
            longest = max(map(len, prompts))
            ids = torch.tensor([[pad] * (longest - len(row)) + row for row in prompts], device=self.device)
            mask = torch.tensor([[0] * (longest - len(row)) + [1] * len(row) for row in prompts], device=self.device)
            with torch.inference_mode():
                found = self.model.generate(input_ids=ids, attention_mask=mask, pad_token_id=pad, **arguments)
            for row in found[:, longest:].tolist():
                end = next((place for place, token in enumerate(row) if token in ends), None)
                kept = row if end is None else row[:end]
                text = self.tokenizer.decode(kept, skip_special_tokens=True)
                stopped = end is not None or len(row) < arguments["max_new_tokens"]
                yield text.strip(), len(kept), "stop" if stopped else "length"


def _parts(answers: Sequence[Answer], size: int) -> Iterator[Sequence[Answer]]:
    for start in range(0, len(answers), size):
        yield answers[start : start + size]


def answer_all(rows: Sequence[Answer], model: Path, how: How, base: Path | None = None) -> list[Answer]:
    """Return `rows` answered by the checkpoint `model`, and by its base model where that is known: `base`, or below an adapter."""
    checkpoint = Checkpoint(model, how.device)
    done = [
        replace(row, prediction=text, tokens=count, finish=finish, loss=loss, label_tokens=labels)
        for row, (text, count, finish), (loss, labels) in zip(
            rows, checkpoint.generated(rows, how), checkpoint.losses(rows, how.batch), strict=True
        )
    ]
    if base is not None:
        return _with_base(done, Checkpoint(base, how.device), how)
    if not checkpoint.adapted:
        return done
    with checkpoint.without_adapter():
        return _with_base(done, checkpoint, how)


def _with_base(rows: Sequence[Answer], checkpoint: Checkpoint, how: How) -> list[Answer]:
    return [
        replace(row, base=text, base_loss=loss)
        for row, (text, _, _), (loss, _) in zip(
            rows, checkpoint.generated(rows, how), checkpoint.losses(rows, how.batch), strict=True
        )
    ]


def save(answers: Sequence[Answer], path: Path) -> None:
    """Write the answers as a file of predictions, which is evaluated again without the model."""
    with path.open("w", encoding="utf-8") as stream:
        for answer in answers:
            record: dict[str, Any] = {
                "messages": [{"role": role, "content": text} for role, text in answer.turns], "references": list(answer.references),
                "prediction": answer.prediction, "finish_reason": answer.finish, "completion_tokens": answer.tokens,
                "loss": answer.loss, "label_tokens": answer.label_tokens,
            }  # fmt: skip
            if answer.base is not None:
                record |= {"base_prediction": answer.base, "base_loss": answer.base_loss}
            known = {name: value for name, value in record.items() if not (isinstance(value, float) and math.isnan(value))}
            stream.write(json.dumps(known, ensure_ascii=False) + "\n")
