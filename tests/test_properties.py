"""What holds for every log: nothing ends in a traceback, and no change of form makes a verdict worse."""

import itertools
import json
import random
import tomllib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from advisor.engine import diagnose
from advisor.errors import UnreadableLog
from advisor.model import Series
from advisor.readers import read_bytes, read_path
from advisor.render import json as as_json
from advisor.rulebook import load

SAMPLES = Path(__file__).parent.parent / "sample_logs"
RULES = load()
MANIFEST = tomllib.loads((SAMPLES / "MANIFEST.toml").read_text(encoding="utf-8"))["sample"]
READABLE = [SAMPLES / s["path"] for s in MANIFEST if s["expect"] != "unreadable" and (SAMPLES / s["path"]).is_file()]
HEALTHY = [SAMPLES / s["path"] for s in MANIFEST if s["expect"] == "healthy" and (SAMPLES / s["path"]).is_file()]
FORMATS = [
    SAMPLES / "formats" / sample["path"]
    for manifest in sorted((SAMPLES / "formats").glob("MANIFEST*.toml"))
    for sample in tomllib.loads(manifest.read_text(encoding="utf-8"))["sample"]
    if (SAMPLES / "formats" / sample["path"]).is_file()
]
TEXTS = [path for path in (*READABLE, *FORMATS) if path.suffix in (".log", ".txt", ".out", ".csv", ".json", ".jsonl", ".ipynb")]
relaxed = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=60)


def ids(path):
    return str(path.relative_to(SAMPLES))


def alarms(runs):
    """The rules at warning or above, over all runs; rendering must work as well."""
    diagnoses = [diagnose(run, RULES) for run in runs]
    json.loads(as_json.render(diagnoses, "zh"))
    return {f.rule.id for d in diagnoses for f in d.findings if f.rule.severity != "info"}


def survives(data):
    """The alarms of these bytes; none where they are no log, which is said politely."""
    try:
        runs = read_bytes(data, "data")
    except UnreadableLog as error:
        return set() if str(error).startswith("data") else {str(error)}
    return alarms(runs)


@relaxed
@given(st.binary(max_size=2000))
@example(b'{"log_history": [')
@example(b"[" * 5000)
@example(b'{"log_history": ' + b"[" * 5000)
@example(b'{"step": 1e400, "loss": 1e999}\n{"step": -1e400, "loss": NaN}')
@example(b'{"step": 1, "epoch": 1e308, "loss": 1e308}\n{"step": 2, "epoch": Infinity, "loss": -1e308}')
@example(b'{"step": 1, "loss": ' + b"9" * 5000 + b"}")
@example(b"loss: 1\r\n\0\0loss=2")
def test_arbitrary_bytes_never_end_in_a_traceback(data):
    survives(data)


PIECES = (
    b'{"loss": 1, "step": 2}', b"step 1 loss nan", b"{'loss': inf, 'epoch': 1}", b"step,loss", b"3,4", b"\xff\xfe", b"[{", b"\r",
    b"[rank3]:", b"Traceback", b"1\r2,3",
)  # fmt: skip


@relaxed
@given(st.lists(st.sampled_from(PIECES), max_size=30))
def test_pieces_of_logs_in_any_order_never_end_in_a_traceback(pieces):
    survives(b"\n".join(pieces))


values = st.one_of(st.floats(allow_nan=True, allow_infinity=True), st.integers(-10, 10).map(float))


@relaxed
@given(st.lists(st.tuples(values, values, values, values), min_size=1, max_size=60))
@example([(0.0, 0.0, 0.0, 0.0), (2.0, 0.0, 0.0, 1.0), (0.0, -1.0, 0.0, 0.0)])
def test_nan_and_infinity_anywhere_are_survived(rows):
    lines = [{"step": i, "epoch": e, "loss": loss, "grad_norm": g, "eval_loss": v} for i, (e, loss, g, v) in enumerate(rows)]
    survives("\n".join(json.dumps(line) for line in lines).encode())


@pytest.mark.parametrize("path", READABLE, ids=ids)
@pytest.mark.parametrize("factor", [0.01, 0.3, 7.0, 1000.0])
def test_a_loss_in_another_unit_gets_the_same_verdict(path, factor):
    runs = read_path(path)
    # The loss of guessing is a number in nats; a scaled loss has no such reference.
    runs = [replace(run, config={k: v for k, v in run.config.items() if k != "vocab_size"}) for run in runs]
    scaled, plain = (alarms(r) - IN_NATS for r in ([_scaled(run, factor) for run in runs], runs))
    assert scaled == plain


IN_NATS = {"UNDERFIT-007"}
"""Rules that judge a level in nats a token, which a scaled loss is not."""


def _scaled(run, factor):
    losses = {n: s for n, s in run.series.items() if n in ("train_loss", "eval_loss")}
    scaled = {n: Series(n, s.values * factor, s.x, s.epoch, s.line, s.unit) for n, s in losses.items()}
    return replace(run, series={**run.series, **scaled})


def _as_json_lines(run):
    by_x = {}
    for name, series in run.series.items():
        kind = "eval" if name.startswith("eval_") else "train"
        for x, epoch, value in zip(series.x, series.epoch, series.values, strict=True):
            row = by_x.setdefault((kind, x), {run.axis: x} | ({"epoch": epoch} if np.isfinite(epoch) else {}))
            row[name] = value
    return [by_x[key] for key in sorted(by_x, key=lambda k: (k[1], k[0]))]


@pytest.mark.parametrize("path", READABLE, ids=ids)
def test_the_order_of_train_and_eval_lines_changes_no_verdict(path):
    for run in read_path(path):
        if run.axis == "row" or "train_loss" not in run.series:
            continue
        lines = _as_json_lines(run)
        train, evals = [x for x in lines if "eval_loss" not in x], [x for x in lines if "eval_loss" in x]
        given_order, reordered = (
            alarms(read_bytes("\n".join(map(json.dumps, order)).encode(), "run.jsonl")) for order in (lines, [*train, *evals])
        )
        assert reordered == given_order


@pytest.mark.parametrize("path", READABLE, ids=ids)
def test_a_last_point_logged_twice_changes_no_verdict(path):
    for run in read_path(path):
        if run.axis == "row" or "train_loss" not in run.series:
            continue
        text = [json.dumps(x) for x in _as_json_lines(run)]
        assert alarms(read_bytes("\n".join([*text, text[-1]]).encode(), "r")) == alarms(read_bytes("\n".join(text).encode(), "r"))


@pytest.mark.parametrize("path", HEALTHY, ids=ids)
def test_a_healthy_file_cut_at_any_byte_raises_no_alarm(path):
    data = path.read_bytes()
    generator = random.Random(7)
    for _ in range(40):
        cut = generator.randrange(len(data))
        assert not survives(data[:cut]), f"cut at byte {cut}"


@pytest.mark.parametrize("path", READABLE, ids=ids)
def test_any_file_cut_at_any_byte_is_survived(path):
    data = path.read_bytes()
    for cut in random.Random(8).sample(range(len(data)), 15):
        survives(data[:cut])


@pytest.mark.parametrize("path", [p for p in HEALTHY if p.suffix != ".json"], ids=ids)
def test_garbage_lines_between_raise_no_alarm(path):
    generator = random.Random(9)
    lines = path.read_bytes().split(b"\n")
    for _ in range(20):
        lines.insert(generator.randrange(1, len(lines)), generator.randbytes(generator.randrange(40)).replace(b"\n", b""))
    assert not survives(b"\n".join(lines))


@pytest.mark.parametrize("path", FORMATS, ids=ids)
def test_a_sample_of_any_format_cut_at_any_byte_is_survived(path):
    data = path.read_bytes()
    for cut in random.Random(10).sample(range(len(data)), min(6, len(data))):
        survives(data[:cut])


def verdicts(data):
    """What is said of each run, and what the tool says that it lost or left out; an error where nothing was read."""
    try:
        runs = read_bytes(data, "data")
    except UnreadableLog as error:
        return str(error), {"unreadable"}
    lost = {*(note for run in runs for note in run.notes), *(("unread", n) for run in runs for n in range(run.unread_count))}
    return [alarms([run]) for run in runs], lost


OF_OTHERS = (
    b"W0301 10:00:00.000 Some warning of 12 words: see https://example.org/a?b=3 for details, loss of precision", b"", b"    ",
    b"Downloading shards: 100%|##########| 2/2 [00:01<00:00,  1.5it/s]", b"{'this': 'is', 'no': 'measurement'}",
    b"[INFO] saving checkpoint to out/checkpoint-500", b"GPU 0 memory 12.3 GB of 80 GB used", b"\0\0\0", "进度 – 12 ▼".encode(),
)  # fmt: skip


@pytest.mark.parametrize("path", TEXTS, ids=ids)
def test_garbage_lines_in_any_sample_change_no_verdict_or_their_damage_is_said(path):
    data = path.read_bytes()
    lines = data.split(b"\n")
    before, lost_before = verdicts(data)
    generator = random.Random(11)
    for texts in (OF_OTHERS, None):
        mixed = list(lines)
        for _ in range(12):
            junk = generator.choice(texts) if texts else generator.randbytes(generator.randrange(40)).replace(b"\n", b"")
            mixed.insert(generator.randrange(1, len(mixed) + 1), junk)
        after, lost = verdicts(b"\n".join(mixed))
        assert after == before or lost - lost_before


PREFIXES = ("[rank{}]:", "[default{}]:", "{}: ", "[1,{}]<stdout>:", "(TrainWorker pid=10{}, ip=10.0.0.{}) ")


@pytest.mark.parametrize(
    ("path", "prefix"),
    list(zip((p for p in TEXTS if p.suffix != ".ipynb"), itertools.cycle(PREFIXES), strict=False)),
    ids=lambda part: ids(part) if isinstance(part, Path) else part,
)
def test_eight_ranks_that_interleave_change_no_verdict_of_any_sample(path, prefix):
    lines = [line for line in path.read_bytes().decode().split("\n") if line.strip()]
    mixed = (f"{prefix.format(rank, rank)}{line}\n" for line in lines for rank in (3, 0, 1, 2, 7, 6, 5, 4))
    assert verdicts("".join(mixed).encode())[0] == verdicts("\n".join(lines).encode())[0]
