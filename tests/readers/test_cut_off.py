"""Whatever is left of a file, reading it gives runs or UnreadableLog, and nothing else."""

import gzip
import json
import tomllib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from advisor.errors import UnreadableLog
from advisor.readers import read_bytes, read_path

FORMATS = Path(__file__).parents[2] / "sample_logs" / "formats"
SAMPLES = tomllib.loads((FORMATS / "MANIFEST.toml").read_text(encoding="utf-8"))["sample"]
_PLACES = [FORMATS / sample["path"] for sample in SAMPLES]
FILES = sorted(f for p in _PLACES for f in (p.rglob("*") if p.is_dir() else [p]) if f.is_file() and f.stat().st_size)
CUTS = 120
_ids = [str(path.relative_to(FORMATS))[-60:] for path in FILES]


def _read(data):
    try:
        return read_bytes(data, "cut")
    except UnreadableLog:
        return []


@pytest.mark.parametrize("sample", SAMPLES, ids=[sample["path"] for sample in SAMPLES])
def test_a_sample_holds_the_points_that_the_manifest_says(sample):
    runs = read_path(FORMATS / sample["path"])
    assert {run.reader for run in runs} == {sample["format"]}
    for name, points in (("train_loss", sample["train_points"]), ("eval_loss", sample["eval_points"])):
        assert sum(len(run.series[name]) for run in runs if name in run.series) == points


@pytest.mark.parametrize("path", FILES, ids=_ids)
def test_a_file_cut_at_any_place_never_breaks_the_reader(path):
    data = path.read_bytes()
    whole = sum(len(series) for run in _read(data) for series in run.series.values())
    for end in range(0, len(data), max(1, len(data) // CUTS)):
        runs = _read(data[:end])
        assert sum(len(series) for run in runs for series in run.series.values()) <= max(whole, len(data))


@pytest.mark.parametrize("path", [path for path in FILES if path.name != "meta.yaml"][::4], ids=lambda path: path.name)
def test_a_compressed_file_cut_at_any_place_never_breaks_the_reader(path):
    data = gzip.compress(path.read_bytes())
    for end in range(0, len(data), max(1, len(data) // CUTS)):
        _read(data[:end])


@pytest.mark.parametrize("path", FILES, ids=_ids)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.floats(0, 1), junk=st.binary(min_size=1, max_size=12))
def test_a_file_with_overwritten_bytes_never_breaks_the_reader(path, place, junk):
    data = path.read_bytes()
    at = int(place * len(data))
    _read(data[:at] + junk + data[at + len(junk) :])


@pytest.mark.parametrize("start", [b":W&B\xe1\xbe\x00", b"SQLite format 3\0", b"\x48" + b"\0" * 7 + b"\1\2\3\4\t"])
@settings(max_examples=60, deadline=None)
@given(junk=st.binary(max_size=400))
def test_noise_behind_the_beginning_of_a_binary_format_never_breaks_the_reader(start, junk):
    _read(start + junk)


LINES = "".join(json.dumps({"step": step, "loss": 2.5 - step / 100}) + "\n" for step in (10, 20, 30))


@pytest.mark.parametrize(
    ("encoding", "zeros"),
    [
        *((encoding, zeros) for encoding in ("utf-8", "utf-8-sig") for zeros in (0, 1, 2, 7, 4096)),
        *((encoding, zeros) for encoding in ("utf-16", "utf-16-le", "utf-16-be") for zeros in (0, 2, 4096)),
    ],
)
def test_a_log_behind_zero_bytes_is_read_in_any_encoding(encoding, zeros):
    (run,) = read_bytes(b"\0" * zeros + LINES.encode(encoding), "run.jsonl")
    assert run.series["train_loss"].values.tolist() == [2.4, 2.3, 2.2]


@given(st.integers(0, 5), st.sampled_from([b"\xfe\xff", b"\xff\xfe", b"\xef\xbb\xbf"]), st.binary(max_size=40))
def test_a_byte_order_mark_behind_zero_bytes_never_breaks_the_reader(zeros, mark, rest):
    _read(b"\0" * zeros + mark + rest + LINES.encode())
