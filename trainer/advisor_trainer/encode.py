"""From a record to token ids and the mask of what is trained on: decided once, token by token, for the whole record.

With a chat template the conversation is rendered once and tokenised once; which characters are answers is known from a second
rendering with markers in their places, and a token is trained on if all of its characters are an answer's. Without a template
each part is tokenised by itself and the ids are joined. Nothing is ever found by tokenising a prefix a second time.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from advisor.data.model import Example
from advisor.errors import UnreadableData

Tokens = np.ndarray[tuple[int], np.dtype[np.int32]]
Mask = np.ndarray[tuple[int], np.dtype[np.uint8]]
Encoded = tuple[Tokens, Mask]
Span = tuple[int, int]

_MARKER = "\u2063{}\u2063"
"""Stands for an answer in the second rendering: an invisible separator, which no template strips as a blank."""

THOUGHT = ("<think>", "</think>")
"""Marks of a thought, as thinking models write them in front of an answer."""

_BLANKS = re.compile(r"\s*")


class Unmaskable(UnreadableData):
    """A chat template rewrites an answer, so that its tokens cannot be told from the rest."""


@dataclass(frozen=True, slots=True)
class Special:
    """The ids that a tokenizer puts around a text. begin: before it, empty where it has none. end: after it."""

    begin: tuple[int, ...]
    end: tuple[int, ...]


class Encoder:
    """Encodes records for one tokenizer. train_on: `all` answers of a record or the `last`."""

    def __init__(self, tokenizer: Any, *, template: bool) -> None:
        backend = getattr(tokenizer, "backend_tokenizer", None)
        if backend is None:
            raise UnreadableData(
                f"{tokenizer.name_or_path or 'this model'}: its tokenizer is none of the tokenizers library, without which tokens "
                "have no places; save it with a tokenizer.json"
            )
        backend.no_truncation()
        backend.no_padding()
        self._tokenizer, self._backend, self._template = tokenizer, backend, template
        self._specials = sorted((token for token in tokenizer.all_special_tokens if token), key=len, reverse=True)
        begin, end = tokenizer.bos_token_id, tokenizer.eos_token_id
        around = backend.encode("").ids
        self.special = Special((begin,) if begin is not None and begin in around else (), (end,) if end is not None else ())

    def encode(self, examples: Sequence[Example], *, last_only: bool) -> list[Encoded]:
        """Return ids and mask of every record. Raises Unmaskable, with the number of the record in the batch before its colon."""
        if self._template and examples[0].turns[0][0] != "text":
            return self._rendered(examples, last_only)
        return self._joined(examples, last_only)

    def _joined(self, examples: Sequence[Example], last_only: bool) -> list[Encoded]:
        """Tokenise each part by itself and join: what is asked, a line end, what is answered, the end token."""
        parts = [list(_parts(example, last_only)) for example in examples]
        flat = self._backend.encode_batch_fast([text for row in parts for text, _ in row], add_special_tokens=False)
        ids = iter(encoding.ids for encoding in flat)
        return [
            self._row([(next(ids), trained) for _, trained in row], example) for row, example in zip(parts, examples, strict=True)
        ]

    def _row(self, parts: Sequence[tuple[list[int], int]], example: Example) -> Encoded:
        tokens: list[int] = list(self.special.begin)
        mask = [0] * len(tokens)
        for (ids, trained), (role, _) in zip(parts, example.turns, strict=True):
            # The end of an answer that is not trained on is part of what comes before the next one.
            tail = self.special.end if role in ("assistant", "text") else ()
            tokens += ids
            tokens += tail
            mask += [trained] * (len(ids) + len(tail))
        return np.array(tokens, dtype=np.int32), np.array(mask, dtype=np.uint8)

    def _rendered(self, examples: Sequence[Example], last_only: bool) -> list[Encoded]:
        texts, spans = [], []
        for number, example in enumerate(examples):
            text, found = self.render(example, last_only=last_only, number=number)
            texts.append(text)
            spans.append(found)
        encodings = self._backend.encode_batch(texts, add_special_tokens=False)
        rows = []
        for encoding, found, text in zip(encodings, spans, texts, strict=True):
            mask = _mask([end for _, end in encoding.offsets], found)
            ids = np.array(encoding.ids, dtype=np.int32)
            if found and found[-1][1] == len(text) and not self._ends_special(text):
                # The template itself closes the last answer with nothing: without an end the model would never stop.
                ids = np.append(ids, np.array(self.special.end, dtype=np.int32))
                mask = np.append(mask, np.ones(len(self.special.end), dtype=np.uint8))
            rows.append((ids, mask))
        return rows

    def _ends_special(self, text: str) -> bool:
        return any(text.endswith(special) for special in self._specials)

    def render(self, example: Example, *, last_only: bool, number: int = 0) -> tuple[str, list[Span]]:
        """Return the conversation as the template writes it, and where in it the answers stand that are trained on."""
        turns = [{"role": role, "content": text} for role, text in example.turns]
        answers = [index for index, turn in enumerate(turns) if turn["role"] == "assistant"]
        trained = answers[-1:] if last_only else answers
        tools = example.extra.get("tools")
        full = self._apply(turns, tools)
        for parts_of in (_whole, _thought_and_answer):
            parts = [parts_of(turns[index]["content"]) for index in trained]
            marked, texts = _marked(turns, trained, parts)
            found = _aligned(full, self._apply(marked, tools), texts)
            if found is not None and len(spans := _joined_spans(full, found, parts)) == len(trained):
                return full, [(start, self._with_end(full, end)) for start, end in spans]
        raise Unmaskable(
            f"{number}: the chat template rewrites an answer of this record, so that its tokens cannot be told from the rest; set "
            "chat_template to `none` or to a file with another template"
        )

    def _apply(self, turns: list[dict[str, str]], tools: Any) -> str:
        try:
            return str(self._tokenizer.apply_chat_template(turns, tools=tools if isinstance(tools, list) else None, tokenize=False))
        except Exception as error:  # templates raise what they like
            raise UnreadableData(f"read example failed: the chat template refuses a record: {error}") from error

    def _with_end(self, text: str, end: int) -> int:
        """Return the end of an answer together with the special token that closes it."""
        blanks = _BLANKS.match(text, end)
        assert blanks is not None
        for special in self._specials:
            if text.startswith(special, blanks.end()):
                return blanks.end() + len(special)
        return end


def _parts(example: Example, last_only: bool) -> Iterator[tuple[str, int]]:
    """Yield (text, whether it is trained on) of every turn; what is asked ends with a line end."""
    last = len(example.turns) - 1
    for index, (role, text) in enumerate(example.turns):
        if role in ("assistant", "text"):
            yield text, int(not last_only or index == last)
        else:
            yield text + "\n", 0


def _whole(answer: str) -> tuple[str, ...]:
    return (answer,)


def _thought_and_answer(answer: str) -> tuple[str, ...]:
    """Return what templates of thinking models take apart: the thought between its marks, and what follows."""
    thought, mark, rest = answer.rpartition(THOUGHT[1])
    return (thought.rpartition(THOUGHT[0])[2], rest) if mark else (answer,)


def _marked(
    turns: Sequence[dict[str, str]], trained: Sequence[int], parts: Sequence[tuple[str, ...]]
) -> tuple[list[dict[str, str]], list[str]]:
    """Return the turns with a marker for every part of a trained answer, and the parts, numbered as their markers are."""
    marked = [dict(turn) for turn in turns]
    texts: list[str] = []
    for index, of_answer in zip(trained, parts, strict=True):
        markers = [_MARKER.format(len(texts) + nth) for nth in range(len(of_answer))]
        texts += of_answer
        begin, end = THOUGHT
        marked[index]["content"] = f"{begin}\n{markers[0]}\n{end}\n\n{markers[1]}" if len(markers) > 1 else markers[0]
    return marked, texts


def _aligned(full: str, twin: str, texts: Sequence[str]) -> dict[int, Span] | None:
    """Return where the parts stand in `full`, of which `twin` is the same with markers; None where the two do not agree.

    A part whose marker the template has dropped is in neither.
    """
    first, *rest = re.split("\u2063([0-9]+)\u2063", twin)
    if not full.startswith(first):
        return None
    at = len(first)
    spans: dict[int, Span] = {}
    for number, after in zip(map(int, rest[::2]), rest[1::2], strict=True):
        text = texts[number]
        for form in (text, text.strip(), text.lstrip(), text.rstrip()):
            if full.startswith(form, at) and full.startswith(after, at + len(form)):
                spans[number] = (at, at + len(form))
                at += len(form) + len(after)
                break
        else:
            return None
    return spans if at == len(full) else None


def _joined_spans(full: str, found: dict[int, Span], parts: Sequence[tuple[str, ...]]) -> list[Span]:
    """Return one span an answer: from the mark that opens its thought, where it has one, to the end of its last part."""
    spans: list[Span] = []
    number = 0
    for of_answer in parts:
        numbers = range(number, number + len(of_answer))
        number += len(of_answer)
        if numbers[-1] not in found:
            continue
        start = min(found[n][0] for n in numbers if n in found)
        if len(of_answer) > 1 and numbers[0] in found:
            opened = full.rfind(THOUGHT[0], 0, start)
            start = opened if opened >= 0 and not full[opened + len(THOUGHT[0]) : start].strip() else start
        spans.append((start, found[numbers[-1]][1]))
    return spans


def _mask(ends: Sequence[int], spans: Sequence[Span]) -> Mask:
    """Return 1 for every token that lies within a span.

    ends: where the tokens end. A token begins where the one before it ended: the beginnings that tokenizers give leave blanks
    out. A token that reaches across the border of a span is the prompt's, which the model never has to predict.
    """
    mask = np.zeros(len(ends), dtype=np.uint8)
    if not spans:
        return mask
    stop = np.maximum.accumulate(np.array(ends, dtype=np.int64))
    start = np.concatenate(([0], stop[:-1]))
    for first, last in spans:
        mask |= ((start >= first) & (stop <= last) & (stop > first)).astype(np.uint8)
    return mask
