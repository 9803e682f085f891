"""What a model replied, kept on disk as it comes: work that is interrupted goes on where it was."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from hashlib import blake2b
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Protocol

from advisor.data.asking.endpoint import Refused
from advisor.data.parse import dumps, loads
from advisor.data.passages import Passage

KEPT = ".replies.jsonl"


class Model(Protocol):
    """What answers a question. name: tells its answers from those of another model."""

    @property
    def name(self) -> str: ...  # noqa: D102

    @property
    def ask(self) -> Callable[[str], str]: ...  # noqa: D102


class Replies:
    """The replies to questions, by model and question, in a file beside the one that is being written.

    A reply is on disk before it is used; one that was cut off while it was written is asked for again.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known: dict[str, tuple[str, str]] = {}
        self._lock = threading.Lock()
        self._file: BinaryIO | None = None

    def __enter__(self) -> Replies:
        whole = 0
        if self._path.exists():
            for line in self._path.read_bytes().splitlines(keepends=True):
                try:
                    entry: Any = loads(line) if line.endswith(b"\n") else None
                    self._known[entry["key"]] = entry["reply"], entry["refused"]
                except (ValueError, KeyError, TypeError):
                    break
                whole += len(line)
        self._file = self._path.open("ab")
        self._file.truncate(whole)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        assert self._file is not None
        self._file.close()
        if not self._known:
            self._path.unlink(missing_ok=True)

    def __len__(self) -> int:
        return len(self._known)

    def done(self) -> None:
        """Forget the replies: what they were kept for is written."""
        self._path.unlink(missing_ok=True)

    def of(self, model: Model, question: str) -> tuple[str, str]:
        """Return the reply, or nothing and why the question was refused; asked for where it is not known."""
        key = blake2b(f"{model.name}\0{question}".encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
        if key in self._known:
            return self._known[key]
        try:
            found = model.ask(question), ""
        except Refused as refused:
            found = "", str(refused)
        with self._lock:
            assert self._file is not None
            self._known[key] = found
            self._file.write(dumps({"key": key, "reply": found[0], "refused": found[1]}) + b"\n")
            self._file.flush()
        return found


def in_order(
    passages: Iterable[Passage], ask: Callable[[Passage], tuple[str, str]], parallel: int
) -> Iterator[tuple[Passage, tuple[str, str]]]:
    """Yield each passage with what is replied to it, in order, so many questions being under way at once."""
    with ThreadPoolExecutor(parallel) as pool:
        rest = iter(passages)
        waiting: list[tuple[Passage, Future[tuple[str, str]]]] = []
        try:
            while True:
                waiting += [(passage, pool.submit(ask, passage)) for passage in islice(rest, parallel - len(waiting))]
                if not waiting:
                    return
                passage, future = waiting.pop(0)
                yield passage, future.result()
        finally:
            for _, future in waiting:
                future.cancel()
