"""Where the work is done: in threads of this process, on Ray, on Spark. One function over many items, results in order, on each."""

from __future__ import annotations

import atexit
import os
import pickle
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import Any, TypeVar

from advisor.data.library import library

Item = TypeVar("Item")
Value = TypeVar("Value")
Engine = Callable[[Callable[[Any], Any], Iterable[Any]], Iterator[Any]]
"""Takes a function and items, and yields the function's values in the order of the items."""

MOST_THREADS = 4
SPARK_ITEMS = 64
"""Items in one Spark job: some 64 MB of text leave the driver at a time."""


def _ahead(submit: Callable[[Any], Any], fetch: Callable[[Any], Any], items: Iterable[Any], most: int) -> Iterator[Any]:
    """Yield results in the order of the items, with at most `most` of them under way."""
    waiting: deque[Any] = deque()
    for item in items:
        waiting.append(submit(item))
        if len(waiting) >= most:
            yield fetch(waiting.popleft())
    while waiting:
        yield fetch(waiting.popleft())


def local(function: Callable[[Item], Value], items: Iterable[Item]) -> Iterator[Value]:
    """Work in threads: NumPy and numba let go of the interpreter."""
    threads = min(os.cpu_count() or 1, MOST_THREADS)
    with ThreadPoolExecutor(threads) as pool:
        yield from _ahead(lambda item: pool.submit(function, item), lambda future: future.result(), items, threads + 1)


def ray(function: Callable[[Item], Value], items: Iterable[Item]) -> Iterator[Value]:
    """Work in Ray tasks: on the cluster this process is connected to, or that RAY_ADDRESS names, or one started here."""
    ray = library("ray", "cluster")
    if not ray.is_initialized():
        ray.init(log_to_driver=False)
    task = ray.remote(_value)
    most = 2 * int(ray.cluster_resources().get("CPU", 1))
    yield from _ahead(lambda item: task.remote(function, item), ray.get, items, most)


def _value(function: Callable[[Item], Value], item: Item) -> Value:
    """Return the value: Ray takes functions alone for tasks, and no `partial`."""
    return function(item)


def spark(function: Callable[[Item], Value], items: Iterable[Item]) -> Iterator[Value]:
    """Work in Spark's `mapInArrow`: in the session of this process, or one as `spark-submit` or SPARK_REMOTE configure it."""
    sessions = library("pyspark.sql", "cluster").SparkSession
    session = sessions.getActiveSession()
    if session is None:
        session = sessions.builder.getOrCreate()
        atexit.register(session.stop)
    arrow = library("pyarrow", "cluster")
    library("pandas", "cluster")  # `mapInArrow` asks for it, and says so in a traceback

    def worked(tables: Iterator[Any]) -> Iterator[Any]:
        for table in tables:
            for number, packed in zip(table["number"].to_pylist(), table["item"].to_pylist(), strict=True):
                # What this program packed; half a surrogate pair, which JSON may hold, is no text to Arrow, but is to pickle.
                value = pickle.dumps(function(pickle.loads(packed)))  # noqa: S301
                yield arrow.RecordBatch.from_pydict({"number": [number], "value": [value]})

    pending = iter(items)
    while some := list(islice(pending, SPARK_ITEMS)):
        columns = {"number": list(range(len(some))), "item": [pickle.dumps(item) for item in some]}
        frame = session.createDataFrame(arrow.table(columns)).repartition(len(some), "number")
        done = frame.mapInArrow(worked, "number long, value binary").collect()
        for row in sorted(done, key=lambda row: row["number"]):
            yield pickle.loads(row["value"])  # noqa: S301 - what this program packed on its own workers


ENGINES: dict[str, Engine] = {"local": local, "ray": ray, "spark": spark}
