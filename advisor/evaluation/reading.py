"""Reading predictions: JSON records of a prompt, a prediction and mostly a reference, under the names that tools give them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from advisor.data.model import Problem, Turn
from advisor.data.normal import reader, text_of
from advisor.data.reading import ANY, Reading
from advisor.data.schemas import CONVERSATION
from advisor.data.sources import File, files_of
from advisor.data.survey import NOTES
from advisor.errors import UnreadableData
from advisor.evaluation.model import Answer

PROMPTS = ("prompt", "context", "question", "instruction", "query", "problem", "source", "input")
CONVERSATIONS = ("messages", "conversations", "conversation", "dialogue", "turns")
SURE = (
    "prediction", "predictions", "predict", "predicted", "pred", "generated_text", "generated", "generation", "model_output",
    "model_answer", "model_response", "hypothesis", "candidate",
)  # fmt: skip
"""Keys that hold what the model said, and nothing else."""

LIKELY = ("response", "output", "completion")
"""Keys that hold it where none of the sure ones is there; in a file of training data they hold the right answer."""

POSSIBLE = ("answer", "reply")
"""Keys that hold it where a reference has a name of its own."""

REFERENCES = (
    "reference", "references", "ref", "label", "labels", "target", "targets", "ground_truth", "gold", "gold_answer", "expected",
    "ideal", "answer", "answers", "output", "completion", "response",
)  # fmt: skip
BASES = (
    "base_prediction", "base_predict", "base_response", "base_output", "base_answer", "base_completion", "prediction_base",
    "baseline", "base",
)  # fmt: skip
FINISHES = ("finish_reason", "stop_reason")
TOKENS = ("completion_tokens", "generated_tokens", "prediction_tokens", "num_tokens", "tokens")

EXPECTED = '{"prompt": "…", "reference": "…", "prediction": "…"}, and where there is one "base_prediction"'


def read_answers(path: Path) -> list[Answer]:
    """Return the answers in a file of predictions. Raises UnreadableData, which names the file and the line."""
    if not path.is_file():
        raise UnreadableData(f"{path}: no such file; give a JSONL file of predictions, {EXPECTED}")
    return answers_in(files_of([path]))


def answers_in(files: Sequence[File]) -> list[Answer]:
    """Return the answers in these files. Raises UnreadableData."""
    answers = list(_answers(files))
    if not answers:
        raise UnreadableData(f"{files[0].name}: holds no record; expected one JSON object a line, {EXPECTED}")
    return answers


def _answers(files: Sequence[File]) -> Iterator[Answer]:
    names: _Names | None = None
    for file, line, offset, value in records(files):
        if not isinstance(value, dict):
            raise UnreadableData(f"{file.name}:{line}: {type(value).__name__} instead of an object; expected {EXPECTED}")
        names = names or _names(value, f"{file.name}:{line}")
        yield _answer(value, names, file.name, line, offset)


def records(files: Sequence[File]) -> Iterator[tuple[File, int, int, Any]]:
    """Yield (file, line, offset, value) of every record. Raises UnreadableData at the first one that cannot be read."""

    def refuse(problem: Problem) -> None:
        if problem.cause not in NOTES:
            place = problem.place
            raise UnreadableData(
                f"{place.source}:{place.line}{f':{place.column}' if place.column else ''}: no record ({problem.cause}); "
                f"mend the line, `advisor data check` says how"
            )

    for file in files:
        for line, offset, _, value in Reading(file, refuse, spec=ANY):
            yield file, line, offset, value


class _Names(dict[str, str]):
    """What a record's keys mean: `prompt`, `prediction`, `reference`, `base` … → the key."""


def _names(record: Mapping[str, Any], where: str) -> _Names:
    """Return the keys of a file by its first record. Raises UnreadableData where no prediction or no prompt is among them."""

    def first(keys: Sequence[str], *taken: str) -> str:
        return next((key for key in keys if key in record and key not in taken), "")

    found = _Names(prediction=first(SURE) or first(LIKELY), base=first(BASES), finish=first(FINISHES), tokens=first(TOKENS))
    found["chat"] = next((key for key in CONVERSATIONS if isinstance(record.get(key), list)), "")
    found["reference"] = first(REFERENCES, found["prediction"])
    if not found["prediction"] and found["reference"] not in POSSIBLE:
        found["prediction"] = first(POSSIBLE)
    found["prompt"] = first(PROMPTS)
    found["input"] = "input" if found["prompt"] != "input" and "input" in record else ""
    if found["reference"] and not found["prediction"] and found["chat"]:
        found["prediction"] = ""
    if not found["prediction"]:
        raise UnreadableData(
            f"{where}: no prediction among the keys {_shown(record)}; expected {EXPECTED}. A file of data without predictions is "
            "evaluated with --model DIR --data FILE"
        )
    if not found["prompt"] and not found["chat"]:
        raise UnreadableData(f"{where}: no prompt among the keys {_shown(record)}; expected {EXPECTED}")
    return found


def _shown(record: Mapping[str, Any]) -> str:
    return ", ".join(f"`{key}`" for key in list(record)[:12]) or "(none)"


def _answer(record: Mapping[str, Any], names: _Names, source: str, line: int, offset: int) -> Answer:
    where = f"{source}:{line}"
    turns, said = _turns(record, names, where)
    references = _texts(record.get(names["reference"]), where, names["reference"]) if names["reference"] else ()
    prediction = _text(record, names["prediction"], where)
    base = _text(record, names["base"], where) if names["base"] in record and record[names["base"]] is not None else None
    tokens = record.get(names["tokens"], 0)
    return Answer(
        source, line, offset, turns, prediction, references or ((said,) if said else ()), base,
        finish=str(record.get(names["finish"], "") or ""),
        tokens=tokens if isinstance(tokens, int) and not isinstance(tokens, bool) else 0,
        loss=_number(record, "loss"), label_tokens=int(_number(record, "label_tokens", 0)), base_loss=_number(record, "base_loss"),
    )  # fmt: skip


def _number(record: Mapping[str, Any], key: str, default: float = math.nan) -> float:
    value = record.get(key)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else default


def _text(record: Mapping[str, Any], key: str, where: str) -> str:
    if key not in record:
        raise UnreadableData(f"{where}: `{key}` is missing; the first record of the file has it, every record needs it")
    found = _texts(record[key], where, key)
    return found[0] if found else ""


def _texts(value: Any, where: str, key: str) -> tuple[str, ...]:
    """Return the texts of a key: one, several of a list, or none. Raises UnreadableData at anything else."""
    if value is None:
        return ()
    if isinstance(value, str):
        return (value,)
    if isinstance(value, int | float):
        return (str(value),)
    if isinstance(value, list) and all(isinstance(item, str | int | float) for item in value):
        return tuple(map(str, value))
    if isinstance(value, list) and value and isinstance(value[-1], dict) and "content" in value[-1]:
        return (text_of(value[-1]["content"]),)
    raise UnreadableData(f"{where}: `{key}` is {type(value).__name__}; expected a text, or a list of texts")


def _turns(record: Mapping[str, Any], names: _Names, where: str) -> tuple[tuple[Turn, ...], str]:
    """Return what was said before the answer, and the answer that closes a conversation, which is the right one."""
    chat = names["chat"] or (names["prompt"] if isinstance(record.get(names["prompt"]), list) else "")
    if chat:
        turns = _conversation(record.get(chat), where, chat)
        said = turns.pop()[1] if turns and turns[-1][0] == "assistant" else ""
    else:
        if names["prompt"] not in record:
            raise UnreadableData(f"{where}: `{names['prompt']}` is missing; the first record of the file has it")
        prompt = "".join(_texts(record[names["prompt"]], where, names["prompt"])[:1])
        more = record.get(names["input"], "") if names["input"] else ""
        turns, said = [*_history(record), ("user", f"{prompt}\n{more}" if isinstance(more, str) and more else prompt)], ""
    system = record.get("system")
    if isinstance(system, str) and system:
        turns.insert(0, ("system", system))
    return tuple(turns), said


def _history(record: Mapping[str, Any]) -> list[Turn]:
    turns: list[Turn] = []
    history = record.get("history")
    for pair in history if isinstance(history, list) else ():
        if isinstance(pair, list) and len(pair) == 2 and all(isinstance(text, str) for text in pair):  # noqa: PLR2004  a round
            turns += [("user", pair[0]), ("assistant", pair[1])]
    return turns


def _conversation(value: Any, where: str, key: str) -> list[Turn]:
    turns: list[Turn] = []
    for turn in value if isinstance(value, list) else ():
        speaker = turn.get("role", turn.get("from")) if isinstance(turn, dict) else None
        if not isinstance(speaker, str) or speaker not in CONVERSATION:
            raise UnreadableData(f"{where}: a turn of `{key}` has no role; expected user, assistant or system with its content")
        turns.append((CONVERSATION[speaker], text_of(turn.get("content", turn.get("value")))))  # type: ignore[arg-type]
    if not turns:
        raise UnreadableData(f"{where}: `{key}` holds no turn; expected a list of turns with role and content")
    return turns


def read_pairs(paths: Sequence[Path]) -> list[Answer]:
    """Return training or test data as rows whose right answer stands in `references` and that have no prediction."""
    return pairs_in(files_of(paths))


def pairs_in(files: Sequence[File]) -> list[Answer]:
    """Return the questions and answers in these files. Raises UnreadableData."""
    rows = []
    for file in files:
        reading = Reading(file, lambda _problem: None)
        normal = None
        for line, offset, _, value in reading:
            normal = normal or (reader(reading.schema) if reading.schema else None)
            if normal is None:
                break
            example = normal(value)
            if example.turns[-1][0] == "assistant":
                rows.append(Answer(file.name, line, offset, tuple(example.turns[:-1]), "", (example.answer,)))
        if not rows and reading.schema is None:
            raise UnreadableData(
                f"{file.name}: no schema of questions and answers; `advisor data check` says what is wrong with it"
            )
    if not rows:
        raise UnreadableData(
            f"{files[0].name}: holds no question with its answer; give training data such as advisor data check reads"
        )
    return rows


def read_prompts(path: Path) -> list[str]:
    """Return the prompts of a file: one a line of text, or of JSON records under any name of a prompt."""
    if not path.is_file():
        raise UnreadableData(f"{path}: no such file; give real prompts, one a line, or JSON records with a `prompt`")
    if path.suffix.lower() in (".txt", ".text"):
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
        return [line.strip() for line in lines if line.strip()]
    prompts = []
    for file, line, _, value in records(files_of([path])):
        where = f"{file.name}:{line}"
        if isinstance(value, str):
            prompts.append(value)
            continue
        record = value if isinstance(value, dict) else {}
        names = _Names(
            chat=next((key for key in CONVERSATIONS if isinstance(record.get(key), list)), ""),
            prompt=next((key for key in PROMPTS if key in record), ""),
            input="",
        )
        if not names["chat"] and not names["prompt"]:
            raise UnreadableData(f"{where}: no prompt among the keys {_shown(record)}; expected one of {', '.join(PROMPTS)}")
        turns, _ = _turns(record, names, where)
        prompts.append(next((text for role, text in reversed(turns) if role == "user"), ""))
    if not prompts:
        raise UnreadableData(f"{path}: holds no prompt; give one a line, or JSON records with a `prompt`")
    return prompts
