"""Plants symptoms into the answers of a real tiny model and counts which are found.

    python -m benchmarks.answers [--seed N]

Symptoms are made really where they can be: drawing at a high temperature, a limit of tokens, training without the end of the
text, training on a few rows only, hardly any training, earlier rounds left out. The others are made by editing sound answers.
Each set is a fifth of the test's answers, the others are as they were. Prints, for each sign, the share of the planted answers that
it finds (recall), the share of sound answers that it finds something in (false alarms), and which rules fire. Status 1 where the
recall is under 0.95 or false alarms are over 0.02, or a rule does not fire on its plant or fires on sound answers.
Needs torch and transformers (`pip install finetune-advisor[train]`); CPU, one thread, some two minutes.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from advisor.engine import Assessment, assess
from advisor.evaluation.checkpoint import Checkpoint, How
from advisor.evaluation.model import Answer
from advisor.evaluation.signals import AnswerMeasurements, Evaluated
from advisor.evaluation.text import same
from advisor.rulebook import load
from benchmarks.answers import tiny

LEAST_RECALL, MOST_ALARMS = 0.95, 0.02
PLANTED = 5
"""One answer in so many is planted."""


@dataclass(frozen=True)
class Plant:
    """Answers of which some have a symptom. planted: those rows. how: how it was made."""

    name: str
    how: str
    rule: str
    answers: Sequence[Answer]
    planted: frozenset[int]


def answers_of(rows: Sequence[tiny.Row]) -> list[Answer]:
    """Return rows as the evaluation has them."""
    return [Answer("test.jsonl", number, 0, turns, "", (right,)) for number, (turns, right) in enumerate(rows, 1)]


def said(checkpoint: Checkpoint, rows: Sequence[Answer], limit: int = 64, temperature: float = 0.0, seed: int = 0) -> list[Answer]:
    """Return the rows with what the model says, and what a server would say of it."""
    how = How({"temperature": temperature, "do_sample": temperature > 0}, max_tokens=limit, batch=64, seed=seed)
    found = checkpoint.generated(rows, how)
    return [replace(row, prediction=text, tokens=count, finish=end) for row, (text, count, end) in zip(rows, found, strict=True)]


class Models:
    """The models of this benchmark, trained when first asked for."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.folder, self.seed = folder, seed
        self.train, test = tiny.rows(4000, seed + 1), tiny.rows(1500, seed + 2)
        known = {row[0] for row in self.train}
        self.test = answers_of([row for row in test if row[0] not in known][:150] + [row for row in test if row[0] in known][:250])
        self.tokenizer = tiny.tokenizer_of([text for turns, right in self.train for text in (*(t for _, t in turns), right)])
        self.model = tiny.fresh(self.tokenizer, seed)

    def sound(self) -> Checkpoint:
        """The model that learnt its task."""
        loss = tiny.train(self.model, self.tokenizer, self.train, tiny.Recipe(steps=300, seed=self.seed))
        print(f"loss at the end of training: {loss:.3f}")
        return self.keep("sound")

    def endless(self) -> Checkpoint:
        """A fresh model that is never taught the end of the text."""
        self.model = tiny.fresh(self.tokenizer, self.seed)
        tiny.train(self.model, self.tokenizer, self.train, tiny.Recipe(steps=150, ends=False, seed=self.seed))
        return self.keep("endless")

    def memorised(self, count: int) -> Checkpoint:
        """A fresh model trained on a few rows only, again and again."""
        self.model = tiny.fresh(self.tokenizer, self.seed)
        tiny.train(self.model, self.tokenizer, self.train[:count], tiny.Recipe(steps=150, batch=24, seed=self.seed))
        return self.keep("memorised")

    def unlearnt(self) -> Checkpoint:
        """A fresh model that has hardly been trained."""
        self.model = tiny.fresh(self.tokenizer, self.seed)
        tiny.train(self.model, self.tokenizer, self.train, tiny.Recipe(steps=25, batch=24, seed=self.seed))
        return self.keep("unlearnt")

    def keep(self, name: str) -> Checkpoint:
        """Write the model as a checkpoint, and load it as the evaluation does."""
        return Checkpoint(tiny.save(self.model, self.tokenizer, self.folder / name), "cpu")


def mixed(
    name: str, how: str, rule: str, normal: Sequence[Answer], other: Sequence[Answer], has: Callable[[Answer], bool]
) -> Plant:
    """Return the normal answers with a fifth taken from `other`; planted are those of them that really have the symptom."""
    rows = list(normal)
    planted = set()
    for number in range(0, len(rows), PLANTED):
        rows[number] = other[number]
        if has(other[number]):
            planted.add(number)
    return Plant(name, how, rule, rows, frozenset(planted))


def edited(name: str, rule: str, normal: Sequence[Answer], edit: Callable[[Answer], str | None]) -> Plant:
    """Return the normal answers with every fifth one that can be edited edited."""
    rows = list(normal)
    can = [number for number, answer in enumerate(rows) if edit(answer) is not None]
    planted = can[:: PLANTED if len(can) > 40 else 2]
    for number in planted:
        rows[number] = replace(rows[number], prediction=edit(rows[number]) or "", tokens=0, finish="")
    return Plant(name, "edited", rule, rows, frozenset(planted))


def right(answer: Answer) -> bool:
    """Tell whether an answer is its reference."""
    return same(answer.prediction) == same(answer.references[0])


def in_words(answer: Answer) -> bool:
    """Tell whether an answer is of English words, and not JSON."""
    return answer.prediction.isascii() and not answer.prediction.startswith("{")


CYRILLIC = str.maketrans(dict(zip("abcdefghijklmnopqrstuvwxyz", "абцдефгхийклмнопярстувшжыз", strict=True)))


def plants(models: Models, normal: list[Answer], checkpoint: Checkpoint) -> list[Plant]:
    """Return every plant, the real ones first."""
    drawn = said(checkpoint, models.test, temperature=4.0, limit=32)
    cut = said(checkpoint, models.test, limit=6)
    found = [
        mixed("garbled", "temperature 4", "ANSWER-003", normal, drawn, lambda a: not right(a) and len(a.prediction) > 20),
        mixed("cut-off", "max_tokens 6", "ANSWER-005", normal, cut, lambda a: a.finish == "length" and not right(a)),
        mixed("cut-off", "max_tokens 6, not told so", "ANSWER-005", normal, _untold(cut), _is_cut(cut)),
    ]
    endless = said(models.endless(), models.test, limit=160)
    return [
        *found,
        mixed("repetition", "trained without the end", "ANSWER-001", normal, endless, lambda a: a.tokens >= 160),
        edited("returning-topic", "ANSWER-002", normal, lambda a: _topic(a) if in_words(a) and a.rounds == 1 else None),
        edited("foreign-script", "ANSWER-004", normal, lambda a: a.prediction.lower().translate(CYRILLIC) if in_words(a) else None),
        edited("empty", "ANSWER-006", normal, lambda _answer: " "),
        edited("constraint", "ANSWER-007", normal, lambda a: _longer(a) if "at most" in a.prompt else None),
        edited("json", "ANSWER-008", normal, lambda a: a.prediction[:-1] if a.prediction.startswith("{") else None),
        edited("json-fields", "ANSWER-009", normal, lambda a: _fewer(a) if a.prediction.startswith("{") else None),
        edited("refusing", "ANSWER-010", normal, lambda a: "I am sorry, but I cannot help with that." if in_words(a) else None),
    ]


def _untold(cut: Sequence[Answer]) -> list[Answer]:
    return [replace(answer, finish="", tokens=0) for answer in cut]


def _is_cut(cut: Sequence[Answer]) -> Callable[[Answer], bool]:
    lines = {answer.line for answer in cut if answer.finish == "length" and not right(answer)}
    return lambda answer: answer.line in lines


def _topic(answer: Answer) -> str:
    return (
        f"{answer.prediction} The ferry goes every day. By the way, it is blue. The ferry goes every day. The ferry goes every day."
    )


def _longer(answer: Answer) -> str:
    return answer.prediction.rstrip(".") + " that goes every day in the morning and comes back at night."


def _fewer(answer: Answer) -> str:
    return answer.prediction.split(', "ferry"')[0].rstrip("}") + "}"


def judged(answers: Sequence[Answer], train: Sequence[Answer] = ()) -> Assessment:
    """Return what the rule book says of these answers."""
    return assess(AnswerMeasurements(Evaluated(answers, train, resamples=200)), load(subject="answers"))


def fired(assessment: Assessment) -> list[str]:
    """Return the ids of the rules that fired."""
    return [finding.rule.id for finding in assessment.findings]


def main() -> int:
    """Print the table. Status 1 where something is missed, or sound answers are suspected."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seed", type=int, default=0)
    seed = parser.parse_args().seed
    torch.set_num_threads(1)
    random.seed(seed)
    begin = time.process_time()
    wrong = 0
    with tempfile.TemporaryDirectory() as folder:
        models = Models(Path(folder), seed)
        checkpoint = models.sound()
        normal = said(checkpoint, models.test)
        print(f"sound answers: {len(normal)}, right {sum(map(right, normal)) / len(normal):.1%}\n")
        print(f"{'sign':16}{'made by':28}{'planted':>8}{'recall':>8}{'alarms':>8}  rules")
        for plant in plants(models, normal, checkpoint):
            wrong += row(plant)
        wrong += sound(normal)
        wrong += of_training(models, normal)
        wrong += of_rounds(checkpoint, normal)
    print(f"\n{time.process_time() - begin:.0f} s of one processor; {wrong} rows wrong")
    return int(wrong > 0)


def row(plant: Plant) -> bool:
    """Print a line of the table; return whether it is wrong."""
    assessment = judged(plant.answers)
    flags = assessment.measured["symptoms"][plant.name].own
    recall = sum(bool(flags[number]) for number in plant.planted) / max(len(plant.planted), 1)
    # Answers of the other model that do not show the symptom are neither planted nor sound.
    sound = [
        n for n, answer in enumerate(plant.answers) if n not in plant.planted and not (plant.how != "edited" and n % PLANTED == 0)
    ]
    alarms = sum(bool(flags[number]) for number in sound) / max(len(sound), 1)
    rules = fired(assessment)
    print(f"{plant.name:16}{plant.how:28}{len(plant.planted):8}{recall:8.1%}{alarms:8.1%}  {' '.join(rules)}")
    for number in sorted(plant.planted):
        if not flags[number]:
            print(f"    missed: {plant.answers[number].prediction[:90]!r}")
    return not plant.planted or recall < LEAST_RECALL or alarms > MOST_ALARMS or plant.rule not in rules


def sound(normal: Sequence[Answer]) -> bool:
    """Print what is said of the sound answers; return whether it is too much."""
    assessment = judged(normal)
    # A field with another value is a wrong answer of a model that is not perfect, and no false alarm.
    symptoms = assessment.measured["symptoms"]
    counts = {name: int((found.own & found.applies).sum()) for name, found in symptoms.items()}
    suspected = sum(any(found.own[n] for name, found in symptoms.items() if name != "json-fields") for n in range(len(normal)))
    shown = ", ".join(f"{name} {count}" for name, count in counts.items() if count) or "none"
    print(
        f"\nsound answers with any sign: {suspected} of {len(normal)} ({suspected / len(normal):.1%}); {shown}; {fired(assessment)}"
    )
    alarms = [name for name in fired(assessment) if name not in ("ANSWER-009",)]
    return suspected > MOST_ALARMS * len(normal) or bool(alarms)


def of_training(models: Models, normal: Sequence[Answer]) -> int:
    """Print what is found with the training data beside the answers; return how much of it is wrong."""
    train = answers_of(models.train)
    few = 24
    memorised = said(models.memorised(few), models.test)
    unlearnt = said(models.unlearnt(), models.test)
    cases = (
        ("sound model, its training data", normal, train, None),
        (f"trained on {few} rows only", memorised, train[:few], "ANSWER-011"),
        ("hardly trained", unlearnt, train, "ANSWER-013"),
    )
    wrong = 0
    print()
    for name, answers, data, rule in cases:
        rules = fired(judged(answers, data))
        about = [r for r in rules if r in ("ANSWER-011", "ANSWER-012", "ANSWER-013")]
        good = (rule in rules) if rule else not about
        wrong += not good
        print(f"{'ok' if good else 'WRONG':6}{name:36}{' '.join(rules)}")
    return wrong


def of_rounds(checkpoint: Checkpoint, normal: Sequence[Answer]) -> int:
    """Print what is found where the earlier rounds do not reach the model; return how much of it is wrong."""
    cut = [replace(answer, turns=answer.turns[-1:]) for answer in normal]
    forgot = [replace(answer, turns=whole.turns) for answer, whole in zip(said(checkpoint, cut), normal, strict=True)]
    wrong = 0
    for name, answers, rule in (
        ("all rounds reach the model", normal, None),
        ("only the last question does", forgot, "ANSWER-015"),
    ):
        rules = [r for r in fired(judged(answers)) if r in ("ANSWER-014", "ANSWER-015")]
        good = (rule in rules) if rule else not rules
        wrong += not good
        print(f"{'ok' if good else 'WRONG':6}{name:36}{' '.join(rules)}")
    return wrong


if __name__ == "__main__":
    sys.exit(main())
