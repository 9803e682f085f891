"""Peak memory and speed of tokenising a large dataset into the arena.

python benchmarks/trainer_memory.py [--megabytes 2000]

Writes a file of questions and answers of that size into a temporary folder, tokenises it as a run would, and prints the largest
resident set of the process, with that of the processes that encode beside it (as many times the largest of them: an upper bound,
since they share what they were forked from). Memory-mapped pages count as resident while they are there; they are the kernel's
to take back.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import sys
import tempfile
import time
from pathlib import Path

from trainer_tiny import tiny_model

MEGABYTE = 1_000_000
LIMIT_GB = 2.0


def main() -> int:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megabytes", type=int, default=2000)
    parser.add_argument("--folder", type=Path, help="Where the temporary files are written.")
    parser.add_argument("--quick", action="store_true", help="Split at blanks instead of by byte pairs: the same memory, sooner.")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        work = Path(name)
        os.environ["ADVISOR_CACHE"] = str(work / "cache")
        tiny_model(work / "model", vocabulary=2048)
        if options.quick:
            split_at_blanks(work / "model")
        rows = write(work / "large.jsonl", options.megabytes)
        size = (work / "large.jsonl").stat().st_size
        before = peak()
        from advisor_trainer.config import configured
        from advisor_trainer.dataset import load
        from advisor_trainer.model import tokenizer_of
        from advisor_trainer.packing import best_fit
        from advisor_trainer.spread import workers_for

        config = configured({"model": str(work / "model"), "data": str(work / "large.jsonl"), "max_length": 1024})
        began, cpu = time.monotonic(), cpu_time()
        data = load(config, tokenizer_of(config))
        wall, cpu = time.monotonic() - began, cpu_time() - cpu
        beside = workers_for(size) * peak(resource.RUSAGE_CHILDREN)
        after = peak()
        packed = len(best_fit(data.pieces.length, config.max_length))
        print(
            f"{size / 1e9:.2f} GB, {rows} rows, {len(data.train.tokens)} tokens: {wall:.0f} s, {cpu:.0f} CPU-s, "
            f"{size / 1e6 / cpu:.1f} MB per CPU-s; peak resident {after:.2f} GB ({before:.2f} before), {peak():.2f} GB with the "
            f"packing of {packed} rows, and {beside:.2f} GB in {workers_for(size)} processes beside it"
        )
        return 0 if peak() + beside < LIMIT_GB else 1


def split_at_blanks(folder: Path) -> None:
    """Put a tokenizer that knows every word into the model's folder."""
    from pydoc_data import topics

    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    known = {"<|end|>": 0, "?": 1}
    for word in " ".join(topics.topics.values()).split():
        known.setdefault(word, len(known))
    tokenizer = Tokenizer(models.WordLevel(known, unk_token="?"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<|end|>", unk_token="?").save_pretrained(folder)


def peak(who: int = resource.RUSAGE_SELF) -> float:
    """Return the largest resident set so far, in GB: of this process, or of the largest that it started."""
    return resource.getrusage(who).ru_maxrss * 1024 / 1e9


def cpu_time() -> float:
    """Return the seconds of CPU so far, those of the processes that have ended included."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def write(path: Path, megabytes: int) -> int:
    """Write rows of prose from Python's help texts."""
    from pydoc_data import topics

    words = " ".join(topics.topics.values()).split()
    draw = random.Random(3)
    rows = written = 0
    with path.open("w", encoding="utf-8") as file:
        while written < megabytes * MEGABYTE:
            start, length = draw.randrange(len(words) - 400), draw.randrange(20, 300)
            text = words[start : start + length]
            cut = max(1, length // 2)
            written += file.write(json.dumps({"context": " ".join(text[:cut]), "target": " ".join(text[cut:])}) + "\n")
            rows += 1
    return rows


if __name__ == "__main__":
    sys.exit(main())
