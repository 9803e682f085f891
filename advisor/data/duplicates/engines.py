"""Where the kernel runs: in threads of this process, on Ray, on Spark. One function over batches, results in order, on each."""

from __future__ import annotations

import os
import pickle
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import Any

from advisor.data.duplicates.kernel import Sketches, sketch
from advisor.data.library import library

Batch = list[str]
Engine = Callable[[Iterable[Batch], int], Iterator[Sketches]]

MOST_THREADS = 4
ENCODING = ("utf-8", "surrogatepass")
"""Texts go to Spark as bytes: half a surrogate pair, which JSON may hold, is no text to Arrow."""
SPARK_BATCHES = 64
"""Batches in one Spark job: some 64 MB of text leave the driver at a time."""


def _ahead(submit: Callable[[Batch], Any], fetch: Callable[[Any], Any], batches: Iterable[Batch], most: int) -> Iterator[Any]:
    """Yield results in the order of the batches, with at most `most` of them under way."""
    waiting: deque[Any] = deque()
    for batch in batches:
        waiting.append(submit(batch))
        if len(waiting) >= most:
            yield fetch(waiting.popleft())
    while waiting:
        yield fetch(waiting.popleft())


def local(batches: Iterable[Batch], rows: int) -> Iterator[Sketches]:
    """Sketch in threads: NumPy and numba let go of the interpreter."""
    threads = min(os.cpu_count() or 1, MOST_THREADS)
    with ThreadPoolExecutor(threads) as pool:
        yield from _ahead(lambda batch: pool.submit(sketch, batch, rows), lambda future: future.result(), batches, threads + 1)


def ray(batches: Iterable[Batch], rows: int) -> Iterator[Sketches]:
    """Sketch in Ray tasks: on the cluster this process is connected to, or that RAY_ADDRESS names, or one started here."""
    ray = library("ray", "cluster")
    if not ray.is_initialized():
        ray.init(log_to_driver=False)
    task = ray.remote(sketch)
    most = 2 * int(ray.cluster_resources().get("CPU", 1))
    yield from _ahead(lambda batch: task.remote(batch, rows), ray.get, batches, most)


def spark(batches: Iterable[Batch], rows: int) -> Iterator[Sketches]:
    """Sketch with Spark's `mapInArrow`: in the session of this process, or one as `spark-submit` or SPARK_REMOTE configure it."""
    session = library("pyspark.sql", "cluster").SparkSession.builder.getOrCreate()
    arrow = library("pyarrow", "cluster")

    def sketched(tables: Iterator[Any]) -> Iterator[Any]:
        for table in tables:
            for number, batch in zip(table["number"].to_pylist(), table["texts"].to_pylist(), strict=True):
                packed = pickle.dumps(sketch([text.decode(*ENCODING) for text in batch], rows))
                yield arrow.RecordBatch.from_pydict({"number": [number], "sketches": [packed]})

    pending = iter(batches)
    while some := list(islice(pending, SPARK_BATCHES)):
        columns = {"number": list(range(len(some))), "texts": [[text.encode(*ENCODING) for text in batch] for batch in some]}
        frame = session.createDataFrame(arrow.table(columns)).repartition(len(some), "number")
        done = frame.mapInArrow(sketched, "number long, sketches binary").collect()
        for row in sorted(done, key=lambda row: row["number"]):
            yield pickle.loads(row["sketches"])  # noqa: S301 - what this program packed on its own workers


ENGINES: dict[str, Engine] = {"local": local, "ray": ray, "spark": spark}
