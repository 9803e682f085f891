"""Around a log: compression, line ends, encodings. Each sample in one of each kind, every kind around many: the same Run."""

import bz2
import gzip
import itertools
import lzma
import shutil
import tomllib
from pathlib import Path

import numpy as np
import pytest

from advisor.errors import UnreadableLog
from advisor.readers import read_bytes, read_path

SAMPLES = Path(__file__).parents[2] / "sample_logs"
BINARY = {"tensorboard", "wandb", "swanlab", "trackio", "mlflow-database"}
LINES_PARTS = ("axis", "config", "unread", "unread_count", "notes", "reader")


def zstd_compress(data):
    zstd = pytest.importorskip("backports.zstd")
    return zstd.compress(data)


COMPRESSIONS = {".gz": gzip.compress, ".bz2": bz2.compress, ".xz": lzma.compress, ".zst": zstd_compress}
ENCODINGS = {
    "crlf": lambda text: text.replace("\r\n", "\n").replace("\n", "\r\n").encode(),
    "bom": lambda text: b"\xef\xbb\xbf" + text.encode(),
    "utf-16": lambda text: text.encode("utf-16"),
    "utf-16-be": lambda text: b"\xfe\xff" + text.encode("utf-16-be"),
    "gbk": lambda text: text.encode("gb18030"),
}


def samples():
    """Every sample of one file: its path, and whether it is a text."""
    for manifest in sorted((SAMPLES / "formats").glob("MANIFEST*.toml")):
        for sample in tomllib.loads(manifest.read_text(encoding="utf-8"))["sample"]:
            path = SAMPLES / "formats" / sample["path"]
            if path.is_file():
                yield path, sample["format"] not in BINARY
    for sample in tomllib.loads((SAMPLES / "MANIFEST.toml").read_text(encoding="utf-8"))["sample"]:
        path = SAMPLES / sample["path"]
        if path.is_file() and sample["expect"] != "unreadable":
            yield path, True


def is_utf8(path):
    try:
        path.read_bytes().decode()
    except UnicodeDecodeError:
        return False
    return True


ALL = list(samples())
TEXTS = [path for path, is_text in ALL if is_text and is_utf8(path)]
CHINESE = [path for path in TEXTS if any("\u4e00" <= sign <= "\u9fff" for sign in path.read_bytes().decode(errors="replace"))]


def name_of(part):
    return str(part.relative_to(SAMPLES)) if isinstance(part, Path) else part


def runs_of(path):
    try:
        return read_path(path)
    except UnreadableLog as error:
        return str(error).partition(": ")[2]


def assert_wrapped_alike(path, folder, suffix, data):
    """Both by themselves: the files beside a sample tell settings of its run."""
    for name in ("plain", "wrapped"):
        (folder / name).mkdir()
    shutil.copy(path, folder / "plain")
    wrapped = folder / "wrapped" / (path.name + suffix)
    wrapped.write_bytes(data)
    assert_same(runs_of(folder / "plain" / path.name), runs_of(wrapped))


def assert_same(plain, wrapped):
    if isinstance(plain, str):
        assert wrapped == plain
        return
    assert not isinstance(wrapped, str), wrapped
    assert len(wrapped) == len(plain)
    for mine, theirs in zip(plain, wrapped, strict=True):
        assert {part: getattr(mine, part) for part in LINES_PARTS} == {part: getattr(theirs, part) for part in LINES_PARTS}
        assert repr(mine.events) == repr(theirs.events)
        assert list(mine.series) == list(theirs.series)
        for name, series in mine.series.items():
            other = theirs.series[name]
            assert series.unit == other.unit
            for part in ("values", "x", "epoch", "line"):
                assert np.array_equal(getattr(series, part), getattr(other, part), equal_nan=True), (name, part)


@pytest.mark.parametrize(
    ("path", "suffix"), list(zip([path for path, _ in ALL], itertools.cycle(COMPRESSIONS), strict=False)), ids=name_of
)
def test_a_compressed_sample_is_the_same_run(path, suffix, tmp_path):
    assert_wrapped_alike(path, tmp_path, suffix, COMPRESSIONS[suffix](path.read_bytes()))


@pytest.mark.parametrize(
    ("path", "how"), [*zip(TEXTS, itertools.cycle(ENCODINGS), strict=False), *((path, "gbk") for path in CHINESE)], ids=name_of
)
def test_a_sample_in_another_encoding_is_the_same_run(path, how, tmp_path):
    text = path.read_bytes().decode()
    if how == "gbk" and path not in CHINESE:
        how = "crlf"
    assert_wrapped_alike(path, tmp_path, "", ENCODINGS[how](text))


@pytest.mark.parametrize("suffix", COMPRESSIONS)
@pytest.mark.parametrize("path", [path for path, is_text in ALL if not is_text], ids=name_of)
def test_a_compressed_file_of_a_tracker_is_the_same_run(path, suffix, tmp_path):
    assert_wrapped_alike(path, tmp_path, suffix, COMPRESSIONS[suffix](path.read_bytes()))


LINES = {
    "text": "step {0} | loss {1:.4f}\n",
    "hf-console": "{{'loss': {1:.4f}, 'epoch': {0}}}\n",
    "json-lines": '{{"step": {0}, "loss": {1:.4f}}}\n',
}


@pytest.mark.parametrize("suffix", COMPRESSIONS)
@pytest.mark.parametrize("line", LINES.values(), ids=LINES)
def test_a_long_compressed_log_is_the_same_run(line, suffix, tmp_path):
    """Of a log that is longer than its beginning, what stands further on is looked at as well."""
    log = tmp_path / "run.log"
    log.write_text("".join(line.format(step, 2 + step % 17 / 100) for step in range(20_000)))
    assert_wrapped_alike(log, tmp_path, suffix, COMPRESSIONS[suffix](log.read_bytes()))


def test_a_utf8_log_with_broken_bytes_that_gbk_would_take_is_none_of_gbk():
    table = "  iter   train_loss     tok/s     tokens\n" + "".join(
        f"  {step}    {3 - step / 100:.3f} ▼    3,175      0.7k\n" for step in range(10, 100, 10)
    )
    lines = table.encode().split(b"\n")
    lines.insert(4, b"\xc4\xe3 \xba\xc3")
    (run,) = read_bytes(b"\n".join(lines), "log")
    assert (run.reader, len(run.series["train_loss"])) == ("mlx-console", 9)


def test_every_wrapping_is_put_around_twenty_samples():
    assert len(ALL) // len(COMPRESSIONS) >= 20
    assert len(TEXTS) // len(ENCODINGS) >= 20
    assert CHINESE
