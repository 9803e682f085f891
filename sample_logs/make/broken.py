"""Files that are no log, or no log any more: a reader must say so in one line."""

from __future__ import annotations

import random
from pathlib import Path

RANDOM_BYTES, RANDOM_SEED = 512, 7

TRUNCATED = """{
  "best_global_step": null,
  "best_metric": null,
  "best_model_checkpoint": null,
  "epoch": 1.0,
  "eval_steps": 30,
  "global_step": 300,
  "is_hyper_param_search": fal"""

PROSE = """Notes on the second run

We tried a lower rate this time and let it go overnight. The curve looked better in the morning,
but nobody wrote the numbers down. Ask Kim for the folder before deciding anything.
"""

PAGE = """<!DOCTYPE html>
<html lang="en">
<head><title>404 Not Found</title></head>
<body>
<h1>Not Found</h1>
<p>The file trainer_state.json does not exist, or you may not read it. Please sign in.</p>
</body>
</html>
"""

POINTER = """version https://git-lfs.github.com/spec/v1
oid sha256:9f2c4e6a8b0d1f3355779911bbddff0022446688aaccee113355779900bbddee
size 48213
"""

TABLE = """step,accuracy,tokens_per_second
10,0.41,15210
20,0.47,15198
30,0.52,15224
"""

SETTINGS = """{
  "editor": {"font_size": 13, "theme": "dark"},
  "recent_files": ["notes.md", "plan.md"],
  "telemetry": false
}
"""

TEXTS = {
    "empty.log": "",
    "truncated.json": TRUNCATED,
    "not-a-log.txt": PROSE,
    "page.html": PAGE,
    "pointer.jsonl": POINTER,
    "no-loss.csv": TABLE,
    "settings.json": SETTINGS,
}
BINARY = "binary.bin"

NOTES = {
    "empty.log": "No byte at all.",
    "truncated.json": "A trainer_state.json cut off before its first log point.",
    "not-a-log.txt": "Prose about a run, without a number of it.",
    "page.html": "The error page that was saved instead of the log.",
    "pointer.jsonl": "A Git LFS pointer: the log itself was never fetched.",
    "no-loss.csv": "A table of a run with no column of a loss.",
    "settings.json": "Valid JSON that is no log.",
    BINARY: "Random bytes.",
}


def write_broken(folder: Path) -> None:
    """Write every broken file into the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in TEXTS.items():
        (folder / name).write_text(text, encoding="utf-8")
    (folder / BINARY).write_bytes(random.Random(RANDOM_SEED).randbytes(RANDOM_BYTES))
