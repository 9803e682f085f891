"""Encoding on all cores. A tokenizer's own threads leave templates and masks to one core, so whole batches go to processes."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any, TypeVar

T = TypeVar("T")
R = TypeVar("R")

WORTH_IT = 8_000_000
"""Bytes of data from which processes repay what it takes to start them."""

MOST_WORKERS = 8
"""Each holds up to a tenth of a gigabyte of its own, and the process that reads and writes could not feed many more."""

AHEAD = 2
"""Batches that wait for a worker, beside those at work: with few, memory stays bounded."""

_ASK_FOR_SIGNAL = 1
"""prctl(2): the signal that a process gets when its parent dies. A parent that is killed cannot end its workers itself."""

_function: Callable[[Any], Any] | None = None
"""In a worker: what it does. Inherited when it is forked, so that no tokenizer has to be sent."""


def workers_for(size: int) -> int:
    """Return how many processes encode `size` bytes; 0 where this process does so itself."""
    if size < WORTH_IT or not sys.platform.startswith("linux"):  # elsewhere a fork of a program with threads is not safe
        return 0
    cores = len(os.sched_getaffinity(0))
    return min(cores, MOST_WORKERS) if cores > 1 else 0


def spread(function: Callable[[T], R], batches: Iterator[T], workers: int) -> Iterator[tuple[T, Callable[[], R]]]:
    """Yield each batch with a function that returns `function(batch)` or raises what that raised, in order."""
    if not workers:
        for batch in batches:
            yield batch, lambda batch=batch: function(batch)  # type: ignore[misc]
        return
    pool = ProcessPoolExecutor(workers, get_context("fork"), initializer=_begin, initargs=(function,))
    waiting: deque[tuple[T, Future[R]]] = deque()
    try:
        for batch in batches:
            waiting.append((batch, pool.submit(_do, batch)))
            if len(waiting) >= workers + AHEAD:
                first, future = waiting.popleft()
                yield first, future.result
        for first, future in waiting:
            yield first, future.result
    finally:
        pool.shutdown(cancel_futures=True)


def _begin(function: Callable[[Any], Any]) -> None:
    global _function
    _function = function
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the process that reads ends the workers
    if hasattr(libc := ctypes.CDLL(None), "prctl"):
        libc.prctl(_ASK_FOR_SIGNAL, signal.SIGKILL)
    # The threads of a tokenizer are not there after a fork; whoever waits for them waits for ever.
    os.environ["TOKENIZERS_PARALLELISM"] = "false"


def _do(batch: Any) -> Any:
    assert _function is not None
    return _function(batch)
