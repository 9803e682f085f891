"""Reading leaves no file open, compressed or not."""

import bz2
import gzip
import lzma

import pytest

from advisor.readers import streams


@pytest.mark.parametrize("compress", [bytes, gzip.compress, bz2.compress, lzma.compress], ids=["plain", "gzip", "bz2", "xz"])
def test_closing_a_stream_closes_the_file_below_it(compress, tmp_path, monkeypatch):
    path = tmp_path / "log"
    path.write_bytes(compress(b'{"step": 1, "loss": 2}\n'))
    opened = []
    original = type(path).open

    def watched(self, *arguments, **options):
        opened.append(original(self, *arguments, **options))
        return opened[-1]

    monkeypatch.setattr(type(path), "open", watched)
    with streams.open_binary(path) as stream:
        assert stream.read(8) == b'{"step":'
    assert [file.closed for file in opened] == [True]
