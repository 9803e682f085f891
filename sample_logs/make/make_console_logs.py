"""Write the samples of `console_forms.py`: `python sample_logs/make/make_console_logs.py [PATH…]`.

All tell of one invented run of three epochs of a hundred steps, logged every ten: it falls, and so
do its evaluations. Their numbers are made up and their form is the tool's.
"""

from __future__ import annotations

import json
import math
import random
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from console_forms import FORMS, WHY_BY_HAND, Form

FORMATS = Path(__file__).resolve().parent.parent / "formats"
EPOCHS, BATCHES, EVERY = 3, 100, 10
SAMPLES_A_STEP = 16
HEAD = "# Samples in the form of other tools. Written by make/make_console_logs.py.\n"


def curve() -> Iterator[Mapping[str, float]]:
    """Yield the fields of every logged step."""
    noise = random.Random(11)
    steps = EPOCHS * BATCHES
    for step in range(EVERY, steps + 1, EVERY):
        fall = 1.9 * math.exp(-step / 90)
        loss = round(0.8 + fall + noise.gauss(0, 0.02), 4)
        val = round(0.9 + fall + noise.gauss(0, 0.005), 4)
        epoch, batch = (step - 1) // BATCHES, (step - 1) % BATCHES + 1
        yield {
            "step": step,
            "step0": step - 1,
            "steps": steps,
            "epoch": epoch + 1,
            "epoch0": epoch,
            "epochs": EPOCHS,
            "batch": batch,
            "batch0": batch - 1,
            "batches": BATCHES,
            "last_batch": BATCHES - 1,
            "passes": step / BATCHES,
            "percent": 100 * step // steps,
            "bar": "█" * (10 * step // steps) + " " * (10 - 10 * step // steps),
            "samples": SAMPLES_A_STEP * step,
            "loss": loss,
            "near": round(loss + 0.0213, 4),
            "count": step // EVERY,
            "count0": step // EVERY - 1,
            "third": loss / 3,
            "half": round(loss / 2, 4),
            "val": val,
            "ppl": round(math.exp(loss), 4),
            "val_ppl": round(math.exp(val), 4),
            "val_bits": round(val / math.log(2) / 4.2, 4),
            "acc": round(0.9 - fall / 4, 4),
            "lr": 2e-4 * (1 - step / steps) + 1e-6,
            "norm": round(1.2 + noise.random() / 5, 4),
        }


def text_of(form: Form) -> str:
    """Return the log of the run in this form."""
    parts = [form.head]
    for fields in curve():
        parts.append(form.train.format(**fields))
        if form.evaluation and fields["step"] % form.each == 0:
            epoch0 = fields["step"] // EVERY - 1 if form.each == EVERY else fields["epoch0"]
            parts.append(form.evaluation.format(**{**fields, "epoch0": epoch0}))
    return "".join(parts).removesuffix("\n") + "\n"


def documents() -> Mapping[str, str]:
    """Return the run as JSON documents."""
    steps = list(curve())
    columns = {"loss": [s["loss"] for s in steps], "val_loss": [s["val"] for s in steps]}
    frame = {
        name: {str(i): value for i, value in enumerate(column)} for name, column in columns.items()
    }
    apart = {"train_losses": columns["loss"], "val_losses": columns["val_loss"][5::6]}
    return {
        "json-document/pandas.json": json.dumps(frame),
        "json-document/losses-of-a-loop.json": json.dumps(
            {"args": {"lr": 2e-4}, **apart}, indent=2
        ),
    }


DOCUMENTS = (
    ("json-document/pandas.json", "pandas (to_json)", 30, 30),
    ("json-document/losses-of-a-loop.json", "hand-written lists of losses", 30, 5),
)
"""Path, tool, points of training and of evaluation."""


def manifest() -> str:
    """Return the list of these samples."""
    points = len(list(curve()))
    entries = [HEAD]
    for form in FORMS:
        evaluations = points * EVERY // form.each if "{val" in form.evaluation else 0
        quantity = "reward" if form.unit == "reward" else "train_loss"
        entries.append(
            entry(form.path, form.tool, form.after, form.note, (quantity, points, evaluations))
        )
    for path, tool, train, evaluations in DOCUMENTS:
        entries.append(entry(path, tool, "a common form", "", ("train_loss", train, evaluations)))
    return "\n".join(entries)


def entry(path: str, tool: str, after: str, note: str, holds: tuple[str, int, int]) -> str:
    """Return one entry. holds: the quantity trained on, its points, those of evaluation."""
    quantity, train, evaluations = holds
    return (
        "[[sample]]\n"
        f'path = "{path}"\n'
        f'format = "{path.partition("/")[0]}"\n'
        f'tool = "{tool}"\n'
        'made_by = "by hand, after the documented format"\n'
        f'after = "{after}"\n'
        + (f'why = "{WHY_BY_HAND[tool]}"\n' if tool in WHY_BY_HAND else "")
        + f'note = "{note}"\n'
        f'train_quantity = "{quantity}"\n'
        f"train_points = {train}\n"
        f"eval_points = {evaluations}\n"
    )


def main() -> None:
    """Write the samples, all or those that are named, and the list of all."""
    named = sys.argv[1:]
    texts = {form.path: text_of(form) for form in FORMS} | documents()
    for below, text in texts.items():
        if not named or below in named:
            path = FORMATS / below
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="")
    (FORMATS / "MANIFEST-consoles.toml").write_text(manifest(), encoding="utf-8")


if __name__ == "__main__":
    main()
