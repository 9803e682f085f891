"""A model in a folder, run here with transformers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from advisor.data.asking.endpoint import Refused
from advisor.data.library import library
from advisor.errors import AdvisorError

MOST_NEW = 1024
"""Tokens of an answer."""


class LocalModel:
    """Asks a model that `transformers` wrote into a folder; always the likeliest token: to the same question the same answer."""

    def __init__(self, folder: Path) -> None:
        if not (folder / "config.json").is_file():
            raise AdvisorError(
                f"{folder}: no model; expected a folder with config.json, model.safetensors and a tokenizer. "
                "A GGUF file is served by llama.cpp and asked with --endpoint"
            )
        self._torch, transformers = library("torch", "train"), library("transformers", "train")
        self.name = str(folder.resolve())
        try:
            # Nothing is fetched and nothing executed from the folder: no code of the model, no pickled weights.
            self._tokenizer: Any = transformers.AutoTokenizer.from_pretrained(
                folder, local_files_only=True, trust_remote_code=False
            )
            self._model: Any = transformers.AutoModelForCausalLM.from_pretrained(
                folder, local_files_only=True, trust_remote_code=False, use_safetensors=True, dtype="auto"
            )
        except (OSError, ValueError, KeyError) as error:
            raise AdvisorError(f"{folder}: cannot be loaded ({str(error).splitlines()[0]})") from error
        if self._torch.cuda.is_available():
            self._model = self._model.to("cuda")
        self._model.eval()

    @property
    def ask(self) -> Callable[[str], str]:
        """The function that answers one question."""
        return self._answer

    def _answer(self, question: str) -> str:
        if self._tokenizer.chat_template:
            turns = [{"role": "user", "content": question}]
            given = self._tokenizer.apply_chat_template(turns, add_generation_prompt=True, return_tensors="pt", return_dict=True)
        else:
            given = self._tokenizer(question + "\n", return_tensors="pt")
        given = given.to(self._model.device)
        room = getattr(self._model.config, "max_position_embeddings", None)
        length = given["input_ids"].shape[1]
        new = MOST_NEW if room is None else min(MOST_NEW, room - length)
        if new <= 0:
            raise Refused(f"the passage has {length} tokens with the question, and the model takes {room}; lower --passage")
        with self._torch.inference_mode():
            written = self._model.generate(**given, max_new_tokens=new, do_sample=False, pad_token_id=self._tokenizer.eos_token_id)
        return str(self._tokenizer.decode(written[0][length:], skip_special_tokens=True))
