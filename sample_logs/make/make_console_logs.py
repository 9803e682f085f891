"""Write the samples of `console_forms.py`: `python sample_logs/make/make_console_logs.py [PATH…]`.

All tell of one invented run of three epochs of a hundred steps, logged every ten: it falls, and so
do its evaluations. Their numbers are made up and their form is the tool's.
"""

from __future__ import annotations

import math
import random
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from console_forms import FORMS, Form

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


def manifest() -> str:
    """Return the list of these samples."""
    points = len(list(curve()))
    entries = [HEAD]
    for form in FORMS:
        quantity = "reward" if form.unit == "reward" else "train_loss"
        evaluations = points * EVERY // form.each if "{val" in form.evaluation else 0
        entries.append(
            "[[sample]]\n"
            f'path = "{form.path}"\n'
            f'format = "{form.path.partition("/")[0]}"\n'
            f'tool = "{form.tool}"\n'
            'made_by = "by hand, after the documented format"\n'
            f'after = "{form.after}"\n'
            f'note = "{form.note}"\n'
            f'train_quantity = "{quantity}"\n'
            f"train_points = {points}\n"
            f"eval_points = {evaluations}\n"
        )
    return "\n".join(entries)


def main() -> None:
    """Write the samples, all or those that are named, and the list of all."""
    named = sys.argv[1:]
    for form in FORMS:
        if not named or form.path in named:
            path = FORMATS / form.path
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text_of(form), encoding="utf-8", newline="")
    (FORMATS / "MANIFEST-consoles.toml").write_text(manifest(), encoding="utf-8")


if __name__ == "__main__":
    main()
